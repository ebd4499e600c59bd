//! Every address the shop answers.

use crate::visit::Visit;
use crate::{actions, pages, problem};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::{Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use contract::telemetry::SNAPSHOT_LIMIT_BYTES;
use contract::{ApiError, Code};

/// What a form puts around a file.
const ENVELOPE_BYTES: usize = 4 * 1024;

/// Pages and forms. Each request needs six extensions: [`crate::shop::Shop`], `Arc<`[`Visit`]`>`, [`crate::accounts::SharedAccounts`],
/// [`crate::desk::SharedDesk`], [`crate::back_office::SharedBackOffice`] and [`crate::control_room::SharedControlRoom`].
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
        .merge(for_staff())
        .route("/console/flags", get(pages::console::flags))
        .route("/console/flags/{key}", form("/console/flags", post(actions::flags::set)))
        .route("/console/flags/{key}/clear", form("/console/flags", post(actions::flags::clear)))
        .route("/console/all-clear", form("/console/flags", post(actions::flags::clear_all)))
}

/// Kitchens, couriers, operators.
fn for_staff<S: Clone + Send + Sync + 'static>() -> Router<S> {
    use actions::{control, snapshot, staff, staff_console, staff_menu};
    use pages::staff::{board, console, courier, dish, hours, menu, reject, today};
    Router::new()
        .route("/restaurant", get(board::show))
        .route("/restaurant/orders/{id}/status", form("/restaurant", post(staff::set_status)))
        .route("/restaurant/orders/{id}/reject", get(reject::show))
        .route("/restaurant/autopilot", form("/restaurant", post(staff::set_autopilot)))
        .route("/restaurant/menu", get(menu::show))
        .route("/restaurant/new-dish", get(dish::new).post(staff_menu::add))
        .route("/restaurant/menu/{item}", get(dish::edit).post(staff_menu::replace))
        .route("/restaurant/menu/{item}/available", form("/restaurant/menu", post(staff_menu::set_available)))
        .route("/restaurant/menu/{item}/stock", form("/restaurant/menu", post(staff_menu::set_stock)))
        .route("/restaurant/menu/{item}/delete", get(dish::ask_to_delete).post(staff_menu::delete))
        .route("/restaurant/hours", get(hours::show).post(staff_menu::set_hours))
        .route("/restaurant/pause", form("/restaurant/hours", post(staff_menu::pause)))
        .route("/restaurant/today", get(today::show))
        .route("/courier", get(courier::show))
        .route("/courier/autopilot", form("/courier", post(staff::set_courier)))
        .route("/courier/orders/{id}/advance", form("/courier", post(staff::advance)))
        .route("/console/overview", get(console::overview::show))
        .route("/console/guardrail", form("/console/overview", post(control::set_guardrail)))
        .route("/console/traces", get(console::traces::show))
        .route("/console/traces/{id}", get(console::trace::show))
        .route("/console/map", get(console::map::show))
        .route("/console/logs", get(console::logs::show))
        .route("/console/snapshot", with_file(get(console::snapshot::show).post(snapshot::read)))
        .route("/console/snapshot/forget", form("/console/snapshot", post(snapshot::forget)))
        .route("/console/load", get(console::load::show).post(control::set_load))
        .route("/console/incidents", get(console::incidents::show))
        .route("/console/incidents/control", form("/console/incidents", post(control::steer)))
        .route("/console/incidents/answer", form("/console/incidents", post(control::answer)))
        .route("/console/incidents/{id}/play", form("/console/incidents", post(control::play)))
        .route("/console/policies", get(console::policies::show))
        .route("/console/ledger", get(console::ledger::show))
        .route("/console/events", get(console::events::show))
        .route("/console/events/replay", form("/console/events", post(staff_console::replay)))
        .route("/console/outbox", get(console::outbox::show))
        .route("/console/promotions", get(console::promotions::show).post(staff_console::put_promotion))
        .route("/console/promotions/switch", form("/console/promotions", post(staff_console::switch_promotion)))
        .route("/console/settlement", get(console::settlement::show))
        .route("/console/pricing", get(console::pricing::show))
        .route("/console/admin", get(console::admin::show))
        .route("/console/admin/reset", get(console::admin::ask).post(staff_console::reset))
}

/// A form's address, opened as a page (somebody reloads after an error), leads to the page the form stands on.
fn form<S: Clone + Send + Sync + 'static>(page: &'static str, post: MethodRouter<S>) -> MethodRouter<S> {
    post.get(async move || Redirect::to(page))
}

/// A form's address that takes a file as large as a snapshot may be.
fn with_file<S: Clone + Send + Sync + 'static>(form: MethodRouter<S>) -> MethodRouter<S> {
    form.layer(DefaultBodyLimit::max(SNAPSHOT_LIMIT_BYTES + ENVELOPE_BYTES))
}

/// The designed page for an error, with its status and `Retry-After`. The page's button repeats the visit.
pub fn error_page(error: &ApiError, visit: &Visit) -> Response {
    problem::response(visit, error, problem::Retry::Visit)
}

/// The page for an address that is nothing of ours; also the server's fallback.
pub fn not_found(visit: &Visit) -> Response {
    error_page(&ApiError::new(Code::NotFound, "there is nothing at this address"), visit)
}
