//! Payments in SQL.

use super::writes::{Done, Job, Writes, payment, select};
use super::{Answered, PaymentBook};
use crate::domain::{Happened, Payment, State};
use async_trait::async_trait;
use contract::ledger::{LedgerItem, LedgerPage, SETTLE_WITHIN_MS};
use contract::payment::SettlementLine;
use contract::{Money, OrderId, RestaurantId, Timestamp};
use runtime::args;
use runtime::store::sql::{Database, GroupCommit, Row, Schema};
use runtime::store::{StoreError, StoreGuard};
use std::collections::BTreeMap;
use std::time::Duration;

pub const SCHEMA: Schema = Schema {
    sqlite: &[
        (1, "payments", include_str!("../../migrations/sqlite/0001_payments.sql")),
        (2, "bank", include_str!("../../migrations/sqlite/0002_bank.sql")),
    ],
    postgres: &[
        (1, "payments", include_str!("../../migrations/postgres/0001_payments.sql")),
        (2, "bank", include_str!("../../migrations/postgres/0002_bank.sql")),
    ],
};

/// How long the bank may take, outages included, before somebody should look at it.
const DEADLINE: Duration = Duration::from_secs(60);

pub struct SqlPaymentBook {
    database: Database,
    writer: GroupCommit<Writes>,
    guard: StoreGuard,
}

impl SqlPaymentBook {
    pub fn new(database: Database, guard: StoreGuard) -> Self {
        Self { writer: GroupCommit::start(&database, Writes), database, guard }
    }

    async fn write(&self, operation: &'static str, job: Job) -> Result<Done, StoreError> {
        self.guard.run(operation, self.writer.submit(job)).await
    }

    async fn sums(&self, since: Timestamp) -> Result<BTreeMap<String, i64>, StoreError> {
        let payments = self.database.one("SELECT COUNT(*) FROM payments WHERE created_ms >= $1", args![since]).await?;
        let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(amount_cents), 0) AS BIGINT) FROM payments WHERE charged_ms >= $1";
        let charged = self.database.one(sql, args![since]).await?;
        let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(amount_cents), 0) AS BIGINT) FROM payments WHERE refunded_ms >= $1";
        let refunded = self.database.one(sql, args![since]).await?;
        let sql = "SELECT CAST(COALESCE(SUM(amount_cents), 0) AS BIGINT) FROM provider_charges \
                   WHERE state IN ('charged', 'refunded') AND at_ms >= $1";
        let taken = self.database.one(sql, args![since]).await?;
        let sql = "SELECT CAST(COALESCE(SUM(refunded_cents), 0) AS BIGINT) FROM provider_charges WHERE refunded_ms >= $1";
        let returned = self.database.one(sql, args![since]).await?;
        let sums = [
            ("payments", payments.int(0)?),
            ("charges", charged.int(0)?),
            ("charged_cents", charged.int(1)?),
            ("refunds", refunded.int(0)?),
            ("refunded_cents", refunded.int(1)?),
            ("bank_charged_cents", taken.int(0)?),
            ("bank_refunded_cents", returned.int(0)?),
        ];
        Ok(sums.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    async fn page(&self, now: Timestamp) -> Result<LedgerPage, StoreError> {
        let rows = self.database.all("SELECT name, value FROM payment_totals", args![]).await?;
        let totals = rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect::<Result<_, sqlx::Error>>()?;
        let recent = self.sums(Timestamp::from_millis(now.millis() - SETTLE_WITHIN_MS)).await?;
        let sql = "SELECT order_id, status, updated_ms FROM payments WHERE open = 1 ORDER BY updated_ms LIMIT $1";
        let rows = self.database.all(sql, args![LedgerPage::MAX_OPEN as i64]).await?;
        let open = rows.iter().map(item).collect::<Result<_, sqlx::Error>>()?;
        Ok(LedgerPage { totals, recent, open })
    }
}

fn item(row: &Row) -> Result<LedgerItem, sqlx::Error> {
    let since = Timestamp::from_millis(row.int(2)?);
    let waits_for = if row.text(1)? == State::Charging.as_str() { "a charge" } else { "a refund" };
    Ok(LedgerItem {
        order_id: OrderId::new(row.text(0)?),
        waits_for: waits_for.to_owned(),
        owner: "payment".to_owned(),
        since,
        deadline: since + DEADLINE,
    })
}

fn line(row: &Row) -> Result<SettlementLine, sqlx::Error> {
    let count = |column| row.int(column).map(|count| u32::try_from(count).unwrap_or(0));
    let (charged, refunded) = (Money::from_cents(row.int(2)?), Money::from_cents(row.int(4)?));
    Ok(SettlementLine {
        restaurant_id: RestaurantId::new(row.text(0)?),
        charges: count(1)?,
        charged,
        refunds: count(3)?,
        refunded,
        net: charged - refunded,
    })
}

fn mixed_up() -> StoreError {
    StoreError::Corrupt("the writer answered another question".to_owned())
}

#[async_trait]
impl PaymentBook for SqlPaymentBook {
    async fn find(&self, id: &OrderId) -> Result<Option<Payment>, StoreError> {
        let read = async {
            let row = self.database.optional(select!("FROM payments WHERE order_id = $1"), args![id.as_str()]).await?;
            Ok(row.as_ref().map(payment).transpose()?)
        };
        self.guard.run("find", read).await
    }

    async fn answer(&self, id: &OrderId, happened: Happened, traceparent: Option<String>, now: Timestamp) -> Result<Answered, StoreError> {
        match self.write("answer", Job::Answer { order: id.clone(), happened, traceparent, now }).await? {
            Done::Answered(answered) => Ok(answered),
            _ => Err(mixed_up()),
        }
    }

    async fn put_off(&self, id: &OrderId, now: Timestamp) -> Result<(), StoreError> {
        self.write("put_off", Job::PutOff { order: id.clone(), now }).await.map(drop)
    }

    async fn claim(&self, before: Timestamp, now: Timestamp, limit: u32) -> Result<Vec<Payment>, StoreError> {
        // Asked first, because there is hardly ever anything, and writing takes its turn behind the payments under way.
        let sql = "SELECT 1 FROM payments WHERE open = 1 AND due_ms < $1 LIMIT 1";
        let due = self.guard.run("due", async { Ok(self.database.optional(sql, args![before]).await?.is_some()) });
        if !due.await? {
            return Ok(Vec::new());
        }
        match self.write("claim", Job::Claim { before, now, limit }).await? {
            Done::Claimed(payments) => Ok(payments),
            _ => Err(mixed_up()),
        }
    }

    async fn settlement(&self, day: i64) -> Result<Vec<SettlementLine>, StoreError> {
        let read = async {
            let sql = "SELECT restaurant_id, charges, charged_cents, refunds, refunded_cents FROM settlement \
                       WHERE day = $1 AND charges > 0 ORDER BY restaurant_id";
            let rows = self.database.all(sql, args![day]).await?;
            Ok(rows.iter().map(line).collect::<Result<_, sqlx::Error>>()?)
        };
        self.guard.run("settlement", read).await
    }

    async fn ledger(&self, now: Timestamp) -> Result<LedgerPage, StoreError> {
        self.guard.run("ledger", self.page(now)).await
    }

    async fn reset(&self) -> Result<(), StoreError> {
        self.write("reset", Job::Reset).await.map(drop)
    }

    fn is_shared(&self) -> bool {
        self.database.is_shared()
    }
}
