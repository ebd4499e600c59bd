//! Events between services: a transactional outbox, a bus, idempotent consumers, parked messages; and scheduled jobs.
//!
//! A service that tells others something calls [`append`] inside its transaction and [`Events::wake`] after the commit. A service that
//! listens implements [`Handler`]. What lies between loses nothing, keeps the order of each order's events, and applies each once:
//!
//! ```text
//! transaction ─ outbox ─ relay ─ bus ─┬─ consumer of payment ─ transaction (inbox + effects + outbox) ─ …
//!                                     ├─ consumer of menu
//!                                     └─ tails (live pages)
//! ```

mod apply;
pub mod bus;
mod consumer;
mod handler;
mod held;
mod inbox;
pub mod jobs;
mod metrics;
pub mod outbox;
mod parked;
mod schema;

pub use bus::{Bus, Tail, Tailed};
pub use consumer::ATTEMPTS;
pub use handler::{Handler, HandlerError};
pub use inbox::SELF_TEST;
pub use jobs::Jobs;
pub use outbox::append;
pub use schema::SCHEMA;

use crate::boot::BootError;
use crate::chaos::Chaos;
use crate::clock::SharedClock;
use crate::context;
use crate::platform::Platform;
use crate::store::StoreError;
use crate::store::sql::Database;
use apply::Applier;
use axum::Router;
use consumer::Consumer;
use contract::parked::EventLag;
use inbox::Inbox;
use metrics::{ConsumerMetrics, Gauges};
use outbox::Relay;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often depth and lag are looked at for the metrics.
const MEASURE_EVERY: Duration = Duration::from_secs(5);

/// How often old inbox rows are removed.
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// The events of one service. Clones are the same.
#[derive(Clone)]
pub struct Events(Arc<Parts>);

struct Parts {
    service: &'static str,
    database: Database,
    bus: Arc<dyn Bus>,
    clock: SharedClock,
    chaos: Chaos,
    metrics: ConsumerMetrics,
    wake: Arc<Notify>,
    stop: CancellationToken,
    tasks: TaskTracker,
    applier: OnceLock<Applier>,
}

impl Events {
    /// Starts the relay of this service's outbox.
    ///
    /// # Errors
    /// `REDIS_URL` names a Redis that does not answer.
    pub async fn start(platform: &Platform, service: &'static str, database: &Database) -> Result<Self, BootError> {
        let bus = platform.bus().await?;
        let wake = Arc::new(Notify::new());
        let relay = Relay::new(database.clone(), bus.clone(), wake.clone(), platform.stop.clone());
        platform.spawn(service, relay.run());
        let meter = platform.meter(service);
        let events = Self(Arc::new(Parts {
            service,
            database: database.clone(),
            bus,
            clock: platform.clock.clone(),
            chaos: platform.chaos(service),
            metrics: ConsumerMetrics::new(&meter),
            wake,
            stop: platform.stop.clone(),
            tasks: platform.tasks(),
            applier: OnceLock::new(),
        }));
        let (measured, gauges) = (events.clone(), Arc::new(Gauges::new(&meter)));
        platform.every(service, MEASURE_EVERY, move || {
            let (events, gauges) = (measured.clone(), gauges.clone());
            async move { events.measure(&gauges).await }
        });
        let (database, clock) = (database.clone(), platform.clock.clone());
        Jobs::every(platform, service, &database.clone(), "forget-inbox", FORGET_EVERY, move || {
            let (database, clock) = (database.clone(), clock.clone());
            async move { inbox::forget(&database, clock.now()).await }
        });
        Ok(events)
    }

    /// There is something in the outbox. Call it after the commit.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// Starts this service's consumer group with the one handler it has; it misses nothing that is published from now on.
    pub fn consume(&self, handler: impl Handler) {
        let parts = &self.0;
        let inbox = Inbox::new(parts.service, parts.clock.clone());
        let applier = Applier::start(&parts.database, Arc::new(handler), inbox, parts.service);
        if parts.applier.set(applier.clone()).is_err() {
            tracing::error!("{} has a handler already; the second one hears nothing", parts.service);
            return;
        }
        let consumer = Consumer {
            service: parts.service,
            bus: parts.bus.clone(),
            reader: parts.bus.reader(parts.service),
            applier,
            database: parts.database.clone(),
            clock: parts.clock.clone(),
            chaos: parts.chaos.clone(),
            metrics: parts.metrics.clone(),
            wake: parts.wake.clone(),
            stop: parts.stop.clone(),
        };
        parts.tasks.spawn(context::scope(context::background(parts.service), consumer.run()));
    }

    /// The routes of operators: parked events, and how far this service is behind.
    pub fn router(&self) -> Router {
        parked::router(self.clone())
    }

    /// Live events of all services, outside of any group.
    pub fn tail(&self) -> Tail {
        self.0.bus.tail()
    }

    /// How far this service is behind.
    ///
    /// # Errors
    /// Database or bus are down.
    pub async fn lag(&self) -> Result<EventLag, StoreError> {
        let depth = outbox::depth(&self.0.database, &self.0.clock).await?;
        let parked = parked::count(&self.0.database, self.0.service).await?;
        let group = self.0.bus.lag().await?.into_iter().find(|group| group.group == self.0.service);
        let (waiting, pending) = group.map_or((0, 0), |group| (group.waiting, group.pending));
        let service = self.0.service.to_owned();
        Ok(EventLag { service, waiting, pending, parked, outbox: depth.rows, outbox_oldest_ms: depth.oldest_ms })
    }

    async fn measure(&self, gauges: &Gauges) {
        match self.lag().await {
            Ok(lag) => {
                gauges.lag.record(lag.waiting + lag.pending, &[]);
                gauges.parked.record(lag.parked, &[]);
                gauges.outbox.record(lag.outbox, &[]);
                gauges.outbox_age.record(Duration::from_millis(lag.outbox_oldest_ms).as_secs_f64(), &[]);
            }
            Err(error) => tracing::debug!(%error, "How far events are behind is not known now"),
        }
    }

    fn service(&self) -> &'static str {
        self.0.service
    }

    fn database(&self) -> &Database {
        &self.0.database
    }

    fn applier(&self) -> Option<&Applier> {
        self.0.applier.get()
    }
}
