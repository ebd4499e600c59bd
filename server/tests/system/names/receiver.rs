//! A collector that remembers names: what OTLP brings, without its values.

use super::registry::Kind;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

#[derive(Clone, Debug)]
pub struct Metric {
    pub kind: Kind,
    pub unit: String,
    pub attributes: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub kind: &'static str,
    pub name: String,
    pub attributes: BTreeSet<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Emitted {
    pub metrics: BTreeMap<String, Metric>,
    pub spans: BTreeSet<Span>,
    pub events: BTreeMap<String, BTreeSet<String>>,
    pub log_attributes: BTreeSet<String>,
    /// What log lines say.
    pub lines: BTreeSet<String>,
}

/// Listens until it is dropped, in a thread of its own: platforms come and go in runtimes of theirs.
pub struct Receiver {
    seen: Arc<Mutex<Emitted>>,
    port: u16,
    _runtime: tokio::runtime::Runtime,
}

impl Receiver {
    pub fn start() -> Self {
        let seen = Arc::<Mutex<Emitted>>::default();
        let app = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/metrics", post(metrics))
            .route("/v1/logs", post(logs))
            .with_state(seen.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { seen, port, _runtime: runtime }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn seen(&self) -> Emitted {
        self.seen.lock().unwrap().clone()
    }
}

impl Emitted {
    pub fn merge(&mut self, other: Self) {
        for (name, metric) in other.metrics {
            self.metrics.entry(name).or_insert_with(|| metric.clone()).attributes.extend(metric.attributes);
        }
        for (name, attributes) in other.events {
            self.events.entry(name).or_default().extend(attributes);
        }
        self.spans.extend(other.spans);
        self.log_attributes.extend(other.log_attributes);
        self.lines.extend(other.lines);
    }
}

fn keys(attributes: Vec<KeyValue>) -> impl Iterator<Item = String> {
    attributes.into_iter().map(|attribute| attribute.key)
}

async fn traces(State(seen): State<Arc<Mutex<Emitted>>>, body: Bytes) {
    let groups = ExportTraceServiceRequest::decode(body).unwrap().resource_spans;
    for span in groups.into_iter().flat_map(|group| group.scope_spans).flat_map(|scope| scope.spans) {
        let kind = match span.kind() {
            SpanKind::Server => "server",
            SpanKind::Client => "client",
            SpanKind::Producer => "producer",
            SpanKind::Consumer => "consumer",
            SpanKind::Internal | SpanKind::Unspecified => "internal",
        };
        let mut seen = seen.lock().unwrap();
        for event in span.events {
            seen.events.entry(event.name).or_default().extend(keys(event.attributes));
        }
        seen.spans.insert(Span { kind, name: span.name, attributes: keys(span.attributes).collect() });
    }
}

async fn metrics(State(seen): State<Arc<Mutex<Emitted>>>, body: Bytes) {
    let groups = ExportMetricsServiceRequest::decode(body).unwrap().resource_metrics;
    for metric in groups.into_iter().flat_map(|group| group.scope_metrics).flat_map(|scope| scope.metrics) {
        let (kind, attributes): (Kind, BTreeSet<String>) = match metric.data {
            Some(Data::Gauge(gauge)) => (Kind::Gauge, gauge.data_points.into_iter().flat_map(|point| keys(point.attributes)).collect()),
            Some(Data::Sum(sum)) => {
                let kind = if sum.is_monotonic { Kind::Counter } else { Kind::Gauge };
                (kind, sum.data_points.into_iter().flat_map(|point| keys(point.attributes)).collect())
            }
            Some(Data::Histogram(histogram)) => {
                (Kind::Histogram, histogram.data_points.into_iter().flat_map(|point| keys(point.attributes)).collect())
            }
            other => panic!("{}: {other:?}", metric.name),
        };
        let mut seen = seen.lock().unwrap();
        let known = seen.metrics.entry(metric.name).or_insert(Metric { kind, unit: metric.unit, attributes: BTreeSet::new() });
        known.attributes.extend(attributes);
    }
}

async fn logs(State(seen): State<Arc<Mutex<Emitted>>>, body: Bytes) {
    let groups = ExportLogsServiceRequest::decode(body).unwrap().resource_logs;
    for record in groups.into_iter().flat_map(|group| group.scope_logs).flat_map(|scope| scope.log_records) {
        let mut seen = seen.lock().unwrap();
        seen.log_attributes.extend(keys(record.attributes));
        if let Some(Value::StringValue(line)) = record.body.and_then(|body| body.value) {
            seen.lines.insert(line);
        }
    }
}
