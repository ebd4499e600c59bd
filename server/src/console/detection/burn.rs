//! Burn rates: how much faster than allowed an objective spends its budget. Pure arithmetic over seconds.

use std::collections::VecDeque;

/// Objectives are looked at over this long: what a show lasts.
pub const WINDOW_SECONDS: usize = 3_600;

/// What an objective counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub of: u64,
    pub bad: u64,
}

impl Tally {
    pub const fn plus(self, other: Self) -> Self {
        Self { of: self.of + other.of, bad: self.bad + other.bad }
    }

    /// 0-1; 0 of nothing.
    pub fn bad_share(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.bad as f64 / self.of as f64 }
    }

    /// 1 spends the budget exactly; 0 without requests. `target` is 0-1.
    pub fn burn(self, target: f64) -> f64 {
        self.bad_share() / allowed(target)
    }

    /// In percent: 100 is untouched, 0 is spent, below it is overdrawn.
    pub fn budget_left_percent(self, target: f64) -> f64 {
        100.0 * (1.0 - self.burn(target))
    }
}

/// The share that may be bad.
fn allowed(target: f64) -> f64 {
    (1.0 - target).max(f64::EPSILON)
}

/// One tally a second of the window.
#[derive(Clone, Debug, Default)]
pub struct Seconds {
    /// The second of the newest tally, since 1970.
    newest: i64,
    /// Oldest first.
    tallies: VecDeque<Tally>,
}

impl Seconds {
    /// What this second counted; written again when more was heard of it. Seconds in between that nobody told of counted nothing.
    pub fn set(&mut self, second: i64, tally: Tally) {
        if self.tallies.is_empty() {
            self.newest = second - 1;
        }
        let ahead = second - self.newest;
        if ahead > 0 {
            let empty = usize::try_from(ahead - 1).unwrap_or(WINDOW_SECONDS).min(WINDOW_SECONDS);
            self.tallies.extend(std::iter::repeat_n(Tally::default(), empty));
            self.tallies.push_back(tally);
            self.tallies.drain(..self.tallies.len().saturating_sub(WINDOW_SECONDS));
            self.newest = second;
        } else if let Some(at) = usize::try_from(-ahead).ok().and_then(|back| self.tallies.len().checked_sub(back + 1)) {
            self.tallies[at] = tally;
        }
    }

    /// The sum of the seconds in `from..to`.
    pub fn sum(&self, from: i64, to: i64) -> Tally {
        let oldest = self.newest + 1 - self.tallies.len() as i64;
        let at = |second: i64| usize::try_from(second.saturating_sub(oldest)).unwrap_or(0).min(self.tallies.len());
        let (from, to) = (at(from), at(to));
        self.tallies.range(from..to.max(from)).fold(Tally::default(), |sum, tally| sum.plus(*tally))
    }
}

/// What an alert does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Fire,
    Resolve,
    Nothing,
}

/// Fires when the budget burns this much faster than allowed over both windows. (14.4 spends, over an hour, 2 % of a month's budget: the
/// usual limit for waking somebody.)
pub const FIRE_ABOVE: f64 = 14.4;
/// Resolves when the short window is within what is allowed.
const RESOLVE_BELOW: f64 = 1.0;
/// One bad request of seven burns a hundred times too fast and is no incident.
pub const LEAST_BAD: u64 = 3;

/// Whether both windows burn faster than `limit`, by more than an accident.
pub fn burns(short: Tally, long: Tally, target: f64, limit: f64) -> bool {
    short.bad >= LEAST_BAD && short.burn(target) > limit && long.burn(target) > limit
}

pub fn step(firing: bool, short: Tally, long: Tally, target: f64) -> Step {
    match firing {
        false if burns(short, long, target, FIRE_ABOVE) => Step::Fire,
        true if short.burn(target) < RESOLVE_BELOW => Step::Resolve,
        _ => Step::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(of: u64, bad: u64) -> Tally {
        Tally { of, bad }
    }

    fn close(is: f64, expected: f64) {
        assert!((is - expected).abs() < 1e-6, "{is} is not {expected}");
    }

    #[test]
    fn one_bad_order_in_a_thousand_is_what_three_nines_allow() {
        close(tally(1_000, 1).burn(0.999), 1.0);
        close(tally(1_000, 1).budget_left_percent(0.999), 0.0);
        close(tally(1_000, 15).burn(0.999), 15.0);
        close(tally(2_000, 1).budget_left_percent(0.999), 50.0);
        close(tally(100, 1).budget_left_percent(0.999), -900.0);
        close(Tally::default().burn(0.999), 0.0);
        close(Tally::default().budget_left_percent(0.999), 100.0);
    }

    #[test]
    fn an_alert_needs_both_windows_and_more_than_an_accident() {
        let target = 0.999;
        assert_eq!(step(false, tally(100, 15), tally(500, 15), target), Step::Fire);
        assert_eq!(step(false, tally(100, 15), tally(5_000, 15), target), Step::Nothing, "the long window is calm");
        assert_eq!(step(false, tally(100, 0), tally(500, 100), target), Step::Nothing, "it is over");
        assert_eq!(step(false, tally(7, 1), tally(7, 1), target), Step::Nothing, "one is an accident");
        assert_eq!(step(true, tally(100, 15), tally(500, 15), target), Step::Nothing, "it fires already");
        assert_eq!(step(true, tally(1_000, 2), tally(5_000, 80), target), Step::Nothing, "twice as fast as allowed");
        assert_eq!(step(true, tally(10_000, 2), tally(50_000, 80), target), Step::Resolve);
        assert_eq!(step(true, Tally::default(), tally(500, 80), target), Step::Resolve);
    }

    #[test]
    fn seconds_are_summed_written_again_and_forgotten_after_the_window() {
        let mut seconds = Seconds::default();
        seconds.set(100, tally(10, 1));
        seconds.set(103, tally(10, 2));
        seconds.set(101, tally(5, 5));
        assert_eq!(seconds.sum(100, 104), tally(25, 8));
        assert_eq!(seconds.sum(101, 103), tally(5, 5));
        assert_eq!(seconds.sum(104, 200), Tally::default());
        seconds.set(99, tally(7, 7));
        assert_eq!(seconds.sum(0, 200), tally(25, 8), "before the first second nobody counted");
        seconds.set(100 + WINDOW_SECONDS as i64, tally(1, 0));
        assert_eq!(seconds.sum(0, i64::MAX), tally(16, 7));
        seconds.set(1_000_000, tally(2, 0));
        assert_eq!(seconds.sum(0, i64::MAX), tally(2, 0));
    }

    #[test]
    fn an_hour_of_calm_traffic_with_one_bad_in_ten_thousand_never_fires() {
        for seed in 0..50 {
            let chance = runtime::chance::Chance::seeded(seed);
            let mut seconds = Seconds::default();
            for second in 0..3_600 {
                seconds.set(second, tally(20, (0..20).map(|_| u64::from(chance.percent(0.01))).sum()));
                let (short, long) = (seconds.sum(second - 60, second), seconds.sum(second - 300, second));
                assert_eq!(step(false, short, long, 0.999), Step::Nothing, "seed {seed}, second {second}: {short:?} {long:?}");
            }
        }
    }
}
