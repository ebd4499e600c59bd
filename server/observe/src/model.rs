//! What comes in, whatever it came from: the SDK in this process, or OTLP from another.

use std::sync::Arc;

pub type TraceId = u128;
pub type SpanId = u64;

/// A span that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    pub trace: TraceId,
    pub id: SpanId,
    pub parent: Option<SpanId>,
    pub service: Arc<str>,
    pub name: Arc<str>,
    pub kind: Kind,
    /// Nanoseconds since 1970.
    pub start_ns: u64,
    pub end_ns: u64,
    pub failed: bool,
    pub message: Box<str>,
    pub attributes: Vec<(Arc<str>, Value)>,
    pub events: Vec<Event>,
    /// Traces it links to.
    pub links: Vec<TraceId>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    #[default]
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(Arc<str>),
    Int(i64),
    Float(f64),
    Bool(bool),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: Arc<str>,
    pub at_ns: u64,
    pub attributes: Vec<(Arc<str>, Value)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    pub at_ns: u64,
    pub level: contract::telemetry::Level,
    pub service: Arc<str>,
    pub message: Box<str>,
    pub trace: Option<TraceId>,
    pub span: Option<SpanId>,
    pub attributes: Vec<(Arc<str>, Value)>,
}

/// One point of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub service: Arc<str>,
    /// OpenTelemetry's name: `http.server.request.duration`.
    pub name: Arc<str>,
    pub unit: Arc<str>,
    pub attributes: Vec<(Arc<str>, Value)>,
    pub at_ns: u64,
    pub measure: Measure,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    Gauge(f64),
    /// Since the start of the process.
    Sum(f64),
    Histogram {
        count: u64,
        sum: f64,
        bounds: Vec<f64>,
        buckets: Vec<u64>,
    },
}
