//! Feast Flow's notification service: e-mail, SMS and push.
//!
//! `domain/texts.rs` has the words, `events.rs` hears what happens, `worker.rs` hands messages to the provider of `provider.rs`.
//! `leak.rs` is a fault on purpose.

pub mod domain;
pub mod events;
mod leak;
pub mod provider;
mod routes;
pub mod store;
pub mod worker;

use contract::notification::Channel;
use events::OrderEvents;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use provider::{MessageProvider, OutboxPage};
use runtime::boot::{BootError, run_service};
use runtime::events::Events;
use runtime::telemetry::metrics::count;
use runtime::{Platform, Service};
use std::process::ExitCode;
use std::sync::Arc;
use store::SqlMessageBook;
use worker::Desk;

pub const NAME: &str = "notification";

/// Business metrics.
#[derive(Clone)]
pub struct Metrics {
    messages: Counter<u64>,
}

impl Metrics {
    fn new(platform: &Platform) -> Self {
        Self { messages: count(&platform.meter(NAME), "feast.messages", "Messages by channel and what became of them") }
    }

    fn message(&self, channel: Channel, outcome: &'static str) {
        self.messages.add(1, &[KeyValue::new("feast.message.channel", channel.as_str()), KeyValue::new("outcome", outcome)]);
    }
}

/// # Errors
/// The database is not configured as it must be, or Redis does not answer.
pub async fn build(platform: &Platform) -> Result<Service, BootError> {
    build_with(platform, Arc::new(OutboxPage)).await
}

/// The service with another provider.
///
/// # Errors
/// As [`build`].
pub async fn build_with(platform: &Platform, provider: Arc<dyn MessageProvider>) -> Result<Service, BootError> {
    let database = platform.database(NAME, &store::SCHEMA).await?;
    let events = Events::start(platform, NAME, &database).await?;
    let desk = Desk {
        book: Arc::new(SqlMessageBook::new(database.clone(), platform.guard(NAME, "messages", database.backend()))),
        provider,
        clock: platform.clock.clone(),
        metrics: Metrics::new(platform),
    };
    let queue = worker::queue();
    events.consume(OrderEvents::new(platform.clock.clone(), queue.0.clone()));
    worker::start(platform, &database, &desk, queue);
    leak::start(platform);
    let routes = routes::router(desk).merge(events.router());
    Ok(Service::new(platform, NAME, routes, vec![Arc::new(database)]))
}

/// `main` of the program. It is here and not in `main.rs` so that everything below it is compiled once.
pub fn main() -> ExitCode {
    run_service(NAME, 3008, "Feast Flow's notification service: e-mail, SMS and push", async |platform| build(&platform).await)
}
