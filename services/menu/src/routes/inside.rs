//! What other services and operators ask.

use super::{MAX_IDS, State, find};
use crate::served::{IfNoneMatch, json};
use crate::store::Change;
use axum::extract::State as Shared;
use axum::response::Response;
use contract::ledger::LedgerPage;
use contract::{ApiError, Code, RestaurantId};
use http::StatusCode;
use runtime::context::{self, Role};
use runtime::http::{ApiResult, HttpError, Json, Path, Query};
use serde::Deserialize;

/// One restaurant with its dishes.
pub async fn restaurant_menu(Shared(state): Shared<State>, Path(id): Path<RestaurantId>, condition: IfNoneMatch) -> ApiResult<Response> {
    Ok(find(&*state.menus.now().await?, &id)?.menu.reply(&condition))
}

#[derive(Deserialize)]
pub struct ItemsQuery {
    /// Separated by commas.
    ids: String,
}

/// Many dishes in one round trip; ids that name nothing are left out.
pub async fn items(Shared(state): Shared<State>, Query(query): Query<ItemsQuery>) -> ApiResult<Response> {
    let ids = query.ids.split(',').filter(|id| !id.is_empty());
    if ids.clone().count() > MAX_IDS {
        return Err(HttpError(ApiError::new(Code::InvalidQuery, format!("ids names at most {MAX_IDS} items"))));
    }
    Ok(json(state.menus.now().await?.items(ids)))
}

/// Brings back the menus the platform came with, and forgets all tickets.
pub async fn reset(Shared(state): Shared<State>) -> ApiResult<StatusCode> {
    let context = context::current();
    if context.role != Role::Operator {
        return Err(ApiError::operator_only().into());
    }
    let author = super::staff::author(&context, state.clock.now());
    let written = state.book.write(Change::Reset(state.seed.to_vec()), author).await?;
    state.advice.forget();
    state.menus.reach(written.version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The kitchen's books.
pub async fn ledger(Shared(state): Shared<State>) -> ApiResult<Json<LedgerPage>> {
    Ok(Json(state.reports.ledger(state.clock.now()).await?))
}
