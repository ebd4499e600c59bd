//! Proofs: what each flag was expected to do beside what was measured.
//!
//! `history` knows when which flag was on, `measure` asks the telemetry store, `stats` tells difference from chance, `judge` gives the verdict,
//! `words` writes it down. A verdict never looks at what the chaos layer marks: with that layer switched off, every proof fails.

mod history;
mod judge;
mod measure;
mod stats;
mod words;

pub use history::{Episode, Turned};
pub use measure::Evidence;

use contract::Timestamp;
use contract::flags::{Direction, FlagState, Signal, SignalKind};
use contract::proof::{Measured, Proof, Verdict};
use history::{History, ceil, floor};
use judge::{Because, Judged, Numbers, Question, judge};
use measure::{Window, measure};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// At most this long is measured, the newest.
const SINCE: Duration = Duration::from_secs(300);
/// ... and after it was cleared.
const AFTER: Duration = Duration::from_secs(60);
/// Requests under way when it was cleared belong to neither side.
const AFTER_SETTLE: Duration = Duration::from_secs(1);
/// "Not seen" is not said earlier than this after the flip, and the longest wait of the variant.
const SETTLED: Duration = Duration::from_secs(5);
/// Spans of the minute before may still come in; later on its numbers are kept, because the store forgets them.
const BEFORE_IS_KNOWN: Duration = Duration::from_secs(5);
/// The longest wait of a variant; see the chaos layer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Several pages may ask at once.
const FRESH: Duration = Duration::from_millis(400);

#[derive(Clone)]
pub struct Proofs(Arc<Inner>);

struct Inner {
    evidence: Arc<dyn Evidence>,
    state: Mutex<State>,
}

struct State {
    history: History,
    /// By flag, for the episode that began then.
    known: HashMap<String, (Timestamp, Known)>,
    /// The last look.
    looked: Option<(Timestamp, Vec<Proof>)>,
}

/// What is learnt once about an episode.
#[derive(Clone, Debug, Default)]
struct Known {
    before: Option<Numbers>,
    first_touched_at: Option<Timestamp>,
    /// What was seen stays seen.
    seen_at: Option<Timestamp>,
}

impl Proofs {
    pub fn new(evidence: Arc<dyn Evidence>, now: Timestamp) -> Self {
        Self(Arc::new(Inner { evidence, state: Mutex::new(State { history: History::new(now), known: HashMap::new(), looked: None }) }))
    }

    /// Takes over how the flags are now, and says what changed. `ended` are flips that are known to have ended meanwhile, at `now`.
    /// `list` is asked under the lock, so that two who tell at once are heard in their order.
    pub fn note(&self, list: impl FnOnce() -> Vec<FlagState>, ended: &[String], now: Timestamp) -> Vec<Turned> {
        let mut state = self.lock();
        for flag in ended {
            state.history.end(flag, now);
        }
        let turned = state.history.note(&list(), now);
        if !turned.is_empty() || !ended.is_empty() {
            state.looked = None;
        }
        turned
    }

    /// Flags that are on.
    pub fn on(&self) -> Vec<String> {
        self.lock().history.on().map(|episode| episode.flag.clone()).collect()
    }

    /// The newest flip first.
    pub fn all(&self, now: Timestamp) -> Vec<Proof> {
        let mut state = self.lock();
        if let Some((at, proofs)) = &state.looked
            && now.since(*at) < FRESH
            && *at <= now
        {
            return proofs.clone();
        }
        let State { history, known, looked } = &mut *state;
        known.retain(|flag, (began, _)| history.episodes().iter().any(|one| one.flag == *flag && one.flipped_at == *began));
        let prove = |episode: &Episode| {
            let entry = known.entry(episode.flag.clone()).or_insert_with(|| (episode.flipped_at, Known::default()));
            self.prove(episode, &mut entry.1, now)
        };
        let proofs: Vec<Proof> = history.episodes().iter().map(prove).collect();
        *looked = Some((now, proofs.clone()));
        proofs
    }

