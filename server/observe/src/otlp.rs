//! OTLP, as any OpenTelemetry SDK or collector sends it, in the store's words. Protobuf and JSON, all three signals.
//!
//! A body that cannot be read is refused as a whole; a span, line or point that says nothing we can keep is left out and counted, which is
//! what the protocol calls partial success. See the OTLP specification, "OTLP/HTTP".

use crate::model::{Event, Kind, Log, Measure, Point, Span, Value};
use crate::sdk::level_of;
use crate::words::{Words, cut};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue as MaybeAny, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as NumberValue;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, Metric, NumberDataPoint};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span as OtlpSpan, Status};
use prost::Message;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fmt::Write as _;
use std::sync::Arc;

/// Whoever does not say who he is (the SDKs' own name for it).
const UNKNOWN: &str = "unknown_service";

/// Which replica of a service sends.
const INSTANCE: &str = "service.instance.id";

/// Attributes kept of one span, line or point. The SDKs' own limit.
const MOST_ATTRIBUTES: usize = 128;

/// Events and links kept of one span. The SDKs' own limit.
const MOST_EVENTS: usize = 128;

/// Values within a value that are written out.
const DEEPEST: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Protobuf,
    Json,
}

/// A body that is no OTLP.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    #[error("the body is not protobuf of this signal: {0}")]
    Protobuf(#[from] prost::DecodeError),
    #[error("the body is not OTLP's JSON of this signal: {0}")]
    Json(#[from] serde_json::Error),
}

/// What could be kept, and what not.
#[derive(Debug, PartialEq)]
pub struct Decoded<T> {
    pub items: Vec<T>,
    pub rejected: u64,
    /// Why the first one was rejected; empty when none was.
    pub why: &'static str,
}

impl<T> Default for Decoded<T> {
    fn default() -> Self {
        Self { items: Vec::new(), rejected: 0, why: "" }
    }
}

impl<T> Decoded<T> {
    fn take(&mut self, item: Result<T, &'static str>) {
        match item {
            Ok(item) => self.items.push(item),
            Err(why) => {
                self.rejected += 1;
                if self.why.is_empty() {
                    self.why = why;
                }
            }
        }
    }
}

/// A body in JSON, of any signal. Without groups it has nothing to say, which is no error.
#[derive(Deserialize)]
struct Groups<T> {
    #[serde(alias = "resourceSpans", alias = "resourceMetrics", alias = "resourceLogs", default = "Vec::new")]
    groups: Vec<T>,
}

/// The groups of a body, one a resource. `groups` takes them out of the signal's protobuf message.
fn read<M: Message + Default, T: DeserializeOwned>(
    body: &[u8],
    encoding: Encoding,
    groups: impl FnOnce(M) -> Vec<T>,
) -> Result<Vec<T>, Malformed> {
    Ok(match encoding {
        Encoding::Protobuf => groups(M::decode(body)?),
        Encoding::Json => serde_json::from_slice::<Groups<T>>(body)?.groups,
    })
}

/// Spans of a body of `/v1/traces`.
///
/// # Errors
/// The body is no such thing.
pub fn traces(body: &[u8], encoding: Encoding, words: &mut Words) -> Result<Decoded<Span>, Malformed> {
    let mut decoded = Decoded::default();
    for group in read(body, encoding, |message: ExportTraceServiceRequest| message.resource_spans)? {
        let service = service(group.resource.as_ref(), words);
        for span in group.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            decoded.take(span_of(span, &service, words));
        }
    }
    Ok(decoded)
}

/// Lines of a body of `/v1/logs`.
///
/// # Errors
/// The body is no such thing.
pub fn logs(body: &[u8], encoding: Encoding, words: &mut Words) -> Result<Decoded<Log>, Malformed> {
    let mut decoded = Decoded::default();
    for group in read(body, encoding, |message: ExportLogsServiceRequest| message.resource_logs)? {
        let service = service(group.resource.as_ref(), words);
        for record in group.scope_logs.into_iter().flat_map(|scope| scope.log_records) {
            decoded.take(Ok(log_of(record, &service, words)));
        }
    }
    Ok(decoded)
}

/// Points of a body of `/v1/metrics`.
///
/// # Errors
/// The body is no such thing.
pub fn metrics(body: &[u8], encoding: Encoding, words: &mut Words) -> Result<Decoded<Point>, Malformed> {
    let mut decoded = Decoded::default();
    for group in read(body, encoding, |message: ExportMetricsServiceRequest| message.resource_metrics)? {
        let sender = Sender { service: service(group.resource.as_ref(), words), instance: instance(group.resource.as_ref(), words) };
        for metric in group.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
            points_of(metric, &sender, words, &mut decoded);
        }
    }
    Ok(decoded)
}

