//! What is asked for by proofs and detection, and the answer.

use crate::histogram::Durations;
use crate::model::Kind;
use contract::telemetry::Red;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Which spans are meant. Everything that is absent is "any".
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Select {
    pub service: Option<String>,
    /// The matched path with its method, `POST /cart/{id}/items`, for server spans, the span's name for others.
    /// One that ends with `*` means all that begin like it.
    pub route: Option<String>,
    pub kind: Option<Kind>,
    /// Only what customers meet: requests at the gateway, without the console's own, health and telemetry.
    pub customers: bool,
}

impl Select {
    /// Everything that a service does.
    pub fn service(service: &str) -> Self {
        Self { service: Some(service.to_owned()), ..Self::default() }
    }

    /// What customers meet at the gateway.
    pub fn customers() -> Self {
        Self { service: Some(crate::GATEWAY.to_owned()), kind: Some(Kind::Server), customers: true, ..Self::default() }
    }

    #[must_use]
    pub fn route(mut self, route: &str) -> Self {
        self.route = Some(route.to_owned());
        self
    }

    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }
}

/// What the selected spans were, all of them: counted before any sampling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub total: u64,
    /// With the status error.
    pub failed: u64,
    /// Touched by a fault: they carry `chaos.flag`.
    pub touched: u64,
    pub sum_us: u64,
    /// By HTTP status; spans without one are not here.
    pub statuses: BTreeMap<u16, u64>,
    pub durations: Durations,
}

impl Counts {
    pub fn slower_than(&self, ms: u64) -> u64 {
        self.durations.slower_than(ms)
    }

    pub fn status(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }

    /// How many were answered with a status of this range: `500..=599`.
    pub fn statuses_in(&self, range: RangeInclusive<u16>) -> u64 {
        self.statuses.range(range).map(|(_, count)| count).sum()
    }

    /// 0 without requests.
    pub fn mean_ms(&self) -> f64 {
        if self.total == 0 { 0.0 } else { self.sum_us as f64 / self.total as f64 / 1_000.0 }
    }

    pub fn p50_ms(&self) -> f64 {
        self.durations.quantile_ms(0.5)
    }

    pub fn p95_ms(&self) -> f64 {
        self.durations.quantile_ms(0.95)
    }

    pub fn p99_ms(&self) -> f64 {
        self.durations.quantile_ms(0.99)
    }

    /// As a row of a table, when they are of `seconds`.
    pub fn red(&self, seconds: u64) -> Red {
        let share = if self.total == 0 { 0.0 } else { self.failed as f64 / self.total as f64 };
        Red {
            requests: self.total,
            failed: self.failed,
            rate: self.total as f64 / seconds.max(1) as f64,
            error_percent: share * 100.0,
            p50_ms: self.p50_ms(),
            p95_ms: self.p95_ms(),
            p99_ms: self.p99_ms(),
        }
    }
}
