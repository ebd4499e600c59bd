//! Empties the outbox of tasks: confirms reservations and removes carts once the order is safe, gives stock back when an order ends
//! without food; as often as it takes.

use crate::store::{Outgoing, Task};
use crate::{NAME, State};
use contract::OrderId;
use futures::stream::{self, StreamExt};
use runtime::Platform;
use std::time::Duration;

/// Rows worked on in one go.
const BATCH: u32 = 200;

/// Carts removed, and reservations released, at once.
const CONCURRENCY: usize = 8;

/// Waits after it was woken, so that the orders of a busy moment are worked on together.
const GATHER: Duration = Duration::from_millis(10);

/// Looks even when nobody woke it: rows that failed become due again.
const IDLE: Duration = Duration::from_secs(1);

pub fn start(platform: &Platform, state: State) {
    let stop = platform.stop.clone();
    platform.spawn(NAME, async move {
        loop {
            let full = drain(&state).await;
            if full {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = state.wake.notified() => tokio::time::sleep(GATHER).await,
                () = tokio::time::sleep(IDLE) => {}
            }
        }
    });
}

/// Works on one batch; true when there may be more.
pub async fn drain(state: &State) -> bool {
    let now = state.clock.now();
    let due = match state.book.due(now, BATCH).await {
        Ok(due) => due,
        Err(error) => {
            tracing::warn!(%error, "The outbox cannot be read");
            return false;
        }
    };
    if due.is_empty() {
        return false;
    }
    let full = due.len() as u32 == BATCH;
    let (done, failed) = deliver(state, due).await;
    let all_done = failed.is_empty();
    if let Err(error) = state.book.settle(done, failed, now).await {
        // They are delivered again, which changes nothing: every delivery is idempotent.
        tracing::warn!(%error, "The outbox cannot be written");
        return false;
    }
    full && all_done
}

async fn deliver(state: &State, due: Vec<Outgoing>) -> (Vec<i64>, Vec<Outgoing>) {
    let confirmed: Vec<OrderId> = due.iter().filter(|row| row.task == Task::ConfirmStock).map(|row| row.order_id.clone()).collect();
    let stock = if confirmed.is_empty() { Ok(()) } else { state.middleware.confirm(confirmed).await };
    if let Err(error) = &stock {
        tracing::warn!(%error, "Reservations could not be confirmed now");
    }
    let outcomes: Vec<(Outgoing, bool)> = stream::iter(due)
        .map(|row| async {
            let delivered = match &row.task {
                Task::ConfirmStock => stock.is_ok(),
                Task::ClearCart(cart) => state.carts.delete(cart).await.is_ok(),
                // Should it overtake the confirmation, that finds nothing to confirm.
                Task::ReleaseStock => state.middleware.release(&row.order_id).await.is_ok(),
            };
            (row, delivered)
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    let (done, failed): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(_, delivered)| *delivered);
    (done.into_iter().map(|(row, _)| row.id).collect(), failed.into_iter().map(|(row, _)| row).collect())
}

#[cfg(test)]
mod tests;
