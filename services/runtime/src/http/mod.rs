//! How a service is spoken to: one error shape, one JSON extractor, one inbound layer.

mod error;
mod inbound;
mod json;
mod path;

pub mod headers;

pub use error::{ApiResult, HttpError};
pub use inbound::{Inbound, inbound};
pub use json::{Json, Query};
pub use path::Path;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use contract::{ApiError, Code};

/// Largest body any call of ours needs is a few kilobytes.
pub const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// Adds what every router of ours has: the body limit, and unknown paths and methods in the one error shape.
pub fn with_fallbacks(router: Router) -> Router {
    router
        .fallback(|| async { HttpError(ApiError::new(Code::NotFound, "there is nothing at this address")) })
        .method_not_allowed_fallback(|| async {
            HttpError(ApiError::new(Code::MethodNotAllowed, "this address does not take this method"))
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
}
