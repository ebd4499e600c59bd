//! Orders in SQL.

use super::rows::{record, select_record};
use super::writes::{Done, Job, OrderWrites};
use super::{Begun, Change, Intent, Moved, NewOrder, OrderBook, Outgoing, Owner, Page, Record, Steps, Task, board, ledger};
use async_trait::async_trait;
use contract::ledger::LedgerPage;
use contract::order::{Board, Order};
use contract::{CartId, OrderId, RestaurantId, Timestamp};
use runtime::args;
use runtime::chance::Chance;
use runtime::store::sql::{Database, GroupCommit, Row, Schema};
use runtime::store::{StoreError, StoreGuard};

pub const SCHEMA: Schema = Schema {
    sqlite: &[
        (1, "orders", include_str!("../../migrations/sqlite/0001_orders.sql")),
        (2, "life", include_str!("../../migrations/sqlite/0002_life.sql")),
    ],
    postgres: &[
        (1, "orders", include_str!("../../migrations/postgres/0001_orders.sql")),
        (2, "life", include_str!("../../migrations/postgres/0002_life.sql")),
    ],
};

pub struct SqlOrderBook {
    database: Database,
    writer: GroupCommit<OrderWrites>,
    guard: StoreGuard,
}

impl SqlOrderBook {
    /// `chance` decides how long kitchens on autopilot take.
    pub fn new(database: Database, guard: StoreGuard, chance: Chance) -> Self {
        Self { writer: GroupCommit::start(&database, OrderWrites { chance }), database, guard }
    }

    async fn turn(&self, operation: &'static str, job: Job) -> Result<bool, StoreError> {
        let write = async {
            match self.writer.submit(job).await? {
                Done::Turned(turned) => Ok(turned),
                _ => Err(mixed_up()),
            }
        };
        self.guard.run(operation, write).await
    }

    async fn steps(&self, job: Job) -> Result<(u32, Steps), StoreError> {
        match self.writer.submit(job).await? {
            Done::Steps(seen, steps) => Ok((seen, steps)),
            _ => Err(mixed_up()),
        }
    }

    async fn write(&self, operation: &'static str, job: Job) -> Result<(), StoreError> {
        self.guard.run(operation, async { self.writer.submit(job).await.map(drop) }).await
    }
}

fn mixed_up() -> StoreError {
    StoreError::Corrupt("the writer answered another question".to_owned())
}

/// Above every id: the first page starts here.
const TOP: &str = "~";

#[async_trait]
impl OrderBook for SqlOrderBook {
    async fn begin(&self, intent: &Intent) -> Result<Begun, StoreError> {
        let write = async {
            match self.writer.submit(Job::Begin(intent.clone())).await? {
                Done::Begun(begun) => Ok(begun),
                _ => Err(mixed_up()),
            }
        };
        self.guard.run("begin", write).await
    }

    async fn commit(&self, order: &NewOrder) -> Result<bool, StoreError> {
        self.turn("commit", Job::Commit(Box::new(order.clone()))).await
    }

    async fn discard(&self, id: &OrderId) -> Result<bool, StoreError> {
        self.turn("discard", Job::Discard(id.clone())).await
    }

    async fn abort(&self, id: &OrderId) -> Result<bool, StoreError> {
        self.turn("abort", Job::Abort(id.clone())).await
    }

    async fn forget(&self, id: &OrderId) -> Result<(), StoreError> {
        self.write("forget", Job::Forget(id.clone())).await
    }

    fn is_shared(&self) -> bool {
        self.database.is_shared()
    }

    async fn stale(&self, before: Timestamp, limit: u32) -> Result<Vec<OrderId>, StoreError> {
        let read = async {
            let sql = "SELECT order_id FROM requests WHERE state = 'aborting' OR (state = 'intent' AND created_at_ms < $1) \
                       ORDER BY created_at_ms LIMIT $2";
            let rows = self.database.all(sql, args![before, limit]).await?;
            rows.iter().map(|row| Ok(OrderId::new(row.text(0)?))).collect()
        };
        self.guard.run("stale", read).await
    }

    async fn forget_answers(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write("forget_answers", Job::ForgetAnswers(before)).await
    }

    async fn find(&self, id: &OrderId) -> Result<Option<Record>, StoreError> {
        let read = async {
            let row = self.database.optional(select_record!("WHERE id = $1"), args![id.as_str()]).await?;
            Ok(row.as_ref().map(record).transpose()?)
        };
        self.guard.run("find", read).await
    }

    async fn list(&self, owner: &Owner, customer: Option<&str>, page: &Page) -> Result<Vec<Order>, StoreError> {
        let (after, limit) = (page.after.as_ref().map_or(TOP, OrderId::as_str), page.limit);
        let (sql, args) = match (owner, customer) {
            (Owner::One(owner), None) => {
                (select_record!("WHERE id < $1 AND owner_id = $3 ORDER BY id DESC LIMIT $2"), args![after, limit, owner])
            }
            (Owner::One(owner), Some(name)) => (
                select_record!("WHERE id < $1 AND owner_id = $3 AND customer_name = $4 ORDER BY id DESC LIMIT $2"),
                args![after, limit, owner, name],
            ),
            (Owner::Everybody, None) => (select_record!("WHERE id < $1 ORDER BY id DESC LIMIT $2"), args![after, limit]),
            (Owner::Everybody, Some(name)) => {
                (select_record!("WHERE id < $1 AND customer_name = $3 ORDER BY id DESC LIMIT $2"), args![after, limit, name])
            }
        };
        let read = async {
            let rows = self.database.all(sql, args).await?;
            rows.iter().map(|row| Ok(record(row)?.order)).collect()
        };
        self.guard.run("list", read).await
    }

