//! Lets go of reservations that were settled long ago. The movements stay, and with them everything the books add up.

use contract::Timestamp;
use runtime::args;
use runtime::store::StoreError;
use runtime::store::sql::Database;
use std::time::Duration;

/// How long a reservation is known that was confirmed or released. An order may be given up long after its stock was confirmed (a kitchen
/// that never answers, a process that was stopped meanwhile), and gives back what its reservation says; given up later than this, it
/// would give back nothing.
pub const KEEP_SETTLED: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Removes up to 500 settled reservations that were made before `before`; answers how many.
///
/// # Errors
/// The database is down.
pub async fn forget_settled(database: &Database, before: Timestamp) -> Result<u64, StoreError> {
    let sql = "DELETE FROM reservations WHERE order_id IN
        (SELECT order_id FROM reservations WHERE state IN ('confirmed', 'released') AND at_ms < $1 LIMIT 500)";
    Ok(database.run(sql, args![before]).await?)
}
