//! Path parameters, with refusals in the one error shape.

use super::HttpError;
use axum::extract::FromRequestParts;
use contract::{ApiError, Code};
use http::request::Parts;
use serde::de::DeserializeOwned;

/// Path parameters. What cannot even be read names nothing: 404.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(HttpError(ApiError::new(Code::NotFound, "there is nothing at this address"))),
        }
    }
}
