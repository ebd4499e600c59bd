//! `/health`, `/ready` and `/metrics` of every process.

use crate::chaos::Chaos;
use crate::http::Json;
use crate::telemetry::metrics::MetricsHub;
use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use contract::health::{Dependency, Readiness};
use futures::future::join_all;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use std::sync::Arc;
use std::time::Duration;

/// A dependency that takes longer to answer is not ready.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// Something a process depends on.
#[async_trait]
pub trait Probe: Send + Sync {
    fn name(&self) -> &'static str;

    /// # Errors
    /// What is wrong, for people; never an address or a secret.
    async fn check(&self) -> Result<(), String>;

    /// Whether the process is of no use without it. What is not required is shown, and that is all.
    fn required(&self) -> bool {
        true
    }
}

pub type SharedProbe = Arc<dyn Probe>;

/// What the health routes need.
#[derive(Clone)]
pub struct Health {
    pub service: &'static str,
    pub probes: Arc<[SharedProbe]>,
    pub chaos: Chaos,
    pub metrics: Arc<MetricsHub>,
}

pub fn router(health: Health) -> Router {
    Router::new().route("/health", get(alive)).route("/ready", get(ready)).route("/metrics", get(metrics)).with_state(health)
}

async fn alive() -> &'static str {
    "ok"
}

async fn ready(State(health): State<Health>) -> Response {
    let readiness = health.readiness().await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

async fn metrics(State(health): State<Health>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], health.metrics.prometheus_text())
}

impl Health {
    pub async fn readiness(&self) -> Readiness {
        let checks = self.probes.iter().map(|probe| async {
            let outcome = tokio::time::timeout(PROBE_TIMEOUT, probe.check()).await.unwrap_or_else(|_| Err("no answer in time".to_owned()));
            (probe.required(), Dependency { name: probe.name().to_owned(), ready: outcome.is_ok(), detail: outcome.err() })
        });
        let checked = join_all(checks).await;
        let dependencies_ready = checked.iter().all(|(required, dependency)| dependency.ready || !required);
        let ready = dependencies_ready && self.chaos.readiness(self.service).await;
        Readiness { ready, service: self.service.to_owned(), dependencies: checked.into_iter().map(|(_, dependency)| dependency).collect() }
    }
}
