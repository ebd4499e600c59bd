//! Objectives, what is left of their budgets, alerts, and the guardrail's decision. It decides; whoever ticks it acts.

mod burn;

use burn::{Seconds, Step, Tally, WINDOW_SECONDS, burns, step};
use contract::Timestamp;
use contract::detection::{Alert, Detection, Guardrail, Objective, SetGuardrail};
use contract::{ApiError, Code};
use observe::model::Kind;
use observe::{Select, Store};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use burn::Tally as Counted;

/// The two windows, scaled for a stage: hours are what a pager has, not an audience.
const SHORT_SECONDS: i64 = 60;
const LONG_SECONDS: i64 = 300;
/// Spans of a second may come in so much later.
const LATE_SECONDS: i64 = 5;
/// After a pause (a laptop's lid) no more than this is read again.
const CATCH_UP_SECONDS: i64 = 600;
/// Answers slower than this are too slow for people.
const SLOW_MS: u64 = 500;
const MAX_ALERTS: usize = 200;
/// What burns when the guardrail has acted burns on in its windows; so long it does not act again.
const GUARDRAIL_REST: Duration = Duration::from_secs(90);
/// A limit below this acts on what every platform does now and then.
const BURN_LIMITS: std::ops::RangeInclusive<f64> = 1.0..=1_000.0;

/// What is promised.
struct Promise {
    name: &'static str,
    says: &'static str,
    /// 0-1.
    target: f64,
}

const ORDERS: usize = 0;
const LATENCY: usize = 1;
const DELIVERY: usize = 2;
const PROMISES: [Promise; 3] = [
    Promise { name: "orders", says: "99.9 % of orders are accepted, or refused for a reason of the customer's.", target: 0.999 },
    Promise { name: "latency", says: "99 % of what customers ask for is answered within 500 ms.", target: 0.99 },
    Promise { name: "delivery", says: "99 % of orders under way are handed on within their time.", target: 0.99 },
];

/// Where objectives get their numbers.
pub trait Numbers: Send + Sync {
    /// Orders placed, and those that failed for a reason of ours.
    fn orders(&self, from: Timestamp, to: Timestamp) -> Tally;
    /// What customers asked for, and what was slow.
    fn latency(&self, from: Timestamp, to: Timestamp) -> Tally;
}

impl Numbers for Store {
    fn orders(&self, from: Timestamp, to: Timestamp) -> Tally {
        let placed = |route| {
            let counts = self.counts(&Select::service(observe::GATEWAY).kind(Kind::Server).route(route), from, to);
            Tally { of: counts.total, bad: counts.statuses_in(500..=599) }
        };
        placed("POST /api/orders").plus(placed("POST /orders"))
    }

    fn latency(&self, from: Timestamp, to: Timestamp) -> Tally {
        let counts = self.counts(&Select::customers(), from, to);
        Tally { of: counts.total, bad: counts.slower_than(SLOW_MS) }
    }
}

/// What a tick found.
#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
    Fired(Alert),
    Resolved(Alert),
}

/// Clones share it.
#[derive(Clone)]
pub struct Detector(Arc<Inner>);

struct Inner {
    numbers: Arc<dyn Numbers>,
    state: Mutex<State>,
}

struct State {
    seconds: [Seconds; PROMISES.len()],
    /// The second that was read last.
    read_to: Option<i64>,
    /// Newest first.
    alerts: VecDeque<Alert>,
    guardrail: Guardrail,
}

fn second(at: Timestamp) -> i64 {
    at.millis().div_euclid(1_000)
}

fn moment(second: i64) -> Timestamp {
    Timestamp::from_millis(second.saturating_mul(1_000))
}

impl Detector {
    pub fn new(numbers: Arc<dyn Numbers>) -> Self {
        let guardrail = Guardrail { burn_limit: burn::FIRE_ABOVE, ..Guardrail::default() };
        let state = State { seconds: Default::default(), read_to: None, alerts: VecDeque::new(), guardrail };
        Self(Arc::new(Inner { numbers, state: Mutex::new(state) }))
    }

    /// Reads what was counted since the last tick, and says which alerts fire or resolve. `on` are the flags that are on.
    pub fn tick(&self, now: Timestamp, on: &[String]) -> Vec<Happened> {
        let mut state = self.lock();
        let this = second(now);
        let from = state.read_to.map_or(this - LATE_SECONDS, |last| (last - LATE_SECONDS).max(this - CATCH_UP_SECONDS));
        for n in from..=this {
            let (begin, end) = (moment(n), moment(n + 1));
            state.seconds[ORDERS].set(n, self.0.numbers.orders(begin, end));
            state.seconds[LATENCY].set(n, self.0.numbers.latency(begin, end));
        }
        state.read_to = Some(this);
        let mut happened = Vec::new();
        for (promise, at) in PROMISES.iter().zip(0..) {
            let (short, long) = state.windows(at, this);
            let firing = state.alerts.iter().position(|alert| alert.objective == promise.name && alert.resolved_at.is_none());
            match (step(firing.is_some(), short, long, promise.target), firing) {
                (Step::Fire, _) => {
                    let alert = Alert {
                        objective: promise.name.to_owned(),
                        says: fired(promise, short),
                        fired_at: now,
                        resolved_at: None,
                        flags: on.to_vec(),
                    };
                    state.alerts.push_front(alert.clone());
                    state.alerts.truncate(MAX_ALERTS);
                    happened.push(Happened::Fired(alert));
                }
                (Step::Resolve, Some(at)) => {
                    state.alerts[at].resolved_at = Some(now);
                    happened.push(Happened::Resolved(state.alerts[at].clone()));
                }
                _ => {}
            }
        }
        happened
    }

