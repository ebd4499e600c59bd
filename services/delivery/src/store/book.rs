//! Deliveries and couriers in SQL.

use super::rows::{courier, record, select_courier, select_delivery};
use super::tick::idle_since;
use super::writes::{DeliveryWrites, Done, Job};
use super::{Advance, Advanced, DeliveryBook, Record, Ticked};
use crate::domain::{ride, staff};
use crate::faults::Faults;
use async_trait::async_trait;
use contract::delivery::{Courier, DeliveryStatus};
use contract::ledger::{LedgerItem, LedgerPage, SETTLE_WITHIN_MS};
use contract::{OrderId, Timestamp};
use runtime::args;
use runtime::store::sql::{Database, GroupCommit, Row, Schema};
use runtime::store::{StoreError, StoreGuard};
use std::time::Duration;

pub const SCHEMA: Schema = Schema {
    sqlite: &[(1, "deliveries", include_str!("../../migrations/sqlite/0001_deliveries.sql"))],
    postgres: &[(1, "deliveries", include_str!("../../migrations/postgres/0001_deliveries.sql"))],
};

/// Most couriers in one answer: two cities full of freelancers. A map with more is no map.
const MOST_LISTED: u32 = 2_000;

/// An order nobody could take for this long is named by the ledger as late.
const QUEUE_LIMIT: Duration = Duration::from_secs(600);

/// A step that is due is made within a tick; with this the ledger allows for a restart, too.
const STEP_LIMIT: Duration = Duration::from_secs(30);

pub struct SqlDeliveryBook {
    database: Database,
    writer: GroupCommit<DeliveryWrites>,
    guard: StoreGuard,
    faults: Faults,
}

impl SqlDeliveryBook {
    /// `seed` decides where couriers begin.
    pub fn new(database: Database, seed: u64, guard: StoreGuard, faults: Faults) -> Self {
        let writer = GroupCommit::start(&database, DeliveryWrites { seed, faults: faults.clone() });
        Self { database, writer, guard, faults }
    }

    /// The slowdown is over.
    async fn hurry(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write("hurry", Job::Hurry(now)).await.inspect_err(|_| self.faults.still_slow())
    }

    async fn write(&self, operation: &'static str, job: Job) -> Result<(), StoreError> {
        self.guard.run(operation, async { self.writer.submit(job).await.map(drop) }).await
    }

    /// Whether a tick would find something. Four times a second this is all that an idle platform does.
    async fn is_due(&self, now: Timestamp) -> Result<bool, StoreError> {
        // The first by an index, not EXISTS: PostgreSQL would hope to meet one early and read the whole table.
        let sql = "SELECT (SELECT due_at_ms FROM deliveries WHERE due_at_ms IS NOT NULL ORDER BY due_at_ms LIMIT 1),
            (SELECT order_id FROM deliveries WHERE status = 'queued' ORDER BY city, ready_at_ms, order_id LIMIT 1),
            (SELECT free_since_ms FROM couriers WHERE freelancer = 1 AND order_id IS NULL AND autopilot = 1
                ORDER BY free_since_ms LIMIT 1)";
        let row = self.database.one(sql, args![]).await?;
        let (due, queued, idle) = (row.opt_int(0)?, row.opt_text(1)?, row.opt_int(2)?);
        Ok(due.is_some_and(|due| due <= now.millis()) || queued.is_some() || idle.is_some_and(|since| since <= idle_since(now)))
    }

    /// An estimate for an order that waits.
    async fn estimate(&self, record: &Record, ready_at_ms: i64, now: Timestamp) -> Result<Timestamp, StoreError> {
        let delivery = &record.delivery;
        let sql = "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE status = 'queued' AND city = $1
                AND (ready_at_ms, order_id) < ($2, $3) ORDER BY ready_at_ms, order_id LIMIT $4) AS older),
            (SELECT COUNT(*) FROM couriers WHERE city = $1), (SELECT COUNT(*) FROM couriers WHERE city = $1 AND order_id IS NULL)";
        let args = args![&delivery.city, ready_at_ms, delivery.order_id.as_str(), COUNTED_AHEAD];
        let row = self.database.one(sql, args).await?;
        let count = |column| Ok::<u32, StoreError>(u32::try_from(row.int(column)?).unwrap_or(u32::MAX));
        Ok(staff::expected(now, count(0)?, count(1)?, count(2)?, delivery.from, delivery.to))
    }
}

/// Further than this nobody counts for an estimate: it says "late" either way.
const COUNTED_AHEAD: u32 = 5_000;

fn mixed_up() -> StoreError {
    StoreError::Corrupt("the writer answered another job".to_owned())
}

#[async_trait]
impl DeliveryBook for SqlDeliveryBook {
    async fn found(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write("found", Job::Found(now)).await
    }

    async fn tick(&self, now: Timestamp) -> Result<Ticked, StoreError> {
        if self.faults.should_hurry() {
            self.hurry(now).await?;
        }
        // Outside of the guard: looking leaves no span four times a second.
        if !self.is_due(now).await? {
            return Ok(Ticked::default());
        }
        let write = async {
            match self.writer.submit(Job::Tick(now)).await? {
                Done::Ticked(ticked) => {
                    self.faults.mark(ticked.held, ticked.ways.iter().filter(|way| way.slowed).count());
                    Ok(ticked)
                }
                _ => Err(mixed_up()),
            }
        };
        self.guard.run("tick", write).await
    }

