//! Cleans up behind crashes: intents that nobody works on any more are given up, and their stock goes back.
//!
//! Only this service may do that, and only by compare-and-set, so that a commit that comes late fails instead of standing
//! without stock.

use crate::{NAME, State};
use contract::Timestamp;
use runtime::Platform;
use std::time::Duration;

/// Longer than any request may take, so that nobody can still be working on it.
pub const STALE_AFTER: Duration = Duration::from_secs(15);

/// Short, so that stock is whole again within two seconds of the middleware's return.
const EVERY: Duration = Duration::from_millis(500);

/// How long an answer is kept for repeated requests.
const REMEMBER: Duration = Duration::from_secs(24 * 3600);

/// Nobody misses an answer's row for being there a minute longer.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Who is down for so many is down for all: the rest waits for the next round.
const MAX_FAILURES: u32 = 3;

/// Intents cleaned up in one go.
const BATCH: u32 = 200;

pub fn start(platform: &Platform, state: State) {
    // What this process finds in a book of its own was begun by one that is gone. Should that one still be draining, its commit fails
    // by compare-and-set and its customer is asked to try again.
    let started_at = (!state.book.is_shared()).then(|| state.clock.now());
    let forgetful = state.clone();
    platform.every(NAME, EVERY, move || {
        let state = state.clone();
        async move { sweep(&state, started_at).await }
    });
    platform.every(NAME, FORGET_EVERY, move || {
        let state = forgetful.clone();
        async move { forget(&state).await }
    });
}

fn ago(state: &State, span: Duration) -> Timestamp {
    Timestamp::from_millis(state.clock.now().millis() - i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}

/// `alone_since`: nobody else works on intents begun before.
pub async fn sweep(state: &State, alone_since: Option<Timestamp>) {
    let before = ago(state, STALE_AFTER).max(alone_since.unwrap_or_default());
    match state.book.stale(before, BATCH).await {
        Ok(orders) => {
            let mut failures = 0;
            for order in orders {
                if state.abandon(&order).await.is_ok() {
                    tracing::info!(order.id = %order, "Gave up unfinished order {order}");
                    state.metrics.swept.add(1, &[]);
                } else if failures < MAX_FAILURES {
                    failures += 1;
                } else {
                    break;
                }
            }
        }
        Err(error) => tracing::warn!(%error, "Unfinished orders could not be looked for"),
    }
}

async fn forget(state: &State) {
    if let Err(error) = state.book.forget_answers(ago(state, REMEMBER)).await {
        tracing::warn!(%error, "Old answers could not be forgotten");
    }
}

#[cfg(test)]
mod tests;
