//! Requests first: what happens behind them steps back while many are in flight.
//!
//! Events, kitchens and couriers share the processor with the people who order. When those are many, the work behind them is done in
//! larger and rarer batches, which cost less each, and never faster than it may without making customers wait. It never stops.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Requests in flight from which on the work behind them steps back. A room full of people stays below it; a load run does not.
const PRESSING_FROM: usize = 24;

/// How long a relay gathers while it is pressing, and how many events it then lets go: orders of people in the room still move on, and a
/// flood of them waits in the outbox until there is time.
pub const PRESSING_GATHER: Duration = Duration::from_millis(200);
pub const PRESSING_BATCH: usize = 64;

static IN_FLIGHT: AtomicUsize = AtomicUsize::new(0);

/// A request in flight, from its arrival to its answer.
pub struct InFlight(());

impl InFlight {
    pub fn enter() -> Self {
        IN_FLIGHT.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        IN_FLIGHT.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether customers are many right now.
pub fn is_pressing() -> bool {
    IN_FLIGHT.load(Ordering::Relaxed) >= PRESSING_FROM
}
