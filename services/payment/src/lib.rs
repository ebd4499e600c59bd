//! Feast Flow's payment service: charges and refunds.
//!
//! `domain.rs` is the life of a payment, `events.rs` hears of orders, `worker.rs` asks the bank, `provider.rs` is the bank.

mod closing;
pub mod domain;
pub mod events;
pub mod provider;
mod routes;
pub mod store;
pub mod worker;

use closing::Door;
use domain::Ask;
use events::OrderEvents;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram};
use provider::{Faults, PaymentProvider, Simulator};
use runtime::boot::{BootError, run_service};
use runtime::chance::Chance;
use runtime::events::Events;
use runtime::store::sql::Database;
use runtime::telemetry::metrics::{count, seconds};
use runtime::{Platform, Service};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use store::SqlPaymentBook;
use tokio::sync::Semaphore;
use worker::Desk;

pub const NAME: &str = "payment";

/// Business metrics.
#[derive(Clone)]
pub struct Metrics {
    pub payments: Counter<u64>,
    provider: Histogram<f64>,
}

impl Metrics {
    fn new(platform: &Platform) -> Self {
        let meter = platform.meter(NAME);
        Self {
            payments: count(&meter, "feast.payments", "Payments by where they ended"),
            provider: seconds(&meter, "feast.payment.provider.duration", "Duration of questions to the bank"),
        }
    }

    fn asked(&self, ask: Ask, answered: bool, took: Duration) {
        let outcome = if answered { "answered" } else { "no_answer" };
        let attributes = [KeyValue::new("feast.payment.operation", worker::operation(ask)), KeyValue::new("outcome", outcome)];
        self.provider.record(took.as_secs_f64(), &attributes);
    }
}

/// # Errors
/// The database is not configured as it must be, or Redis does not answer.
pub async fn build(platform: &Platform) -> Result<Service, BootError> {
    let database = platform.database(NAME, &store::SCHEMA).await?;
    // A sequence of its own, so that how many payments there were does not decide what happens elsewhere.
    let chance = Chance::seeded(platform.chance.bits());
    let bank = Simulator::new(&database, platform.guard(NAME, "bank", database.backend()), platform.clock.clone(), chance);
    build_with(platform, database, Arc::new(bank)).await
}

/// The service with another bank.
///
/// # Errors
/// Redis does not answer.
pub async fn build_with(platform: &Platform, database: Database, provider: Arc<dyn PaymentProvider>) -> Result<Service, BootError> {
    let events = Events::start(platform, NAME, &database).await?;
    let desk = Desk {
        book: Arc::new(SqlPaymentBook::new(database.clone(), platform.guard(NAME, "payments", database.backend()))),
        provider,
        clock: platform.clock.clone(),
        events: events.clone(),
        metrics: Metrics::new(platform),
        faults: Faults::new(platform.chaos(NAME)),
        places: Arc::new(Semaphore::new(worker::AT_THE_BANK)),
        door: Door::default(),
    };
    let queue = worker::queue();
    events.consume(OrderEvents::new(platform.clock.clone(), queue.0.clone()));
    worker::start(platform, desk.clone(), queue);
    let routes = routes::router(desk).merge(events.router());
    Ok(Service::new(platform, NAME, routes, vec![Arc::new(database)]))
}

/// `main` of the program. It is here and not in `main.rs` so that everything below it is compiled once.
pub fn main() -> ExitCode {
    run_service(NAME, 3006, "Feast Flow's payment service: charges and refunds", async |platform| build(&platform).await)
}
