//! What all stores share: one error, one guard that measures them and breaks them on purpose, and the connections.

mod expiring;
pub mod redis;
mod shared;
pub mod sql;

pub use expiring::ExpiringMap;
pub use shared::Shared;

use crate::chaos::{Chaos, Connections, StoreFault, Taken};
use crate::telemetry::metrics;
use contract::ApiError;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter};
use std::future::Future;
use tokio::time::Instant;
use tracing::{Instrument, Span, field};

/// A store that did not do what it was asked. The cause is logged where it happened, not told to clients.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Down, unreachable, full or too slow; the same call may succeed later.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// What was stored is not what we write.
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, "A store failed");
        match error {
            StoreError::Unavailable(_) => Self::store_unavailable(),
            StoreError::Corrupt(_) => Self::internal(),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => Self::Corrupt(error.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<fred::error::Error> for StoreError {
    fn from(error: fred::error::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// Every operation of every store passes through one of these: it injects what flags say of stores the same way on memory, Redis and SQL, opens a span for stores that are not memory, and measures the time.
#[derive(Clone)]
pub struct StoreGuard {
    service: &'static str,
    /// The domain's name for it: "carts", "stock", "orders".
    store: &'static str,
    /// "memory", "redis", "sqlite", "postgresql": the semantic convention's `db.system.name`.
    backend: &'static str,
    chaos: Chaos,
    connections: Connections,
    duration: Histogram<f64>,
}

impl StoreGuard {
    pub fn new(service: &'static str, store: &'static str, backend: &'static str, chaos: Chaos, meter: &Meter) -> Self {
        let duration = metrics::seconds(meter, "db.client.operation.duration", "Duration of store operations");
        Self { service, store, backend, chaos, connections: Connections::default(), duration }
    }

    /// Runs one operation.
    ///
    /// # Errors
    /// What the operation answers, or `Unavailable` when a fault is injected.
    pub async fn run<T>(&self, operation: &'static str, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let span = if self.backend == "memory" { Span::current() } else { self.span(operation) };
        self.measured(operation, work).instrument(span).await
    }

    async fn measured<T>(&self, operation: &'static str, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let started = Instant::now();
        let outcome = match self.admit(operation).await {
            Ok(connection) => {
                let outcome = work.await;
                drop(connection);
                outcome
            }
            Err(fault) => Err(StoreError::Unavailable(format!("injected by {}", fault.flag))),
        };
        let mut attributes = vec![
            KeyValue::new("db.system.name", self.backend),
            KeyValue::new("db.collection.name", self.store),
            KeyValue::new("db.operation.name", operation),
        ];
        if outcome.is_err() {
            attributes.push(KeyValue::new("error.type", "store_error"));
        }
        self.duration.record(started.elapsed().as_secs_f64(), &attributes);
        outcome
    }

    /// Waits as flags say, for a connection too when they leave few of them.
    async fn admit(&self, operation: &str) -> Result<Option<Taken>, StoreFault> {
        self.chaos.store(self.service, self.store, operation).await?;
        self.chaos.connection(&self.connections, self.service, self.store).await
    }

    fn span(&self, operation: &'static str) -> Span {
        tracing::info_span!(
            "db",
            otel.name = format!("{operation} {}", self.store),
            otel.kind = "client",
            db.system.name = self.backend,
            db.collection.name = self.store,
            db.operation.name = operation,
            chaos.flag = field::Empty,
            chaos.injected = field::Empty,
        )
    }
}
