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
use axum::routing::{get, post};
use contract::error::ErrorBody;
use contract::menu::{MenuItem, Recommendations, Restaurant, RestaurantMenu};
use contract::{ApiError, Code, ItemId, RestaurantId};
use runtime::clock::SharedClock;
use runtime::http::{ApiResult, HttpError, Path, Query};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
    routes().with_state(state).into()
}

/// What everybody and the restaurants' staff ask, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(coffee_bar))
        .routes(routes!(item))
        .routes(routes!(restaurants))
        .routes(routes!(restaurant, staff::change_restaurant))
        .routes(routes!(restaurant_items))
        .routes(routes!(recommendations))
        .routes(routes!(staff::figures))
        .routes(routes!(staff::add_item))
        .routes(routes!(staff::replace_item, staff::change_item, staff::delete_item))
        .route("/internal/restaurants/{id}", get(inside::restaurant_menu))
        .route("/internal/items", get(inside::items))
        .route("/internal/reset", post(inside::reset))
        .route("/internal/ledger", get(inside::ledger))
}

/// The coffee bar's menu
///
/// Dishes in menu order, a bare array. Other restaurants: `/api/restaurants/{id}/menu`. The `ETag` may be sent back as `If-None-Match`.
#[utoipa::path(get, path = "/api/menu", tag = "Menu", operation_id = "getMenu",
    responses(
        (status = 200, description = "The dishes.", body = [MenuItem]),
        (status = 304, description = "Nothing has changed since the answer with this `ETag`."),
    ))]
async fn coffee_bar(Shared(state): Shared<State>, condition: IfNoneMatch) -> ApiResult<Response> {
    Ok(state.menus.now().await?.coffee_bar().reply(&condition))
}

/// One dish of any restaurant
#[utoipa::path(get, path = "/api/menu/{id}", tag = "Menu", operation_id = "getMenuItem",
    params(("id" = ItemId, Path, description = "The dish, such as `nebula-latte`.")),
    responses(
        (status = 200, description = "The dish.", body = MenuItem),
        (status = 304, description = "Nothing has changed since the answer with this `ETag`."),
        (status = 404, description = "ITEM_NOT_FOUND", body = ErrorBody),
    ))]
async fn item(Shared(state): Shared<State>, Path(id): Path<ItemId>, condition: IfNoneMatch) -> ApiResult<Response> {
    let menus = state.menus.now().await?;
    let item = menus.item(&id).ok_or_else(|| ApiError::item_not_found(&id))?;
    Ok(item.reply(&condition))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RestaurantsQuery {
    /// The city's name, whatever its case.
    city: Option<String>,
    /// "Coffee", "Thai", whatever its case.
    cuisine: Option<String>,
    /// What is looked for in names, texts and dishes.
    q: Option<String>,
    /// "true" leaves out those that take no orders now. Forms send "on", or nothing.
    open: Option<String>,
}

/// Restaurants, all or those that match
///
/// A bare array, without their dishes, in the order of the catalogue.
#[utoipa::path(get, path = "/api/restaurants", tag = "Menu", operation_id = "listRestaurants",
    params(RestaurantsQuery),
    responses(
        (status = 200, description = "The restaurants.", body = [Restaurant]),
        (status = 304, description = "Nothing has changed since the answer with this `ETag`."),
        (status = 400, description = "INVALID_QUERY", body = ErrorBody),
    ))]
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

/// One restaurant, without its dishes
#[utoipa::path(get, path = "/api/restaurants/{id}", tag = "Menu", operation_id = "getRestaurant",
    params(("id" = RestaurantId, Path, description = "The restaurant, such as `cosmic-coffee`.")),
    responses(
        (status = 200, description = "The restaurant.", body = Restaurant),
        (status = 304, description = "Nothing has changed since the answer with this `ETag`."),
        (status = 404, description = "RESTAURANT_NOT_FOUND", body = ErrorBody),
    ))]
async fn restaurant(Shared(state): Shared<State>, Path(id): Path<RestaurantId>, condition: IfNoneMatch) -> ApiResult<Response> {
    Ok(find(&*state.menus.now().await?, &id)?.restaurant.reply(&condition))
}

/// One restaurant's menu
///
/// Dishes in menu order, a bare array.
#[utoipa::path(get, path = "/api/restaurants/{id}/menu", tag = "Menu", operation_id = "getRestaurantMenu",
    params(("id" = RestaurantId, Path, description = "The restaurant.")),
    responses(
        (status = 200, description = "The dishes.", body = [MenuItem]),
        (status = 304, description = "Nothing has changed since the answer with this `ETag`."),
        (status = 404, description = "RESTAURANT_NOT_FOUND", body = ErrorBody),
    ))]
async fn restaurant_items(Shared(state): Shared<State>, Path(id): Path<RestaurantId>, condition: IfNoneMatch) -> ApiResult<Response> {
    Ok(find(&*state.menus.now().await?, &id)?.items.reply(&condition))
}

/// What sells now, and what goes together
#[utoipa::path(get, path = "/api/restaurants/{id}/recommendations", tag = "Menu", operation_id = "getRecommendations",
    params(("id" = RestaurantId, Path, description = "The restaurant.")),
    responses(
        (status = 200, description = "Ids of dishes, from the platform's own orders.", body = Recommendations),
        (status = 304, description = "Nothing has changed since the answer with this `ETag`."),
        (status = 404, description = "RESTAURANT_NOT_FOUND", body = ErrorBody),
    ))]
async fn recommendations(Shared(state): Shared<State>, Path(id): Path<RestaurantId>, condition: IfNoneMatch) -> ApiResult<Response> {
    find(&*state.menus.now().await?, &id)?;
    Ok(state.advice.of(&id).await?.reply(&condition))
}

fn find<'a>(menus: &'a Snapshot, id: &RestaurantId) -> Result<&'a RestaurantPages, ApiError> {
    menus.restaurant(id).ok_or_else(|| ApiError::restaurant_not_found(id))
}

#[cfg(test)]
mod tests;
