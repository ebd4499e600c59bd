//! The operator's flag calls. Authorisation stands in front of this router, not in it.

use super::control::FlagControl;
use crate::context;
use crate::http::{ApiResult, Json, Path};
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use contract::error::ErrorBody;
use contract::flags::{Audience, FlagState, SetFlag};
use contract::{ApiError, Code};
use http::header::CONTENT_TYPE;
use std::time::Duration;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router(control: FlagControl) -> Router {
    routes().with_state(control).into()
}

/// The same calls, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<FlagControl> {
    OpenApiRouter::default().routes(routes!(list, clear_all)).routes(routes!(definitions)).routes(routes!(set, clear))
}

/// Every flag as it is now
#[utoipa::path(get, path = "/api/flags", tag = "Flags", operation_id = "listFlags",
    responses((status = 200, description = "The flags, a bare array.", body = [FlagState])))]
async fn list(State(control): State<FlagControl>) -> Json<Vec<FlagState>> {
    Json(control.list())
}

/// Flips a flag
///
/// It ends by itself after `ttlSeconds`.
#[utoipa::path(put, path = "/api/flags/{key}", tag = "Flags", operation_id = "flipFlag",
    params(("key" = String, Path, description = "The flag's key, such as `cart-slow`.")),
    request_body = SetFlag,
    responses(
        (status = 200, description = "The flag as it is now.", body = FlagState),
        (status = 404, description = "FLAG_NOT_FOUND", body = ErrorBody),
    ))]
async fn set(State(control): State<FlagControl>, Path(key): Path<String>, Json(flip): Json<SetFlag>) -> ApiResult<Json<FlagState>> {
    let audience = here(flip.audience.unwrap_or_default())?;
    let ttl = flip.ttl_seconds.map(Duration::from_secs);
    Ok(Json(control.set(&key, &flip.variant, ttl, audience)?))
}

/// Ends a flip
#[utoipa::path(delete, path = "/api/flags/{key}", tag = "Flags", operation_id = "clearFlag",
    params(("key" = String, Path, description = "The flag's key, such as `cart-slow`.")),
    responses(
        (status = 200, description = "The flag as it is now.", body = FlagState),
        (status = 404, description = "FLAG_NOT_FOUND", body = ErrorBody),
    ))]
async fn clear(State(control): State<FlagControl>, Path(key): Path<String>) -> ApiResult<Json<FlagState>> {
    Ok(Json(control.clear(&key)?))
}

/// All clear: ends every flip
#[utoipa::path(delete, path = "/api/flags", tag = "Flags", operation_id = "clearAllFlags",
    responses((status = 200, description = "Every flag as it is now.", body = [FlagState])))]
async fn clear_all(State(control): State<FlagControl>) -> ApiResult<Json<Vec<FlagState>>> {
    control.clear_all()?;
    Ok(Json(control.list()))
}

/// The definitions, with what is flipped now
///
/// In flagd's own format: a real flagd loads them unchanged.
#[utoipa::path(get, path = "/api/flags/definitions", tag = "Flags", operation_id = "getFlagDefinitions",
    responses((status = 200, description = "See https://flagd.dev/schema/v0/flags.json.", body = Object, content_type = "application/json")))]
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
