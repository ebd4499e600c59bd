//! What leaves the process by OTLP when the whole platform is one process: every service under its own name, in one trace.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::eventually;

#[derive(Default)]
struct Seen {
    /// Trace id to the services that have spans in it.
    traces: BTreeMap<Vec<u8>, BTreeSet<String>>,
    span_names: BTreeSet<String>,
    metrics: BTreeMap<String, BTreeSet<String>>,
    logs: BTreeMap<String, Vec<String>>,
}

type Receiver = Arc<Mutex<Seen>>;

fn service_name(resource: Option<Resource>) -> String {
    let attributes = resource.unwrap_or_default().attributes;
    let value = attributes.into_iter().find(|attribute| attribute.key == "service.name").and_then(|attribute| attribute.value?.value);
    match value {
        Some(Value::StringValue(name)) => name,
        other => panic!("a resource without a service name: {other:?}"),
    }
}

async fn traces(State(seen): State<Receiver>, body: Bytes) {
    for group in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
        let service = service_name(group.resource);
        let mut seen = seen.lock().unwrap();
        for span in group.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            seen.traces.entry(span.trace_id).or_default().insert(service.clone());
            seen.span_names.insert(format!("{service}: {}", span.name));
        }
    }
}

async fn metrics(State(seen): State<Receiver>, body: Bytes) {
    for group in ExportMetricsServiceRequest::decode(body).unwrap().resource_metrics {
        let service = service_name(group.resource);
        let names = group.scope_metrics.into_iter().flat_map(|scope| scope.metrics).map(|metric| metric.name);
        seen.lock().unwrap().metrics.entry(service).or_default().extend(names);
    }
}

async fn logs(State(seen): State<Receiver>, body: Bytes) {
    for group in ExportLogsServiceRequest::decode(body).unwrap().resource_logs {
        let service = service_name(group.resource);
        for record in group.scope_logs.into_iter().flat_map(|scope| scope.log_records) {
            if let Some(Value::StringValue(text)) = record.body.and_then(|body| body.value) {
                seen.lock().unwrap().logs.entry(service.clone()).or_default().push(text);
            }
        }
    }
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn an_order_is_one_trace_and_every_service_speaks_under_its_own_name() {
    let seen = Receiver::default();
    let app = Router::new()
        .route("/v1/traces", post(traces))
        .route("/v1/metrics", post(metrics))
        .route("/v1/logs", post(logs))
        .with_state(seen.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collector = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let program = std::env::var_os("FEAST_BIN_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_server")), |bin| PathBuf::from(bin).join("server"));
    let child = Command::new(program)
        .env("SITE_ADDR", format!("127.0.0.1:{port}"))
        .env("DATA_DIR", folder.path())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector)
        .env("OTEL_BSP_SCHEDULE_DELAY", "200")
        .env("OTEL_BLRP_SCHEDULE_DELAY", "200")
        .env("OTEL_METRIC_EXPORT_INTERVAL", "500")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let _server = Server(child);
    let shop = format!("http://127.0.0.1:{port}");
    let client = reqwest::Client::new();
    eventually("the server is ready", Duration::from_secs(10), || async {
        client.get(format!("{shop}/ready")).send().await.is_ok_and(|reply| reply.status().is_success())
    })
    .await;

    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let cart: serde_json::Value = client.post(format!("{shop}/api/cart")).send().await.unwrap().json().await.unwrap();
    let cart = cart["id"].as_str().unwrap();
    let line = serde_json::json!({"itemId": "nebula-latte", "quantity": 2});
    client.post(format!("{shop}/api/cart/{cart}/items")).json(&line).send().await.unwrap().error_for_status().unwrap();
    let order = client
        .post(format!("{shop}/api/orders"))
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .json(&serde_json::json!({"customerName": "Ada", "cartId": cart}))
        .send()
        .await
        .unwrap();
    assert_eq!(order.status(), 201);

    let everybody: BTreeSet<String> = ["server", "order", "cart", "menu", "middleware"].map(str::to_owned).into();
    let trace: Vec<u8> = (0..16).map(|at| u8::from_str_radix(&trace[at * 2..at * 2 + 2], 16).unwrap()).collect();
    eventually("all services are in the order's trace", Duration::from_secs(10), || async {
        seen.lock().unwrap().traces.get(&trace).is_some_and(|services| services.is_superset(&everybody))
    })
    .await;
    eventually("the order service logs and counts under its name", Duration::from_secs(10), || async {
        let seen = seen.lock().unwrap();
        let logged = seen.logs.get("order").is_some_and(|lines| lines.iter().any(|line| line.starts_with("Accepted order")));
        logged && seen.metrics.get("order").is_some_and(|names| names.contains("feast.orders"))
    })
    .await;
    let seen = seen.lock().unwrap();
    assert!(seen.span_names.contains("server: POST /api/orders"), "{:?}", seen.span_names);
    assert!(seen.span_names.contains("middleware: POST /reservations"), "{:?}", seen.span_names);
}
