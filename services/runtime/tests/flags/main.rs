//! Flags and chaos from the outside: flip, evaluate, inject, follow.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod api;
mod audience;
mod calls;
mod chaos;
mod control;
mod file;
mod ofrep;
mod process;
mod stores;
mod sync;
mod telemetry;

use axum::Router;
use axum::body::Body;
use contract::Timestamp;
use contract::flags::Audience;
use http::{Request, Response};
use http_body_util::BodyExt;
use opentelemetry::metrics::Meter;
use runtime::chance::Chance;
use runtime::chaos::Chaos;
use runtime::clock::ManualClock;
use runtime::context::{self, RequestContext};
use runtime::flags::{FlagControl, Flags};
use serde_json::Value;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

/// Longest any outcome may take. Far above what is needed, so that a busy machine fails no test.
const DEADLINE: Duration = Duration::from_secs(20);

fn control() -> (FlagControl, ManualClock) {
    let clock = ManualClock::at(Timestamp::from_millis(1_760_000_000_000));
    (FlagControl::new(Arc::new(clock.clone())).unwrap(), clock)
}

fn meter() -> Meter {
    opentelemetry::global::meter("test")
}

fn flags(control: &FlagControl, service: &'static str) -> Flags {
    Flags::for_service(control, service, &meter())
}

fn chaos(control: &FlagControl, service: &'static str) -> Chaos {
    Chaos::new(flags(control, service), Chance::seeded(42))
}

fn flip(control: &FlagControl, key: &str, variant: &str) {
    control.set(key, variant, None, Audience::Everyone).unwrap();
}

/// Makes the source say that this variant of this flag is in force for everybody, with this value.
fn define(control: &FlagControl, key: &str, value: &Value) {
    let flag = serde_json::json!({"state": "ENABLED", "defaultVariant": "on", "variants": {"off": {"enabled": false}, "on": value}});
    control.replace_definitions(&serde_json::json!({"flags": {key: flag}}).to_string()).unwrap();
}

async fn as_session<T>(session: &str, work: impl Future<Output = T>) -> T {
    context::scope(Arc::new(RequestContext { session: Some(session.into()), ..RequestContext::default() }), work).await
}

/// The variant in force in `flags` for nobody in particular.
async fn variant(flags: &Flags, key: &str) -> Option<String> {
    flags.evaluate(key).await.map(|active| active.variant)
}

/// Waits until `flags` says `wanted`, or fails when it does not in time.
async fn becomes(flags: &Flags, key: &str, wanted: Option<&str>) {
    let arrived = async {
        while variant(flags, key).await.as_deref() != wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(DEADLINE, arrived).await;
    assert!(in_time.is_ok(), "{key} did not become {wanted:?}: it is {:?}", variant(flags, key).await);
}

fn request(method: &str, path: &str, json: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    request.body(Body::from(json.to_owned())).unwrap()
}

async fn send(router: &Router, request: Request<Body>) -> Response<Body> {
    router.clone().oneshot(request).await.unwrap()
}

async fn json(response: Response<Body>) -> Value {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap_or(Value::Null)
}
