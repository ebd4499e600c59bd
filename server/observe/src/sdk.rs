//! What the SDK of this process hands over, in the store's words; and back into the SDK's, for a process that has no store and passes on.

use crate::model::{Event, Kind, Log, Measure, Point, Span, Value};
use crate::words::{Words, cut};
use contract::telemetry::Level;
use opentelemetry::logs::{AnyValue, LogRecord, Severity};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, Key, KeyValue, Value as SdkValue};
use opentelemetry_sdk::logs::SdkLogRecord;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Metric, MetricData, ResourceMetrics};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Turns the SDK's data into the store's. Keep one and use it again: it remembers words.
#[derive(Debug)]
pub struct FromSdk {
    words: Words,
    /// The attribute that says whose span or line it is.
    mark: &'static str,
    process: Arc<str>,
}

impl FromSdk {
    /// `mark` is the attribute that names the service of a span or log record; it is taken off. Without it they are `process`'s.
    pub fn new(process: &str, mark: &'static str) -> Self {
        Self { words: Words::default(), mark, process: process.into() }
    }

    pub fn span(&mut self, span: SpanData) -> Span {
        let (service, attributes) = self.attributes(&span.attributes);
        let (failed, message) = match span.status {
            Status::Error { description } => (true, cut(&description).into()),
            _ => (false, Box::default()),
        };
        Span {
            trace: u128::from_be_bytes(span.span_context.trace_id().to_bytes()),
            id: id(span.span_context.span_id()),
            parent: (span.parent_span_id != SpanId::INVALID).then(|| id(span.parent_span_id)),
            service,
            name: self.words.get(&span.name),
            kind: match span.span_kind {
                SpanKind::Client => Kind::Client,
                SpanKind::Server => Kind::Server,
                SpanKind::Producer => Kind::Producer,
                SpanKind::Consumer => Kind::Consumer,
                SpanKind::Internal => Kind::Internal,
            },
            start_ns: nanoseconds(span.start_time),
            end_ns: nanoseconds(span.end_time).max(nanoseconds(span.start_time)),
            failed,
            message,
            attributes,
            events: span
                .events
                .iter()
                .map(|event| Event {
                    name: self.words.get(&event.name),
                    at_ns: nanoseconds(event.timestamp),
                    attributes: self.attributes(&event.attributes).1,
                })
                .collect(),
            links: span.links.iter().map(|link| u128::from_be_bytes(link.span_context.trace_id().to_bytes())).collect(),
        }
    }

    pub fn log(&mut self, record: &SdkLogRecord) -> Log {
        let mut service = self.process.clone();
        let mut attributes = Vec::new();
        for (key, value) in record.attributes_iter() {
            match value {
                AnyValue::String(owner) if key.as_str() == self.mark => service = self.words.get(owner.as_str()),
                value => attributes.push((self.words.get(key.as_str()), self.any(value))),
            }
        }
        if let Some(target) = record.target() {
            attributes.push((self.words.get("target"), Value::Text(self.words.get(target))));
        }
        let context = record.trace_context();
        Log {
            at_ns: nanoseconds(record.timestamp().or(record.observed_timestamp()).unwrap_or(UNIX_EPOCH)),
            level: record.severity_number().map_or(Level::Info, level),
            service,
            message: record.body().map(|body| text(body).into()).unwrap_or_default(),
            trace: context.map(|context| u128::from_be_bytes(context.trace_id.to_bytes())),
            span: context.map(|context| id(context.span_id)),
            attributes,
        }
    }

    /// Every point of what was measured; all of them are of `at_ns`.
    pub fn points(&mut self, service: &str, metrics: &ResourceMetrics, at_ns: u64, points: &mut Vec<Point>) {
        let service = self.words.get(service);
        for metric in metrics.scope_metrics().flat_map(|scope| scope.metrics()) {
            match metric.data() {
                AggregatedMetrics::F64(data) => self.data(&service, metric, data, at_ns, points),
                AggregatedMetrics::U64(data) => self.data(&service, metric, data, at_ns, points),
                AggregatedMetrics::I64(data) => self.data(&service, metric, data, at_ns, points),
            }
        }
    }