    async fn customers(&self, owner: &Owner, after: Option<&str>, limit: u32) -> Result<Vec<String>, StoreError> {
        let after = after.unwrap_or_default();
        // From each name to the next along the index: as many steps as names, whatever they ordered.
        let (sql, args) = match owner {
            Owner::One(owner) => (
                "WITH RECURSIVE names(name) AS (\
                     SELECT MIN(customer_name) FROM orders WHERE owner_id = $3 AND customer_name > $1 \
                     UNION ALL SELECT (SELECT MIN(customer_name) FROM orders WHERE owner_id = $3 AND customer_name > names.name) \
                     FROM names WHERE names.name IS NOT NULL) \
                 SELECT name FROM names WHERE name IS NOT NULL LIMIT $2",
                args![after, limit, owner],
            ),
            Owner::Everybody => (
                "WITH RECURSIVE names(name) AS (\
                     SELECT MIN(customer_name) FROM orders WHERE customer_name > $1 \
                     UNION ALL SELECT (SELECT MIN(customer_name) FROM orders WHERE customer_name > names.name) \
                     FROM names WHERE names.name IS NOT NULL) \
                 SELECT name FROM names WHERE name IS NOT NULL LIMIT $2",
                args![after, limit],
            ),
        };
        let read = async {
            let rows = self.database.all(sql, args).await?;
            rows.iter().map(|row| Ok(row.text(0)?)).collect()
        };
        self.guard.run("customers", read).await
    }

    async fn change(&self, change: &Change) -> Result<Moved, StoreError> {
        let write = async {
            match self.writer.submit(Job::Change(change.clone())).await? {
                Done::Moved(moved) => Ok(moved),
                _ => Err(mixed_up()),
            }
        };
        self.guard.run("change", write).await
    }

    async fn cook(&self, now: Timestamp, limit: u32) -> Result<(u32, Steps), StoreError> {
        // Most of the time there is nothing to do, and looking costs the writer nothing.
        let due = async {
            let sql = "SELECT 1 FROM orders WHERE due_at_ms <= $1 \
                AND restaurant_id NOT IN (SELECT restaurant_id FROM kitchens WHERE autopilot = 0) LIMIT 1";
            if self.database.optional(sql, args![now]).await?.is_none() {
                return Ok((0, Vec::new()));
            }
            self.steps(Job::Cook { now, limit }).await
        };
        self.guard.run("cook", due).await
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<(u32, Steps), StoreError> {
        let overdue = async {
            if self.database.optional("SELECT 1 FROM orders WHERE deadline_ms <= $1 LIMIT 1", args![now]).await?.is_none() {
                return Ok((0, Vec::new()));
            }
            self.steps(Job::Sweep { now, limit }).await
        };
        self.guard.run("sweep", overdue).await
    }

    async fn board(&self, restaurant: &RestaurantId) -> Result<Board, StoreError> {
        self.guard.run("board", async { Ok(board::board(&self.database, restaurant).await?) }).await
    }

    async fn set_autopilot(&self, restaurant: &RestaurantId, on: bool) -> Result<(), StoreError> {
        self.write("set_autopilot", Job::SetAutopilot { restaurant: restaurant.clone(), on }).await
    }

    async fn claim(&self, from: &str, to: &str, user: &str) -> Result<(), StoreError> {
        self.write("claim", Job::Claim { from: from.to_owned(), to: to.to_owned(), user: user.to_owned() }).await
    }

    async fn ledger(&self, now: Timestamp) -> Result<LedgerPage, StoreError> {
        self.guard.run("ledger", async { Ok(ledger::page(&self.database, now).await?) }).await
    }

    async fn forget_recent(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write("forget_recent", Job::ForgetRecent(before)).await
    }

    async fn reset(&self) -> Result<(), StoreError> {
        self.write("reset", Job::Reset).await
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        let read = async {
            let sql = "SELECT id, kind, order_id, payload, attempts FROM outbox WHERE due_at_ms <= $1 ORDER BY due_at_ms, id LIMIT $2";
            let rows = self.database.all(sql, args![now, limit]).await?;
            rows.iter().map(outgoing).collect()
        };
        self.guard.run("due", read).await
    }

    async fn settle(&self, done: Vec<i64>, failed: Vec<Outgoing>, now: Timestamp) -> Result<(), StoreError> {
        self.write("settle", Job::Settle { done, failed, now }).await
    }
}

fn outgoing(row: &Row) -> Result<Outgoing, StoreError> {
    let task = match row.text(1)?.as_str() {
        "confirm_stock" => Task::ConfirmStock,
        "release_stock" => Task::ReleaseStock,
        "clear_cart" => Task::ClearCart(CartId::new(row.text(3)?)),
        other => return Err(StoreError::Corrupt(format!("{other} is not a task"))),
    };
    Ok(Outgoing { id: row.int(0)?, order_id: OrderId::new(row.text(2)?), task, attempts: row.int(4)? })
}
