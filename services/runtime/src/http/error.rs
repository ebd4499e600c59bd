//! `ApiError` as an HTTP response.

use crate::context;
use axum::response::{IntoResponse, Response};
use contract::ApiError;
use contract::error::ErrorBody;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

/// What handlers answer when something is wrong: `?` turns an [`ApiError`] into it.
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
        let error = self.0;
        let body = ErrorBody {
            error: error.message.clone(),
            code: error.code.as_str().to_owned(),
            request_id: context::current().request_id.to_string(),
        };
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(CONTENT_TYPE, "application/json")], json).into_response();
        if let Some(seconds) = error.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        // The inbound layer reads the code for the span and the metrics.
        response.extensions_mut().insert(error);
        response
    }
}
