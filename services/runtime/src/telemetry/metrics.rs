//! Metrics: one meter per service, one Prometheus text for the process.

use super::export::Destination;
use super::resource;
use opentelemetry::metrics::{Counter, Histogram, Meter, MeterProvider as _};
use opentelemetry_prometheus::PrometheusExporter;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{InstrumentKind, Pipeline, SdkMeterProvider, Temporality};
use prometheus::proto::MetricFamily;
use prometheus::{Encoder, Registry, TextEncoder};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// Bounds in seconds. The SDK's default bounds are meant for milliseconds.
pub const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Prometheus' reader, read by us as well: a reader of our own would measure everything twice.
#[derive(Clone, Debug)]
struct Reader(Arc<PrometheusExporter>);

impl MetricReader for Reader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }
    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }
    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }
    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }
    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}

struct Meters {
    provider: SdkMeterProvider,
    registry: Registry,
    reader: Option<Reader>,
}

/// The meters of every service in this process.
pub struct MetricsHub {
    to: Destination,
    services: Mutex<BTreeMap<&'static str, Meters>>,
}

impl Default for MetricsHub {
    /// Exports nothing.
    fn default() -> Self {
        Self::new(Destination::Nowhere)
    }
}

impl MetricsHub {
    pub(super) fn new(to: Destination) -> Self {
        Self { to, services: Mutex::new(BTreeMap::new()) }
    }

    /// The meter of a service; made when first asked for.
    pub fn meter(&self, service: &'static str) -> Meter {
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        services.entry(service).or_insert_with(|| self.meters(service)).provider.meter("feast-flow")
    }

    fn meters(&self, service: &'static str) -> Meters {
        let labels = HashMap::from([("service_name".to_owned(), service.to_owned())]);
        let registry = Registry::new_custom(None, Some(labels)).unwrap_or_default();
        let mut builder = SdkMeterProvider::builder().with_resource(resource(service));
        let exporter =
            opentelemetry_prometheus::exporter().with_registry(registry.clone()).scope_info_enabled(false).without_target_info().build();
        let mut reader = None;
        match exporter {
            Ok(exporter) => {
                let exporter = Reader(Arc::new(exporter));
                builder = builder.with_reader(exporter.clone());
                reader = Some(exporter);
            }
            Err(error) => tracing::error!(%error, "Prometheus metrics are not available"),
        }
        match self.to.metrics() {
            Some(Ok(exporter)) => builder = builder.with_reader(exporter),
            Some(Err(error)) => tracing::error!(%error, "Metrics are not exported"),
            None => {}
        }
        Meters { provider: builder.build(), registry, reader }
    }

    /// What every service has measured since it started, under OpenTelemetry's own names, one service after the other.
    pub fn read(&self, mut take: impl FnMut(&'static str, &ResourceMetrics)) {
        let readers: Vec<(&'static str, Reader)> = {
            let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
            services.iter().filter_map(|(service, meters)| Some((*service, meters.reader.clone()?))).collect()
        };
        for (service, reader) in readers {
            let mut metrics = ResourceMetrics::default();
            // It is an error only after the end.
            if reader.collect(&mut metrics).is_ok() {
                take(service, &metrics);
            }
        }
    }

    /// Everything in Prometheus' text format; families of several services are joined under one name.
    pub fn prometheus_text(&self) -> String {
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let mut families: BTreeMap<String, MetricFamily> = BTreeMap::new();
        for meters in services.values() {
            for mut family in meters.registry.gather() {
                let name = family.name().to_owned();
                match families.get_mut(&name) {
                    Some(known) => known.mut_metric().extend(family.take_metric()),
                    None => {
                        families.insert(name, family);
                    }
                }
            }
        }
        let families: Vec<MetricFamily> = families.into_values().collect();
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&families, &mut text) {
            tracing::error!(%error, "Metrics could not be written as text");
        }
        String::from_utf8(text).unwrap_or_default()
    }

    /// False when a provider missed the deadline.
    pub fn shutdown(&self, deadline: Duration) -> bool {
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        // The Prometheus reader has nothing to flush and may say it is shut down already: only exports can miss a deadline.
        let flushed = services.values().filter(|meters| meters.provider.shutdown_with_timeout(deadline).is_ok()).count();
        flushed == services.len() || self.to == Destination::Nowhere
    }
}

/// A histogram of durations in seconds.
pub fn seconds(meter: &Meter, name: &'static str, description: &'static str) -> Histogram<f64> {
    meter.f64_histogram(name).with_description(description).with_unit("s").with_boundaries(SECONDS.to_vec()).build()
}

/// A counter of things.
pub fn count(meter: &Meter, name: &'static str, description: &'static str) -> Counter<u64> {
    meter.u64_counter(name).with_description(description).build()
}

#[cfg(test)]
mod tests {
    use super::{MetricsHub, count};

    #[test]
    fn services_of_one_process_share_a_family_and_keep_their_names() {
        let hub = MetricsHub::default();
        for service in ["cart", "order"] {
            count(&hub.meter(service), "feast.things", "Things").add(1, &[]);
        }
        let text = hub.prometheus_text();
        assert_eq!(text.matches("# TYPE feast_things_total counter").count(), 1, "{text}");
        assert!(text.contains("service_name=\"cart\"") && text.contains("service_name=\"order\""), "{text}");
    }

    #[test]
    fn what_is_measured_is_read_under_its_own_name() {
        let hub = MetricsHub::default();
        count(&hub.meter("cart"), "feast.things", "Things").add(1, &[]);
        let mut seen = Vec::new();
        hub.read(|service, metrics| {
            let names = metrics.scope_metrics().flat_map(|scope| scope.metrics()).map(|metric| metric.name().to_owned());
            seen.extend(names.map(|name| (service, name)));
        });
        assert_eq!(seen, [("cart", "feast.things".to_owned())]);
    }
}
