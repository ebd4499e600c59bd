//! Every address the shop answers.

use crate::visit::Visit;
use crate::{actions, pages, problem};
use axum::Router;
use axum::response::{Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use contract::{ApiError, Code};

/// Pages and forms. Each request needs four extensions: [`crate::shop::Shop`], `Arc<`[`Visit`]`>`, [`crate::accounts::SharedAccounts`]
/// and [`crate::desk::SharedDesk`].
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(pages::home::show))
        .route("/restaurants/{id}", get(pages::restaurant::show))
        .route("/items/{id}", get(pages::item::show))
        .route("/cart", get(pages::cart::show))
        .route("/cart/items", form("/cart", post(actions::cart::add)))
        .route("/cart/items/{id}", form("/cart", post(actions::cart::set_quantity)))
        .route("/cart/new", form("/cart", post(actions::cart::replace)))
        .route("/cart/clear", form("/cart", post(actions::cart::clear)))
        .route("/checkout", get(pages::checkout::show).post(pages::checkout::update))
        .route("/orders", get(pages::orders::show).post(actions::order::place))
        .route("/orders/{id}", get(pages::order::show))
        .route("/orders/{id}/cancel", form("/orders", post(actions::order::cancel)))
        .route("/orders/{id}/reorder", form("/orders", post(actions::order::reorder)))
        .route("/login", get(pages::login::log_in).post(actions::account::log_in))
        .route("/login/demo", form("/login", post(actions::account::demo)))
        .route("/signup", get(pages::login::sign_up).post(actions::account::sign_up))
        .route("/logout", form("/account", post(actions::account::log_out)))
        .route("/account", get(pages::account::show))
        .route("/account/name", form("/account", post(actions::account::set_name)))
        .route("/account/addresses", form("/account", post(actions::account::add_address)))
        .route("/account/addresses/{id}/remove", form("/account", post(actions::account::remove_address)))
        .route("/account/preferences", form("/account", post(actions::account::set_preferences)))
        .route("/account/password", form("/account", post(actions::account::change_password)))
        .route("/about", get(pages::about::show))
        .route("/theme", form("/", post(actions::theme::choose)))
        .route("/console/flags", get(pages::console::flags))
        .route("/console/flags/{key}", form("/console/flags", post(actions::flags::set)))
        .route("/console/flags/{key}/clear", form("/console/flags", post(actions::flags::clear)))
        .route("/console/all-clear", form("/console/flags", post(actions::flags::clear_all)))
}

/// A form's address, opened as a page (somebody reloads after an error), leads to the page the form stands on.
fn form<S: Clone + Send + Sync + 'static>(page: &'static str, post: MethodRouter<S>) -> MethodRouter<S> {
    post.get(async move || Redirect::to(page))
}

/// The designed page for an error, with its status and `Retry-After`. The page's button repeats the visit.
pub fn error_page(error: &ApiError, visit: &Visit) -> Response {
    problem::response(visit, error, problem::Retry::Visit)
}

/// The page for an address that is nothing of ours; also the server's fallback.
pub fn not_found(visit: &Visit) -> Response {
    error_page(&ApiError::new(Code::NotFound, "there is nothing at this address"), visit)
}
