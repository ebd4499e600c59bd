//! The order service: turns a cart into an order, once, and keeps it.
//!
//! `place.rs` is the saga, `sweep.rs` cleans up behind crashes, `relay.rs` empties the outbox.

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "only tests use it")]
mod fakes;
mod place;
mod relay;
mod routes;
pub mod store;
mod sweep;

pub use sweep::STALE_AFTER;

use contract::client::{CartClient, MenuClient, MiddlewareClient};
use opentelemetry::metrics::{Counter, Histogram};
use runtime::boot::{BootError, run_service};
use runtime::clock::SharedClock;
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
    /// Wakes the relay when there is something in the outbox.
    pub wake: Arc<Notify>,
    pub metrics: Metrics,
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
    let state = State {
        book: Arc::new(SqlOrderBook::new(database.clone(), platform.guard(NAME, "orders", database.backend()))),
        carts: CartClient::new(platform.transport(NAME, "cart")?),
        menu: MenuClient::new(platform.transport(NAME, "menu")?),
        middleware: MiddlewareClient::new(platform.transport(NAME, "middleware")?),
        clock: platform.clock.clone(),
        wake: Arc::new(Notify::new()),
        metrics: Metrics::new(platform),
    };
    sweep::start(platform, state.clone());
    relay::start(platform, state.clone());
    Ok(Service::new(platform, NAME, routes::router(state), probes))
}

/// `main` of the program. It is here and not in `main.rs` so that everything below it is compiled once.
pub fn main() -> ExitCode {
    run_service(NAME, 3001, "Feast Flow's order service: turns carts into orders", async |platform| build(&platform).await)
}
