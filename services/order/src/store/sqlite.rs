//! Orders in SQLite.

use super::writes::{Done, Job, OrderWrites};
use super::{Begun, Intent, Moved, NewOrder, OrderBook, Outgoing, Owner, Page, Record, Task};
use async_trait::async_trait;
use contract::order::{Order, OrderStatus};
use contract::{CartId, OrderId, Timestamp};
use runtime::store::sqlite::{Database, GroupCommit, Migrations};
use runtime::store::{StoreError, StoreGuard};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteExecutor};

pub const MIGRATIONS: &Migrations = &[(1, "orders", include_str!("../../migrations/0001_orders.sql"))];

pub struct SqliteOrderBook {
    database: Database,
    writer: GroupCommit<OrderWrites>,
    guard: StoreGuard,
}

impl SqliteOrderBook {
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

const RECORD: &str = "SELECT document, status, updated_at_ms, session_id FROM orders";

fn record(row: &SqliteRow) -> Result<Record, sqlx::Error> {
    let (document, status): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    let mut order: Order = serde_json::from_str(&document).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    order.status = OrderStatus::from_text(&status).ok_or_else(|| sqlx::Error::Decode(format!("{status} is not a status").into()))?;
    order.updated_at = Timestamp::from_millis(row.try_get(2)?);
    Ok(Record { order, session: row.try_get(3)? })
}

/// Reads an order where it matters to be in the writer's transaction, or not.
pub async fn find(executor: impl SqliteExecutor<'_>, id: &OrderId) -> Result<Option<Record>, sqlx::Error> {
    let row = sqlx::query("SELECT document, status, updated_at_ms, session_id FROM orders WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(record).transpose()
}

/// Above every id: the first page starts here.
const TOP: &str = "~";

#[async_trait]
impl OrderBook for SqliteOrderBook {
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

    /// A file is of one process.
    fn is_shared(&self) -> bool {
        false
    }

    async fn stale(&self, before: Timestamp, limit: u32) -> Result<Vec<OrderId>, StoreError> {
        let read = async {
            let ids: Vec<String> = sqlx::query_scalar(
                "SELECT order_id FROM requests WHERE state = 'aborting' OR (state = 'intent' AND created_at_ms < $1) \
                 ORDER BY created_at_ms LIMIT $2",
            )
            .bind(before.millis())
            .bind(limit)
            .fetch_all(self.database.readers())
            .await?;
            Ok(ids.into_iter().map(OrderId::new).collect())
        };
        self.guard.run("stale", read).await
    }

    async fn forget_answers(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write("forget_answers", Job::ForgetAnswers(before)).await
    }

    async fn find(&self, id: &OrderId) -> Result<Option<Record>, StoreError> {
        self.guard.run("find", async { Ok(find(self.database.readers(), id).await?) }).await
    }

    async fn list(&self, owner: &Owner, customer: Option<&str>, page: &Page) -> Result<Vec<Order>, StoreError> {
        let filter = match (owner, customer) {
            (Owner::Session(_), None) => "session_id = $3",
            (Owner::Session(_), Some(_)) => "session_id = $3 AND customer_name = $4",
            (Owner::Everybody, None) => "true",
            (Owner::Everybody, Some(_)) => "customer_name = $4",
        };
        let statement = format!("{RECORD} WHERE id < $1 AND {filter} ORDER BY id DESC LIMIT $2");
        let session = match owner {
            Owner::Session(session) => session.as_str(),
            Owner::Everybody => "",
        };
        let read = async {
            let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
                .bind(page.after.as_ref().map_or(TOP, OrderId::as_str))
                .bind(page.limit)
                .bind(session)
                .bind(customer.unwrap_or_default())
                .fetch_all(self.database.readers())
                .await?;
            let records: Result<Vec<Record>, sqlx::Error> = rows.iter().map(record).collect();
            Ok(records?.into_iter().map(|record| record.order).collect())
        };
        self.guard.run("list", read).await
    }

    async fn customers(&self, owner: &Owner, after: Option<&str>, limit: u32) -> Result<Vec<String>, StoreError> {
        let (statement, session) = match owner {
            Owner::Session(session) => (
                "SELECT DISTINCT customer_name FROM orders WHERE customer_name > $1 AND session_id = $3 ORDER BY customer_name LIMIT $2",
                session.as_str(),
            ),
            Owner::Everybody => {
                ("SELECT DISTINCT customer_name FROM orders WHERE customer_name > $1 AND $3 = '' ORDER BY customer_name LIMIT $2", "")
            }
        };
        let read = async {
            let names = sqlx::query_scalar(statement).bind(after.unwrap_or_default()).bind(limit).bind(session);
            Ok(names.fetch_all(self.database.readers()).await?)
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
            let rows = sqlx::query(
                "SELECT id, kind, order_id, payload, attempts FROM outbox WHERE due_at_ms <= $1 ORDER BY due_at_ms, id LIMIT $2",
            )
            .bind(now.millis())
            .bind(limit)
            .fetch_all(self.database.readers())
            .await?;
            rows.iter().map(outgoing).collect()
        };
        self.guard.run("due", read).await
    }

    async fn settle(&self, done: Vec<i64>, failed: Vec<Outgoing>, now: Timestamp) -> Result<(), StoreError> {
        self.write("settle", Job::Settle { done, failed, now }).await
    }
}

fn outgoing(row: &SqliteRow) -> Result<Outgoing, StoreError> {
    let (kind, payload): (String, String) = (row.try_get(1)?, row.try_get(3)?);
    let task = match kind.as_str() {
        "confirm_stock" => Task::ConfirmStock,
        "clear_cart" => Task::ClearCart(CartId::new(payload)),
        other => return Err(StoreError::Corrupt(format!("{other} is not a task"))),
    };
    Ok(Outgoing { id: row.try_get(0)?, order_id: OrderId::new(row.try_get::<String, _>(2)?), task, attempts: row.try_get(4)? })
}
