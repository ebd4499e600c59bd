//! Lets go of what was delivered long ago. The sums stay: they are of everything there ever was.

use contract::Timestamp;
use runtime::args;
use runtime::store::sql::Connection;
use std::time::Duration;

/// How long a completed delivery is kept: as long as anybody asks who brought an order, and far longer than an order that is thought to
/// be on its way is told as ready again. Told again after that, it would ride a second time.
pub const KEEP: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Removes up to 500 deliveries that were completed before `before`; answers how many.
///
/// # Errors
/// As every error in a transaction, it ends the transaction.
pub async fn forget(transaction: &mut Connection<'_>, before: Timestamp) -> Result<u64, sqlx::Error> {
    let sql = "DELETE FROM deliveries WHERE order_id IN (SELECT order_id FROM deliveries
        WHERE status = 'completed' AND updated_at_ms < $1 ORDER BY updated_at_ms LIMIT 500 FOR UPDATE SKIP LOCKED)";
    let gone = transaction.run(sql, args![before]).await?;
    if gone > 0 {
        // The triggers have taken them off, as they take off whatever somebody removes who should not.
        let back = i64::try_from(gone).unwrap_or(i64::MAX);
        for name in ["completed", "deliveries"] {
            transaction.run("UPDATE delivery_totals SET value = value + $1 WHERE name = $2", args![back, name]).await?;
        }
    }
    Ok(gone)
}
