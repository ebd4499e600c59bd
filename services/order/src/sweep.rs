//! Cleans up behind crashes: intents that nobody works on any more are given up, and their stock goes back.
//!
//! Only this service may do that, and only by compare-and-set, so that a commit that comes late fails instead of standing
//! without stock.

use crate::{NAME, State};
use runtime::Platform;
use std::time::Duration;

/// Longer than any request may take, so that nobody can still be working on it.
pub const STALE_AFTER: Duration = Duration::from_secs(15);

const EVERY: Duration = Duration::from_secs(2);

/// How long an answer is kept for repeated requests.
const REMEMBER: Duration = Duration::from_secs(24 * 3600);

/// Intents cleaned up in one go.
const BATCH: u32 = 200;

pub fn start(platform: &Platform, state: State) {
    platform.every(NAME, EVERY, move || {
        let state = state.clone();
        async move { sweep(&state).await }
    });
}

pub async fn sweep(state: &State) {
    let now = state.clock.now();
    let before = contract::Timestamp::from_millis(now.millis() - STALE_AFTER.as_millis() as i64);
    match state.book.stale(before, BATCH).await {
        Ok(orders) => {
            for order in orders {
                tracing::info!(order.id = %order, "Giving up unfinished order {order}");
                state.metrics.swept.add(1, &[]);
                state.abandon(&order).await;
            }
        }
        Err(error) => tracing::warn!(%error, "Unfinished orders could not be looked for"),
    }
    let old = contract::Timestamp::from_millis(now.millis() - REMEMBER.as_millis() as i64);
    if let Err(error) = state.book.forget_answers(old).await {
        tracing::warn!(%error, "Old answers could not be forgotten");
    }
}

#[cfg(test)]
mod tests;
