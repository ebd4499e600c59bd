//! The operator's flag calls. Authorisation stands in front of this router, not in it.

use super::control::FlagControl;
use crate::context;
use crate::http::{ApiResult, Json, Path};
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, put};
use contract::flags::{Audience, FlagState, SetFlag};
use contract::{ApiError, Code};
use http::header::CONTENT_TYPE;
use std::time::Duration;

pub fn router(control: FlagControl) -> Router {
    Router::new()
        .route("/api/flags", get(list).delete(clear_all))
        .route("/api/flags/definitions", get(definitions))
        .route("/api/flags/{key}", put(set).delete(clear))
        .with_state(control)
}

async fn list(State(control): State<FlagControl>) -> Json<Vec<FlagState>> {
    Json(control.list())
}

async fn set(State(control): State<FlagControl>, Path(key): Path<String>, Json(flip): Json<SetFlag>) -> ApiResult<Json<FlagState>> {
    let audience = here(flip.audience.unwrap_or_default())?;
    let ttl = flip.ttl_seconds.map(Duration::from_secs);
    Ok(Json(control.set(&key, &flip.variant, ttl, audience)?))
}

async fn clear(State(control): State<FlagControl>, Path(key): Path<String>) -> ApiResult<Json<FlagState>> {
    Ok(Json(control.clear(&key)?))
}

/// All clear. Answers every flag as it is now.
async fn clear_all(State(control): State<FlagControl>) -> ApiResult<Json<Vec<FlagState>>> {
    control.clear_all()?;
    Ok(Json(control.list()))
}

async fn definitions(State(control): State<FlagControl>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], control.definitions().as_ref().to_owned())
}

/// "Only my browser" arrives as an empty session: the one that asks.
fn here(audience: Audience) -> Result<Audience, ApiError> {
    match audience {
        Audience::Session(session) if session.is_empty() => match context::current().session.as_deref() {
            Some(session) => Ok(Audience::Session(session.to_owned())),
            None => Err(ApiError::new(Code::InvalidBody, "audience: this call comes from no browser session; name one")),
        },
        audience => Ok(audience),
    }
}
