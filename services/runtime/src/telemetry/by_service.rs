//! Many services in one process, one resource each.
//!
//! The SDK ties a resource to a provider, and a process has one provider. So every span and log record is marked at its start with
//! the service that is running ([`crate::context`] knows), and the exporter sorts a batch by that mark into one inner exporter per
//! service, each with its own resource. A trace looks the same in one process and in nine.

use super::resource;
use crate::context;
use contract::telemetry::PLATFORM;
use opentelemetry::logs::{AnyValue, LogRecord as _};
use opentelemetry::trace::Span as _;
use opentelemetry::{Context, InstrumentationScope, Key, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter, LogProcessor, SdkLogRecord};
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};
use std::collections::HashMap;
use std::time::Duration;

/// Internal mark of spans and log records; taken off before export.
pub const SERVICE: &str = "feast.service";

fn owner_or(process: &'static str) -> &'static str {
    match context::current().service {
        "" => process,
        service => service,
    }
}

/// Marks every span with the service that runs while it starts, and hands it on when it ends.
///
/// A provider is given this one processor, and this one all others: for each of several the SDK copies every span that ends.
#[derive(Debug)]
pub struct SpanOwner {
    process: &'static str,
    then: Vec<Box<dyn SpanProcessor>>,
}

impl SpanOwner {
    pub fn new(process: &'static str) -> Self {
        Self { process, then: Vec::new() }
    }

    pub fn then(mut self, processor: impl SpanProcessor + 'static) -> Self {
        self.then.push(Box::new(processor));
        self
    }

    /// Asks all of them, also after one that fails; answers the first failure.
    fn each(&self, ask: impl Fn(&dyn SpanProcessor) -> OTelSdkResult) -> OTelSdkResult {
        self.then.iter().map(|processor| ask(&**processor)).fold(Ok(()), Result::and)
    }
}

impl SpanProcessor for SpanOwner {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        if span.is_recording() {
            span.set_attribute(KeyValue::new(SERVICE, owner_or(self.process)));
        }
        self.then.iter().for_each(|processor| processor.on_start(span, cx));
    }

    fn on_end(&self, span: SpanData) {
        let Some((last, others)) = self.then.split_last() else { return };
        others.iter().for_each(|processor| processor.on_end(span.clone()));
        last.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.each(|processor| processor.force_flush())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.each(|processor| processor.shutdown_with_timeout(timeout))
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.then.iter_mut().for_each(|processor| processor.set_resource(resource));
    }
}

/// Marks every log record with the service that writes it.
#[derive(Debug)]
pub struct LogOwner {
    process: &'static str,
}

impl LogOwner {
    pub fn new(process: &'static str) -> Self {
        Self { process }
    }
}

