//! The delivery service: couriers on a grid, one a city, who bring what is ready to the door.
//!
//! `domain/` decides who rides and how long it takes, `store/tick.rs` moves the world on four times a second, `arrivals.rs` listens for
//! orders that are ready.

mod arrivals;
pub mod domain;
pub mod faults;
mod metrics;
mod routes;
pub mod store;

use arrivals::Arrivals;
use contract::Timestamp;
use faults::Faults;
use metrics::Metrics;
use runtime::boot::{BootError, run_service};
use runtime::clock::SharedClock;
use runtime::events::{Events, Jobs};
use runtime::health::SharedProbe;
use runtime::store::StoreError;
use runtime::{Platform, Service};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use store::{DeliveryBook, SqlDeliveryBook};

pub const NAME: &str = "delivery";

/// How often the world moves on. Nobody sees a courier stand still for a quarter of a second.
const TICK: Duration = Duration::from_millis(250);

/// How often it is looked for deliveries that are too old to be kept. The first time so long after a start: what was said while nobody ran
/// is heard before.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

/// Couriers ride between two steps of forgetting.
const FORGET_PAUSE: Duration = Duration::from_millis(50);

/// How often queues are counted for the metrics.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// What all parts of the service work with.
#[derive(Clone)]
struct State {
    book: Arc<dyn DeliveryBook>,
    events: Events,
    clock: SharedClock,
    metrics: Metrics,
}

impl State {
    async fn tick(&self) -> Result<(), StoreError> {
        let ticked = self.book.tick(self.clock.now()).await?;
        if ticked.told() {
            self.events.wake();
        }
        if ticked.joined > 0 || ticked.left > 0 {
            tracing::info!(joined = ticked.joined, left = ticked.left, "Freelancers: {} joined, {} left", ticked.joined, ticked.left);
        }
        self.metrics.ticked(&ticked);
        Ok(())
    }

    /// Lets go of what was completed long ago, a little at a time.
    async fn forget(&self) -> Result<(), StoreError> {
        let keep_ms = i64::try_from(store::KEEP.as_millis()).unwrap_or(i64::MAX);
        let before = Timestamp::from_millis(self.clock.now().millis().saturating_sub(keep_ms));
        while self.book.forget(before).await? > 0 {
            tokio::time::sleep(FORGET_PAUSE).await;
        }
        Ok(())
    }

    async fn count_queues(&self) {
        match self.book.queues().await {
            Ok(queues) => self.metrics.queues(&queues),
            Err(error) => tracing::debug!(%error, "How many orders wait for a courier is not known now"),
        }
    }
}

/// # Errors
/// The database or the bus is not configured as it must be.
pub async fn build(platform: &Platform) -> Result<Service, BootError> {
    let database = platform.database(NAME, &store::SCHEMA).await?;
    let events = Events::start(platform, NAME, &database).await?;
    // Without a seed couriers begin where they always do.
    let seed = platform.settings.seed.unwrap_or_default();
    let guard = platform.guard(NAME, "deliveries", database.backend());
    let state = State {
        book: Arc::new(SqlDeliveryBook::new(database.clone(), seed, guard, Faults::new(platform.chaos(NAME)))),
        events: events.clone(),
        clock: platform.clock.clone(),
        metrics: Metrics::new(&platform.meter(NAME)),
    };
    let unseeded = |error: StoreError| BootError::Config(format!("the couriers cannot be written into the database: {error}"));
    state.book.found(platform.clock.now()).await.map_err(unseeded)?;
    events.consume(Arrivals { seed, clock: platform.clock.clone(), metrics: state.metrics.clone() });
    let ticking = state.clone();
    Jobs::every(platform, NAME, &database, "ride", TICK, move || {
        let state = ticking.clone();
        async move { state.tick().await }
    });
    let (forgetting, begins) = (state.clone(), platform.clock.now() + FORGET_EVERY);
    Jobs::every(platform, NAME, &database, "forget-deliveries", FORGET_EVERY, move || {
        let state = forgetting.clone();
        async move { if state.clock.now() < begins { Ok(()) } else { state.forget().await } }
    });
    let counting = state.clone();
    platform.every(NAME, COUNT_EVERY, move || {
        let state = counting.clone();
        async move { state.count_queues().await }
    });
    let probes: Vec<SharedProbe> = vec![Arc::new(database)];
    Ok(Service::new(platform, NAME, routes::router(state).merge(events.router()), probes))
}

/// `main` of the program. It is here and not in `main.rs` so that everything below it is compiled once.
pub fn main() -> ExitCode {
    run_service(NAME, 3007, "Feast Flow's delivery service: couriers on their way", async |platform| build(&platform).await)
}
