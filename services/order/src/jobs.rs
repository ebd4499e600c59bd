//! What the service does by the clock, in one process at a time however many replicas there are.

use crate::{NAME, State, sweep};
use contract::Timestamp;
use contract::ledger::SETTLE_WITHIN_MS;
use runtime::Platform;
use runtime::events::Jobs;
use runtime::store::StoreError;
use runtime::store::sql::Database;
use std::time::Duration;

/// Short, so that stock is whole again within two seconds of the middleware's return.
const GIVE_UP_EVERY: Duration = Duration::from_millis(500);

/// Nobody misses an answer's row for being there a minute longer.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Deadlines are minutes; a second more or less is nothing.
const OVERDUE_EVERY: Duration = Duration::from_secs(1);

/// Short beside what a kitchen takes.
const COOK_EVERY: Duration = Duration::from_millis(250);

/// Orders in one transaction, whether they are cooked or overdue: customers who order meanwhile wait for it, and must not notice.
const AT_ONCE: u32 = 100;

/// Transactions that follow each other: kitchens keep up with 2 400 orders a second, and an hour's overdue orders are soon looked after.
const ROUNDS: u32 = 6;

pub fn start(platform: &Platform, database: &Database, state: &State) {
    // What this process finds in a book of its own was begun by one that is gone. Should that one still be draining, its commit fails
    // by compare-and-set and its customer is asked to try again.
    let started_at = (!state.book.is_shared()).then(|| state.clock.now());
    let intents = state.clone();
    Jobs::every(platform, NAME, database, "give-up-intents", GIVE_UP_EVERY, move || {
        let state = intents.clone();
        async move { sweep::sweep(&state, started_at).await }
    });
    let answers = state.clone();
    Jobs::every(platform, NAME, database, "forget-answers", FORGET_EVERY, move || {
        let state = answers.clone();
        async move { forget(&state).await }
    });
    let deadlines = state.clone();
    Jobs::every(platform, NAME, database, "overdue-orders", OVERDUE_EVERY, move || {
        let state = deadlines.clone();
        async move { overdue(&state).await }
    });
    let kitchens = state.clone();
    Jobs::every(platform, NAME, database, "autopilot", COOK_EVERY, move || {
        let state = kitchens.clone();
        async move { cook(&state).await }
    });
}

async fn forget(state: &State) -> Result<(), StoreError> {
    sweep::forget(state).await?;
    state.book.forget_recent(Timestamp::from_millis(state.clock.now().millis() - 2 * SETTLE_WITHIN_MS)).await
}

/// # Errors
/// The order book is down.
pub async fn overdue(state: &State) -> Result<(), StoreError> {
    for _ in 0..ROUNDS {
        let (seen, steps) = state.book.sweep(state.clock.now(), AT_ONCE).await?;
        if seen == 0 {
            break;
        }
        tracing::info!(orders = seen, "Looked after {seen} orders whose deadline had passed");
        // Those that were only reminded of have events, too.
        state.moved(&steps);
        if seen < AT_ONCE {
            break;
        }
    }
    Ok(())
}

/// # Errors
/// The order book is down.
pub async fn cook(state: &State) -> Result<(), StoreError> {
    for _ in 0..ROUNDS {
        let (seen, steps) = state.book.cook(state.clock.now(), AT_ONCE).await?;
        if seen == 0 {
            break;
        }
        state.moved(&steps);
        if seen < AT_ONCE {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