    /// What the ledger says: orders under way, and those that nobody handed on within their time.
    pub fn under_way(&self, now: Timestamp, orders: Tally) {
        self.lock().seconds[DELIVERY].set(second(now), orders);
    }

    /// Customers asked for something within the long window.
    pub fn is_busy(&self, now: Timestamp) -> bool {
        self.lock().windows(LATENCY, second(now)).1.of > 0
    }

    pub fn detection(&self, now: Timestamp) -> Detection {
        let state = self.lock();
        let this = second(now);
        let objective = |(promise, at): (&Promise, usize)| {
            let (short, long) = state.windows(at, this);
            let all = state.seconds[at].sum(this + 1 - WINDOW_SECONDS as i64, this + 1);
            Objective {
                name: promise.name.to_owned(),
                says: promise.says.to_owned(),
                target_percent: promise.target * 100.0,
                measured_percent: 100.0 * (1.0 - all.bad_share()),
                requests: all.of,
                bad: all.bad,
                window_minutes: WINDOW_SECONDS as u64 / 60,
                budget_left_percent: all.budget_left_percent(promise.target),
                burn_short: short.burn(promise.target),
                burn_long: long.burn(promise.target),
            }
        };
        let mut alerts: Vec<Alert> = state.alerts.iter().cloned().collect();
        // Stable: the newest stay first among those that fire and among those that do not.
        alerts.sort_by_key(|alert| alert.resolved_at.is_some());
        Detection { objectives: PROMISES.iter().zip(0..).map(objective).collect(), alerts, guardrail: state.guardrail.clone() }
    }

    /// # Errors
    /// `INVALID_BODY` for a limit that is none.
    pub fn set_guardrail(&self, wanted: &SetGuardrail) -> Result<(), ApiError> {
        if wanted.burn_limit.is_some_and(|limit| !BURN_LIMITS.contains(&limit)) {
            let (least, most) = (BURN_LIMITS.start(), BURN_LIMITS.end());
            return Err(ApiError::new(Code::InvalidBody, format!("burnLimit must be from {least} to {most}")));
        }
        let mut state = self.lock();
        state.guardrail.on = wanted.on;
        state.guardrail.burn_limit = wanted.burn_limit.unwrap_or(state.guardrail.burn_limit);
        Ok(())
    }

    /// It is on, and not resting.
    pub fn guards(&self, now: Timestamp) -> bool {
        let state = self.lock();
        state.guardrail.on && state.guardrail.acted_at.is_none_or(|at| now.since(at) >= GUARDRAIL_REST)
    }

    /// Why the guardrail is to act now, by the objectives.
    pub fn breach(&self, now: Timestamp) -> Option<String> {
        let state = self.lock();
        PROMISES.iter().zip(0..).find_map(|(promise, at)| {
            let (short, long) = state.windows(at, second(now));
            burns(short, long, promise.target, state.guardrail.burn_limit).then(|| fired(promise, short))
        })
    }

    pub fn guardrail_acted(&self, now: Timestamp, because: &str) {
        let mut state = self.lock();
        state.guardrail.acted_at = Some(now);
        because.clone_into(&mut state.guardrail.because);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl crate::incidents::Detect for Detector {
    fn alerts(&self) -> Vec<Alert> {
        self.lock().alerts.iter().cloned().collect()
    }

    /// Of the budget that the requests of the last hour allow.
    fn budget_spent(&self, from: Timestamp, to: Timestamp) -> Vec<(String, f64)> {
        let state = self.lock();
        let spent = |(promise, at): (&Promise, usize)| {
            let all = state.seconds[at].sum(i64::MIN, i64::MAX);
            let bad = state.seconds[at].sum(second(from), second(to) + 1).bad;
            (promise.name.to_owned(), 100.0 * Tally { of: all.of, bad }.burn(promise.target))
        };
        PROMISES.iter().zip(0..).map(spent).collect()
    }
}

impl State {
    /// The short and the long window up to this second.
    fn windows(&self, at: usize, this: i64) -> (Tally, Tally) {
        let sum = |seconds: i64| self.seconds[at].sum(this + 1 - seconds, this + 1);
        (sum(SHORT_SECONDS), sum(LONG_SECONDS))
    }
}

/// "orders: 14.9 % of 412 bad within a minute, 149 times faster than allowed".
fn fired(promise: &Promise, short: Tally) -> String {
    let (share, times) = (short.bad_share() * 100.0, short.burn(promise.target));
    format!("{}: {share:.1} % of {} bad within a minute, {times:.0} times faster than allowed", promise.name, short.of)
}

#[cfg(test)]
mod tests;
