//! Where telemetry goes: to whoever `OTEL_EXPORTER_OTLP_ENDPOINT` names, otherwise, from a service that runs alone, to the server's receiver.
//!
//! `OTEL_SDK_DISABLED=true` switches everything off, `OTEL_TRACES_EXPORTER=none` (`METRICS`, `LOGS`) one signal. How often is
//! OpenTelemetry's own setting; when it is not set we send more often than its defaults, because a fault is watched live.

use super::sink::DELAY;
use opentelemetry_otlp::{ExporterBuildError, LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::logs::{BatchConfig, BatchConfigBuilder as LogBatchBuilder};
use opentelemetry_sdk::metrics::PeriodicReader;
use opentelemetry_sdk::trace::{BatchConfig as SpanBatch, BatchConfigBuilder as SpanBatchBuilder};
use std::collections::HashMap;
use std::time::Duration;

/// The receiver of a server on this machine.
const OUR_RECEIVER: &str = "http://127.0.0.1:3000";

/// Spans waiting for export. The default of 2 048 drops spans in the first busy second of a load run.
const SPAN_QUEUE: usize = 65_536;

const SPANS_A_REQUEST: usize = 4_096;

/// Metrics are looked at live, too.
const METRICS_EVERY: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    Nowhere,
    /// What the standard `OTEL_*` settings say.
    AsSet,
    /// The server on this machine, which may not be there: then nothing is said about it.
    OurReceiver {
        token: Option<String>,
    },
}

/// Where each signal goes.
#[derive(Clone, Debug)]
pub struct Destinations {
    pub traces: Destination,
    pub metrics: Destination,
    pub logs: Destination,
}

/// One of OpenTelemetry's settings; an empty one counts as not set.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether the SDK is switched off altogether.
pub fn is_disabled() -> bool {
    disabled(&environment)
}

fn disabled(setting: &impl Fn(&str) -> Option<String>) -> bool {
    setting("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Whether this signal (`TRACES`, `METRICS`, `LOGS`) is wanted by anybody.
pub fn is_wanted(signal: &str) -> bool {
    wanted(signal, &environment)
}

fn wanted(signal: &str, setting: &impl Fn(&str) -> Option<String>) -> bool {
    !disabled(setting) && setting(&format!("OTEL_{signal}_EXPORTER")).is_none_or(|value| value != "none")
}

impl Destinations {
    /// `alone`: a service in a process of its own, which nobody else listens to. `token` is what the server knows it by.
    pub fn read(alone: bool, token: Option<&str>) -> Self {
        let of = |signal| destination(signal, alone, token, &environment);
        Self { traces: of("TRACES"), metrics: of("METRICS"), logs: of("LOGS") }
    }

    /// Nobody asked for it, so nobody is told when it does not work.
    pub fn is_by_default(&self) -> bool {
        [&self.traces, &self.metrics, &self.logs].iter().any(|to| matches!(to, Destination::OurReceiver { .. }))
    }
}

fn destination(signal: &str, alone: bool, token: Option<&str>, setting: &impl Fn(&str) -> Option<String>) -> Destination {
    let named = setting("OTEL_EXPORTER_OTLP_ENDPOINT").is_some() || setting(&format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")).is_some();
    match () {
        () if !wanted(signal, setting) => Destination::Nowhere,
        () if named => Destination::AsSet,
        () if alone => Destination::OurReceiver { token: token.map(str::to_owned) },
        () => Destination::Nowhere,
    }
}

/// Our receiver's address for a signal, as both exporters and their settings want it: verbatim.
fn ours<B: WithExportConfig + WithHttpConfig>(builder: B, path: &str, token: Option<&str>) -> B {
    let authorization = token.map(|token| ("authorization".to_owned(), format!("Bearer {token}")));
    let builder = builder.with_endpoint(format!("{OUR_RECEIVER}{path}")).with_protocol(Protocol::HttpBinary);
    builder.with_headers(HashMap::from_iter(authorization))
}

impl Destination {
    /// `None` when spans go nowhere.
    ///
    /// # Errors
    /// A setting is wrong.
    pub fn spans(&self) -> Option<Result<SpanExporter, ExporterBuildError>> {
        let builder = SpanExporter::builder().with_http();
        match self {
            Self::Nowhere => None,
            Self::AsSet => Some(builder.build()),
            Self::OurReceiver { token } => Some(ours(builder, "/v1/traces", token.as_deref()).build()),
        }
    }

    /// `None` when logs go nowhere.
    ///
    /// # Errors
    /// A setting is wrong.
    pub fn logs(&self) -> Option<Result<LogExporter, ExporterBuildError>> {
        let builder = LogExporter::builder().with_http();
        match self {
            Self::Nowhere => None,
            Self::AsSet => Some(builder.build()),
            Self::OurReceiver { token } => Some(ours(builder, "/v1/logs", token.as_deref()).build()),
        }
    }

    /// `None` when metrics go nowhere.
    ///
    /// # Errors
    /// A setting is wrong.
    pub fn metrics(&self) -> Option<Result<PeriodicReader<MetricExporter>, ExporterBuildError>> {
        let builder = MetricExporter::builder().with_http();
        let exporter = match self {
            Self::Nowhere => return None,
            Self::AsSet => builder.build(),
            Self::OurReceiver { token } => ours(builder, "/v1/metrics", token.as_deref()).build(),
        };
        Some(exporter.map(|exporter| {
            let reader = PeriodicReader::builder(exporter);
            if environment("OTEL_METRIC_EXPORT_INTERVAL").is_some() { reader } else { reader.with_interval(METRICS_EVERY) }.build()
        }))
    }
}

pub fn span_batches() -> SpanBatch {
    let batch = SpanBatchBuilder::default().with_max_queue_size(SPAN_QUEUE).with_max_export_batch_size(SPANS_A_REQUEST);
    if environment("OTEL_BSP_SCHEDULE_DELAY").is_some() { batch } else { batch.with_scheduled_delay(DELAY) }.build()
}

pub fn log_batches() -> BatchConfig {
    let batch = LogBatchBuilder::default();
    if environment("OTEL_BLRP_SCHEDULE_DELAY").is_some() { batch } else { batch.with_scheduled_delay(DELAY) }.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces(alone: bool, settings: &[(&str, &str)]) -> Destination {
        let settings: HashMap<String, String> = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        destination("TRACES", alone, Some("secret"), &|name| settings.get(name).cloned())
    }

    #[test]
    fn a_service_alone_sends_to_the_server_and_everybody_to_the_endpoint_that_is_set() {
        let ours = Destination::OurReceiver { token: Some("secret".to_owned()) };
        assert_eq!(traces(true, &[]), ours);
        assert_eq!(traces(false, &[]), Destination::Nowhere, "the server keeps its own");
        for alone in [true, false] {
            assert_eq!(traces(alone, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318")]), Destination::AsSet);
            assert_eq!(traces(alone, &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/x")]), Destination::AsSet);
        }
        assert_eq!(traces(true, &[("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://c/x")]), ours);
    }

    #[test]
    fn what_is_switched_off_goes_nowhere() {
        for off in [("OTEL_SDK_DISABLED", "TRUE"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert_eq!(traces(true, &[off, ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318")]), Destination::Nowhere, "{off:?}");
        }
        assert_ne!(traces(true, &[("OTEL_METRICS_EXPORTER", "none")]), Destination::Nowhere);
    }
}
