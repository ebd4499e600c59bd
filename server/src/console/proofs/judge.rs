//! From numbers to a verdict: seen, not seen, too few, no traffic. Pure.

use super::stats::{self, CHANCE, Rate, Share};
use contract::flags::Direction;
use contract::proof::{Measured, Verdict};

/// Fewer requests prove nothing, whatever is expected of them.
pub const LEAST_REQUESTS: u64 = 30;
/// "Not seen" is said when the effect that was expected would leave so little less often than this.
const DENIED: f64 = 1e-4;
/// The same in standard deviations, for rates.
const DENIED_DEVIATIONS: f64 = 3.7;
/// Without a minute before, a share that is nothing by nature may be this much by accident.
const NOTHING_BY_NATURE: f64 = 0.001;
/// ... and fewer than this are an accident.
const LEAST_WITH: u64 = 5;
/// Shorter than this nothing is said about what is counted a second.
const LEAST_SECONDS: f64 = 8.0;

/// What is asked of the numbers.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    pub direction: Direction,
    /// The change that is expected, in the unit of the values. Half of it is the least that counts.
    pub expect: f64,
    /// While the flag is off it is nothing by nature (errors, one status, an attribute), so that a proof needs no minute before.
    pub nothing_when_off: bool,
    /// So much time has passed that requests which the fault slows down have ended, too.
    pub settled: bool,
}

/// What was measured before and since.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    Shares {
        before: Share,
        since: Share,
    },
    /// `bins` are slices of before. Exposures are requests for calls, seconds for lines.
    Rates {
        before: Rate,
        bins: Vec<Rate>,
        since: Rate,
        of_requests: bool,
    },
    /// `usual`: means of slices of before.
    Levels {
        usual: Vec<f64>,
        since: Option<f64>,
        seconds: f64,
    },
}

impl Numbers {
    /// Its own before, and the since of `later`.
    #[must_use]
    pub fn with_since(self, later: Self) -> Self {
        match (self, later) {
            (Self::Shares { before, .. }, Self::Shares { since, .. }) => Self::Shares { before, since },
            (Self::Rates { before, bins, .. }, Self::Rates { since, of_requests, .. }) => Self::Rates { before, bins, since, of_requests },
            (Self::Levels { usual, .. }, Self::Levels { since, seconds, .. }) => Self::Levels { usual, since, seconds },
            (_, later) => later,
        }
    }

    /// 0 where no level was measured.
    pub fn usual_level(&self) -> f64 {
        match self {
            Self::Levels { usual, .. } => stats::mean(usual),
            _ => 0.0,
        }
    }
}

/// Why it is not more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    Shown,
    Absent,
    /// So many requests are needed.
    Needs(u64),
    TooEarly,
    /// It may be there and it may not.
    Unclear,
    NothingBefore,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    pub verdict: Verdict,
    pub because: Because,
    /// Shares are 0-1 here.
    pub before: Measured,
    pub since: Measured,
}

impl Question {
    fn rise(&self, before: f64, since: f64) -> f64 {
        match self.direction {
            Direction::Up => since - before,
            Direction::Down => before - since,
        }
    }

    fn is_large(&self, before: f64, since: f64) -> bool {
        let rise = self.rise(before, since);
        rise > 0.0 && rise >= self.expect / 2.0
    }

    /// Requests after which none with the effect means that it is not there.
    fn needed(&self) -> u64 {
        let expect = self.expect.clamp(1e-6, 1.0 - 1e-9);
        LEAST_REQUESTS.max((DENIED.ln() / (1.0 - expect).ln()).ceil() as u64)
    }

    /// The numbers contradict the effect that was expected.
    fn is_denied(&self, before: Share, since: Share) -> bool {
        let (before, since) = if self.direction == Direction::Up { (before, since) } else { (before.without(), since.without()) };
        let expected = (before.value() + self.expect).min(1.0);
        since.of >= LEAST_REQUESTS && stats::at_most_by_chance(since.with, since.of, expected) < DENIED
    }

    /// The same for rates, whose counts come in clumps.
    fn is_rate_denied(&self, before: Rate, since: Rate, clumps: f64) -> bool {
        let missing = (self.expect - self.rise(before.value(), since.value())) * since.exposure;
        let usual = (before.value() + self.expect) * since.exposure;
        missing > DENIED_DEVIATIONS * (clumps * usual).sqrt()
    }
}

