//! What the staff of a restaurant (and operators) may do with it, and see of it.

use super::State;
use crate::domain::{edit, local_time};
use crate::store::{Author, Change, Outcome};
use axum::extract::{FromRequestParts, State as Shared};
use axum::response::IntoResponse;
use contract::error::ErrorBody;
use contract::menu::{ChangeItem, ChangeRestaurant, Figures, ItemFigures, MenuItem, Restaurant, WriteItem};
use contract::{ApiError, Code, ItemId, RestaurantId, Timestamp};
use http::StatusCode;
use http::request::Parts;
use runtime::context::{self, RequestContext, Role};
use runtime::http::{ApiResult, HttpError, Json, Path};
use serde::Deserialize;

/// The restaurant of the address, asked for by its staff or by an operator. Taken before the body is read: strangers learn nothing
/// from what is wrong with theirs.
pub struct Staff {
    restaurant: RestaurantId,
    author: Author,
}

impl FromRequestParts<State> for Staff {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, HttpError> {
        let Path(Place { id }) = Path::from_request_parts(parts, state).await?;
        let context = context::current();
        if context.is_staff_of(id.as_str()) {
            Ok(Self { restaurant: id, author: author(&context, state.clock.now()) })
        } else if context.user.is_none() && context.role == Role::Customer {
            Err(ApiError::log_in_first().into())
        } else {
            Err(ApiError::forbidden("the restaurant's staff").into())
        }
    }
}

#[derive(Deserialize)]
struct Place {
    id: RestaurantId,
}

/// The dish of the address.
#[derive(Deserialize)]
pub struct Dish {
    #[serde(rename = "itemId")]
    item: ItemId,
}

/// Whoever is asking, as the audit names them: by the account's id. Operators with a token have none.
pub fn author(context: &RequestContext, at: Timestamp) -> Author {
    let role = context.role.as_str();
    Author { who: context.user.as_deref().unwrap_or(role).to_owned(), role, at }
}

/// Writes the change and makes this process' menus show it.
async fn write(state: &State, id: &RestaurantId, change: Change, author: Author) -> Result<Outcome, ApiError> {
    let written = state.book.write(change, author).await?;
    if let Err(error) = state.menus.reach(written.version).await {
        // The change stands; the menus follow as soon as the database answers.
        tracing::warn!(%error, "A change to the menus is not shown yet");
    }
    match written.outcome {
        Outcome::NoRestaurant => Err(ApiError::restaurant_not_found(id)),
        Outcome::NoItem => Err(ApiError::new(Code::ItemNotFound, format!("{id} has no such dish"))),
        Outcome::Exists(taken) => Err(ApiError::new(Code::ItemExists, format!("{id} has a dish of that name: {taken}"))),
        Outcome::Full => Err(ApiError::new(Code::InvalidMenu, format!("a menu has at most {} dishes", edit::MAX_ITEMS))),
        outcome => Ok(outcome),
    }
}

fn as_item(outcome: Outcome) -> Result<MenuItem, ApiError> {
    if let Outcome::Item(item) = outcome { Ok(*item) } else { Err(ApiError::internal()) }
}

/// Changes a restaurant: name, texts, hours, pause
#[utoipa::path(patch, path = "/api/restaurants/{id}", tag = "Restaurants", operation_id = "changeRestaurant",
    params(("id" = RestaurantId, Path, description = "The restaurant.")),
    request_body = ChangeRestaurant,
    responses(
        (status = 200, description = "The restaurant as it is now.", body = Restaurant),
        (status = 400, description = "INVALID_MENU", body = ErrorBody),
        (status = 404, description = "RESTAURANT_NOT_FOUND", body = ErrorBody),
    ))]
pub async fn change_restaurant(
    Shared(state): Shared<State>,
    Staff { restaurant: id, author }: Staff,
    Json(change): Json<ChangeRestaurant>,
) -> ApiResult<Json<Restaurant>> {
    let change = Change::Restaurant(id.clone(), edit::restaurant_change(change)?);
    let Outcome::Restaurant(mut restaurant) = write(&state, &id, change, author).await? else {
        return Err(ApiError::internal().into());
    };
    restaurant.open = local_time::is_open(&restaurant, &local_time::zone(&restaurant.time_zone), state.clock.now());
    Ok(Json(*restaurant))
}

/// Puts a new dish on the menu
#[utoipa::path(post, path = "/api/restaurants/{id}/items", tag = "Restaurants", operation_id = "addDish",
    params(("id" = RestaurantId, Path, description = "The restaurant.")),
    request_body = WriteItem,
    responses(
        (status = 201, description = "The dish, with its id.", body = MenuItem),
        (status = 400, description = "INVALID_MENU", body = ErrorBody),
        (status = 404, description = "RESTAURANT_NOT_FOUND", body = ErrorBody),
        (status = 409, description = "ITEM_EXISTS", body = ErrorBody),
    ))]
