//! The inbox: which events have had their effects here, written in the same transaction as the effects. An event that comes again finds
//! its row and goes no further.

use crate::args;
use crate::clock::SharedClock;
use crate::store::sql::{Connection, Database};
use contract::Timestamp;
use contract::event::Event;
use std::collections::HashSet;
use std::time::Duration;

/// How long an event is remembered. Far longer than anything is delivered again, or an overdue order is told once more.
const REMEMBER: Duration = Duration::from_secs(48 * 3600);

/// Rows forgotten at once, and the pause in between.
const FORGOTTEN: i64 = 2_000;
const FORGET_PAUSE: Duration = Duration::from_millis(50);

/// Proves that the tests notice: without the inbox every event that comes twice takes effect twice.
pub const SELF_TEST: &str = "FEAST_SELF_TEST";
const WITHOUT_INBOX: &str = "without-inbox";

/// What one group has applied.
#[derive(Clone)]
pub struct Inbox {
    consumer: &'static str,
    clock: SharedClock,
    enabled: bool,
}

impl Inbox {
    pub fn new(consumer: &'static str, clock: SharedClock) -> Self {
        let enabled = std::env::var(SELF_TEST).as_deref() != Ok(WITHOUT_INBOX);
        if !enabled {
            tracing::error!(consumer, "{SELF_TEST}={WITHOUT_INBOX}: events that come twice TAKE EFFECT TWICE. Never run a shop like this");
        }
        Self { consumer, clock, enabled }
    }

    /// Claims these events for the transaction; one answer an event: true when it is new here.
    ///
    /// # Errors
    /// As every error in a transaction, it ends the transaction.
    pub async fn claim(&self, transaction: &mut Connection<'_>, events: &[Event]) -> Result<Vec<bool>, sqlx::Error> {
        if !self.enabled {
            return Ok(vec![true; events.len()]);
        }
        // In one order everywhere: two replicas that claim the same must not stop each other.
        let mut ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
        ids.sort_unstable();
        let ids = serde_json::to_string(&ids).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        let sql = "INSERT INTO event_inbox (consumer, event_id, claimed_at_ms)
            SELECT $1, value, CAST($3 AS BIGINT) FROM list_of($2) WHERE true
            ON CONFLICT (consumer, event_id) DO NOTHING RETURNING event_id";
        let rows = transaction.all(sql, args![self.consumer, ids, self.clock.now()]).await?;
        let mut new: HashSet<String> = rows.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
        // An event that is in the batch twice is new once.
        Ok(events.iter().map(|event| new.remove(&event.id)).collect())
    }
}

/// Forgets what is old, a little at a time: other writers come in between.
///
/// # Errors
/// The database does not answer.
pub async fn forget(database: &Database, now: Timestamp) -> Result<(), sqlx::Error> {
    let before = now.millis() - i64::try_from(REMEMBER.as_millis()).unwrap_or(i64::MAX);
    let sql = "DELETE FROM event_inbox WHERE (consumer, event_id) IN
        (SELECT consumer, event_id FROM event_inbox WHERE claimed_at_ms < $1 ORDER BY claimed_at_ms LIMIT $2)";
    while database.run(sql, args![before, FORGOTTEN]).await? > 0 {
        tokio::time::sleep(FORGET_PAUSE).await;
    }
    Ok(())
}