    fn prove(&self, episode: &Episode, known: &mut Known, now: Timestamp) -> Proof {
        let evidence = &*self.0.evidence;
        let end = episode.cleared_at.unwrap_or(now);
        let touched = evidence.touched(&episode.flag, (floor(episode.flipped_at), ceil(end + AFTER_SETTLE)));
        if known.first_touched_at.is_none() {
            known.first_touched_at = evidence.first_touched(&episode.flag, episode.flipped_at);
        }
        let mut proof = Proof {
            flag: episode.flag.clone(),
            variant: episode.variant.clone(),
            flipped_at: episode.flipped_at,
            cleared_at: episode.cleared_at,
            verdict: Verdict::TooFew,
            says: "Nothing says how this flag shows: its definition has no signal.".to_owned(),
            signal: String::new(),
            unit: String::new(),
            before: Measured::default(),
            since: Measured::default(),
            after: None,
            effect_after_ms: known.first_touched_at.map(|first| millis(first.since(episode.flipped_at))),
            touched,
            traces: words::traces(episode, touched),
        };
        let Some(signal) = &episode.signal else { return proof };
        let window = since(episode, end);
        let numbers = self.numbers(episode, signal, known, window, now);
        let expect = expected(signal, &episode.value, &numbers);
        let question = Question {
            direction: signal.direction,
            expect,
            nothing_when_off: matches!(signal.kind, SignalKind::Errors | SignalKind::Status | SignalKind::Tagged),
            settled: end.since(episode.flipped_at) >= SETTLED + longest_wait(&episode.value),
        };
        let mut judged = judge(&question, &numbers);
        if judged.verdict == Verdict::Seen {
            known.seen_at.get_or_insert(now);
        } else if known.seen_at.is_some() {
            judged = Judged { verdict: Verdict::Seen, because: Because::Shown, ..judged };
        }
        let seen_after = known.first_touched_at.or(known.seen_at).map(|at| millis(at.since(episode.flipped_at)));
        let detail = self.durations(episode, signal, window);
        proof.verdict = judged.verdict;
        proof.says = words::says(signal, &judged, &episode.audience, expect / 2.0, seen_after, &detail);
        proof.signal.clone_from(&signal.says);
        words::unit(signal).clone_into(&mut proof.unit);
        proof.before = words::in_unit(signal, judged.before);
        proof.since = words::in_unit(signal, judged.since);
        proof.after = after(episode, now).map(|window| {
            let numbers = measure(evidence, signal, &[], window);
            words::in_unit(signal, judge(&question, &numbers).since)
        });
        proof
    }

    fn numbers(&self, episode: &Episode, signal: &Signal, known: &mut Known, window: Window, now: Timestamp) -> Numbers {
        let evidence = &*self.0.evidence;
        if let Some(before) = &known.before {
            return before.clone().with_since(measure(evidence, signal, &[], window));
        }
        let numbers = measure(evidence, signal, &episode.before, window);
        if now.since(episode.flipped_at) >= BEFORE_IS_KNOWN {
            known.before = Some(numbers.clone());
        }
        numbers
    }

    /// "; p95 12 ms before, 340 ms since", where durations are what is looked at.
    fn durations(&self, episode: &Episode, signal: &Signal, since: Window) -> String {
        if signal.kind != SignalKind::Slow {
            return String::new();
        }
        let p95 = |window| measure::p95_ms(&*self.0.evidence, signal, window);
        match episode.before.last() {
            Some(before) => format!("; p95 {:.0} ms, {:.0} ms before", p95(since), p95(*before)),
            None => format!("; p95 {:.0} ms", p95(since)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From the first whole second after the flip to the end, at most so long.
fn since(episode: &Episode, end: Timestamp) -> Window {
    let end = if episode.cleared_at.is_some() { floor(end) } else { ceil(end) };
    let earliest = Timestamp::from_millis(end.millis() - i64::try_from(SINCE.as_millis()).unwrap_or(i64::MAX));
    let from = ceil(episode.flipped_at).max(earliest);
    // A flip of less than a second is looked at, too.
    (from, end.max(from))
}

fn after(episode: &Episode, now: Timestamp) -> Option<Window> {
    let from = ceil(episode.cleared_at? + AFTER_SETTLE + longest_wait(&episode.value));
    let to = ceil(now).min(from + AFTER);
    (from < to).then_some((from, to))
}

/// How long a fault of this variant may hold a request.
fn longest_wait(value: &Value) -> Duration {
    let ms = |field: &str| value.get(field).and_then(Value::as_u64).unwrap_or(0);
    Duration::from_millis(ms("delayMs").saturating_add(ms("latencyMs")).saturating_add(ms("tailMs"))).min(LONGEST_WAIT)
}

/// The share that is expected of variants that do not say.
const USUAL_SHARE: f64 = 0.05;
/// A fault of everything need not touch everything that is measured: it may be for some only, or for one of many.
const MOST_ASSUMED: f64 = 0.2;

/// The change that is expected, in the signal's own unit: what the definition says, or else what the variant's fields mean.
fn expected(signal: &Signal, value: &Value, numbers: &Numbers) -> f64 {
    if let Some(expect) = signal.expect.filter(|expect| *expect > 0.0) {
        return expect;
    }
    let percent = |field: &str| value.get(field).and_then(Value::as_f64).filter(|share| *share > 0.0).map(|share| share / 100.0);
    let assumed = |share: Option<f64>| share.unwrap_or(USUAL_SHARE).min(MOST_ASSUMED);
    match signal.kind {
        SignalKind::Errors | SignalKind::Status => assumed(percent("errorRate")),
        SignalKind::Slow => {
            let all = value.get("latencyMs").and_then(Value::as_u64).unwrap_or(0) >= signal.ms.unwrap_or(1_000);
            assumed(if all { Some(1.0) } else { percent("tailPercent").or(percent("errorRate")) })
        }
        SignalKind::Tagged => assumed(percent("percent")),
        SignalKind::Calls | SignalKind::Lines => 1.0,
        // As much again, and one of what is counted at least; downwards the half.
        SignalKind::Level if signal.direction == Direction::Up => numbers.usual_level().abs().max(1.0),
        SignalKind::Level => (numbers.usual_level().abs() / 2.0).max(f64::MIN_POSITIVE),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
