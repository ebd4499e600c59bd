//! Stand-in for `runtime::http` with the same names.

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use contract::error::ErrorBody;
use contract::{ApiError, Code};
use serde::de::DeserializeOwned;

#[derive(Debug)]
pub struct HttpError(pub ApiError);

pub type ApiResult<T> = Result<T, HttpError>;

impl<E: Into<ApiError>> From<E> for HttpError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let body = ErrorBody { error: self.0.message, code: self.0.code.as_str().to_owned(), request_id: String::new() };
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/json")], serde_json::to_vec(&body).unwrap_or_default()).into_response()
    }
}

#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(_) => Err(HttpError(ApiError::new(Code::InvalidQuery, "a query parameter is missing or of the wrong type"))),
        }
    }
}

pub fn with_fallbacks(router: Router) -> Router {
    router.fallback(|| async { HttpError(ApiError::new(Code::NotFound, "there is nothing at this address")) }).method_not_allowed_fallback(
        || async { HttpError(ApiError::new(Code::MethodNotAllowed, "this address does not take this method")) },
    )
}
