//! What every call carries: who asks, for how long, in which trace.

use crate::context::{self, RequestContext, Role};
use crate::http::headers;
use crate::telemetry::propagation;
use axum::body::Body;
use contract::client::Call;
use contract::{ApiError, Code};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use std::time::Duration;
use tokio::time::Instant;
use tracing::Span;

/// A typed call as a request.
pub fn request(call: &Call) -> Result<Request<Body>, ApiError> {
    let mut request = Request::builder().method(call.method.clone()).uri(&call.path).header(ACCEPT, "application/json");
    if !call.body.is_empty() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    if let Some(key) = &call.idempotency_key {
        request = request.header(headers::IDEMPOTENCY_KEY, key);
    }
    request.body(Body::from(call.body.clone())).map_err(|error| {
        // What comes from outside is ids in the path and the key. An id that fits into no address names nothing.
        match error.is::<http::uri::InvalidUri>() {
            true => ApiError::new(Code::NotFound, "there is nothing at this address"),
            false => ApiError::new(Code::InvalidBody, "an Idempotency-Key is plain text"),
        }
    })
}

/// Adds identity, baggage, trace and deadline of the running request; answers how long to wait.
pub fn prepare(request: &mut Request<Body>, span: &Span, token: Option<&HeaderValue>, timeout: Duration) -> Duration {
    let context = context::current();
    let left = context.deadline.map_or(timeout, |deadline| deadline.saturating_duration_since(Instant::now()));
    let wait = timeout.min(left);
    let out = request.headers_mut();
    for name in headers::FROM_INSIDE_ONLY {
        out.remove(name);
    }
    if let Some(token) = token {
        out.insert(headers::INTERNAL, token.clone());
    }
    identify(out, &context);
    out.insert(headers::DEADLINE_MS, HeaderValue::from(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)));
    propagation::inject(span, out);
    wait
}

fn identify(out: &mut HeaderMap, context: &RequestContext) {
    let mut set = |name: HeaderName, text: Option<&str>| {
        if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
            out.insert(name, value);
        }
    };
    set(headers::REQUEST_ID, Some(&context.request_id));
    set(headers::SESSION, context.session.as_deref());
    set(headers::CLIENT, context.client.as_deref());
    if context.role != Role::Customer {
        set(headers::ROLE, Some(context.role.as_str()));
    }
    set(headers::USER, context.user.as_deref());
    set(headers::STAFF_OF, context.staff_of.as_deref());
    set(headers::COURIER, context.courier.as_deref());
    set(headers::BAGGAGE, baggage(context).as_deref());
}

fn baggage(context: &RequestContext) -> Option<String> {
    let mut entries = Vec::new();
    if context.synthetic {
        entries.push("synthetic=true".to_owned());
    }
    if let Some(restaurant) = &context.restaurant {
        entries.push(format!("restaurant={restaurant}"));
    }
    if let Some(city) = &context.city {
        entries.push(format!("city={city}"));
    }
    (!entries.is_empty()).then(|| entries.join(","))
}
