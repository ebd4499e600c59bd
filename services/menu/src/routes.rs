//! The paths of the menu service. Everything is read-only and answered from memory.

use crate::domain::Filter;
use crate::served::{IfNoneMatch, json};
use crate::state::{Menu, RestaurantPages};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use contract::{ApiError, Code, ItemId, RestaurantId};
use runtime::http::{ApiResult, HttpError, Path, Query};
use serde::Deserialize;

/// Most ids of one `/internal/items` call: more than any cart has lines.
pub const MAX_IDS: usize = 100;
/// Longest text of one filter, in bytes: longer than any city or dish, short enough to be looked for on every restaurant.
const MAX_FILTER_BYTES: usize = 200;

/// Answers `/api/menu*`, `/api/restaurants*` and what other services ask under `/internal`. `runtime::Service` adds the fallbacks.
pub fn router(menu: Menu) -> Router {
    Router::new()
        .route("/api/menu", get(coffee_bar))
        .route("/api/menu/{id}", get(item))
        .route("/api/restaurants", get(restaurants))
        .route("/api/restaurants/{id}", get(restaurant))
        .route("/api/restaurants/{id}/menu", get(restaurant_items))
        .route("/internal/restaurants/{id}", get(restaurant_menu))
        .route("/internal/items", get(items))
        .with_state(menu)
}

/// The coffee bar's dishes, a bare array.
async fn coffee_bar(State(menu): State<Menu>, condition: IfNoneMatch) -> Response {
    menu.coffee_bar().reply(&condition)
}

/// One dish of any restaurant.
async fn item(State(menu): State<Menu>, Path(id): Path<ItemId>, condition: IfNoneMatch) -> ApiResult<Response> {
    let item = menu.item(&id).ok_or_else(|| ApiError::item_not_found(&id))?;
    Ok(item.reply(&condition))
}

#[derive(Deserialize)]
struct RestaurantsQuery {
    city: Option<String>,
    cuisine: Option<String>,
    q: Option<String>,
}

/// The restaurants that match, a bare array in the order of the catalogue; all of them when nothing is asked for.
async fn restaurants(State(menu): State<Menu>, Query(query): Query<RestaurantsQuery>, condition: IfNoneMatch) -> ApiResult<Response> {
    let RestaurantsQuery { city, cuisine, q } = &query;
    if [city, cuisine, q].into_iter().flatten().any(|text| text.len() > MAX_FILTER_BYTES) {
        return Err(HttpError(ApiError::new(Code::InvalidQuery, format!("city, cuisine and q have at most {MAX_FILTER_BYTES} bytes"))));
    }
    let filter = Filter::new(city.as_deref(), cuisine.as_deref(), q.as_deref());
    if filter.is_empty() {
        return Ok(menu.restaurants().reply(&condition));
    }
    Ok(json(menu.search(&filter)))
}

/// One restaurant without its dishes.
async fn restaurant(State(menu): State<Menu>, Path(id): Path<RestaurantId>, condition: IfNoneMatch) -> ApiResult<Response> {
    Ok(find(&menu, &id)?.restaurant.reply(&condition))
}

/// One restaurant's dishes, a bare array in menu order.
async fn restaurant_items(State(menu): State<Menu>, Path(id): Path<RestaurantId>, condition: IfNoneMatch) -> ApiResult<Response> {
    Ok(find(&menu, &id)?.items.reply(&condition))
}

/// One restaurant with its dishes.
async fn restaurant_menu(State(menu): State<Menu>, Path(id): Path<RestaurantId>, condition: IfNoneMatch) -> ApiResult<Response> {
    Ok(find(&menu, &id)?.menu.reply(&condition))
}

fn find<'a>(menu: &'a Menu, id: &RestaurantId) -> Result<&'a RestaurantPages, ApiError> {
    menu.restaurant(id).ok_or_else(|| ApiError::restaurant_not_found(id))
}

#[derive(Deserialize)]
struct ItemsQuery {
    /// Separated by commas.
    ids: String,
}

/// Many dishes in one round trip; ids that name nothing are left out.
async fn items(State(menu): State<Menu>, Query(query): Query<ItemsQuery>) -> ApiResult<Response> {
    let ids = query.ids.split(',').filter(|id| !id.is_empty());
    if ids.clone().count() > MAX_IDS {
        return Err(HttpError(ApiError::new(Code::InvalidQuery, format!("ids names at most {MAX_IDS} items"))));
    }
    Ok(json(menu.items(ids)))
}

#[cfg(test)]
mod tests;