/// Whose points they are.
struct Sender {
    service: Arc<str>,
    /// Which of the service's replicas; `None` when it does not say.
    instance: Option<Arc<str>>,
}

fn service(resource: Option<&Resource>, words: &mut Words) -> Arc<str> {
    let name = text_of(resource, "service.name");
    words.get(name.unwrap_or(UNKNOWN))
}

fn instance(resource: Option<&Resource>, words: &mut Words) -> Option<Arc<str>> {
    text_of(resource, INSTANCE).map(|id| words.get(id))
}

/// An attribute of the resource; `None` when it is absent, empty or no text.
fn text_of<'r>(resource: Option<&'r Resource>, key: &str) -> Option<&'r str> {
    let attribute = resource?.attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        AnyValue::StringValue(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

fn trace_id(bytes: &[u8]) -> Option<u128> {
    bytes.try_into().ok().map(u128::from_be_bytes).filter(|id| *id != 0)
}

fn span_id(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes).filter(|id| *id != 0)
}

fn span_of(span: OtlpSpan, service: &Arc<str>, words: &mut Words) -> Result<Span, &'static str> {
    let trace = trace_id(&span.trace_id).ok_or("a traceId is 16 bytes and not zero")?;
    let id = span_id(&span.span_id).ok_or("a spanId is 8 bytes and not zero")?;
    let parent = match span.parent_span_id.as_slice() {
        [] => None,
        parent => span_id(parent),
    };
    let (failed, message) = match span.status {
        Some(Status { message, code }) if code == StatusCode::Error as i32 => (true, cut(&message).into()),
        _ => (false, Box::default()),
    };
    Ok(Span {
        trace,
        id,
        parent,
        service: service.clone(),
        name: words.get(&span.name),
        kind: match SpanKind::try_from(span.kind) {
            Ok(SpanKind::Server) => Kind::Server,
            Ok(SpanKind::Client) => Kind::Client,
            Ok(SpanKind::Producer) => Kind::Producer,
            Ok(SpanKind::Consumer) => Kind::Consumer,
            Ok(SpanKind::Unspecified | SpanKind::Internal) | Err(_) => Kind::Internal,
        },
        start_ns: span.start_time_unix_nano,
        end_ns: span.end_time_unix_nano.max(span.start_time_unix_nano),
        failed,
        message,
        attributes: attributes(span.attributes, words),
        events: span
            .events
            .into_iter()
            .take(MOST_EVENTS)
            .map(|event| Event {
                name: words.get(&event.name),
                at_ns: event.time_unix_nano,
                attributes: attributes(event.attributes, words),
            })
            .collect(),
        links: span.links.iter().take(MOST_EVENTS).filter_map(|link| trace_id(&link.trace_id)).collect(),
    })
}

fn log_of(record: LogRecord, service: &Arc<str>, words: &mut Words) -> Log {
    let body = record.body.and_then(|body| body.value);
    Log {
        at_ns: if record.time_unix_nano == 0 { record.observed_time_unix_nano } else { record.time_unix_nano },
        level: level_of(record.severity_number),
        service: service.clone(),
        message: match body {
            Some(AnyValue::StringValue(text)) => cut(&text).into(),
            Some(other) => text(&other).into(),
            None => cut(&record.event_name).into(),
        },
        trace: trace_id(&record.trace_id),
        span: span_id(&record.span_id),
        attributes: attributes(record.attributes, words),
    }
}

const NO_VALUE: &str = "the point has no value";
const DELTA: &str = "only cumulative temporality is understood; set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative";

