//! The first layer of every service: context, span, deadline, panic guard, metrics.

use super::{HttpError, headers};
use crate::context::{self, RequestContext, Role};
use crate::pace::InFlight;
use crate::telemetry::{metrics, propagation};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use contract::ApiError;
use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::time::Instant;
use tracing::{Instrument, Span, field};

/// Longest a request may take when its caller names no deadline.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);

/// What the inbound layer of one service needs.
#[derive(Clone)]
pub struct Inbound {
    service: &'static str,
    /// `None` on loopback without a token: everybody on this machine is trusted.
    token: Option<Arc<str>>,
    duration: Histogram<f64>,
}

impl Inbound {
    pub fn new(service: &'static str, token: Option<Arc<str>>, meter: &Meter) -> Self {
        Self { service, token, duration: metrics::seconds(meter, "http.server.request.duration", "Duration of HTTP server requests") }
    }

    /// Whether the caller proved to be one of us.
    fn trusts(&self, headers: &HeaderMap) -> bool {
        match &self.token {
            None => true,
            Some(token) => headers.get(headers::INTERNAL).is_some_and(|sent| sent.as_bytes().ct_eq(token.as_bytes()).into()),
        }
    }

    fn context(&self, headers: &HeaderMap) -> RequestContext {
        let mut context = RequestContext {
            service: self.service,
            request_id: text(headers, &headers::REQUEST_ID).unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string().into()),
            ..RequestContext::default()
        };
        let mut wait = DEFAULT_DEADLINE;
        if self.trusts(headers) {
            context.session = text(headers, &headers::SESSION);
            context.client = text(headers, &headers::CLIENT);
            context.user = text(headers, &headers::USER);
            context.staff_of = text(headers, &headers::STAFF_OF);
            context.courier = text(headers, &headers::COURIER);
            context.role = headers.get(headers::ROLE).and_then(|role| Role::from_text(role.to_str().ok()?)).unwrap_or_default();
            read_baggage(headers, &mut context);
            let named = headers.get(headers::DEADLINE_MS).and_then(|ms| ms.to_str().ok()?.parse().ok());
            wait = named.map_or(wait, |ms| Duration::from_millis(ms).min(DEFAULT_DEADLINE));
        }
        context.deadline = Some(Instant::now() + wait);
        context
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<Arc<str>> {
    let value = headers.get(name)?.to_str().ok()?;
    (!value.is_empty() && value.len() <= 128).then(|| value.into())
}

fn read_baggage(headers: &HeaderMap, context: &mut RequestContext) {
    let Some(baggage) = headers.get(headers::BAGGAGE).and_then(|value| value.to_str().ok()) else { return };
    for entry in baggage.split(',') {
        match entry.trim().split_once('=') {
            Some(("synthetic", value)) => context.synthetic = value == "true",
            Some(("restaurant", value)) => context.restaurant = Some(value.into()),
            Some(("city", value)) => context.city = Some(value.into()),
            _ => {}
        }
    }
}

/// Runs a request: sets its context, opens its span, keeps its deadline, survives its panic, measures it.
pub async fn inbound(State(inbound): State<Inbound>, request: Request, next: Next) -> Response {
    let _in_flight = InFlight::enter();
    let started = Instant::now();
    let context = Arc::new(inbound.context(request.headers()));
    let method = request.method().clone();
    let route: Arc<str> = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).into();
    let deadline = context.deadline.unwrap_or(started + DEFAULT_DEADLINE);
    let request_id = HeaderValue::try_from(&*context.request_id).ok();

    let span = tracing::info_span!(
        "http.server",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = method.as_str(),
        http.route = &*route,
        http.response.status_code = field::Empty,
        error.r#type = field::Empty,
        request.id = &*context.request_id,
        session.id = field::Empty,
        synthetic = context.synthetic,
        order.id = field::Empty,
        cart.id = field::Empty,
        chaos.flag = field::Empty,
        chaos.injected = field::Empty,
    );
    propagation::continue_trace(&span, request.headers());
    // The panic is caught inside the context, so that its answer knows the request's id.
    let guarded = async {
        AssertUnwindSafe(answer(next, request, deadline, inbound.service)).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(http.route = &*route, "A handler panicked");
            HttpError(ApiError::internal()).into_response()
        })
    };
    let mut response = context::scope(context, guarded.instrument(span.clone())).await;

    if let Some(request_id) = request_id {
        response.headers_mut().entry(headers::REQUEST_ID).or_insert(request_id);
    }
    record(&span, &response);
    let mut attributes = vec![
        KeyValue::new("http.request.method", method_name(&method)),
        KeyValue::new("http.route", route),
        KeyValue::new("http.response.status_code", i64::from(response.status().as_u16())),
    ];
    if let Some(error) = response.extensions().get::<ApiError>().filter(|error| error.status >= 500) {
        attributes.push(KeyValue::new("error.type", error.code.as_str()));
    }
    inbound.duration.record(started.elapsed().as_secs_f64(), &attributes);
    response
}

async fn answer(next: Next, request: Request, deadline: Instant, service: &'static str) -> Response {
    match tokio::time::timeout_at(deadline, next.run(request)).await {
        Ok(response) => {
            if let Some(error) = response.extensions().get::<ApiError>().filter(|error| error.status >= 500) {
                tracing::warn!(http.response.status_code = error.status, error.r#type = error.code.as_str(), "{}", error.message);
            }
            response
        }
        Err(_) => {
            tracing::warn!("The deadline of the request passed");
            HttpError(ApiError::timeout(service)).into_response()
        }
    }
}

/// Methods nobody defined are one value: a stranger must not be able to grow our metrics.
fn method_name(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}

fn record(span: &Span, response: &Response) {
    let status = response.status().as_u16();
    span.record("http.response.status_code", status);
    if let Some(error) = response.extensions().get::<ApiError>() {
        span.record("error.type", error.code.as_str());
    }
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}
