//! The order service: turns a cart into an order, once, keeps it, and leads it through its life.
//!
//! `domain.rs` is that life. `place.rs` is the saga, `sweep.rs` cleans up behind crashes, `relay.rs` empties the outbox of tasks,
//! `news.rs` hears payment and delivery, `facts.rs` is what others hear, `jobs.rs` is what happens by the clock.

pub mod domain;
mod facts;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "only tests use it")]
mod fakes;
mod history;
mod jobs;
mod news;
mod place;
mod relay;
mod release;
mod routes;
pub mod store;
mod sweep;

pub use routes::openapi;
pub use sweep::STALE_AFTER;

use contract::OrderId;
use contract::client::{CartClient, MenuClient, MiddlewareClient};
use contract::order::OrderStatus;
use news::Listener;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram};
use runtime::boot::{BootError, run_service};
use runtime::chaos::Chaos;
use runtime::clock::SharedClock;
use runtime::context::RequestContext;
use runtime::events::Events;
use runtime::health::SharedProbe;
use runtime::telemetry::metrics::{count, seconds};
use runtime::{Platform, Service};
use std::process::ExitCode;
use std::sync::Arc;
use store::{OrderBook, SqlOrderBook};
use tokio::sync::Notify;

pub const NAME: &str = "order";

/// What all parts of the service work with.
#[derive(Clone)]
pub struct State {
    pub book: Arc<dyn OrderBook>,
    pub carts: CartClient,
    pub menu: MenuClient,
    pub middleware: MiddlewareClient,
    pub clock: SharedClock,
    pub chaos: Chaos,
    /// Wakes the relay when there is a task in the outbox.
    pub wake: Arc<Notify>,
    /// Brings events to the others; tests of the service alone have none.
    pub events: Option<Events>,
    pub metrics: Metrics,
}

impl State {
    /// After a commit that moved orders: others are told, and it is counted.
    pub(crate) fn moved(&self, steps: &[(OrderId, OrderStatus)]) {
        self.metrics.reached(steps);
        self.wake.notify_one();
        if let Some(events) = &self.events {
            events.wake();
        }
    }
}

/// Whose orders somebody asks for, as the store knows it. A session is chosen by its browser, and must never be taken for the account
/// that happens to have its name.
pub fn owner_key(context: &RequestContext) -> Option<String> {
    context.user.as_deref().map(owner_of_user).or_else(|| context.session.as_deref().map(owner_of_session))
}

pub(crate) fn owner_of_user(user: &str) -> String {
    format!("u:{user}")
}

pub(crate) fn owner_of_session(session: &str) -> String {
    format!("s:{session}")
}

/// Business metrics.
#[derive(Clone)]
pub struct Metrics {
    pub orders: Counter<u64>,
    pub refused: Counter<u64>,
    pub revenue: Counter<u64>,
    pub cart_items: Histogram<u64>,
    pub cart_duration: Histogram<f64>,
    pub swept: Counter<u64>,
}

impl Metrics {
    /// Counts statuses that orders have reached.
    pub(crate) fn reached(&self, steps: &[(OrderId, OrderStatus)]) {
        for (id, status) in steps {
            self.orders.add(1, &[KeyValue::new("feast.order.status", status.as_str())]);
            tracing::debug!(order.id = %id, feast.order.status = status.as_str(), "Order {id} is {}", status.as_str());
        }
    }

    fn new(platform: &Platform) -> Self {
        let meter = platform.meter(NAME);
        Self {
            orders: count(&meter, "feast.orders", "Orders by the status they reached"),
            refused: count(&meter, "feast.orders.refused", "Orders that were not accepted, by reason"),
            revenue: meter.u64_counter("feast.revenue").with_description("Value of accepted orders").with_unit("{cent}").build(),
            cart_items: meter
                .u64_histogram("feast.cart.size")
                .with_description("Things in a cart that became an order")
                .with_boundaries(vec![1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 50.0])
                .build(),
            cart_duration: seconds(&meter, "feast.cart.duration", "From a cart's creation to its order"),
            swept: count(&meter, "feast.orders.swept", "Unfinished orders that were cleaned up"),
        }
    }
}

/// # Errors
/// The database or a service it calls is not configured as it must be.
pub async fn build(platform: &Platform) -> Result<Service, BootError> {
    let database = platform.database(NAME, &store::SCHEMA).await?;
    let mut probes: Vec<SharedProbe> = vec![Arc::new(database.clone())];
    probes.extend(["cart", "menu", "middleware"].into_iter().filter_map(|service| platform.remote_probe(NAME, service)));
    let events = Events::start(platform, NAME, &database).await?;
    let guard = platform.guard(NAME, "orders", database.backend());
    let state = State {
        book: Arc::new(SqlOrderBook::new(database.clone(), guard, platform.chance.clone())),
        carts: CartClient::new(platform.transport(NAME, "cart")?),
        menu: MenuClient::new(platform.transport(NAME, "menu")?),
        middleware: MiddlewareClient::new(platform.transport(NAME, "middleware")?),
        clock: platform.clock.clone(),
        chaos: platform.chaos(NAME),
        wake: Arc::new(Notify::new()),
        events: Some(events.clone()),
        metrics: Metrics::new(platform),
    };
    events.consume(Listener::new(state.clock.clone(), platform.chance.clone(), state.metrics.clone(), state.wake.clone()));
    jobs::start(platform, &database, &state);
    relay::start(platform, state.clone());
    Ok(Service::new(platform, NAME, routes::router(state).merge(events.router()), probes))
}

/// `main` of the program. It is here and not in `main.rs` so that everything below it is compiled once.
pub fn main() -> ExitCode {
    run_service(NAME, 3001, "Feast Flow's order service: turns carts into orders", async |platform| build(&platform).await)
}
