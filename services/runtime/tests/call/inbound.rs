//! What a service makes of what arrives.

use crate::{call, client, meter};
use axum::body::Body;
use axum::extract::Request;
use axum::routing::{get, post};
use axum::{Router, middleware};
use contract::Code;
use contract::client::Transport;
use contract::error::ErrorBody;
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use runtime::call::Embedded;
use runtime::context::{self, RequestContext, Role};
use runtime::http::{Inbound, Json, inbound, with_fallbacks};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tower::ServiceExt;

/// A service whose gateway signs with this, or with nothing.
fn service(token: Option<&str>) -> Router {
    let routes = Router::new()
        .route("/who", get(who))
        .route("/cart/{id}", get(who))
        .route("/panic", get(async || -> &'static str { panic!("a secret detail") }))
        .route("/forever", get(async || std::future::pending::<&'static str>().await))
        .route("/echo", post(async |Json(body): Json<Vec<u32>>| Json(body)));
    let entry = Inbound::new("cart", token.map(Into::into), &meter());
    with_fallbacks(routes).layer(middleware::from_fn_with_state(entry, inbound))
}

/// Tells what the handler knows of its caller.
async fn who() -> Json<Value> {
    let context = context::current();
    Json(json!({
        "service": context.service,
        "requestId": *context.request_id,
        "session": context.session.as_deref(),
        "client": context.client.as_deref(),
        "operator": context.role == Role::Operator,
        "synthetic": context.synthetic,
        "restaurant": context.restaurant.as_deref(),
        "city": context.city.as_deref(),
        "leftMs": context.deadline.map(|deadline| u64::try_from((deadline - Instant::now()).as_millis()).unwrap()),
    }))
}

async fn ask(service: &Router, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn json(response: Response<Body>) -> Value {
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

/// Status and code of the one error shape, whose request id is the response's.
async fn error(response: Response<Body>) -> (u16, String, String) {
    let status = response.status().as_u16();
    let headers: HeaderMap = response.headers().clone();
    assert_eq!(headers["content-type"], "application/json");
    let body: ErrorBody = serde_json::from_value(json(response).await).unwrap();
    assert!(!body.request_id.is_empty());
    assert_eq!(headers["x-request-id"], body.request_id.as_str());
    (status, body.code, body.error)
}

const IDENTITY: [(&str, &str); 6] = [
    ("x-feast-session", "session-1"),
    ("x-feast-client", "client-1"),
    ("x-feast-role", "operator"),
    ("x-feast-deadline-ms", "1234"),
    ("baggage", "synthetic=true,restaurant=cosmic-coffee, city=Berlin,unknown=x"),
    ("x-request-id", "request-1"),
];

fn believed(told: &Value) {
    assert_eq!((&told["session"], &told["client"]), (&json!("session-1"), &json!("client-1")));
    assert_eq!((&told["operator"], &told["synthetic"]), (&json!(true), &json!(true)));
    assert_eq!((&told["restaurant"], &told["city"]), (&json!("cosmic-coffee"), &json!("Berlin")));
    assert!(told["leftMs"].as_u64().unwrap() <= 1_234, "{told}");
}

fn not_believed(told: &Value) {
    assert_eq!(
        (&told["session"], &told["client"], &told["restaurant"], &told["city"]),
        (&Value::Null, &Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!((&told["operator"], &told["synthetic"]), (&json!(false), &json!(false)));
    assert!(told["leftMs"].as_u64().unwrap() > 5_000, "{told}");
}

#[tokio::test]
async fn identity_is_believed_beside_the_token() {
    let mut headers = IDENTITY.to_vec();
    headers.push(("x-feast-internal", "secret"));
    believed(&json(ask(&service(Some("secret")), "/who", &headers).await).await);
}

#[tokio::test]
async fn identity_is_ignored_without_the_token_or_with_a_wrong_one() {
    let service = service(Some("secret"));
    not_believed(&json(ask(&service, "/who", &IDENTITY).await).await);
    for wrong in ["", "Secret", "secre", "secret2", "999999"] {
        let mut headers = IDENTITY.to_vec();
        headers.push(("x-feast-internal", wrong));
        not_believed(&json(ask(&service, "/who", &headers).await).await);
    }
}

#[tokio::test]
async fn without_a_token_everybody_on_this_machine_is_believed() {
    believed(&json(ask(&service(None), "/who", &IDENTITY).await).await);
}

#[tokio::test]
async fn identity_that_cannot_be_is_ignored() {
    let long = "x".repeat(129);
    let headers = [("x-feast-session", long.as_str()), ("x-feast-client", ""), ("x-feast-role", "king"), ("x-feast-deadline-ms", "-1")];
    not_believed(&json(ask(&service(None), "/who", &headers).await).await);
}

#[tokio::test]
async fn one_request_knows_nothing_of_the_one_before() {
    let service = service(None);
    ask(&service, "/who", &IDENTITY).await;
    let told = json(ask(&service, "/who", &[]).await).await;
    not_believed(&told);
    assert_ne!(told["requestId"], "request-1");
}

#[tokio::test]
async fn a_request_keeps_its_id_and_gets_one_when_it_has_none() {
    let service = service(Some("secret"));
    let response = ask(&service, "/who", &[("x-request-id", "request-1")]).await;
    assert_eq!(response.headers()["x-request-id"], "request-1");
    assert_eq!(json(response).await["requestId"], "request-1");
    let long = "x".repeat(129);
    for headers in [&[][..], &[("x-request-id", "")], &[("x-request-id", long.as_str())]] {
        let response = ask(&service, "/who", headers).await;
        let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(id.len(), 32, "{id}");
        assert_eq!(json(response).await["requestId"], id);
    }
}

#[tokio::test]
async fn a_panic_is_an_error_that_tells_nothing() {
    let service = service(None);
    let response = ask(&service, "/panic", &[]).await;
    assert_eq!((response.status().as_u16(), response.headers().contains_key("x-request-id")), (500, true));
    let body: ErrorBody = serde_json::from_value(json(response).await).unwrap();
    assert_eq!(body.code, "INTERNAL");
    assert!(!body.error.contains("secret"), "{}", body.error);
    assert_eq!(ask(&service, "/who", &[]).await.status(), 200, "the next request is served");
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_time_is_over_is_answered_so() {
    let asked = Instant::now();
    let (status, code, _) = error(ask(&service(None), "/forever", &[("x-feast-deadline-ms", "250")]).await).await;
    assert_eq!((status, code.as_str()), (504, "TIMEOUT"));
    let waited = asked.elapsed();
    assert!(waited >= Duration::from_millis(250) && waited < Duration::from_millis(300), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_may_keep_a_service_busy_for_longer_than_ten_seconds() {
    for headers in [&[][..], &[("x-feast-deadline-ms", "999999")]] {
        let asked = Instant::now();
        let (status, ..) = error(ask(&service(None), "/forever", headers).await).await;
        assert_eq!(status, 504);
        assert!(asked.elapsed() < Duration::from_secs(11), "{:?}", asked.elapsed());
    }
}

#[tokio::test]
async fn what_is_not_there_or_not_meant_so_is_refused_in_the_one_shape() {
    let service = service(None);
    let (status, code, _) = error(ask(&service, "/nothing", &[]).await).await;
    assert_eq!((status, code.as_str()), (404, "NOT_FOUND"));
    let (status, code, _) = error(ask(&service, "/echo", &[]).await).await;
    assert_eq!((status, code.as_str()), (405, "METHOD_NOT_ALLOWED"));
    let large = format!("[{}1]", "1,".repeat(64 * 1024));
    for (content_type, body, expected) in [
        ("application/json", "[1,", Code::InvalidBody),
        ("application/json", "{\"a\":1}", Code::InvalidBody),
        ("application/json", "", Code::InvalidBody),
        ("text/plain", "[1]", Code::UnsupportedMediaType),
        ("application/json", large.as_str(), Code::BodyTooLarge),
    ] {
        let request = Request::post("/echo").header("content-type", content_type).body(Body::from(body.to_owned())).unwrap();
        let (status, code, _) = error(service.clone().oneshot(request).await.unwrap()).await;
        assert_eq!((status, code.as_str()), (expected.status(), expected.as_str()), "{content_type}");
    }
}

#[tokio::test]
async fn an_embedded_service_is_called_with_the_same_words() {
    let (client, _) = client(Embedded::new(service(Some("secret"))), Some("secret"));
    let context = Arc::new(RequestContext {
        service: "order",
        request_id: "request-1".into(),
        session: Some("session-1".into()),
        client: Some("client-1".into()),
        role: Role::Operator,
        synthetic: true,
        restaurant: Some("cosmic-coffee".into()),
        city: Some("Berlin".into()),
        deadline: Some(Instant::now() + Duration::from_millis(1_234)),
        ..RequestContext::default()
    });
    let reply = context::scope(context, client.call(call("cart.get"))).await.unwrap();
    let told: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((&told["service"], &told["requestId"]), (&json!("cart"), &json!("request-1")));
    believed(&told);
}
