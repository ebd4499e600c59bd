//! What forms do. Every action answers a redirect when it went well, and a designed page when it did not; the page's button sends the same
//! form again.

pub mod account;
pub mod cart;
pub mod control;
pub mod flags;
pub mod order;
pub mod snapshot;
pub mod staff;
pub mod staff_console;
pub mod staff_menu;
pub mod theme;

use crate::cookies::Cookies;
use axum::Json;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;

/// To the next page, by GET.
fn see(to: &str, cookies: &Cookies) -> Response {
    let mut response = Redirect::to(to).into_response();
    cookies.write(response.headers_mut());
    response
}

fn json(body: &impl Serialize, cookies: &Cookies) -> Response {
    let mut response = Json(body).into_response();
    cookies.write(response.headers_mut());
    response
}
