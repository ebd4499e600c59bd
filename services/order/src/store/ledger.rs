//! The books: sums that triggers keep, what moved of late, and who has what is open.

use super::rows::{file, select_file};
use contract::Timestamp;
use contract::ledger::{LedgerItem, LedgerPage, SETTLE_WITHIN_MS};
use runtime::args;
use runtime::store::sql::{Connection, Database};
use serde_json::json;
use std::collections::BTreeMap;

/// Who has an order looks after it within moments of its deadline; nobody does when it has been over for so long.
const NEGLECTED_AFTER_MS: i64 = 60_000;

/// What a transaction moves in the books, by name.
#[derive(Debug, Default)]
pub struct Recent(BTreeMap<&'static str, i64>);

impl Recent {
    pub fn add(&mut self, name: &'static str, amount: i64) {
        *self.0.entry(name).or_default() += amount;
    }

    /// Notes it; only added to, so that writers do not wait for each other.
    pub async fn write(self, transaction: &mut Connection<'_>, now: Timestamp) -> Result<(), sqlx::Error> {
        let rows: Vec<_> =
            self.0.into_iter().filter(|(_, amount)| *amount != 0).map(|(name, amount)| json!({"name": name, "amount": amount})).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO ledger_recent (at_ms, name, amount) \
            SELECT CAST($2 AS BIGINT), value ->> 'name', CAST(value ->> 'amount' AS BIGINT) FROM rows_of($1)";
        transaction.run(sql, args![json!(rows).to_string(), now]).await.map(drop)
    }
}

pub async fn page(database: &Database, now: Timestamp) -> Result<LedgerPage, sqlx::Error> {
    let mut page = LedgerPage::default();
    for row in database.all("SELECT name, CAST(SUM(value) AS BIGINT) FROM ledger_totals GROUP BY name", args![]).await? {
        page.totals.insert(row.text(0)?, row.int(1)?);
    }
    let recent = "SELECT name, CAST(SUM(ABS(amount)) AS BIGINT) FROM ledger_recent WHERE at_ms >= $1 GROUP BY name";
    for row in database.all(recent, args![now.millis() - SETTLE_WITHIN_MS]).await? {
        page.recent.insert(row.text(0)?, row.int(1)?);
    }
    let neglected = "SELECT (SELECT COUNT(*) FROM orders WHERE holder IS NULL \
            AND status NOT IN ('delivered', 'cancelled', 'rejected', 'paymentFailed') AND COALESCE(deadline_ms, updated_at_ms) <= $1) \
        + (SELECT COUNT(*) FROM orders WHERE deadline_ms <= $2 AND holder IS NOT NULL)";
    let neglected = database.one(neglected, args![now, now.millis() - NEGLECTED_AFTER_MS]).await?.int(0)?;
    page.totals.insert("overdue_without_owner".to_owned(), neglected);

    let most = i64::try_from(LedgerPage::MAX_OPEN).unwrap_or(i64::MAX);
    let unheld =
        select_file!("WHERE holder IS NULL AND status NOT IN ('delivered', 'cancelled', 'rejected', 'paymentFailed') ORDER BY id LIMIT $1");
    let held = select_file!("WHERE deadline_ms IS NOT NULL AND holder IS NOT NULL ORDER BY deadline_ms LIMIT $1");
    let mut open = database.all(unheld, args![most]).await?;
    open.extend(database.all(held, args![most]).await?);
    for row in open.iter().take(LedgerPage::MAX_OPEN) {
        let file = file(row)?;
        page.open.push(LedgerItem {
            order_id: file.order.id,
            waits_for: file.progress.waits_for().to_owned(),
            owner: file.progress.holder.map(|holder| holder.as_str().to_owned()).unwrap_or_default(),
            since: file.progress.updated_at,
            deadline: file.progress.deadline.unwrap_or(file.progress.updated_at),
        });
    }
    page.open.sort_by(|a, b| a.since.cmp(&b.since).then_with(|| a.order_id.cmp(&b.order_id)));
    Ok(page)
}
