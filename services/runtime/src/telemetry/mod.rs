//! OpenTelemetry for every process: traces, metrics and logs, each carrying the service it belongs to, also when many services
//! share one process (see [`by_service`]).
//!
//! With `OTEL_EXPORTER_OTLP_ENDPOINT` set (or the endpoint of a single signal) everything is exported by OTLP over HTTP.
//! Without it, trace ids still exist and travel, and `/metrics` still answers.

mod by_service;
mod format;
pub mod metrics;
pub mod propagation;

use crate::config::LogFormat;
use by_service::{ByServiceLogs, ByServiceSpans, LogOwner, SpanOwner};
use metrics::MetricsHub;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{LogExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{BatchLogProcessor, SdkLoggerProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use std::sync::Arc;
use std::time::Duration;
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Spans waiting for export. The default of 2 048 drops spans in the first busy second of a load run.
const SPAN_QUEUE: usize = 65_536;

/// The exporters and meters of this process. Dropped last: [`Telemetry::shutdown`] flushes.
pub struct Telemetry {
    tracer: SdkTracerProvider,
    logger: Option<SdkLoggerProvider>,
    pub metrics: Arc<MetricsHub>,
}

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("the OTLP exporter could not be set up; check the OTEL_EXPORTER_OTLP_* settings")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    #[error("RUST_LOG is not a valid filter")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    #[error("another subscriber is installed already")]
    Installed(#[from] tracing_subscriber::util::TryInitError),
}

impl Telemetry {
    /// Installs the process-wide subscriber. Call once, before the async runtime starts (the exporters use blocking clients).
    ///
    /// # Errors
    /// A bad `RUST_LOG` or `OTEL_*` setting.
    pub fn start(service: &'static str, log_format: LogFormat) -> Result<Self, TelemetryError> {
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        let mut tracer = SdkTracerProvider::builder().with_resource(resource(service)).with_span_processor(SpanOwner::new(service));
        let mut logger = None;
        if exports("TRACES") {
            let batch = BatchConfigBuilder::default().with_max_queue_size(SPAN_QUEUE).with_max_export_batch_size(4_096).build();
            let exporter = ByServiceSpans::new(service, || SpanExporter::builder().with_http().build())?;
            tracer = tracer.with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batch).build());
        }
        if exports("LOGS") {
            let exporter = ByServiceLogs::new(service, || LogExporter::builder().with_http().build())?;
            let provider = SdkLoggerProvider::builder()
                .with_resource(resource(service))
                .with_log_processor(LogOwner::new(service))
                .with_log_processor(BatchLogProcessor::builder(exporter).build());
            logger = Some(provider.build());
        }
        let tracer = tracer.build();
        let metrics = Arc::new(MetricsHub::new(exports("METRICS")));
        opentelemetry::global::set_tracer_provider(tracer.clone());

        let spans = tracing_opentelemetry::layer()
            .with_tracer(tracer.tracer("feast-flow"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_error_events_to_exceptions(false)
            .with_error_fields_to_exceptions(false)
            .with_filter(quiet_exporters(LevelFilter::INFO));
        let bridge = logger.as_ref().map(|provider| {
            opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge::new(provider).with_filter(quiet_exporters(LevelFilter::INFO))
        });
        tracing_subscriber::registry().with(spans).with(bridge).with(log_layer(log_format)?).try_init()?;
        Ok(Self { tracer, logger, metrics })
    }

    /// Flushes and stops every exporter, within `deadline`. Blocks: call it after the async runtime has ended.
    pub fn shutdown(self, deadline: Duration) {
        let mut missed = Vec::new();
        if self.tracer.shutdown_with_timeout(deadline).is_err() {
            missed.push("traces");
        }
        if !self.metrics.shutdown(deadline) {
            missed.push("metrics");
        }
        if self.logger.is_some_and(|logger| logger.shutdown_with_timeout(deadline).is_err()) {
            missed.push("logs");
        }
        if !missed.is_empty() {
            tracing::warn!(signals = missed.join(","), "Telemetry was not flushed within the deadline");
        }
    }
}

/// Whether this signal has somewhere to go.
fn exports(signal: &str) -> bool {
    let set = |name: String| std::env::var(name).is_ok_and(|value| !value.is_empty());
    let disabled = std::env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    !disabled && (set("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned()) || set(format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")))
}

/// Who emits: the service's name and the release it is of. `OTEL_RESOURCE_ATTRIBUTES` adds to it.
pub(crate) fn resource(service: &'static str) -> Resource {
    Resource::builder()
        .with_service_name(service)
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(opentelemetry::KeyValue::new("service.namespace", "feast-flow"))
        .build()
}

/// What exporters log about their own work must not be exported by them: it would never end.
fn quiet_exporters(level: LevelFilter) -> Targets {
    let mut targets = Targets::new().with_default(level);
    for noisy in [
        "hyper",
        "hyper_util",
        "h2",
        "reqwest",
        "tonic",
        "tower",
        "opentelemetry",
        "opentelemetry_sdk",
        "opentelemetry-otlp",
        "fred",
        "sqlx",
    ] {
        targets = targets.with_target(noisy, LevelFilter::OFF);
    }
    targets
}

/// Logs on standard output, filtered by `RUST_LOG` (default `info`, with chatty libraries at `warn`).
fn log_layer<S>(log_format: LogFormat) -> Result<Box<dyn Layer<S> + Send + Sync>, TelemetryError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let text = std::env::var("RUST_LOG").ok().filter(|text| !text.is_empty());
    let targets: Targets = match text {
        Some(text) => text.parse()?,
        None => Targets::new()
            .with_default(LevelFilter::INFO)
            .with_target("sqlx", LevelFilter::WARN)
            .with_target("fred", LevelFilter::WARN)
            .with_target("opentelemetry", LevelFilter::WARN)
            .with_target("memory_serve", LevelFilter::WARN)
            // Evaluations are events of spans; as logs they would be a line a request.
            .with_target("feature_flag", LevelFilter::WARN),
    };
    // Events only: formatting the fields of spans that nobody logs in would cost more than the logs.
    let events_only = tracing_subscriber::filter::filter_fn(move |metadata| {
        metadata.is_event() && targets.would_enable(metadata.target(), metadata.level())
    });
    Ok(match log_format {
        LogFormat::Json => tracing_subscriber::fmt::layer().event_format(format::Json).with_filter(events_only).boxed(),
        LogFormat::Pretty => tracing_subscriber::fmt::layer().event_format(format::Pretty).with_filter(events_only).boxed(),
    })
}
