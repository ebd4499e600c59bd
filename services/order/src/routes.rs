//! The routes of the service; what customers list is in `lists.rs`.

mod board;
mod inside;
mod lists;
mod orders;

use crate::State;
use axum::Router;
use axum::routing::{get, post};
use contract::ApiError;
use runtime::context::{RequestContext, Role};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router(state: State) -> Router {
    routes().with_state(state).into()
}

/// What customers and the restaurants' staff ask, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(orders::quote))
        .routes(routes!(orders::place, lists::list))
        .routes(routes!(orders::read, orders::set_status))
        .routes(routes!(orders::cancel))
        .routes(routes!(lists::customers))
        .routes(routes!(lists::orders_of))
        .routes(routes!(board::board))
        .routes(routes!(board::set_autopilot))
        .route("/internal/orders/claim", post(inside::claim))
        .route("/internal/ledger", get(inside::ledger))
        .route("/internal/reset", post(inside::reset))
}

/// Somebody who may not do it: who is not logged in may try that first.
fn not_allowed(context: &RequestContext, who_may: &str) -> ApiError {
    if context.user.is_none() && context.role == Role::Customer { ApiError::log_in_first() } else { ApiError::forbidden(who_may) }
}

#[cfg(test)]
mod tests;
