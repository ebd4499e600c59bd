//! Latencies and errors by request name, raw and corrected for coordinated omission.
//!
//! The correction: a user that waits for a slow answer sends nothing meanwhile, so the slow time is under-represented. For
//! each name we know the **expected interval**, the time between two such requests of one user if the server answered at its
//! median: `(time paused + requests × median) / requests`, times how rare the name is. A request that took longer than the
//! interval also counts as the requests it kept from being sent: latency − interval, latency − 2 × interval, and so on.

use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Longest latency told apart, in microseconds; request time-outs are far below it.
const MAX_US: u64 = 120_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// Milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Percentiles {
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

impl Percentiles {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
        Self { p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99), max_ms: histogram.max() as f64 / 1_000.0 }
    }
}

/// One line of the report.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub name: String,
    pub count: u64,
    pub errors: u64,
    /// `503 FEATURE_FLAG_CHAOS`, `timeout`, `201 wrong: …` and how often.
    pub errors_by_code: BTreeMap<String, u64>,
    /// Time between two of these by one user if the server answered at its median.
    pub expected_interval_ms: f64,
    pub raw: Percentiles,
    pub corrected: Percentiles,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub total: Row,
    pub by_name: Vec<Row>,
}

/// The last few seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    pub count: u64,
    pub errors: u64,
    /// Corrected.
    pub p95_ms: f64,
}

/// A short time of a run that has no end.
pub struct Slice {
    latencies: Histogram<u64>,
    errors: u64,
    paused: Duration,
}

/// Several slices together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Recent {
    pub count: u64,
    pub errors: u64,
    /// Corrected by the interval that these slices have themselves: users and their pace change while an agent runs.
    pub corrected: Percentiles,
}

impl Recent {
    pub fn of<'s>(slices: impl Iterator<Item = &'s Slice>) -> Self {
        let Ok(mut all) = Histogram::<u64>::new_with_max(MAX_US, SIGNIFICANT_DIGITS) else { return Self::default() };
        let (mut errors, mut paused) = (0, Duration::ZERO);
        for slice in slices {
            // Of one shape: nothing can be out of range.
            let _ = all.add(&slice.latencies);
            errors += slice.errors;
            paused += slice.paused;
        }
        let interval_us = interval_us(&all, paused);
        Self { count: all.len(), errors, corrected: Percentiles::of(&corrected(&all, interval_us)) }
    }
}

impl Window {
    pub fn errors_percent(&self) -> f64 {
        percent(self.errors, self.count)
    }
}

/// `part` of `whole` in percent; nothing of nothing is 0.
pub fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

struct Samples {
    latencies: Histogram<u64>,
    errors: BTreeMap<String, u64>,
}

impl Samples {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { latencies: Histogram::new_with_max(MAX_US, SIGNIFICANT_DIGITS)?, errors: BTreeMap::new() })
    }

    fn record(&mut self, latency: Duration, error: Option<&str>) {
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(MAX_US).clamp(1, MAX_US);
        self.latencies.saturating_record(latency_us);
        if let Some(error) = error {
            *self.errors.entry(error.to_owned()).or_default() += 1;
        }
    }

    fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }

    fn row(&self, name: &str, interval_us: u64) -> Row {
        Row {
            name: name.to_owned(),
            count: self.latencies.len(),
            errors: self.error_count(),
            errors_by_code: self.errors.clone(),
            expected_interval_ms: interval_us as f64 / 1_000.0,
            raw: Percentiles::of(&self.latencies),
            corrected: Percentiles::of(&corrected(&self.latencies, interval_us)),
        }
    }
}

/// Adds the samples that were never taken because their user was waiting.
fn corrected(latencies: &Histogram<u64>, interval_us: u64) -> Histogram<u64> {
    if interval_us == 0 { latencies.clone() } else { latencies.clone_correct(interval_us) }
}

fn interval_us(latencies: &Histogram<u64>, paused: Duration) -> u64 {
    let count = latencies.len();
    if count == 0 {
        return 0;
    }
    let paused_us = u64::try_from(paused.as_micros()).unwrap_or(u64::MAX) / count;
    paused_us + latencies.value_at_quantile(0.5)
}

struct Inner {
    by_name: BTreeMap<&'static str, Samples>,
    total: Samples,
    window: Samples,
    paused: Duration,
    /// Since the last slice was taken.
    paused_lately: Duration,
}

impl Inner {
    /// Time between two requests of one user if the server answered at its median, in microseconds.
    fn interval_us(&self) -> u64 {
        interval_us(&self.total.latencies, self.paused)
    }
}

pub struct Measure(Mutex<Inner>);