fn points_of(metric: Metric, sender: &Sender, words: &mut Words, decoded: &mut Decoded<Point>) {
    let (name, unit) = (words.get(&metric.name), words.get(&metric.unit));
    let mut take = |given: Vec<KeyValue>, at_ns, measure: Result<Measure, &'static str>| {
        let mut attributes = attributes(given, words);
        // What each replica has counted since its start is a series of its own; a level is the same whoever of them looks at it.
        if let (Some(instance), Ok(Measure::Sum(_) | Measure::Histogram { .. })) = (&sender.instance, &measure) {
            attributes.push((words.get(INSTANCE), Value::Text(instance.clone())));
        }
        let (service, name, unit) = (sender.service.clone(), name.clone(), unit.clone());
        decoded.take(measure.map(|measure| Point { service, name, unit, attributes, at_ns, measure }));
    };
    let cumulative = |temporality: i32| temporality == AggregationTemporality::Cumulative as i32;
    match metric.data {
        Some(Data::Gauge(gauge)) => {
            for point in gauge.data_points {
                let measure = number(&point).map(Measure::Gauge);
                take(point.attributes, point.time_unix_nano, measure);
            }
        }
        Some(Data::Sum(sum)) => {
            for point in sum.data_points {
                let measure = match number(&point) {
                    Ok(_) if !cumulative(sum.aggregation_temporality) => Err(DELTA),
                    // What goes up and down is a level, and no rate.
                    Ok(value) if !sum.is_monotonic => Ok(Measure::Gauge(value)),
                    value => value.map(Measure::Sum),
                };
                take(point.attributes, point.time_unix_nano, measure);
            }
        }
        Some(Data::Histogram(histogram)) => {
            for point in histogram.data_points {
                let sum = point.sum.unwrap_or_default();
                let whole = Measure::Histogram { count: point.count, sum, bounds: point.explicit_bounds, buckets: point.bucket_counts };
                let measure = if cumulative(histogram.aggregation_temporality) { Ok(whole) } else { Err(DELTA) };
                take(point.attributes, point.time_unix_nano, measure);
            }
        }
        // Their buckets grow and shrink; number and sum are what is asked for.
        Some(Data::ExponentialHistogram(histogram)) => {
            for point in histogram.data_points {
                let whole = without_buckets(point.count, point.sum.unwrap_or_default());
                let measure = if cumulative(histogram.aggregation_temporality) { Ok(whole) } else { Err(DELTA) };
                take(point.attributes, point.time_unix_nano, measure);
            }
        }
        Some(Data::Summary(summary)) => {
            for point in summary.data_points {
                take(point.attributes, point.time_unix_nano, Ok(without_buckets(point.count, point.sum)));
            }
        }
        None => take(Vec::new(), 0, Err(NO_VALUE)),
    }
}

fn without_buckets(count: u64, sum: f64) -> Measure {
    Measure::Histogram { count, sum, bounds: Vec::new(), buckets: vec![count] }
}

fn number(point: &NumberDataPoint) -> Result<f64, &'static str> {
    let value = match point.value.ok_or(NO_VALUE)? {
        NumberValue::AsDouble(value) => value,
        NumberValue::AsInt(value) => value as f64,
    };
    if value.is_finite() { Ok(value) } else { Err("the point's value is not finite") }
}

fn attributes(given: Vec<KeyValue>, words: &mut Words) -> Vec<(Arc<str>, Value)> {
    let mut kept = Vec::with_capacity(given.len().min(MOST_ATTRIBUTES));
    for KeyValue { key, value, .. } in given.into_iter().take(MOST_ATTRIBUTES) {
        let value = match value.and_then(|value| value.value) {
            Some(AnyValue::BoolValue(value)) => Value::Bool(value),
            Some(AnyValue::IntValue(value)) => Value::Int(value),
            Some(AnyValue::DoubleValue(value)) => Value::Float(value),
            Some(AnyValue::StringValue(text)) => Value::Text(words.get(&text)),
            Some(other) => Value::Text(words.get(&text(&other))),
            None => continue,
        };
        kept.push((words.get(&key), value));
    }
    kept
}

fn text(value: &AnyValue) -> String {
    let mut out = String::new();
    write_value(&mut out, Some(value), 0);
    cut(&out).to_owned()
}

/// Lists and objects as people read them; not meant to be read back.
fn write_value(out: &mut String, value: Option<&AnyValue>, depth: usize) {
    let inner = |value: &MaybeAny, out: &mut String| write_value(out, value.value.as_ref(), depth + 1);
    // Writing into a string does not fail.
    let _ = match value {
        None => Ok(()),
        Some(AnyValue::StringValue(text)) => write!(out, "{text}"),
        Some(AnyValue::BoolValue(value)) => write!(out, "{value}"),
        Some(AnyValue::IntValue(value)) => write!(out, "{value}"),
        Some(AnyValue::DoubleValue(value)) => write!(out, "{value}"),
        Some(AnyValue::BytesValue(bytes)) => write!(out, "{} bytes", bytes.len()),
        Some(_) if depth >= DEEPEST => write!(out, "…"),
        Some(AnyValue::ArrayValue(list)) => {
            for (at, value) in list.values.iter().enumerate() {
                out.push_str(if at == 0 { "[" } else { ", " });
                inner(value, out);
            }
            write!(out, "{}]", if list.values.is_empty() { "[" } else { "" })
        }
        Some(AnyValue::KvlistValue(list)) => {
            for (at, pair) in list.values.iter().enumerate() {
                out.push_str(if at == 0 { "{" } else { ", " });
                out.push_str(&pair.key);
                out.push_str(": ");
                if let Some(value) = &pair.value {
                    inner(value, out);
                }
            }
            write!(out, "{}}}", if list.values.is_empty() { "{" } else { "" })
        }
        Some(_) => write!(out, "?"),
    };
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests;
