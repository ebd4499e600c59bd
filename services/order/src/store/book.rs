//! Orders in SQL.

use super::writes::{Done, Job, OrderWrites};
use super::{Begun, Intent, Moved, NewOrder, OrderBook, Outgoing, Owner, Page, Record, Task};
use async_trait::async_trait;
use contract::order::{Order, OrderStatus};
use contract::{CartId, OrderId, Timestamp};
use runtime::args;
use runtime::store::sql::{Connection, Database, GroupCommit, Row, Schema};
use runtime::store::{StoreError, StoreGuard};

pub const SCHEMA: Schema = Schema {
    sqlite: &[(1, "orders", include_str!("../../migrations/sqlite/0001_orders.sql"))],
    postgres: &[(1, "orders", include_str!("../../migrations/postgres/0001_orders.sql"))],
};

pub struct SqlOrderBook {
    database: Database,
    writer: GroupCommit<OrderWrites>,
    guard: StoreGuard,
}

impl SqlOrderBook {
    pub fn new(database: Database, guard: StoreGuard) -> Self {
        Self { writer: GroupCommit::start(&database, OrderWrites), database, guard }
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

    async fn write(&self, operation: &'static str, job: Job) -> Result<(), StoreError> {
        self.guard.run(operation, async { self.writer.submit(job).await.map(drop) }).await
    }
}

fn mixed_up() -> StoreError {
    StoreError::Corrupt("the writer answered another question".to_owned())
}

/// A record, by what is asked for.
macro_rules! select_record {
    ($condition:literal) => {
        concat!("SELECT document, status, updated_at_ms, session_id FROM orders ", $condition)
    };
}

fn record(row: &Row) -> Result<Record, sqlx::Error> {
    let status = row.text(1)?;
    let mut order: Order = serde_json::from_str(&row.text(0)?).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    order.status = OrderStatus::from_text(&status).ok_or_else(|| sqlx::Error::Decode(format!("{status} is not a status").into()))?;
    order.updated_at = Timestamp::from_millis(row.int(2)?);
    Ok(Record { order, session: row.opt_text(3)? })
}

/// Reads an order to change it: no other replica does until the transaction ends.
pub async fn find_to_change(transaction: &mut Connection<'_>, id: &OrderId) -> Result<Option<Record>, sqlx::Error> {
    let row = transaction.optional(select_record!("WHERE id = $1 FOR UPDATE"), args![id.as_str()]).await?;
    row.as_ref().map(record).transpose()
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
            (Owner::Session(session), None) => {
                (select_record!("WHERE id < $1 AND session_id = $3 ORDER BY id DESC LIMIT $2"), args![after, limit, session])
            }
            (Owner::Session(session), Some(name)) => (
                select_record!("WHERE id < $1 AND session_id = $3 AND customer_name = $4 ORDER BY id DESC LIMIT $2"),
                args![after, limit, session, name],
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
        let (sql, args) = match owner {
            Owner::Session(session) => (
                "SELECT DISTINCT customer_name FROM orders WHERE customer_name > $1 AND session_id = $3 ORDER BY customer_name LIMIT $2",
                args![after, limit, session],
            ),
            Owner::Everybody => {
                ("SELECT DISTINCT customer_name FROM orders WHERE customer_name > $1 ORDER BY customer_name LIMIT $2", args![after, limit])
            }
        };
        let read = async {
            let rows = self.database.all(sql, args).await?;
            rows.iter().map(|row| Ok(row.text(0)?)).collect()
        };
        self.guard.run("customers", read).await
    }

    async fn set_status(&self, id: &OrderId, status: OrderStatus, at: Timestamp) -> Result<Moved, StoreError> {
        let write = async {
            match self.writer.submit(Job::SetStatus(id.clone(), status, at)).await? {
                Done::Moved(moved) => Ok(moved),
                _ => Err(mixed_up()),
            }
        };
        self.guard.run("set_status", write).await
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
        "clear_cart" => Task::ClearCart(CartId::new(row.text(3)?)),
        other => return Err(StoreError::Corrupt(format!("{other} is not a task"))),
    };
    Ok(Outgoing { id: row.int(0)?, order_id: OrderId::new(row.text(2)?), task, attempts: row.int(4)? })
}
