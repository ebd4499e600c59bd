//! What can be measured of deliveries.

use crate::domain::roster::CITIES;
use crate::store::{Ticked, word};
use contract::delivery::DeliveryStatus;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter};
use runtime::telemetry::metrics::{count, seconds};
use std::collections::BTreeMap;

/// Cities beyond the platform's own are counted together: whoever names a city must not be able to grow our metrics.
const ELSEWHERE: &str = "elsewhere";

fn known(city: &str) -> &'static str {
    CITIES.into_iter().find(|known| *known == city).unwrap_or(ELSEWHERE)
}

#[derive(Clone)]
pub struct Metrics {
    deliveries: Counter<u64>,
    assigned: Histogram<f64>,
    queue: Gauge<u64>,
    waiting: Gauge<u64>,
    speed: Gauge<f64>,
}

impl Metrics {
    pub fn new(meter: &Meter) -> Self {
        Self {
            deliveries: count(meter, "feast.deliveries", "Deliveries by the status they reached"),
            assigned: seconds(meter, "feast.deliveries.assign.duration", "From the kitchen's ready to a courier"),
            queue: meter
                .u64_gauge("feast.deliveries.queue")
                .with_description("Orders that wait for a courier, by city")
                .with_unit("{order}")
                .build(),
            waiting: meter
                .u64_gauge("feast.deliveries.waiting")
                .with_description("Orders that wait for a courier, in all cities")
                .with_unit("{order}")
                .build(),
            speed: meter
                .f64_gauge("feast.deliveries.speed")
                .with_description("How fast couriers ride, by city, as of the last ways they began")
                .with_unit("m/s")
                .build(),
        }
    }

    /// So many deliveries reached this status.
    pub fn became(&self, status: DeliveryStatus, deliveries: u64) {
        if deliveries > 0 {
            self.deliveries.add(deliveries, &[KeyValue::new("feast.delivery.status", word(status))]);
        }
    }

    pub fn ticked(&self, ticked: &Ticked) {
        self.became(DeliveryStatus::Assigned, ticked.assigned.len() as u64);
        self.became(DeliveryStatus::PickedUp, ticked.picked_up.into());
        self.became(DeliveryStatus::Completed, ticked.completed.into());
        for waited in &ticked.assigned {
            self.assigned.record(waited.as_secs_f64(), &[]);
        }
        let mut speeds: BTreeMap<&'static str, (u32, u32)> = BTreeMap::new();
        for (city, speed) in ticked.ways.iter().filter_map(|way| Some((way.city.as_str(), way.metres_per_s?))) {
            let (sum, ways) = speeds.entry(known(city)).or_default();
            (*sum, *ways) = (*sum + speed, *ways + 1);
        }
        for (city, (sum, ways)) in speeds {
            self.speed.record(f64::from(sum) / f64::from(ways), &[KeyValue::new("feast.city", city)]);
        }
    }

    /// Queues of those cities that have one; the others' are empty.
    pub fn queues(&self, queues: &[(String, u64)]) {
        let of = |city: &str| queues.iter().filter(|(name, _)| name == city).map(|(_, waiting)| waiting).sum::<u64>();
        for city in CITIES {
            self.queue.record(of(city), &[KeyValue::new("feast.city", city)]);
        }
        let elsewhere = queues.iter().filter(|(name, _)| !CITIES.contains(&name.as_str())).map(|(_, waiting)| waiting).sum();
        self.queue.record(elsewhere, &[KeyValue::new("feast.city", ELSEWHERE)]);
        self.waiting.record(queues.iter().map(|(_, waiting)| waiting).sum(), &[]);
    }
}
