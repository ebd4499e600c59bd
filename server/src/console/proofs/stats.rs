//! Whether a difference is more than chance. Pure arithmetic: counts in, probabilities out.

/// A difference counts as real when chance alone would make one as large less often than this. It is far below the usual 5 %, because a
/// proof is looked at every second for minutes, for every flag, and whoever looks often enough finds something.
pub const CHANCE: f64 = 1e-6;

/// Counts of one kind among all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub with: u64,
    pub of: u64,
}

impl Share {
    pub fn value(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.with as f64 / self.of as f64 }
    }

    pub const fn plus(self, other: Self) -> Self {
        Self { with: self.with + other.with, of: self.of + other.of }
    }

    /// The others.
    pub const fn without(self) -> Self {
        Self { with: self.of.saturating_sub(self.with), of: self.of }
    }
}

/// How likely it is that `since` has that many or more when nothing changed after `before`: Fisher's exact test, one-sided. Exact, because
/// the shares of a healthy platform are next to nothing, where a normal approximation sees wonders.
pub fn more_by_chance(before: Share, since: Share) -> f64 {
    let (all, with) = (before.of + since.of, before.with + since.with);
    let expected = since.of as f64 * with as f64 / (all.max(1)) as f64;
    if since.with as f64 <= expected {
        return 1.0;
    }
    let first = ln_choose(with, since.with) + ln_choose(all - with, since.of - since.with) - ln_choose(all, since.of);
    let (with, of, rest) = (with as f64, since.of as f64, (all - with) as f64);
    tail(first, since.with, since.of.min(before.with + since.with), |n| {
        (with - n) * (of - n) / ((n + 1.0) * (rest - of + n + 1.0)).max(f64::MIN_POSITIVE)
    })
}

/// How likely `count` or more are when `expected` are usual and each comes by itself (Poisson).
pub fn that_many_by_chance(count: u64, expected: f64) -> f64 {
    if count as f64 <= expected {
        return 1.0;
    }
    if expected <= 0.0 {
        return 0.0;
    }
    let first = count as f64 * expected.ln() - expected - ln_factorial(count);
    tail(first, count, u64::MAX, |n| expected / (n + 1.0))
}

/// How likely it is that so many or more of `of` happen when each does with `probability` (binomial).
pub fn at_least_by_chance(with: u64, of: u64, probability: f64) -> f64 {
    let all = of as f64;
    if with as f64 <= all * probability {
        return 1.0;
    }
    if probability <= 0.0 {
        return 0.0;
    }
    let others = (of - with.min(of)) as f64;
    let first = ln_choose(of, with) + with as f64 * probability.ln() + others * (1.0 - probability).ln();
    tail(first, with, of, |n| (all - n) / (n + 1.0) * probability / (1.0 - probability))
}

/// The same for so many or fewer.
pub fn at_most_by_chance(with: u64, of: u64, probability: f64) -> f64 {
    at_least_by_chance(of - with.min(of), of, 1.0 - probability)
}

/// Things that happen, and how much of what they happen to: calls and requests, lines and seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    pub count: u64,
    pub exposure: f64,
}

impl Rate {
    pub fn value(self) -> f64 {
        if self.exposure > 0.0 { self.count as f64 / self.exposure } else { 0.0 }
    }

    pub fn plus(self, other: Self) -> Self {
        Self { count: self.count + other.count, exposure: self.exposure + other.exposure }
    }
}

/// How likely it is that `since` has that many or more when the rate is still that of `before`. What happens in clumps (`clumps` at once,
/// see [`clumps`]) counts once a clump. Given the sum of both, how they divide is binomial.
pub fn faster_by_chance(before: Rate, since: Rate, clumps: f64) -> f64 {
    let whole = |count: u64| (count as f64 / clumps.max(1.0)).floor() as u64;
    let (was, is) = (whole(before.count), whole(since.count));
    let share = since.exposure / (before.exposure + since.exposure);
    if share > 0.0 && share < 1.0 { at_least_by_chance(is, was + is, share) } else { 1.0 }
}

/// The same for fewer.
pub fn slower_by_chance(before: Rate, since: Rate, clumps: f64) -> f64 {
    faster_by_chance(since, before, clumps)
}

/// Few bins say little about how clumpy something is: the guess is enlarged by this.
const CLUMPS_MARGIN: f64 = 1.5;
/// What is assumed where nothing can be measured.
const CLUMPS_UNKNOWN: f64 = 10.0;
const LEAST_BINS: usize = 4;

/// How many come at once, at least one: the variance over the bins beside that of things which each come by themselves.
pub fn clumps(bins: &[Rate]) -> f64 {
    let bins: Vec<Rate> = bins.iter().copied().filter(|bin| bin.exposure > 0.0).collect();
    let rate = bins.iter().copied().fold(Rate::default(), Rate::plus).value();
    if bins.len() < LEAST_BINS || rate <= 0.0 {
        return CLUMPS_UNKNOWN;
    }
    let off = |bin: &Rate| (bin.count as f64 - rate * bin.exposure).powi(2) / (rate * bin.exposure);
    let variance = bins.iter().map(off).sum::<f64>() / (bins.len() - 1) as f64;
    (variance * CLUMPS_MARGIN).max(1.0)
}

/// A level counts as changed when it is this many standard deviations of the usual bins away. Levels follow each other, so that many
/// points of a steady level are no more evidence than a few: the deviation is that of one bin, not of the mean of all.
const LEVEL_DEVIATIONS: f64 = 4.0;
/// Fewer bins say nothing about what is usual.
pub const LEAST_LEVELS: usize = 5;

