//! Every address the shop answers.

use crate::visit::Visit;
use crate::{actions, pages, problem};
use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use contract::{ApiError, Code};

/// Pages and forms. Each request needs three extensions: [`crate::shop::Shop`], `Arc<`[`Visit`]`>` and
/// [`crate::desk::SharedDesk`].
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(pages::home::show))
        .route("/restaurants/{id}", get(pages::restaurant::show))
}

/// The designed page for an error, with its status and `Retry-After`. The page's retry repeats the visit with GET.
pub fn error_page(error: &ApiError, visit: &Visit) -> Response {
    problem::response(visit, error, problem::Retry::Visit)
}

/// The page for an address that is nothing of ours; also the server's fallback.
pub fn not_found(visit: &Visit) -> Response {
    error_page(&ApiError::new(Code::NotFound, "there is nothing at this address"), visit)
}