pub async fn add_item(
    Shared(state): Shared<State>,
    Staff { restaurant: id, author }: Staff,
    Json(body): Json<WriteItem>,
) -> ApiResult<impl IntoResponse> {
    let change = Change::AddItem(id.clone(), edit::item(body)?);
    Ok((StatusCode::CREATED, Json(as_item(write(&state, &id, change, author).await?)?)))
}

/// Replaces a dish
#[utoipa::path(put, path = "/api/restaurants/{id}/items/{itemId}", tag = "Restaurants", operation_id = "replaceDish",
    params(("id" = RestaurantId, Path, description = "The restaurant."), ("itemId" = ItemId, Path, description = "The dish.")),
    request_body = WriteItem,
    responses(
        (status = 200, description = "The dish as it is now.", body = MenuItem),
        (status = 400, description = "INVALID_MENU", body = ErrorBody),
        (status = 404, description = "RESTAURANT_NOT_FOUND, ITEM_NOT_FOUND", body = ErrorBody),
    ))]
pub async fn replace_item(
    Shared(state): Shared<State>,
    Staff { restaurant: id, author }: Staff,
    Path(Dish { item }): Path<Dish>,
    Json(body): Json<WriteItem>,
) -> ApiResult<Json<MenuItem>> {
    let change = Change::ReplaceItem(id.clone(), item, edit::item(body)?);
    Ok(Json(as_item(write(&state, &id, change, author).await?)?))
}

/// Changes a dish's price or availability
///
/// The quick changes of a busy evening; what is absent stays.
#[utoipa::path(patch, path = "/api/restaurants/{id}/items/{itemId}", tag = "Restaurants", operation_id = "changeDish",
    params(("id" = RestaurantId, Path, description = "The restaurant."), ("itemId" = ItemId, Path, description = "The dish.")),
    request_body = ChangeItem,
    responses(
        (status = 200, description = "The dish as it is now.", body = MenuItem),
        (status = 400, description = "INVALID_MENU", body = ErrorBody),
        (status = 404, description = "RESTAURANT_NOT_FOUND, ITEM_NOT_FOUND", body = ErrorBody),
    ))]
pub async fn change_item(
    Shared(state): Shared<State>,
    Staff { restaurant: id, author }: Staff,
    Path(Dish { item }): Path<Dish>,
    Json(body): Json<ChangeItem>,
) -> ApiResult<Json<MenuItem>> {
    let change = Change::ChangeItem(id.clone(), item, edit::item_change(body)?);
    Ok(Json(as_item(write(&state, &id, change, author).await?)?))
}

/// Takes a dish off the menu
#[utoipa::path(delete, path = "/api/restaurants/{id}/items/{itemId}", tag = "Restaurants", operation_id = "deleteDish",
    params(("id" = RestaurantId, Path, description = "The restaurant."), ("itemId" = ItemId, Path, description = "The dish.")),
    responses(
        (status = 204, description = "It is off the menu."),
        (status = 404, description = "RESTAURANT_NOT_FOUND, ITEM_NOT_FOUND", body = ErrorBody),
    ))]
pub async fn delete_item(
    Shared(state): Shared<State>,
    Staff { restaurant: id, author }: Staff,
    Path(Dish { item }): Path<Dish>,
) -> ApiResult<StatusCode> {
    write(&state, &id, Change::DeleteItem(id.clone(), item), author).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A restaurant's day so far
#[utoipa::path(get, path = "/api/restaurants/{id}/figures", tag = "Restaurants", operation_id = "getFigures",
    params(("id" = RestaurantId, Path, description = "The restaurant.")),
    responses(
        (status = 200, description = "From its kitchen tickets.", body = Figures),
        (status = 404, description = "RESTAURANT_NOT_FOUND", body = ErrorBody),
    ))]
pub async fn figures(Shared(state): Shared<State>, Staff { restaurant: id, .. }: Staff) -> ApiResult<Json<Figures>> {
    let menus = state.menus.now().await?;
    super::find(&menus, &id)?;
    let (mut figures, best) = state.reports.figures(&id, &menus.catalogue().zone(&id), state.clock.now()).await?;
    let named = |(item_id, sold): (ItemId, u32)| {
        // What is off the menu by now has an id only.
        let name = menus.catalogue().item(&item_id).map_or_else(|| item_id.to_string(), |item| item.name.clone());
        ItemFigures { item_id, name, sold }
    };
    figures.best = best.into_iter().map(named).collect();
    Ok(Json(figures))
}
