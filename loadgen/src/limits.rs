//! What the run is judged by, and at how many users it broke.

use crate::measure::{Summary, Window, percent};
use serde::Serialize;

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub p95_ms: u64,
    pub errors_percent: f64,
}

/// A limit beside what was measured. It holds when the measured value is under the limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Judged {
    pub limit: f64,
    pub measured: f64,
    pub held: bool,
}

impl Judged {
    /// Zero errors keep a limit of zero.
    fn new(limit: f64, measured: f64) -> Self {
        Self { limit, measured, held: measured < limit || measured == 0.0 }
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Every limit held, and there was something to measure.
    pub held: bool,
    /// Corrected 95th percentile of all requests, in milliseconds.
    pub p95_ms: Judged,
    pub errors_percent: Judged,
    /// Only for a stress run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stress: Option<Knee>,
}

impl Limits {
    pub fn judge(&self, summary: &Summary, stress: Option<Knee>) -> Verdict {
        let total = &summary.total;
        let p95_ms = Judged::new(self.p95_ms as f64, total.corrected.p95_ms);
        let errors_percent = Judged::new(self.errors_percent, percent(total.errors, total.count));
        let broke = stress.as_ref().is_some_and(|knee| knee.broke_at_users.is_some());
        Verdict { held: p95_ms.held && errors_percent.held && total.count > 0 && !broke, p95_ms, errors_percent, stress }
    }

    /// Why this window breaks the limits, if it does.
    fn broken_by(&self, window: &Window, users: u32) -> Option<String> {
        if window.count == 0 && users > 0 {
            return Some("no answer at all".to_owned());
        }
        if window.count < MIN_WINDOW {
            return None;
        }
        if !Judged::new(self.p95_ms as f64, window.p95_ms).held {
            return Some(format!("p95 was {:.1} ms", window.p95_ms));
        }
        let errors = window.errors_percent();
        (!Judged::new(self.errors_percent, errors).held).then(|| format!("{errors:.1} % of requests failed"))
    }
}

/// Fewer requests than this say nothing about a percentile.
const MIN_WINDOW: u64 = 20;
/// One bad window is an accident.
const BAD_WINDOWS: u32 = 2;

/// Where a ramp broke.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Knee {
    /// The most users with whom a whole window kept the limits.
    pub held_at_users: u32,
    /// Users when the limits broke in two windows running.
    pub broke_at_users: Option<u32>,
    pub reason: Option<String>,
    #[serde(skip)]
    bad_windows: u32,
    /// Users at the first of the bad windows.
    #[serde(skip)]
    bad_since_users: u32,
}

impl Knee {
    /// Takes the next window; true as soon as the limits are broken for good.
    pub fn observe(&mut self, limits: &Limits, window: &Window, users: u32) -> bool {
        match limits.broken_by(window, users) {
            None => {
                self.bad_windows = 0;
                if window.count >= MIN_WINDOW {
                    self.held_at_users = self.held_at_users.max(users);
                }
            }
            Some(reason) => {
                self.bad_windows += 1;
                if self.bad_windows == 1 {
                    self.bad_since_users = users;
                }
                if self.bad_windows >= BAD_WINDOWS && self.broke_at_users.is_none() {
                    self.broke_at_users = Some(self.bad_since_users);
                    self.reason = Some(reason);
                }
            }
        }
        self.broke_at_users.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{Knee, Limits};
    use crate::measure::{Measure, Window};
    use std::time::Duration;

    const LIMITS: Limits = Limits { p95_ms: 1000, errors_percent: 5.0 };

    fn window(p95_ms: f64, errors: u64) -> Window {
        Window { count: 100, errors, p95_ms }
    }

    #[test]
    fn a_ramp_breaks_at_the_users_of_its_first_bad_window_of_two() {
        let mut knee = Knee::default();
        assert!(!knee.observe(&LIMITS, &window(20.0, 0), 10));
        assert!(!knee.observe(&LIMITS, &window(1500.0, 0), 20), "one bad window is an accident");
        assert!(!knee.observe(&LIMITS, &window(30.0, 0), 30));
        assert!(!knee.observe(&LIMITS, &window(30.0, 6), 40));
        assert!(knee.observe(&LIMITS, &window(1200.0, 0), 50));
        assert_eq!((knee.held_at_users, knee.broke_at_users), (30, Some(40)));
        assert_eq!(knee.reason.as_deref(), Some("p95 was 1200.0 ms"));
    }

    #[test]
    fn silence_is_worse_than_slowness_and_a_few_requests_prove_nothing() {
        let silence = Window { count: 0, errors: 0, p95_ms: 0.0 };
        let mut knee = Knee::default();
        knee.observe(&LIMITS, &silence, 5);
        assert!(knee.observe(&LIMITS, &silence, 5));
        let few = Window { count: 3, errors: 3, p95_ms: 9_000.0 };
        let mut knee = Knee::default();
        assert!(!knee.observe(&LIMITS, &few, 1) && !knee.observe(&LIMITS, &few, 1));
    }

    #[test]
    fn limits_are_judged_on_all_requests() {
        let measure = Measure::new().unwrap();
        assert!(!LIMITS.judge(&measure.summary(), None).held, "a run without requests proves nothing");
        for n in 0..100 {
            measure.record("GET /a", Duration::from_millis(5), (n < 4).then_some("timeout"));
        }
        assert!(LIMITS.judge(&measure.summary(), None).held);
        measure.record("GET /a", Duration::from_millis(5), Some("timeout"));
        measure.record("GET /a", Duration::from_millis(5), Some("timeout"));
        let verdict = LIMITS.judge(&measure.summary(), None);
        assert!(!verdict.held && verdict.p95_ms.held && !verdict.errors_percent.held);
    }

    #[test]
    fn an_error_limit_of_zero_can_be_kept() {
        let measure = Measure::new().unwrap();
        measure.record("GET /a", Duration::from_millis(5), None);
        assert!(Limits { p95_ms: 1000, errors_percent: 0.0 }.judge(&measure.summary(), None).held);
    }
}
