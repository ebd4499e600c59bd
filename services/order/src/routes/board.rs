//! A restaurant's board.

use super::not_allowed;
use crate::State;
use axum::extract::State as Shared;
use contract::order::{Board, SetAutopilot};
use contract::{ApiError, RestaurantId};
use runtime::context;
use runtime::http::{ApiResult, Json, Path};

fn staff_only(restaurant: &RestaurantId) -> Result<(), ApiError> {
    let context = context::current();
    if context.is_staff_of(restaurant.as_str()) { Ok(()) } else { Err(not_allowed(&context, "the restaurant's staff")) }
}

/// A restaurant's kitchen board
#[utoipa::path(get, path = "/api/restaurants/{id}/orders", tag = "Restaurants", operation_id = "getBoard",
    params(("id" = RestaurantId, Path, description = "The restaurant.")),
    responses((status = 200, description = "Its orders by where they are, oldest first.", body = Board)))]
pub async fn board(Shared(state): Shared<State>, Path(id): Path<RestaurantId>) -> ApiResult<Json<Board>> {
    staff_only(&id)?;
    Ok(Json(state.book.board(&id).await?))
}

/// Lets a kitchen accept and cook by itself, or not
#[utoipa::path(put, path = "/api/restaurants/{id}/autopilot", tag = "Restaurants", operation_id = "setAutopilot",
    params(("id" = RestaurantId, Path, description = "The restaurant.")),
    request_body = SetAutopilot,
    responses((status = 200, description = "How it is now.", body = SetAutopilot)))]
pub async fn set_autopilot(
    Shared(state): Shared<State>,
    Path(id): Path<RestaurantId>,
    Json(body): Json<SetAutopilot>,
) -> ApiResult<Json<SetAutopilot>> {
    staff_only(&id)?;
    state.book.set_autopilot(&id, body.on).await?;
    tracing::info!(restaurant.id = %id, on = body.on, "The autopilot of {id} is {}", if body.on { "on" } else { "off" });
    Ok(Json(body))
}