/// Whether `level` is outside of what is usual. Never with too few bins.
pub fn is_unusual(usual: &[f64], level: f64) -> bool {
    if usual.len() < LEAST_LEVELS {
        return false;
    }
    let mean = mean(usual);
    let variance = usual.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (usual.len() - 1) as f64;
    (level - mean).abs() > LEVEL_DEVIATIONS * variance.sqrt()
}

/// 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The sum of a falling series, from its first logarithm and the ratio of each term to the one before.
fn tail(first_ln: f64, from: u64, to: u64, ratio: impl Fn(f64) -> f64) -> f64 {
    let (mut term, mut sum, mut n) = (first_ln.exp(), 0.0, from);
    while n <= to && term > 0.0 {
        sum += term;
        // Beyond the middle terms fall at least geometrically: what is left adds nothing that can be seen.
        if term < sum * 1e-12 {
            break;
        }
        term *= ratio(n as f64);
        n += 1;
    }
    sum.min(1.0)
}

fn ln_choose(of: u64, take: u64) -> f64 {
    if take > of { f64::NEG_INFINITY } else { ln_factorial(of) - ln_factorial(take) - ln_factorial(of - take) }
}

/// Stirling's series; below twenty the product itself.
fn ln_factorial(n: u64) -> f64 {
    if n < 20 {
        return (2..=n).map(|k| (k as f64).ln()).sum();
    }
    let n = n as f64;
    n * n.ln() - n + 0.5 * (std::f64::consts::TAU * n).ln() + 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(is: f64, expected: f64) {
        assert!((is - expected).abs() <= expected.abs() * 1e-6 + 1e-300, "{is} is not {expected}");
    }

    #[test]
    fn fishers_test_is_exact_for_the_tea_and_the_milk() {
        // Eight cups, four of each kind, all named rightly: one way in seventy. Three of four: seventeen in seventy.
        near(more_by_chance(Share { with: 0, of: 4 }, Share { with: 4, of: 4 }), 1.0 / 70.0);
        near(more_by_chance(Share { with: 1, of: 4 }, Share { with: 3, of: 4 }), 17.0 / 70.0);
    }

    #[test]
    fn no_difference_is_no_surprise() {
        let same = Share { with: 3, of: 100 };
        assert!(more_by_chance(same, same) >= 0.5);
        near(more_by_chance(Share::default(), Share { with: 0, of: 10 }), 1.0);
        near(more_by_chance(Share { with: 5, of: 10 }, Share { with: 0, of: 10 }), 1.0);
    }

    #[test]
    fn large_counts_neither_overflow_nor_take_long() {
        let (before, since) = (Share { with: 500, of: 500_000 }, Share { with: 5_000, of: 500_000 });
        assert!(more_by_chance(before, since) < 1e-300);
        assert!(faster_by_chance(Rate { count: 1_000_000, exposure: 60.0 }, Rate { count: 3_000_000, exposure: 60.0 }, 1.0) < 1e-300);
    }

    #[test]
    fn poissons_tail_is_what_the_tables_say() {
        near(that_many_by_chance(1, 0.5), 1.0 - (-0.5_f64).exp());
        near(that_many_by_chance(10, 3.0), 0.001_102_488_131_213_5);
        near(that_many_by_chance(2, 5.0), 1.0);
        near(that_many_by_chance(3, 0.0), 0.0);
    }

    #[test]
    fn a_rate_is_compared_by_how_its_counts_divide() {
        // Ten of ten in one of two equal halves: one in 1 024.
        near(faster_by_chance(Rate { count: 0, exposure: 7.0 }, Rate { count: 10, exposure: 7.0 }, 1.0), 1.0 / 1_024.0);
        near(slower_by_chance(Rate { count: 10, exposure: 7.0 }, Rate { count: 0, exposure: 7.0 }, 1.0), 1.0 / 1_024.0);
        // In clumps of five they are two.
        near(faster_by_chance(Rate { count: 0, exposure: 7.0 }, Rate { count: 10, exposure: 7.0 }, 5.0), 0.25);
        near(faster_by_chance(Rate::default(), Rate { count: 10, exposure: 7.0 }, 1.0), 1.0);
    }

    #[test]
    fn the_binomial_tails_meet() {
        near(at_least_by_chance(3, 3, 0.5), 0.125);
        near(at_most_by_chance(0, 10, 0.1), 0.9_f64.powi(10));
        near(at_most_by_chance(1, 3, 0.6), 0.4_f64.powi(3) + 3.0 * 0.6 * 0.4_f64.powi(2));
        near(at_most_by_chance(3, 3, 0.9), 1.0);
        near(at_most_by_chance(2, 3, 1.0), 0.0);
    }

    #[test]
    fn what_comes_in_clumps_is_found_out() {
        let bins = |counts: &[u64]| counts.iter().map(|count| Rate { count: *count, exposure: 5.0 }).collect::<Vec<_>>();
        near(clumps(&bins(&[100, 100, 100, 100, 100])), 1.0);
        assert!(clumps(&bins(&[0, 500, 0, 0, 400, 0, 100])) > 100.0);
        near(clumps(&bins(&[5, 5])), CLUMPS_UNKNOWN);
    }

    #[test]
    fn a_level_is_unusual_beyond_four_deviations() {
        let usual = [10.0, 11.0, 9.0, 10.0, 10.0, 11.0, 9.0];
        assert!(!is_unusual(&usual, 12.0) && is_unusual(&usual, 14.0) && is_unusual(&usual, 6.0));
        assert!(is_unusual(&[7.0; 6], 7.1), "what never moves has moved");
        assert!(!is_unusual(&usual[..3], 1_000.0), "three bins are no habit");
    }
}
