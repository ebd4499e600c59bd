//! `/health`, `/ready` and `/metrics` of every process.

use crate::chaos::Chaos;
use crate::http::Json;
use crate::telemetry::metrics::MetricsHub;
use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use contract::health::{Dependency, Readiness};
use futures::future::join_all;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use std::sync::Arc;
use std::time::Duration;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
    routes().with_state(health).into()
}

/// The same, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Health> {
    OpenApiRouter::default().routes(routes!(alive)).routes(routes!(ready)).routes(routes!(metrics))
}

/// Whether the process lives
#[utoipa::path(get, path = "/health", tag = "Health", operation_id = "getHealth",
    responses((status = 200, description = "`ok`", body = String)))]
async fn alive() -> &'static str {
    "ok"
}

/// Whether the process is of use
#[utoipa::path(get, path = "/ready", tag = "Health", operation_id = "getReadiness",
    responses(
        (status = 200, description = "It is.", body = Readiness),
        (status = 503, description = "Something that is needed is not there; the answer says what.", body = Readiness),
    ))]
async fn ready(State(health): State<Health>) -> Response {
    let readiness = health.readiness().await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

/// Metrics for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "Health", operation_id = "getMetrics",
    responses((status = 200, description = "Text format 0.0.4, of every service in this process.", body = String)))]
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
