//! Telemetry of somebody who cannot export by himself, sent where this process sends its own: a browser tells a web replica, and the
//! replica passes it on under the browser's name.

use super::export::{self, Destination, Destinations};
use super::{TelemetryError, resource};
use opentelemetry::logs::{Logger as _, LoggerProvider as _};
use opentelemetry_sdk::logs::{BatchLogProcessor, SdkLogRecord, SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanProcessor};
use std::time::Duration;

/// Sends by threads of its own; what finds their queues full is forgotten.
#[derive(Debug)]
pub struct Guest {
    spans: Option<BatchSpanProcessor>,
    lines: Option<(SdkLoggerProvider, SdkLogger)>,
}

impl Guest {
    /// `name` becomes the `service.name`. `token` is what the server knows us by.
    ///
    /// # Errors
    /// A bad `OTEL_*` setting.
    pub fn start(name: &'static str, token: Option<&str>) -> Result<Self, TelemetryError> {
        let Destinations { traces, logs, .. } = Destinations::read(true, token);
        Ok(Self { spans: spans(name, &traces)?, lines: lines(name, &logs)? })
    }

    pub fn span(&self, span: SpanData) {
        if let Some(spans) = &self.spans {
            spans.on_end(span);
        }
    }

    /// A line of its log; `write` says what stands in it.
    pub fn line(&self, write: impl FnOnce(&mut SdkLogRecord)) {
        if let Some((_, logger)) = &self.lines {
            let mut record = logger.create_log_record();
            write(&mut record);
            logger.emit(record);
        }
    }

    /// Sends what is left. Blocks for as long as `deadline`.
    pub fn shutdown(&self, deadline: Duration) {
        // Nobody asked for it by name, so nobody is told when it does not arrive.
        let _ = self.spans.as_ref().map(|spans| spans.shutdown_with_timeout(deadline));
        let _ = self.lines.as_ref().map(|(provider, _)| provider.shutdown_with_timeout(deadline));
    }
}

fn spans(name: &'static str, to: &Destination) -> Result<Option<BatchSpanProcessor>, TelemetryError> {
    let Some(exporter) = to.spans().transpose()? else { return Ok(None) };
    let mut processor = BatchSpanProcessor::builder(exporter).with_batch_config(export::span_batches()).build();
    processor.set_resource(&resource(name));
    Ok(Some(processor))
}

fn lines(name: &'static str, to: &Destination) -> Result<Option<(SdkLoggerProvider, SdkLogger)>, TelemetryError> {
    let Some(exporter) = to.logs().transpose()? else { return Ok(None) };
    let processor = BatchLogProcessor::builder(exporter).with_batch_config(export::log_batches()).build();
    let provider = SdkLoggerProvider::builder().with_resource(resource(name)).with_log_processor(processor).build();
    let logger = provider.logger("feast-flow");
    Ok(Some((provider, logger)))
}