impl Measure {
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self(Mutex::new(Inner {
            by_name: BTreeMap::new(),
            total: Samples::new()?,
            window: Samples::new()?,
            paused: Duration::ZERO,
            paused_lately: Duration::ZERO,
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `latency` is from sending to the last byte of the body; `error` says what was wrong, in few different words.
    pub fn record(&self, name: &'static str, latency: Duration, error: Option<&str>) {
        let mut inner = self.inner();
        inner.total.record(latency, error);
        inner.window.record(latency, error);
        if let Some(samples) = inner.by_name.get_mut(name) {
            samples.record(latency, error);
        } else if let Ok(mut samples) = Samples::new() {
            samples.record(latency, error);
            inner.by_name.insert(name, samples);
        }
    }

    /// A user waited because it wanted to.
    pub fn paused(&self, time: Duration) {
        let mut inner = self.inner();
        inner.paused += time;
        inner.paused_lately += time;
    }

    /// What happened since the last call.
    pub fn take_window(&self) -> Window {
        let mut inner = self.inner();
        let interval_us = inner.interval_us();
        let window = Window {
            count: inner.window.latencies.len(),
            errors: inner.window.error_count(),
            p95_ms: corrected(&inner.window.latencies, interval_us).value_at_quantile(0.95) as f64 / 1_000.0,
        };
        inner.window.latencies.reset();
        inner.window.errors.clear();
        window
    }

    /// What happened since the last slice, to be added up with others; `None` when there is no memory for the next one.
    pub fn take_slice(&self) -> Option<Slice> {
        let fresh = Samples::new().ok()?;
        let mut inner = self.inner();
        let taken = std::mem::replace(&mut inner.window, fresh);
        let errors = taken.error_count();
        Some(Slice { latencies: taken.latencies, errors, paused: std::mem::take(&mut inner.paused_lately) })
    }

    /// Requests and errors since the beginning.
    pub fn counts(&self) -> (u64, u64) {
        let inner = self.inner();
        (inner.total.latencies.len(), inner.total.error_count())
    }

    pub fn summary(&self) -> Summary {
        let inner = self.inner();
        let (interval_us, count) = (inner.interval_us(), inner.total.latencies.len());
        let row = |(name, samples): (&&'static str, &Samples)| {
            let rarity = count as f64 / samples.latencies.len().max(1) as f64;
            samples.row(name, (interval_us as f64 * rarity) as u64)
        };
        Summary { total: inner.total.row("all requests", interval_us), by_name: inner.by_name.iter().map(row).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::Measure;
    use std::time::Duration;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_stall_shows_in_the_corrected_percentiles_and_hides_in_the_raw_ones() {
        let measure = Measure::new().unwrap();
        for _ in 0..99 {
            measure.record("GET /a", 10 * MS, None);
        }
        measure.record("GET /a", 10_000 * MS, None);
        measure.paused(90 * MS * 100); // one request in 100 ms
        let total = measure.summary().total;
        assert!((total.expected_interval_ms - 100.0).abs() < 1.0, "{total:?}");
        assert!(total.raw.p95_ms < 11.0, "{total:?}");
        // The stall kept about 99 requests from being sent: half of what a steady user would have seen.
        assert!(total.corrected.p95_ms > 8_000.0, "{total:?}");
        assert_eq!(total.count, 100);
    }

    #[test]
    fn without_stalls_the_correction_changes_nothing() {
        let measure = Measure::new().unwrap();
        for n in 1..=1000_u32 {
            measure.record("GET /a", MS * (n % 50), None);
            measure.paused(200 * MS);
        }
        let total = measure.summary().total;
        assert_eq!(total.raw, total.corrected);
    }

    #[test]
    fn a_rare_request_is_expected_rarely() {
        let measure = Measure::new().unwrap();
        for n in 0..100 {
            measure.record(if n % 10 == 0 { "rare" } else { "common" }, 10 * MS, None);
            measure.paused(90 * MS);
        }
        let summary = measure.summary();
        let interval = |name| summary.by_name.iter().find(|row| row.name == name).unwrap().expected_interval_ms;
        assert!((interval("rare") - 1_000.0).abs() < 10.0);
        assert!((interval("common") - 111.0).abs() < 2.0);
    }

    #[test]
    fn errors_are_counted_by_what_they_were() {
        let measure = Measure::new().unwrap();
        measure.record("POST /a", MS, Some("503 FEATURE_FLAG_CHAOS"));
        measure.record("POST /a", MS, Some("503 FEATURE_FLAG_CHAOS"));
        measure.record("POST /a", MS, Some("timeout"));
        measure.record("POST /a", MS, None);
        let row = measure.summary().by_name.remove(0);
        assert_eq!((row.count, row.errors, row.errors_by_code["503 FEATURE_FLAG_CHAOS"]), (4, 3, 2));
    }

    #[test]
    fn a_window_holds_only_what_happened_since_the_last_one() {
        let measure = Measure::new().unwrap();
        measure.record("GET /a", 5 * MS, Some("timeout"));
        assert_eq!(measure.take_window().errors_percent(), 100.0);
        let quiet = measure.take_window();
        assert_eq!((quiet.count, quiet.errors, quiet.p95_ms), (0, 0, 0.0));
        assert_eq!(measure.summary().total.count, 1);
    }
}
