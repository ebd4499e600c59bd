//! JSON in and out, with every refusal in the one error shape.

use super::HttpError;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use contract::{ApiError, Code};
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// As an argument: a JSON body. As an answer: JSON with status 200.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(HttpError(refusal(&rejection))),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn refusal(rejection: &JsonRejection) -> ApiError {
    match rejection {
        JsonRejection::JsonDataError(error) => {
            // serde's own words, which name the field, without its position in the text.
            let detail = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            let detail = detail.split(" at line ").next().unwrap_or_default();
            let (detail, code) = named_code(detail);
            ApiError::new(code, format!("the body is not what this call takes: {detail}"))
        }
        JsonRejection::JsonSyntaxError(_) => ApiError::new(Code::InvalidBody, "the body is not valid JSON"),
        JsonRejection::MissingJsonContentType(_) => {
            ApiError::new(Code::UnsupportedMediaType, "send JSON with content-type: application/json")
        }
        JsonRejection::BytesRejection(error) if error.status() == http::StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::new(Code::BodyTooLarge, format!("the body is larger than {} bytes", super::BODY_LIMIT_BYTES))
        }
        _ => ApiError::new(Code::InvalidBody, "the body could not be read"),
    }
}

/// What a type of ours refused says its code: `customerName: a name must have 1 to 100 characters (INVALID_NAME)`.
fn named_code(detail: &str) -> (&str, Code) {
    let named =
        detail.strip_suffix(')').and_then(|detail| detail.rsplit_once(" (")).and_then(|(text, code)| Some((text, Code::from_text(code)?)));
    let missing = if detail.contains("quantity") { Code::InvalidQuantity } else { Code::InvalidBody };
    named.unwrap_or((detail, missing))
}

/// Query parameters.
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