    async fn advance(&self, step: Advance) -> Result<Advanced, StoreError> {
        let write = async {
            match self.writer.submit(Job::Advance(step)).await? {
                Done::Advanced(advanced) => Ok(advanced),
                _ => Err(mixed_up()),
            }
        };
        self.guard.run("advance", write).await
    }

    async fn set_autopilot(&self, id: &str, autopilot: bool) -> Result<bool, StoreError> {
        let write = async {
            match self.writer.submit(Job::SetAutopilot(id.to_owned(), autopilot)).await? {
                Done::Set(known) => Ok(known),
                _ => Err(mixed_up()),
            }
        };
        self.guard.run("set_autopilot", write).await
    }

    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        let write = async {
            match self.writer.submit(Job::Forget(before)).await? {
                Done::Forgotten(deliveries) => Ok(deliveries),
                _ => Err(mixed_up()),
            }
        };
        self.guard.run("forget", write).await
    }

    async fn reset(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write("reset", Job::Reset(now)).await
    }

    async fn find(&self, id: &OrderId, now: Timestamp) -> Result<Option<Record>, StoreError> {
        let read = async {
            let Some(row) = self.database.optional(select_delivery!("WHERE order_id = $1"), args![id.as_str()]).await? else {
                return Ok(None);
            };
            let mut record = record(&row)?;
            if record.delivery.status == DeliveryStatus::Queued {
                record.delivery.expected_at = Some(self.estimate(&record, row.int(21)?, now).await?);
            }
            Ok(Some(record))
        };
        self.guard.run("find", read).await
    }

    async fn courier(&self, id: &str, now: Timestamp) -> Result<Option<Courier>, StoreError> {
        let read = async {
            let row = self.database.optional(select_courier!("WHERE c.id = $1"), args![id]).await?;
            row.map(|row| courier(&row, now)).transpose()
        };
        self.guard.run("courier", read).await
    }

    async fn couriers(&self, city: &str, now: Timestamp) -> Result<Vec<Courier>, StoreError> {
        let read = async {
            let rows = if city.is_empty() {
                self.database.all(select_courier!("ORDER BY c.city, c.name, c.id LIMIT $1"), args![MOST_LISTED]).await?
            } else {
                let sql = select_courier!("WHERE c.city = $1 ORDER BY c.name, c.id LIMIT $2");
                self.database.all(sql, args![city, MOST_LISTED]).await?
            };
            rows.iter().map(|row| courier(row, now)).collect()
        };
        self.guard.run("couriers", read).await
    }

    async fn ledger(&self, now: Timestamp) -> Result<LedgerPage, StoreError> {
        let read = async {
            let mut page = LedgerPage::default();
            for row in self.database.all("SELECT name, value FROM delivery_totals", args![]).await? {
                page.totals.insert(row.text(0)?, row.int(1)?);
            }
            let sql = "SELECT (SELECT COUNT(*) FROM deliveries WHERE created_at_ms > $1),
                (SELECT COUNT(*) FROM deliveries WHERE status = 'completed' AND updated_at_ms > $1)";
            let moved = self.database.one(sql, args![now.millis() - SETTLE_WITHIN_MS]).await?;
            page.recent.insert("deliveries".to_owned(), moved.int(0)?);
            page.recent.insert("completed".to_owned(), moved.int(1)?);
            let sql = "SELECT order_id, status, courier_id, created_at_ms, updated_at_ms, due_at_ms FROM deliveries
                WHERE status <> 'completed' ORDER BY created_at_ms, order_id LIMIT $1";
            let open = self.database.all(sql, args![LedgerPage::MAX_OPEN as i64]).await?;
            page.open = open.iter().map(|row| Ok(open_item(row)?)).collect::<Result<_, StoreError>>()?;
            Ok(page)
        };
        self.guard.run("ledger", read).await
    }

    async fn queues(&self) -> Result<Vec<(String, u64)>, StoreError> {
        // Counted every second for the metrics: outside of the guard, it leaves no span.
        let rows = self.database.all("SELECT city, COUNT(*) FROM deliveries WHERE status = 'queued' GROUP BY city", args![]).await?;
        rows.iter().map(|row| Ok((row.text(0)?, u64::try_from(row.int(1)?).unwrap_or(0)))).collect()
    }
}

fn open_item(row: &Row) -> Result<LedgerItem, sqlx::Error> {
    let (created, updated) = (Timestamp::from_millis(row.int(3)?), Timestamp::from_millis(row.int(4)?));
    let (waits_for, owner, since, deadline) = match super::rows::status(&row.text(1)?)? {
        DeliveryStatus::Queued => ("a courier", "delivery".to_owned(), created, created + QUEUE_LIMIT),
        status => {
            let due = row.opt_int(5)?.map_or(updated + ride::HAND_LIMIT, Timestamp::from_millis);
            let what = if status == DeliveryStatus::Assigned { "being picked up" } else { "being brought to the door" };
            (what, row.opt_text(2)?.unwrap_or_default(), updated, due + STEP_LIMIT)
        }
    };
    Ok(LedgerItem { order_id: OrderId::new(row.text(0)?), waits_for: waits_for.to_owned(), owner, since, deadline })
}
