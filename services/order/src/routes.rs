//! The routes of the service; what customers list is in `lists.rs`.

mod board;
mod inside;
mod lists;
mod orders;

use crate::State;
use axum::Router;
use axum::routing::{get, post, put};
use contract::ApiError;
use runtime::context::{RequestContext, Role};

pub fn router(state: State) -> Router {
    Router::new()
        .route("/api/quotes", post(orders::quote))
        .route("/api/orders", post(orders::place).get(lists::list))
        .route("/api/orders/{id}", get(orders::read).patch(orders::set_status))
        .route("/api/orders/{id}/cancel", post(orders::cancel))
        .route("/api/customers", get(lists::customers))
        .route("/api/customers/{name}/orders", get(lists::orders_of))
        .route("/api/restaurants/{id}/orders", get(board::board))
        .route("/api/restaurants/{id}/autopilot", put(board::set_autopilot))
        .route("/internal/orders/claim", post(inside::claim))
        .route("/internal/ledger", get(inside::ledger))
        .route("/internal/reset", post(inside::reset))
        .with_state(state)
}

/// Somebody who may not do it: who is not logged in may try that first.
fn not_allowed(context: &RequestContext, who_may: &str) -> ApiError {
    if context.user.is_none() && context.role == Role::Customer { ApiError::log_in_first() } else { ApiError::forbidden(who_may) }
}

#[cfg(test)]
mod tests;
