//! Cleans up behind crashes: intents that nobody works on any more are given up, and their stock goes back.
//!
//! Only this service may do that, and only by compare-and-set, so that a commit that comes late fails instead of standing
//! without stock. When it is done says `jobs.rs`.

use crate::State;
use contract::Timestamp;
use runtime::store::StoreError;
use std::time::Duration;

/// Longer than any request may take, so that nobody can still be working on it.
pub const STALE_AFTER: Duration = Duration::from_secs(15);

/// How long an answer is kept for repeated requests.
const REMEMBER: Duration = Duration::from_secs(24 * 3600);

/// Who is down for so many is down for all: the rest waits for the next round.
const MAX_FAILURES: u32 = 3;

/// Intents cleaned up in one go.
const BATCH: u32 = 200;

fn ago(state: &State, span: Duration) -> Timestamp {
    Timestamp::from_millis(state.clock.now().millis() - i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}

/// `alone_since`: nobody else works on intents begun before.
///
/// # Errors
/// The order book is down.
pub async fn sweep(state: &State, alone_since: Option<Timestamp>) -> Result<(), StoreError> {
    let before = ago(state, STALE_AFTER).max(alone_since.unwrap_or_default());
    let mut failures = 0;
    for order in state.book.stale(before, BATCH).await? {
        if state.abandon(&order).await.is_ok() {
            tracing::info!(order.id = %order, "Gave up unfinished order {order}");
            state.metrics.swept.add(1, &[]);
        } else if failures < MAX_FAILURES {
            failures += 1;
        } else {
            break;
        }
    }
    Ok(())
}

/// # Errors
/// The order book is down.
pub async fn forget(state: &State) -> Result<(), StoreError> {
    state.book.forget_answers(ago(state, REMEMBER)).await
}

#[cfg(test)]
mod tests;