    fn data<N: Number>(&mut self, service: &Arc<str>, metric: &Metric, data: &MetricData<N>, at_ns: u64, points: &mut Vec<Point>) {
        let (name, unit) = (self.words.get(metric.name()), self.words.get(metric.unit()));
        let mut point = |attributes, measure| {
            let (service, name, unit) = (service.clone(), name.clone(), unit.clone());
            points.push(Point { service, name, unit, attributes, at_ns, measure });
        };
        match data {
            MetricData::Gauge(gauge) => {
                for one in gauge.data_points() {
                    point(self.attributes_of(one.attributes()).1, Measure::Gauge(one.value().number()));
                }
            }
            MetricData::Sum(sum) => {
                for one in sum.data_points() {
                    let value = one.value().number();
                    // What goes up and down is a level, and no rate.
                    let measure = if sum.is_monotonic() { Measure::Sum(value) } else { Measure::Gauge(value) };
                    point(self.attributes_of(one.attributes()).1, measure);
                }
            }
            MetricData::Histogram(histogram) => {
                for one in histogram.data_points() {
                    let (bounds, buckets) = (one.bounds().collect(), one.bucket_counts().collect());
                    let measure = Measure::Histogram { count: one.count(), sum: one.sum().number(), bounds, buckets };
                    point(self.attributes_of(one.attributes()).1, measure);
                }
            }
            MetricData::ExponentialHistogram(histogram) => {
                for one in histogram.data_points() {
                    let count = one.count() as u64;
                    let measure = Measure::Histogram { count, sum: one.sum().number(), bounds: Vec::new(), buckets: vec![count] };
                    point(self.attributes_of(one.attributes()).1, measure);
                }
            }
        }
    }

    fn attributes(&mut self, attributes: &[KeyValue]) -> (Arc<str>, Vec<(Arc<str>, Value)>) {
        self.attributes_of(attributes.iter())
    }

    fn attributes_of<'a>(&mut self, attributes: impl Iterator<Item = &'a KeyValue>) -> (Arc<str>, Vec<(Arc<str>, Value)>) {
        let mut service = None;
        let mut kept = Vec::with_capacity(attributes.size_hint().0);
        for KeyValue { key, value, .. } in attributes {
            match value {
                SdkValue::String(owner) if key.as_str() == self.mark => service = Some(self.words.get(owner.as_str())),
                value => kept.push((self.words.get(key.as_str()), self.value(value))),
            }
        }
        (service.unwrap_or_else(|| self.process.clone()), kept)
    }

    fn value(&mut self, value: &SdkValue) -> Value {
        match value {
            SdkValue::Bool(value) => Value::Bool(*value),
            SdkValue::I64(value) => Value::Int(*value),
            SdkValue::F64(value) => Value::Float(*value),
            SdkValue::String(text) => Value::Text(self.words.get(text.as_str())),
            other => Value::Text(self.words.get(&other.as_str())),
        }
    }

    fn any(&mut self, value: &AnyValue) -> Value {
        match value {
            AnyValue::Int(value) => Value::Int(*value),
            AnyValue::Double(value) => Value::Float(*value),
            AnyValue::Boolean(value) => Value::Bool(*value),
            other => Value::Text(self.words.get(&text(other))),
        }
    }
}

/// What the SDK measures in.
trait Number: Copy {
    fn number(self) -> f64;
}

impl Number for f64 {
    fn number(self) -> f64 {
        self
    }
}

impl Number for u64 {
    fn number(self) -> f64 {
        self as f64
    }
}

impl Number for i64 {
    fn number(self) -> f64 {
        self as f64
    }
}

/// A span without events and links, as the SDK would hand it to an exporter.
pub fn span_data(span: Span) -> SpanData {
    let (trace, id) = (TraceId::from(span.trace), SpanId::from(span.id));
    SpanData {
        span_context: SpanContext::new(trace, id, TraceFlags::SAMPLED, false, TraceState::default()),
        parent_span_id: span.parent.map_or(SpanId::INVALID, SpanId::from),
        parent_span_is_remote: span.parent.is_some(),
        span_kind: match span.kind {
            Kind::Internal => SpanKind::Internal,
            Kind::Server => SpanKind::Server,
            Kind::Client => SpanKind::Client,
            Kind::Producer => SpanKind::Producer,
            Kind::Consumer => SpanKind::Consumer,
        },
        name: span.name.to_string().into(),
        start_time: time(span.start_ns),
        end_time: time(span.end_ns),
        attributes: span.attributes.into_iter().map(|(key, value)| KeyValue::new(Key::from(key), value_of(value))).collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: if span.failed { Status::error(span.message.into_string()) } else { Status::Unset },
        instrumentation_scope: InstrumentationScope::default(),
    }
}

