//! Who may send telemetry. The receiver stands outside of the edge: it is asked several times a second by every process, and spans about
//! spans would never end.

use crate::console::Operators;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use contract::ApiError;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use runtime::http::HttpError;
use std::sync::Arc;
use subtle::ConstantTimeEq;

#[derive(Clone)]
pub struct Door {
    pub loopback: bool,
    /// `INTERNAL_TOKEN`
    pub token: Option<Arc<str>>,
    pub operators: Operators,
}

impl Door {
    fn admits(&self, headers: &HeaderMap) -> bool {
        self.loopback || self.is_one_of_us(headers) || self.operators.is_operator(headers)
    }

    fn is_one_of_us(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return false };
        let sent = headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        sent.is_some_and(|sent| sent.ct_eq(token.as_bytes()).into())
    }
}

pub async fn door(State(door): State<Door>, request: Request, next: Next) -> Response {
    if door.admits(request.headers()) { next.run(request).await } else { HttpError(ApiError::operator_only()).into_response() }
}
