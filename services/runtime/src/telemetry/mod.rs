//! OpenTelemetry for every process: traces, metrics and logs, each carrying the service it belongs to, also when many services
//! share one process (see [`by_service`]).
//!
//! The server gives a [`Sink`] and keeps its own; everybody else exports by OTLP over HTTP ([`export`] says where to). Where there is
//! nothing to export to, trace ids still exist and travel, and `/metrics` still answers.

mod by_service;
mod export;
mod format;
mod guest;
pub mod metrics;
pub mod propagation;
mod sink;

pub use by_service::SERVICE;
pub use export::is_wanted;
pub use guest::Guest;
pub use sink::Sink;

use crate::config::LogFormat;
use by_service::{ByServiceLogs, ByServiceSpans, LogOwner, SpanOwner};
use export::Destinations;
use metrics::MetricsHub;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{BatchLogProcessor, SdkLoggerProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider};
use sink::Feed;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// The exporters and meters of this process. Dropped last: [`Telemetry::shutdown`] flushes.
pub struct Telemetry {
    tracer: SdkTracerProvider,
    logger: Option<SdkLoggerProvider>,
    pub metrics: Arc<MetricsHub>,
    /// It goes where nobody may be: that it does not arrive is no news.
    by_default: bool,
}

/// What a process says about its telemetry; everything else is in the environment.
#[derive(Clone, Default)]
pub struct Wishes {
    /// Who keeps spans and logs in this process. Without one, a service sends them to the server on this machine.
    pub sink: Option<Arc<dyn Sink>>,
    /// What the server knows us by.
    pub token: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("the OTLP exporter could not be set up; check the OTEL_EXPORTER_OTLP_* settings")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    #[error("RUST_LOG is not a valid filter")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    #[error("no thread can be started for telemetry")]
    Thread(#[from] std::io::Error),
    #[error("another subscriber is installed already")]
    Installed(#[from] tracing_subscriber::util::TryInitError),
}

impl Telemetry {
    /// Installs the process-wide subscriber. Call once, before the async runtime starts (the exporters use blocking clients).
    ///
    /// # Errors
    /// A bad `RUST_LOG` or `OTEL_*` setting.
    pub fn start(service: &'static str, log_format: LogFormat, wishes: Wishes) -> Result<Self, TelemetryError> {
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        // Who keeps his own may be many services, and everybody else is one.
        let alone = wishes.sink.is_none();
        let to = Destinations::read(alone, wishes.token.as_deref());
        let feed = wishes.sink.filter(|_| !export::is_disabled()).map(Feed::start).transpose()?;

        let mut spans = SpanOwner::new(service);
        if let Some(feed) = feed.clone().filter(|_| export::is_wanted("TRACES")) {
            spans = spans.then(feed);
        }
        if let Some(exporter) = ByServiceSpans::new(service, alone, || to.traces.spans())? {
            spans = spans.then(BatchSpanProcessor::builder(exporter).with_batch_config(export::span_batches()).build());
        }

        let feed = feed.filter(|_| export::is_wanted("LOGS"));
        let exporter = ByServiceLogs::new(service, alone, || to.logs.logs())?;
        let mut logger = None;
        if feed.is_some() || exporter.is_some() {
            let mut builder = SdkLoggerProvider::builder().with_resource(resource(service)).with_log_processor(LogOwner::new(service));
            if let Some(feed) = feed {
                builder = builder.with_log_processor(feed);
            }
            if let Some(exporter) = exporter {
                builder = builder.with_log_processor(BatchLogProcessor::builder(exporter).with_batch_config(export::log_batches()).build());
            }
            logger = Some(builder.build());
        }
        let tracer = SdkTracerProvider::builder().with_resource(resource(service)).with_span_processor(spans).build();
        let metrics = Arc::new(MetricsHub::new(to.metrics.clone()));
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
            // As on standard output: an evaluation is an event of its span, and no line.
            let lines = quiet_exporters(LevelFilter::INFO).with_target("feature_flag", LevelFilter::WARN);
            opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge::new(provider).with_filter(lines)
        });
        tracing_subscriber::registry().with(spans).with(bridge).with(log_layer(log_format, to.is_by_default())?).try_init()?;
        Ok(Self { tracer, logger, metrics, by_default: to.is_by_default() })
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
        if !missed.is_empty() && !self.by_default {
            tracing::warn!(signals = missed.join(","), "Telemetry was not flushed within the deadline");
        }
    }
}

/// Tells replicas apart. Another one after every start.
static INSTANCE: LazyLock<String> = LazyLock::new(|| uuid::Uuid::new_v4().to_string());

/// Who emits: the service's name, the release it is of, and which of its replicas. `OTEL_RESOURCE_ATTRIBUTES` adds to it, and may name the
/// replica.
pub(crate) fn resource(service: &'static str) -> Resource {
    let instance = opentelemetry::Key::from_static_str("service.instance.id");
    let named = Resource::builder()
        .with_service_name(service)
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(opentelemetry::KeyValue::new("service.namespace", "feast-flow"));
    match Resource::builder().build().get_ref(&instance) {
        Some(_) => named.build(),
        None => named.with_attribute(opentelemetry::KeyValue::new(instance, INSTANCE.clone())).build(),
    }
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
/// `quiet`: that nobody takes our telemetry is not worth a line.
fn log_layer<S>(log_format: LogFormat, quiet: bool) -> Result<Box<dyn Layer<S> + Send + Sync>, TelemetryError>
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
            .with_target("opentelemetry", if quiet { LevelFilter::OFF } else { LevelFilter::WARN })
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
