//! Designed pages for everything that can go wrong.

use crate::render::{Meta, page};
use crate::visit::Visit;
use axum::response::Response;
use contract::ApiError;
use http::StatusCode;
use leptos::prelude::*;

/// What the page's button repeats.
#[derive(Clone, Debug)]
pub enum Retry {
    /// The same address again.
    Visit,
    /// The same form again, field by field.
    Form { action: String, fields: Vec<(String, String)> },
}

pub fn response(visit: &Visit, error: &ApiError, retry: Retry) -> Response {
    let mut meta = Meta::new("Trouble", "Something went wrong.");
    meta.status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    meta.retry_after_s = error.retry_after_s;
    let message = error.message.clone();
    let _ = retry;
    page(visit, meta, || view! { <h1>"Trouble"</h1><p>{message}</p> })
}
