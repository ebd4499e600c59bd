//! The paths of the menu service. What everybody may read is answered from memory.

mod inside;
mod staff;

use crate::advice::Advice;
use crate::cache::MenuCache;
use crate::domain::Filter;
use crate::served::{IfNoneMatch, json};
use crate::snapshot::{RestaurantPages, Snapshot};
use crate::store::{MenuBook, SqlReports};
use axum::Router;
use axum::extract::State as Shared;
use axum::response::Response;
use axum::routing::{get, post, put};
use contract::menu::RestaurantMenu;
use contract::{ApiError, Code, ItemId, RestaurantId};
use runtime::clock::SharedClock;
use runtime::http::{ApiResult, HttpError, Path, Query};
use serde::Deserialize;
use std::sync::Arc;

/// Most ids of one `/internal/items` call: more than any cart has lines.
pub const MAX_IDS: usize = 100;
/// Longest text of one filter, in bytes: longer than any city or dish, short enough to be looked for on every restaurant.
const MAX_FILTER_BYTES: usize = 200;

/// What the routes work with.
#[derive(Clone)]
pub struct State {
    pub menus: Arc<MenuCache>,
    pub book: Arc<dyn MenuBook>,
    pub reports: SqlReports,
    pub advice: Arc<Advice>,
    pub clock: SharedClock,
    /// The menus the platform comes with.
    pub seed: Arc<[RestaurantMenu]>,
}

/// Answers `/api/menu*`, `/api/restaurants*` and what other services ask under `/internal`. `runtime::Service` adds the fallbacks.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/api/menu", get(coffee_bar))
        .route("/api/menu/{id}", get(item))
        .route("/api/restaurants", get(restaurants))
        .route("/api/restaurants/{id}", get(restaurant).patch(staff::change_restaurant))
        .route("/api/restaurants/{id}/menu", get(restaurant_items))
        .route("/api/restaurants/{id}/recommendations", get(recommendations))
        .route("/api/restaurants/{id}/figures", get(staff::figures))
        .route("/api/restaurants/{id}/items", post(staff::add_item))
        .route("/api/restaurants/{id}/items/{itemId}", put(staff::replace_item).patch(staff::change_item).delete(staff::delete_item))
        .route("/internal/restaurants/{id}", get(inside::restaurant_menu))
        .route("/internal/items", get(inside::items))
        .route("/internal/reset", post(inside::reset))
        .route("/internal/ledger", get(inside::ledger))
        .with_state(state)
}

/// The coffee bar's dishes, a bare array.
async fn coffee_bar(Shared(state): Shared<State>, condition: IfNoneMatch) -> ApiResult<Response> {
    Ok(state.menus.now().await?.coffee_bar().reply(&condition))
}

/// One dish of any restaurant.
async fn item(Shared(state): Shared<State>, Path(id): Path<ItemId>, condition: IfNoneMatch) -> ApiResult<Response> {
    let menus = state.menus.now().await?;
    let item = menus.item(&id).ok_or_else(|| ApiError::item_not_found(&id))?;
    Ok(item.reply(&condition))
}

#[derive(Deserialize)]
struct RestaurantsQuery {
    city: Option<String>,
    cuisine: Option<String>,
    q: Option<String>,
    /// "true" leaves out those that take no orders now. Forms send "on", or nothing.
    open: Option<String>,
}

/// The restaurants that match, a bare array in the order of the catalogue; all of them when nothing is asked for.
async fn restaurants(Shared(state): Shared<State>, Query(query): Query<RestaurantsQuery>, condition: IfNoneMatch) -> ApiResult<Response> {
    let RestaurantsQuery { city, cuisine, q, open } = &query;
    if [city, cuisine, q].into_iter().flatten().any(|text| text.len() > MAX_FILTER_BYTES) {
        return Err(HttpError(ApiError::new(Code::InvalidQuery, format!("city, cuisine and q have at most {MAX_FILTER_BYTES} bytes"))));
    }
    let open = match open.as_deref() {
        None | Some("" | "false") => false,
        Some("true" | "on") => true,
        Some(_) => return Err(HttpError(ApiError::new(Code::InvalidQuery, "open is true or false"))),
    };
    let filter = Filter::new(city.as_deref(), cuisine.as_deref(), q.as_deref()).open(open);
    let menus = state.menus.now().await?;
    if filter.is_empty() {
        return Ok(menus.restaurants().reply(&condition));
    }
    Ok(json(menus.search(&filter)))
}

/// One restaurant without its dishes.
async fn restaurant(Shared(state): Shared<State>, Path(id): Path<RestaurantId>, condition: IfNoneMatch) -> ApiResult<Response> {
    Ok(find(&*state.menus.now().await?, &id)?.restaurant.reply(&condition))
}

/// One restaurant's dishes, a bare array in menu order.
async fn restaurant_items(Shared(state): Shared<State>, Path(id): Path<RestaurantId>, condition: IfNoneMatch) -> ApiResult<Response> {
    Ok(find(&*state.menus.now().await?, &id)?.items.reply(&condition))
}

/// What sells now, and what goes together.
async fn recommendations(Shared(state): Shared<State>, Path(id): Path<RestaurantId>, condition: IfNoneMatch) -> ApiResult<Response> {
    find(&*state.menus.now().await?, &id)?;
    Ok(state.advice.of(&id).await?.reply(&condition))
}

fn find<'a>(menus: &'a Snapshot, id: &RestaurantId) -> Result<&'a RestaurantPages, ApiError> {
    menus.restaurant(id).ok_or_else(|| ApiError::restaurant_not_found(id))
}

#[cfg(test)]
mod tests;
