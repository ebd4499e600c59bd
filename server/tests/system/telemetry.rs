//! What the platform says about itself is seen in the server, whether it is one process or nine.

use crate::harness::{LATTE, Mode, Options, Platform, on_both_platforms};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use testkit::eventually;

/// Spans are sent every 200 ms; machines that test are slow.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who takes part in an order before it is answered.
const EVERYBODY: [&str; 5] = ["server", "order", "cart", "menu", "middleware"];

on_both_platforms! {
    an_order_is_one_trace_and_every_service_speaks_under_its_own_name,
    every_service_tells_its_log_and_its_numbers,
    a_program_of_somebody_else_sends_by_its_own_sdk,
    what_a_browser_saw_begins_the_trace,
    a_snapshot_is_taken_and_brought_back,
}

async fn ask(platform: &Platform, path: &str) -> Value {
    platform.http.get(path).operator().send().await.expect(200)
}

/// An order placed within this trace.
async fn ordered_in(platform: &Platform, trace: &str) -> String {
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    let order = platform.order(&cart).header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01")).send().await.expect(201);
    order["id"].as_str().unwrap().to_owned()
}

async fn trace(platform: &Platform, id: &str) -> Option<Value> {
    let answer = platform.http.get(&format!("/api/traces/{id}")).operator().send().await;
    (answer.status == 200).then(|| answer.json())
}

fn services(trace: &Value) -> BTreeSet<String> {
    trace["spans"].as_array().unwrap().iter().map(|span| span["service"].as_str().unwrap().to_owned()).collect()
}

async fn an_order_is_one_trace_and_every_service_speaks_under_its_own_name(platform: &Platform) {
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let order = ordered_in(platform, id).await;
    eventually("all services are in the order's trace", PATIENCE, async || {
        trace(platform, id).await.is_some_and(|trace| EVERYBODY.iter().all(|name| services(&trace).contains(*name)))
    })
    .await;
    eventually("the order's trace is found by its id", PATIENCE, async || {
        let found = ask(platform, &format!("/api/traces?order={order}")).await;
        found["traces"].as_array().unwrap().iter().any(|trace| trace["traceId"] == id)
    })
    .await;
}

async fn every_service_tells_its_log_and_its_numbers(platform: &Platform) {
    ordered_in(platform, "5bf92f3577b34da6a3ce929d0e0e4736").await;
    eventually("the order service's lines are there", PATIENCE, async || {
        let found = ask(platform, "/api/logs?service=order&text=Accepted").await;
        found["lines"].as_array().unwrap().iter().any(|line| line["message"].as_str().unwrap().starts_with("Accepted order"))
    })
    .await;
    eventually("metrics are there", PATIENCE, async || ask(platform, "/api/overview").await["kept"]["series"].as_u64() > Some(20)).await;
    if platform.mode == Mode::Split {
        assert!(!platform.log_of("order").contains("OpenTelemetry"), "whoever sends well does not talk about it");
    }
}

async fn a_program_of_somebody_else_sends_by_its_own_sdk(platform: &Platform) {
    let id = "6bf92f3577b34da6a3ce929d0e0e4736";
    let now_ns = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let body = json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "kitchen-robot"}}]},
        "scopeSpans": [{"spans": [{"traceId": id, "spanId": "00f067aa0ba902b7", "name": "stir", "kind": 1,
            "startTimeUnixNano": now_ns.to_string(), "endTimeUnixNano": (now_ns + 1_000_000).to_string(),
            "status": {"code": 2, "message": "burnt"}}]}]
    }]});
    let said = platform.http.post("/v1/traces", body).send().await.expect(200);
    assert_eq!(said, json!({}));
    eventually("the robot's span is there", PATIENCE, async || trace(platform, id).await.is_some()).await;
    let trace = trace(platform, id).await.unwrap();
    assert_eq!((&trace["spans"][0]["service"], &trace["spans"][0]["message"]), (&json!("kitchen-robot"), &json!("burnt")));
    let wrong = platform.http.ask("POST", "/v1/traces").header("content-type", "application/json").body("{").send().await;
    assert_eq!(wrong.status, 400);
}

async fn what_a_browser_saw_begins_the_trace(platform: &Platform) {
    let id = "7bf92f3577b34da6a3ce929d0e0e4736";
    let context = format!("00-{id}-00f067aa0ba902b7-01");
    platform.http.get("/api/menu").header("traceparent", &context).send().await.expect(200);
    let call = json!({"trace": context, "method": "GET", "path": "/api/menu", "startedAt": 1000.0, "tookMs": 20.0, "status": 200});
    let told = platform.http.post("/api/beacon", json!({"page": "/", "sentAt": 1050.0, "calls": [call]})).send().await;
    assert_eq!(told.status, 204, "{}", told.body);
    eventually("browser and platform are one trace", PATIENCE, async || {
        let Some(trace) = trace(platform, id).await else { return false };
        let first = &trace["spans"][0];
        first["service"] == "browser" && trace["orphans"] == 0 && services(&trace).contains("menu")
    })
    .await;
    let page = platform.http.get("/").header("accept", "text/html").send().await;
    assert!(page.header("server-timing").starts_with("traceparent;desc=\"00-"), "{:?}", page.headers);
}

async fn a_snapshot_is_taken_and_brought_back(platform: &Platform) {
    let id = "8bf92f3577b34da6a3ce929d0e0e4736";
    ordered_in(platform, id).await;
    eventually("the trace is there", PATIENCE, async || trace(platform, id).await.is_some()).await;
    let refused = platform.http.get("/api/telemetry/snapshot").send().await;
    assert_eq!(refused.status, 401);
    let file = reqwest::Client::new()
        .get(format!("{}/api/telemetry/snapshot", platform.http.base()))
        .bearer_auth(crate::harness::OPERATOR_TOKEN)
        .send()
        .await
        .unwrap();
    assert_eq!(file.headers()["content-type"], "application/gzip");
    let file = file.bytes().await.unwrap();
    let taken = platform.http.ask("POST", "/api/telemetry/snapshot").operator().body(file).send().await.expect(200);
    assert!(taken["traces"].as_u64() > Some(0), "{taken}");
    let nonsense = platform.http.ask("POST", "/api/telemetry/snapshot").operator().body("nonsense").send().await;
    assert_eq!((nonsense.status, nonsense.code()), (400, "INVALID_BODY".to_owned()));
}

/// What is switched off is off, and the platform works as before.
#[test]
fn telemetry_that_is_switched_off_is_off() {
    let off = ("OTEL_SDK_DISABLED", "true".to_owned());
    let options = Options { settings: vec![off], ..Options::default() };
    crate::harness::run(Mode::Embedded, options, async |platform| {
        ordered_in(platform, "9bf92f3577b34da6a3ce929d0e0e4736").await;
        assert_eq!(ask(platform, "/api/overview").await["kept"]["receivedSpans"], 0, "switched off is off");
        assert!(!platform.log_of("server").contains("OpenTelemetry"));
    });
}