impl LogProcessor for LogOwner {
    fn emit(&self, record: &mut SdkLogRecord, _scope: &InstrumentationScope) {
        record.add_attribute(Key::from_static_str(SERVICE), AnyValue::from(owner_or(self.process)));
    }
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// One exporter a service; `None` when `build` has none.
type Each<T, E> = Result<Option<HashMap<&'static str, T>>, E>;

/// A process that is one service alone needs one exporter; the server may host them all.
fn one_each<T, E>(process: &'static str, alone: bool, build: impl Fn() -> Option<Result<T, E>>) -> Each<T, E> {
    let services: &[&'static str] = if alone { &[process] } else { &PLATFORM };
    services.iter().map(|service| build().map(|built| built.map(|built| (*service, built)))).collect::<Option<Result<_, _>>>().transpose()
}

#[derive(Debug)]
pub struct ByServiceSpans<E> {
    process: &'static str,
    exporters: HashMap<&'static str, E>,
}

impl<E: SpanExporter> ByServiceSpans<E> {
    /// `None` when `build` has nothing.
    ///
    /// # Errors
    /// What `build` answers.
    pub fn new<X>(process: &'static str, alone: bool, build: impl Fn() -> Option<Result<E, X>>) -> Result<Option<Self>, X> {
        Ok(one_each(process, alone, build)?.map(|exporters| Self { process, exporters }))
    }
}

impl<E: SpanExporter> SpanExporter for ByServiceSpans<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut sorted: HashMap<String, Vec<SpanData>> = HashMap::new();
        for mut span in batch {
            let at = span.attributes.iter().position(|attribute| attribute.key.as_str() == SERVICE);
            let owner = at.map(|at| span.attributes.swap_remove(at).value.as_str().into_owned());
            sorted.entry(owner.unwrap_or_else(|| self.process.to_owned())).or_default().push(span);
        }
        let mut outcome = Ok(());
        for (owner, spans) in sorted {
            if let Some(exporter) = self.exporters.get(owner.as_str()).or_else(|| self.exporters.get(self.process)) {
                outcome = outcome.and(exporter.export(spans).await);
            }
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporters.values().try_for_each(|exporter| exporter.shutdown_with_timeout(timeout))
    }

    fn set_resource(&mut self, _process: &Resource) {
        for (service, exporter) in &mut self.exporters {
            exporter.set_resource(&resource(service));
        }
    }
}

#[derive(Debug)]
pub struct ByServiceLogs<E> {
    process: &'static str,
    exporters: HashMap<&'static str, E>,
}

impl<E: LogExporter> ByServiceLogs<E> {
    /// `None` when `build` has nothing.
    ///
    /// # Errors
    /// What `build` answers.
    pub fn new<X>(process: &'static str, alone: bool, build: impl Fn() -> Option<Result<E, X>>) -> Result<Option<Self>, X> {
        Ok(one_each(process, alone, build)?.map(|exporters| Self { process, exporters }))
    }
}

fn log_owner(record: &SdkLogRecord) -> Option<String> {
    record.attributes_iter().find_map(|(key, value)| match value {
        AnyValue::String(owner) if key.as_str() == SERVICE => Some(owner.as_str().to_owned()),
        _ => None,
    })
}

impl<E: LogExporter> LogExporter for ByServiceLogs<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let mut sorted: HashMap<String, Vec<(&SdkLogRecord, &InstrumentationScope)>> = HashMap::new();
        for (record, scope) in batch.iter() {
            sorted.entry(log_owner(record).unwrap_or_else(|| self.process.to_owned())).or_default().push((record, scope));
        }
        let mut outcome = Ok(());
        for (owner, records) in sorted {
            if let Some(exporter) = self.exporters.get(owner.as_str()).or_else(|| self.exporters.get(self.process)) {
                outcome = outcome.and(exporter.export(LogBatch::new(&records)).await);
            }
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporters.values().try_for_each(|exporter| exporter.shutdown_with_timeout(timeout))
    }

    fn set_resource(&mut self, _process: &Resource) {
        for (service, exporter) in &mut self.exporters {
            exporter.set_resource(&resource(service));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::trace::{SdkTracerProvider, SimpleSpanProcessor};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Debug, Default)]
    struct Kept {
        spans: Arc<Mutex<Vec<(String, String)>>>,
        resource: String,
    }

    impl SpanExporter for Kept {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            let mut spans = self.spans.lock().unwrap();
            spans.extend(batch.into_iter().map(|span| (self.resource.clone(), span.name.into_owned())));
            Ok(())
        }
        fn set_resource(&mut self, resource: &Resource) {
            self.resource = resource.get(&Key::from_static_str("service.name")).unwrap().to_string();
        }
    }

    #[tokio::test]
    async fn a_span_is_exported_under_the_service_that_was_running() {
        let kept = Kept::default();
        let exporter = || ByServiceSpans::new("server", false, || Some(Ok::<_, ()>(kept.clone()))).unwrap().unwrap();
        let spans = SpanOwner::new("server").then(SimpleSpanProcessor::new(exporter())).then(SimpleSpanProcessor::new(exporter()));
        let provider = SdkTracerProvider::builder().with_span_processor(spans).build();
        let tracer = provider.tracer("test");
        tracer.start("edge").end();
        context::scope(context::background("cart"), async { tracer.start("add").end() }).await;
        let mut spans = kept.spans.lock().unwrap().clone();
        spans.sort();
        let (cart, server) = (("cart".to_owned(), "add".to_owned()), ("server".to_owned(), "edge".to_owned()));
        assert_eq!(spans, [cart.clone(), cart, server.clone(), server], "each of two exporters has both");
    }
}
