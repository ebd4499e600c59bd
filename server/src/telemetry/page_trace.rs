//! Tells a browser which trace its page came from, so that what it measures belongs to it: `Server-Timing: traceparent;desc="00-…"`.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use runtime::telemetry::propagation::traceparent;
use tracing::Span;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Stands behind the inbound layer, whose span it names.
pub async fn page_trace(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let is_page = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page
        && let Some(trace) = traceparent(&Span::current())
        && let Ok(value) = HeaderValue::try_from(format!("traceparent;desc=\"{trace}\""))
    {
        response.headers_mut().insert(SERVER_TIMING, value);
    }
    response
}

/// Trace and span of what this module writes; `None` when it is something else.
pub fn read(traceparent: &str) -> Option<(u128, u64)> {
    let mut parts = traceparent.split('-');
    let (Some("00"), Some(trace), Some(span), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let is_hex = |text: &str, letters| text.len() == letters && text.bytes().all(|letter| letter.is_ascii_hexdigit());
    if !is_hex(trace, 32) || !is_hex(span, 16) {
        return None;
    }
    let (trace, span) = (u128::from_str_radix(trace, 16).ok()?, u64::from_str_radix(span, 16).ok()?);
    (trace != 0 && span != 0).then_some((trace, span))
}
