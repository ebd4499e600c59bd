//! Metrics: one meter per service, one Prometheus text for the process.

use super::resource;
use opentelemetry::metrics::{Counter, Histogram, Meter, MeterProvider as _};
use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use prometheus::proto::MetricFamily;
use prometheus::{Encoder, Registry, TextEncoder};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Bounds in seconds. The SDK's default bounds are meant for milliseconds.
pub const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The meters of every service in this process.
pub struct MetricsHub {
    export: bool,
    services: Mutex<BTreeMap<&'static str, (SdkMeterProvider, Registry)>>,
}

impl MetricsHub {
    pub fn new(export: bool) -> Self {
        Self { export, services: Mutex::new(BTreeMap::new()) }
    }

    /// The meter of a service; made when first asked for.
    pub fn meter(&self, service: &'static str) -> Meter {
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let (provider, _) = services.entry(service).or_insert_with(|| self.provider(service));
        provider.meter("feast-flow")
    }

    fn provider(&self, service: &'static str) -> (SdkMeterProvider, Registry) {
        let labels = HashMap::from([("service_name".to_owned(), service.to_owned())]);
        let registry = Registry::new_custom(None, Some(labels)).unwrap_or_default();
        let mut builder = SdkMeterProvider::builder().with_resource(resource(service));
        match opentelemetry_prometheus::exporter().with_registry(registry.clone()).scope_info_enabled(false).without_target_info().build() {
            Ok(exporter) => builder = builder.with_reader(exporter),
            Err(error) => tracing::error!(%error, "Prometheus metrics are not available"),
        }
        if self.export {
            match MetricExporter::builder().with_http().build() {
                Ok(exporter) => builder = builder.with_reader(PeriodicReader::builder(exporter).build()),
                Err(error) => tracing::error!(%error, "Metrics are not exported"),
            }
        }
        (builder.build(), registry)
    }

    /// Everything in Prometheus' text format; families of several services are joined under one name.
    pub fn prometheus_text(&self) -> String {
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let mut families: BTreeMap<String, MetricFamily> = BTreeMap::new();
        for (_, registry) in services.values() {
            for mut family in registry.gather() {
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
        let flushed = services.values().filter(|(provider, _)| provider.shutdown_with_timeout(deadline).is_ok()).count();
        flushed == services.len() || !self.export
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
        let hub = MetricsHub::new(false);
        for service in ["cart", "order"] {
            count(&hub.meter(service), "feast.things", "Things").add(1, &[]);
        }
        let text = hub.prometheus_text();
        assert_eq!(text.matches("# TYPE feast_things_total counter").count(), 1, "{text}");
        assert!(text.contains("service_name=\"cart\"") && text.contains("service_name=\"order\""), "{text}");
    }
}
