//! What operators see and do about events: how far each service is behind, what was parked, and trying it again.

use axum::Router;
use axum::extract::{Path, State};
use contract::client::Upkeep;
use contract::error::ErrorBody;
use contract::parked::{EventLag, ParkedEvent, Replay, Replayed};
use contract::{ApiError, Code};
use futures::future::join_all;
use runtime::Platform;
use runtime::boot::BootError;
use runtime::http::{ApiResult, Json};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Services that listen to events, in the order an order meets them.
pub const LISTENERS: [&str; 6] = ["order", "payment", "menu", "middleware", "delivery", "notification"];

#[derive(Clone)]
pub struct Listeners(Arc<[(&'static str, Upkeep)]>);

impl Listeners {
    /// # Errors
    /// A service is neither embedded nor addressed.
    pub fn new(platform: &Platform) -> Result<Self, BootError> {
        let of = |service| Ok((service, Upkeep::new(platform.transport(crate::NAME, service)?)));
        Ok(Self(LISTENERS.into_iter().map(of).collect::<Result<Vec<_>, BootError>>()?.into()))
    }

    /// How far each service is behind; one that does not answer is left out.
    pub async fn lags(&self) -> Vec<EventLag> {
        join_all(self.0.iter().map(|(_, upkeep)| upkeep.lag())).await.into_iter().flatten().collect()
    }

    /// Whether all that was said has been heard. Parked events count as heard.
    pub async fn is_quiet(&self) -> bool {
        let lags = self.lags().await;
        lags.len() == self.0.len() && lags.iter().all(|lag| lag.waiting + lag.pending + lag.outbox == 0)
    }

    /// What could not be applied: the newest of each service; one that does not answer is left out.
    pub async fn parked(&self) -> Vec<(&'static str, ParkedEvent)> {
        let pages = join_all(self.0.iter().map(|(service, upkeep)| async { Some((*service, upkeep.parked(None).await.ok()?)) })).await;
        pages.into_iter().flatten().flat_map(|(service, page)| page.events.into_iter().map(move |event| (service, event))).collect()
    }

    /// # Errors
    /// No such service listens, or it has no such event, or it refuses it again.
    pub async fn replay(&self, service: &str, id: &str) -> Result<Replayed, ApiError> {
        let found = self.0.iter().find(|(name, _)| *name == service);
        let (_, upkeep) = found.ok_or_else(|| ApiError::new(Code::NotFound, "no such service listens to events"))?;
        let replayed = upkeep.replay(id).await?;
        tracing::info!(event.id = replayed.id, peer.service = service, "An operator replayed event {}", replayed.id);
        Ok(replayed)
    }
}

/// `GET /api/events`
#[derive(Serialize, ToSchema)]
#[schema(as = EventsOverview)]
struct Overview {
    services: Vec<EventLag>,
    /// The newest of each service.
    parked: Vec<Parked>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ParkedAt)]
struct Parked {
    /// The service it is parked at.
    service: &'static str,
    #[serde(flatten)]
    event: ParkedEvent,
}

pub fn router(listeners: Listeners) -> Router {
    routes().with_state(listeners).into()
}

/// The same calls, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Listeners> {
    OpenApiRouter::default().routes(routes!(overview)).routes(routes!(replay))
}

/// How far services are behind with events, and what they parked
#[utoipa::path(get, path = "/api/events", tag = "Operators", operation_id = "getEvents",
    responses((status = 200, description = "A service that does not answer is left out.", body = Overview)))]
async fn overview(State(listeners): State<Listeners>) -> ApiResult<Json<Overview>> {
    let (services, parked) = futures::join!(listeners.lags(), listeners.parked());
    Ok(Json(Overview { services, parked: parked.into_iter().map(|(service, event)| Parked { service, event }).collect() }))
}

/// Tries a parked event once more
#[utoipa::path(post, path = "/api/events/{service}/replay", tag = "Operators", operation_id = "replayEvent",
    params(("service" = String, Path, description = "The service it is parked at.")),
    request_body = Replay,
    responses(
        (status = 200, description = "It is parked no more.", body = Replayed),
        (status = 404, description = "NOT_FOUND, EVENT_NOT_FOUND", body = ErrorBody),
        (status = 409, description = "CONFLICT", body = ErrorBody),
    ))]
async fn replay(State(listeners): State<Listeners>, Path(service): Path<String>, Json(which): Json<Replay>) -> ApiResult<Json<Replayed>> {
    Ok(Json(listeners.replay(&service, &which.id).await?))
}
