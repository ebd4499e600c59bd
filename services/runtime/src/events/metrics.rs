//! What can be measured of events.

use crate::telemetry::metrics::{count, seconds};
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter};
use opentelemetry::{KeyValue, Value};
use std::time::Duration;

#[derive(Clone)]
pub struct ConsumerMetrics {
    consumed: Counter<u64>,
    duration: Histogram<f64>,
}

impl ConsumerMetrics {
    pub fn new(meter: &Meter) -> Self {
        Self {
            consumed: count(meter, "feast.events.consumed", "Events by kind and outcome"),
            duration: seconds(meter, "messaging.process.duration", "Duration of processing a batch of events"),
        }
    }

    /// `outcome`: "applied", "duplicate", "failed" or "parked".
    pub fn consumed(&self, kind: impl Into<Value>, outcome: &'static str, events: u64) {
        self.consumed.add(events, &[KeyValue::new("event.kind", kind), KeyValue::new("outcome", outcome)]);
    }

    pub fn took(&self, duration: Duration) {
        self.duration.record(duration.as_secs_f64(), &[]);
    }
}

/// How far behind things are, looked at from time to time.
pub struct Gauges {
    pub lag: Gauge<u64>,
    pub parked: Gauge<u64>,
    pub outbox: Gauge<u64>,
    pub outbox_age: Gauge<f64>,
}

impl Gauges {
    pub fn new(meter: &Meter) -> Self {
        let gauge = |name, description| meter.u64_gauge(name).with_description(description).with_unit("{event}").build();
        Self {
            lag: gauge("feast.events.lag", "Events published and not done with"),
            parked: gauge("feast.events.parked", "Events that could not be applied and wait for an operator"),
            outbox: gauge("feast.outbox.depth", "Events that the bus has not taken over"),
            outbox_age: meter
                .f64_gauge("feast.outbox.age")
                .with_description("Age of the oldest event of the outbox")
                .with_unit("s")
                .build(),
        }
    }
}
