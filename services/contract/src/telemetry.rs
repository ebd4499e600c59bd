//! What the console knows of the platform's telemetry: traces, logs, rates, and who calls whom.
//!
//! Times of spans are microseconds, everything else says its unit in its name. Ids are lower-case hexadecimal as in W3C trace context.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The platform's own services, as they are named in telemetry.
pub const PLATFORM: [&str; 9] = ["server", "menu", "cart", "middleware", "order", "user", "payment", "delivery", "notification"];

/// Which traces are wanted (`GET /api/traces`). Everything that is absent is "any".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(rename_all = "camelCase", default)]
pub struct TraceQuery {
    /// Some span belongs to this service.
    pub service: Option<String>,
    /// Some span has this route or name; a part of it is enough.
    pub route: Option<String>,
    #[cfg_attr(feature = "openapi", param(inline))]
    pub outcome: Option<Outcome>,
    /// Bounds of the whole trace's duration, in milliseconds.
    pub min_ms: Option<u64>,
    pub max_ms: Option<u64>,
    /// Some span was touched by this flag's fault.
    pub flag: Option<String>,
    /// Some span belongs to this order.
    pub order: Option<String>,
    /// Some name, attribute or message contains this, whatever its case.
    pub text: Option<String>,
    /// Leaves out what the platform does by itself, as long as it goes well and no fault touches it: its timers, and the console's pages.
    pub requests: bool,
    /// The trace was under way between these: a point of a chart counts what ended in it, whenever that began.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// At most 200; 50 when absent.
    pub limit: Option<usize>,
    /// What the previous page ended with.
    pub cursor: Option<String>,
    #[cfg_attr(feature = "openapi", param(inline))]
    pub source: Source,
}

/// Which telemetry an answer is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = TelemetrySource))]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// What happens here and now.
    #[default]
    Live,
    /// The snapshot that was imported last. It is looked at, and counts for nothing.
    Imported,
}

impl Source {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Imported => "imported",
        }
    }
}

/// Largest snapshot file that is read, in bytes. What a store holds, packed, is a tenth of it.
pub const SNAPSHOT_LIMIT_BYTES: usize = 32 * 1024 * 1024;

/// What a snapshot file held (`POST /api/telemetry/snapshot`). It stays beside what is live until the next one, or until it is forgotten.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Who wrote it; empty when the file does not say.
    pub platform: String,
    pub exported_at: Timestamp,
    pub imported_at: Timestamp,
    /// When its first and its last trace began; absent without traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    pub traces: u64,
    pub spans: u64,
    pub logs: u64,
    pub series: u64,
    /// Spans and log lines of the file that there was no room for.
    pub left_out: u64,
    /// In use for it, beside what is live.
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = TraceOutcome))]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    Ok,
    Error,
}

/// Newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TracePage {
    pub traces: Vec<TraceSummary>,
    /// Set while there may be more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TraceSummary {
    pub trace_id: String,
    /// Name and service of the first span.
    pub name: String,
    pub service: String,
    pub started_at: Timestamp,
    /// Of the first span: what the caller waited for. What followed by events may go on for longer.
    pub duration_us: u64,
    pub spans: usize,
    /// Every service that took part, in the order of appearance.
    pub services: Vec<String>,
    /// The first span failed.
    pub failed: bool,
    /// How many spans failed.
    pub errors: usize,
    /// HTTP status of the first span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Flags whose faults touched it.
    #[serde(default)]
    pub flags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    #[serde(default)]
    pub source: Source,
}

