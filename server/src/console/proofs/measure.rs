//! What a flag's signal is, in numbers: questions to the telemetry store. None of them looks at what the chaos layer marks.

use super::judge::Numbers;
use super::stats::{Rate, Share};
use contract::Timestamp;
use contract::flags::{Signal, SignalKind};
use observe::model::Kind;
use observe::{Counts, Select, Store};
use std::time::Duration;

/// Length of the slices that tell what is usual.
pub const BIN_SECONDS: i64 = 5;
/// A metric is read once a second: less than two readings say nothing.
const LEAST_BIN_SECONDS: f64 = 2.0;

/// From the first moment up to the second, on whole seconds.
pub type Window = (Timestamp, Timestamp);

/// What is asked of the store.
pub trait Evidence: Send + Sync {
    fn counts(&self, select: &Select, window: Window) -> Counts;
    /// Spans that carry the attribute, of those selected.
    fn tagged(&self, attribute: &str, value: &str, select: &Select, window: Window) -> Share;
    fn level(&self, signal: &Signal, window: Window) -> Option<f64>;
    fn lines(&self, service: Option<&str>, window: Window) -> u64;
    /// By the chaos layer's marks; told beside a verdict, never part of it.
    fn touched(&self, flag: &str, window: Window) -> u64;
    fn first_touched(&self, flag: &str, since: Timestamp) -> Option<Timestamp>;
}

impl Evidence for Store {
    fn counts(&self, select: &Select, (from, to): Window) -> Counts {
        Self::counts(self, select, from, to)
    }

    fn tagged(&self, attribute: &str, value: &str, select: &Select, (from, to): Window) -> Share {
        let (with, of) = Self::tagged(self, attribute, value, select, from, to);
        Share { with, of }
    }

    fn level(&self, signal: &Signal, (from, to): Window) -> Option<f64> {
        let attributes: Vec<(&str, &str)> = signal.attribute.as_deref().zip(signal.value.as_deref()).into_iter().collect();
        Self::level(self, signal.metric.as_deref()?, signal.service.as_deref(), &attributes, from, to).map(|(mean, _)| mean)
    }

    fn lines(&self, service: Option<&str>, (from, to): Window) -> u64 {
        Self::lines(self, service, None, from, to)
    }

    fn touched(&self, flag: &str, (from, to): Window) -> u64 {
        Self::touched(self, flag, from, to)
    }

    fn first_touched(&self, flag: &str, since: Timestamp) -> Option<Timestamp> {
        Self::first_touched(self, flag, since)
    }
}

/// The requests that the signal is of.
pub fn requests(signal: &Signal) -> Select {
    let kind = signal.route.is_none().then_some(Kind::Server);
    Select { service: signal.service.clone(), route: signal.route.clone(), kind, customers: false }
}

/// What was measured in `before` (several pieces, when other flags came and went) and in `since`.
pub fn measure(evidence: &dyn Evidence, signal: &Signal, before: &[Window], since: Window) -> Numbers {
    let select = requests(signal);
    match signal.kind {
        SignalKind::Errors | SignalKind::Status | SignalKind::Slow | SignalKind::Tagged => {
            let share = |window| share(evidence, signal, &select, window);
            let before = before.iter().copied().map(share).fold(Share::default(), Share::plus);
            Numbers::Shares { before, since: share(since) }
        }
        SignalKind::Calls => {
            let rate = |window| calls(evidence, signal, &select, window);
            rates(before, since, true, rate)
        }
        SignalKind::Lines => {
            let rate = |window| Rate { count: evidence.lines(signal.service.as_deref(), window), exposure: seconds(window) };
            rates(before, since, false, rate)
        }
        SignalKind::Level => {
            let usual = bins(before).filter_map(|bin| evidence.level(signal, bin)).collect();
            Numbers::Levels { usual, since: evidence.level(signal, since), seconds: seconds(since) }
        }
    }
}

fn rates(before: &[Window], since: Window, of_requests: bool, rate: impl Fn(Window) -> Rate) -> Numbers {
    let bins: Vec<Rate> = bins(before).map(&rate).collect();
    let before = before.iter().copied().map(&rate).fold(Rate::default(), Rate::plus);
    Numbers::Rates { before, bins, since: rate(since), of_requests }
}

fn share(evidence: &dyn Evidence, signal: &Signal, select: &Select, window: Window) -> Share {
    if signal.kind == SignalKind::Tagged {
        let (attribute, value) = (signal.attribute.as_deref().unwrap_or_default(), signal.value.as_deref().unwrap_or_default());
        return evidence.tagged(attribute, value, select, window);
    }
    let counts = evidence.counts(select, window);
    let with = match signal.kind {
        SignalKind::Status => counts.status(signal.status.unwrap_or(500)),
        SignalKind::Slow => counts.slower_than(signal.ms.unwrap_or(1_000)),
        // Spans that are no requests have no status; those that failed say so.
        _ if counts.statuses.is_empty() => counts.failed,
        _ => counts.statuses_in(500..=599),
    };
    Share { with, of: counts.total }
}

fn calls(evidence: &dyn Evidence, signal: &Signal, requests: &Select, window: Window) -> Rate {
    let name = format!("{}*", signal.call.as_deref().unwrap_or_default());
    let calls = Select { service: signal.service.clone(), route: Some(name), kind: Some(Kind::Client), customers: false };
    Rate { count: evidence.counts(&calls, window).total, exposure: evidence.counts(requests, window).total as f64 }
}

/// 95th percentile of the signal's requests, in milliseconds, for people.
pub fn p95_ms(evidence: &dyn Evidence, signal: &Signal, window: Window) -> f64 {
    evidence.counts(&requests(signal), window).p95_ms()
}

/// Slices of at most [`BIN_SECONDS`]. Where flags come and go the pieces are short: what is left of one is a slice, too, unless it is tiny.
fn bins(windows: &[Window]) -> impl Iterator<Item = Window> {
    let bin = Duration::from_secs(BIN_SECONDS.unsigned_abs());
    windows.iter().flat_map(move |(from, to)| {
        let (from, to) = (*from, *to);
        let slices = (0..).map(move |n| from + bin * n).take_while(move |at| *at < to).map(move |at| (at, to.min(at + bin)));
        slices.filter(|slice| seconds(*slice) >= LEAST_BIN_SECONDS)
    })
}

pub fn seconds((from, to): Window) -> f64 {
    (to.millis() - from.millis()).max(0) as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_cut_into_slices_and_tiny_rests_are_left_out() {
        let at = |second: i64| Timestamp::from_millis(second * 1_000);
        let cut = |windows: &[(i64, i64)]| {
            let windows: Vec<Window> = windows.iter().map(|(from, to)| (at(*from), at(*to))).collect();
            bins(&windows).map(|(from, to)| (from.millis() / 1_000, to.millis() / 1_000)).collect::<Vec<_>>()
        };
        assert_eq!(cut(&[(0, 12)]), [(0, 5), (5, 10), (10, 12)]);
        assert_eq!(cut(&[(0, 11), (20, 23), (30, 31)]), [(0, 5), (5, 10), (20, 23)]);
        assert_eq!(cut(&[(5, 5)]), []);
    }
}