pub fn judge(question: &Question, numbers: &Numbers) -> Judged {
    match numbers {
        Numbers::Shares { before, since } => shares(question, *before, *since),
        Numbers::Rates { before, bins, since, of_requests } => rates(question, *before, bins, *since, *of_requests),
        Numbers::Levels { usual, since, seconds } => levels(question, usual, *since, *seconds),
    }
}

fn shares(question: &Question, before: Share, since: Share) -> Judged {
    let up = question.direction == Direction::Up;
    // Too little before is nothing before: otherwise five people would prove less than none.
    let assumes_nothing = up && question.nothing_when_off && before.with == 0 && before.of < LEAST_REQUESTS;
    let surprising = match (assumes_nothing, question.direction) {
        (true, _) => {
            let expected = since.of as f64 * NOTHING_BY_NATURE;
            since.with >= LEAST_WITH && stats::that_many_by_chance(since.with, expected) < CHANCE
        }
        (false, Direction::Up) => stats::more_by_chance(before, since) < CHANCE,
        (false, Direction::Down) => stats::more_by_chance(before.without(), since.without()) < CHANCE,
    };
    let seen = surprising && question.is_large(before.value(), since.value());
    let needed = question.needed();
    let (verdict, because) = match () {
        () if since.of == 0 => (Verdict::NoTraffic, Because::Nothing),
        () if seen => (Verdict::Seen, Because::Shown),
        () if since.of < needed => (Verdict::TooFew, Because::Needs(needed)),
        () if !question.settled => (Verdict::TooFew, Because::TooEarly),
        () if before.of < LEAST_REQUESTS && !assumes_nothing => (Verdict::TooFew, Because::NothingBefore),
        () if question.is_denied(before, since) => (Verdict::NotSeen, Because::Absent),
        () => (Verdict::TooFew, Because::Unclear),
    };
    let measured = |share: Share| Measured { value: share.value(), of: share.of };
    Judged { verdict, because, before: measured(before), since: measured(since) }
}

fn rates(question: &Question, before: Rate, bins: &[Rate], since: Rate, of_requests: bool) -> Judged {
    let clumps = stats::clumps(bins);
    let by_chance = match question.direction {
        Direction::Up => stats::faster_by_chance(before, since, clumps),
        Direction::Down => stats::slower_by_chance(before, since, clumps),
    };
    let least = if of_requests { LEAST_REQUESTS as f64 } else { LEAST_SECONDS };
    let (verdict, because) = match () {
        () if since.exposure <= 0.0 && of_requests => (Verdict::NoTraffic, Because::Nothing),
        () if before.exposure <= 0.0 => (Verdict::TooFew, Because::NothingBefore),
        () if by_chance < CHANCE && question.is_large(before.value(), since.value()) => (Verdict::Seen, Because::Shown),
        () if since.exposure < least && of_requests => (Verdict::TooFew, Because::Needs(LEAST_REQUESTS)),
        () if !question.settled || since.exposure < least => (Verdict::TooFew, Because::TooEarly),
        () if before.exposure < least => (Verdict::TooFew, Because::NothingBefore),
        () if question.is_rate_denied(before, since, clumps) => (Verdict::NotSeen, Because::Absent),
        () => (Verdict::TooFew, Because::Unclear),
    };
    let measured = |rate: Rate| Measured { value: rate.value(), of: rate.exposure.round() as u64 };
    Judged { verdict, because, before: measured(before), since: measured(since) }
}

fn levels(question: &Question, usual: &[f64], since: Option<f64>, seconds: f64) -> Judged {
    let before = stats::mean(usual);
    let level = since.unwrap_or_default();
    let (verdict, because) = match () {
        () if since.is_none() => (Verdict::NoTraffic, Because::Nothing),
        () if usual.len() < stats::LEAST_LEVELS => (Verdict::TooFew, Because::NothingBefore),
        () if stats::is_unusual(usual, level) && question.is_large(before, level) => (Verdict::Seen, Because::Shown),
        () if !question.settled || seconds < LEAST_SECONDS => (Verdict::TooFew, Because::TooEarly),
        () if question.is_large(before, level) => (Verdict::TooFew, Because::Unclear),
        () => (Verdict::NotSeen, Because::Absent),
    };
    let before = Measured { value: before, of: usual.len() as u64 * super::measure::BIN_SECONDS.unsigned_abs() };
    let since = Measured { value: level, of: seconds.round() as u64 };
    Judged { verdict, because, before, since }
}

#[cfg(test)]
mod tests;