/// `GET /api/traces/{id}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    pub summary: TraceSummary,
    /// Parents before children, children by their start: the order of a waterfall.
    pub spans: Vec<SpanView>,
    pub logs: Vec<LogLine>,
    /// Spans whose parent was not seen (dropped, or on its way still).
    pub orphans: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SpanView {
    pub span_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// How deep it is indented.
    pub depth: usize,
    pub service: String,
    pub name: String,
    pub kind: SpanKind,
    /// Since the trace's start. Clocks of two machines differ: negative is possible.
    pub start_us: i64,
    pub duration_us: u64,
    pub failed: bool,
    #[serde(default)]
    pub message: String,
    pub attributes: Vec<(String, String)>,
    pub events: Vec<SpanEventView>,
    /// Traces it links to.
    #[serde(default)]
    pub links: Vec<String>,
    /// The flag whose fault touched it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
    /// The trace would have been shorter, had this one been.
    pub critical: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum SpanKind {
    #[default]
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SpanEventView {
    pub name: String,
    /// Since the trace's start.
    pub at_us: i64,
    pub attributes: Vec<(String, String)>,
}

/// Which lines are wanted (`GET /api/logs`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(rename_all = "camelCase", default)]
pub struct LogQuery {
    pub service: Option<String>,
    /// This level or a graver one.
    #[cfg_attr(feature = "openapi", param(inline))]
    pub level: Option<Level>,
    pub text: Option<String>,
    pub trace: Option<String>,
    pub limit: Option<usize>,
    pub cursor: Option<String>,
    #[cfg_attr(feature = "openapi", param(inline))]
    pub source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LogLevel))]
#[serde(rename_all = "camelCase")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    pub const ALL: [Self; 5] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LogPage {
    pub lines: Vec<LogLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    pub at: Timestamp,
    pub level: Level,
    pub service: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    #[serde(default)]
    pub fields: Vec<(String, String)>,
}

/// Rate, errors and durations of what was answered in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Red {
    pub requests: u64,
    pub failed: u64,
    /// Requests a second.
    pub rate: f64,
    /// 0-100.
    pub error_percent: f64,
    /// Milliseconds; 0 without requests.
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
}

/// `GET /api/topology`: who calls whom, of the last minute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Topology {
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
    /// How many seconds the numbers are of.
    pub seconds: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = TopologyNode))]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// Unique: `order`, `order/orders` for a store of it, `browser`.
    pub id: String,
    pub name: String,
    pub kind: NodeKind,
    pub red: Red,
    /// Flags on now that act in it.
    #[serde(default)]
    pub flags: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum NodeKind {
    /// Browsers, load generator, programs: whoever calls from outside.
    Client,
    Service,
    /// SQL, Redis or memory behind a service.
    Store,
    /// The event bus.
    Bus,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = TopologyEdge))]
#[serde(rename_all = "camelCase")]
pub struct Edge {
    pub from: String,
    pub to: String,
    /// By events, and not by calls.
    pub events: bool,
    pub red: Red,
}

/// `GET /api/overview?minutes=`: charts of the last minutes, one point a step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    pub from: Timestamp,
    pub to: Timestamp,
    pub step_seconds: u64,
    /// What customers meet: requests at the gateway and pages. First; then one a service, by name.
    pub series: Vec<Series>,
    pub marks: Vec<Mark>,
    /// Of the last minute, one a route, busiest first, at most 50.
    pub routes: Vec<RouteRow>,
    pub kept: Kept,
    /// The snapshot that is held beside what is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Snapshot>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = RateSeries))]
#[serde(rename_all = "camelCase")]
pub struct Series {
    pub service: String,
    /// Oldest first, evenly spaced: `from + n * step`.
    pub points: Vec<Red>,
    /// Of the last minute.
    pub now: Red,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RouteRow {
    pub service: String,
    pub route: String,
    pub red: Red,
}

/// Something that happened, as a line in a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    pub at: Timestamp,
    pub kind: MarkKind,
    /// `cart-slow: 300-ms`, `all clear`, `Lunch rush: the kitchen slows down`.
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum MarkKind {
    FlagOn,
    FlagOff,
    Incident,
    Alert,
    Load,
    /// A reset, an import: something an operator did.
    Operator,
}

/// What the telemetry store holds, and what it could not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    pub traces: u64,
    pub spans: u64,
    pub logs: u64,
    pub series: u64,
    /// Bytes in use, and the bound.
    pub bytes: u64,
    pub bound_bytes: u64,
    /// Since the start: received, left out as healthy beyond the cap, dropped because a queue was full, dropped as oldest.
    pub received_spans: u64,
    pub sampled_out_spans: u64,
    pub refused_spans: u64,
    pub evicted_spans: u64,
    pub evicted_logs: u64,
}