/// Writes a line into a record of the SDK's.
pub fn write_log(log: Log, record: &mut impl LogRecord) {
    record.set_timestamp(time(log.at_ns));
    let (severity, text) = match log.level {
        Level::Trace => (Severity::Trace, "TRACE"),
        Level::Debug => (Severity::Debug, "DEBUG"),
        Level::Info => (Severity::Info, "INFO"),
        Level::Warn => (Severity::Warn, "WARN"),
        Level::Error => (Severity::Error, "ERROR"),
    };
    record.set_severity_number(severity);
    record.set_severity_text(text);
    record.set_body(AnyValue::from(log.message.into_string()));
    // Ids of zero are none; without any the SDK would take those of whoever is running.
    let (trace, span) = (TraceId::from(log.trace.unwrap_or_default()), SpanId::from(log.span.unwrap_or_default()));
    record.set_trace_context(trace, span, Some(TraceFlags::SAMPLED));
    for (key, value) in log.attributes {
        let value = match value {
            Value::Text(text) => AnyValue::from(text.to_string()),
            Value::Int(value) => AnyValue::Int(value),
            Value::Float(value) => AnyValue::Double(value),
            Value::Bool(value) => AnyValue::Boolean(value),
        };
        record.add_attribute(Key::from(key), value);
    }
}

fn value_of(value: Value) -> SdkValue {
    match value {
        Value::Text(text) => SdkValue::String(text.into()),
        Value::Int(value) => SdkValue::I64(value),
        Value::Float(value) => SdkValue::F64(value),
        Value::Bool(value) => SdkValue::Bool(value),
    }
}

fn time(since_1970_ns: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(since_1970_ns)
}

fn id(span: SpanId) -> u64 {
    u64::from_be_bytes(span.to_bytes())
}

/// Since 1970; what is before it, is 1970.
fn nanoseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

fn text(value: &AnyValue) -> String {
    match value {
        AnyValue::String(text) => cut(text.as_str()).to_owned(),
        AnyValue::Int(value) => value.to_string(),
        AnyValue::Double(value) => value.to_string(),
        AnyValue::Boolean(value) => value.to_string(),
        other => cut(&format!("{other:?}")).to_owned(),
    }
}

fn level(severity: Severity) -> Level {
    level_of(severity as i32)
}

/// OpenTelemetry's 24 severities, four a level; 0 is "not said".
pub(crate) fn level_of(severity: i32) -> Level {
    match severity {
        1..=4 => Level::Trace,
        5..=8 => Level::Debug,
        13..=16 => Level::Warn,
        17.. => Level::Error,
        _ => Level::Info,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests {
    use super::*;

    fn span() -> SpanData {
        let start = UNIX_EPOCH + Duration::from_secs(5);
        let context =
            SpanContext::new(TraceId::from(0xabc_u128), SpanId::from(0x12_u64), TraceFlags::SAMPLED, false, TraceState::default());
        SpanData {
            span_context: context,
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Server,
            name: "POST /cart".into(),
            start_time: start,
            end_time: start + Duration::from_millis(3),
            attributes: vec![
                KeyValue::new("http.response.status_code", 503),
                KeyValue::new("feast.service", "cart"),
                KeyValue::new("chaos.flag", "cart-slow"),
            ],
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::error("no"),
            instrumentation_scope: InstrumentationScope::default(),
        }
    }

    #[test]
    fn a_span_keeps_its_ids_its_times_and_its_service_and_loses_the_mark() {
        let seen = FromSdk::new("server", "feast.service").span(span());
        assert_eq!((seen.trace, seen.id, seen.parent), (0xabc, 0x12, None));
        assert_eq!((seen.start_ns, seen.end_ns), (5_000_000_000, 5_003_000_000));
        assert_eq!((&*seen.service, seen.kind, seen.failed, &*seen.message), ("cart", Kind::Server, true, "no"));
        let attributes = [("http.response.status_code", Value::Int(503)), ("chaos.flag", Value::Text("cart-slow".into()))];
        assert_eq!(seen.attributes, attributes.map(|(key, value)| (key.into(), value)));
    }

    #[test]
    fn a_span_that_is_passed_on_is_the_same_when_it_is_read_again() {
        let attributes = vec![("http.route".into(), Value::Text("/cart".into())), ("web_vital.cls".into(), Value::Float(0.5))];
        let span = Span {
            trace: 0xabc,
            id: 0x12,
            parent: Some(0x11),
            service: "browser".into(),
            name: "view /cart".into(),
            kind: Kind::Client,
            start_ns: 5_000_000_001,
            end_ns: 6_000_000_000,
            failed: true,
            message: "no answer".into(),
            attributes,
            events: Vec::new(),
            links: Vec::new(),
        };
        // Whose it is, its exporter's resource says.
        assert_eq!(FromSdk::new("browser", "feast.service").span(span_data(span.clone())), span);
    }

    #[test]
    fn a_severity_is_one_of_five_levels() {
        use Severity::{Debug2, Error, Fatal, Info, Trace, Warn4};
        let levels = [Trace, Debug2, Info, Warn4, Error, Fatal].map(level);
        assert_eq!(levels, [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Error]);
    }
}
