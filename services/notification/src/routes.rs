//! `/internal/messages`, `/internal/preferences…`, `/internal/ledger`, `/internal/reset`

use crate::worker::Desk;
use axum::Router;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use contract::client::MessageFilter;
use contract::ledger::LedgerPage;
use contract::notification::{Channel, Preferences};
use contract::{ApiError, Code};
use http::header::LINK;
use http::{HeaderValue, StatusCode};
use runtime::http::{ApiResult, Json, Path, Query};
use serde::Deserialize;

const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 200;

/// Longer than any account's or session's id.
const MAX_OWNER_BYTES: usize = 200;

pub fn router(desk: Desk) -> Router {
    Router::new()
        .route("/internal/messages", get(list))
        .route("/internal/preferences/{owner}", get(preferences).put(set_preferences))
        .route("/internal/ledger", get(ledger))
        .route("/internal/reset", post(reset))
        .with_state(desk)
}

#[derive(Deserialize)]
struct Asked {
    cursor: Option<i64>,
    limit: Option<u32>,
    channel: Option<Channel>,
    order: Option<String>,
}

/// `?channel=`, `?order=`: newest first, with the next page's address in `Link` when there may be one.
async fn list(Shared(desk): Shared<Desk>, Query(asked): Query<Asked>) -> ApiResult<Response> {
    let limit = asked.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE);
    let filter = MessageFilter { channel: asked.channel, order: asked.order };
    let (messages, last) = desk.book.list(&filter, asked.cursor, limit).await?;
    let full = messages.len() as u32 == limit;
    let mut response = Json(messages).into_response();
    let next = last.filter(|_| full).map(|cursor| {
        let filter = Some(filter.query()).filter(|query| !query.is_empty()).map(|query| format!("&{query}")).unwrap_or_default();
        format!("</internal/messages?cursor={cursor}&limit={limit}{filter}>; rel=\"next\"")
    });
    if let Some(value) = next.and_then(|next| HeaderValue::try_from(next).ok()) {
        response.headers_mut().insert(LINK, value);
    }
    Ok(response)
}

async fn preferences(Shared(desk): Shared<Desk>, Path(owner): Path<String>) -> ApiResult<Json<Preferences>> {
    Ok(Json(desk.book.preferences(&owner).await?))
}

async fn set_preferences(
    Shared(desk): Shared<Desk>,
    Path(owner): Path<String>,
    Json(preferences): Json<Preferences>,
) -> ApiResult<Json<Preferences>> {
    if owner.len() > MAX_OWNER_BYTES {
        return Err(ApiError::new(Code::InvalidBody, "preferences belong to an account or a session").into());
    }
    desk.book.set_preferences(&owner, &preferences, desk.clock.now()).await?;
    Ok(Json(preferences))
}

async fn ledger(Shared(desk): Shared<Desk>) -> ApiResult<Json<LedgerPage>> {
    Ok(Json(desk.book.ledger(desk.clock.now()).await?))
}

async fn reset(Shared(desk): Shared<Desk>) -> ApiResult<StatusCode> {
    desk.book.reset().await?;
    Ok(StatusCode::NO_CONTENT)
}
