//! Durations, in buckets that are a sixteenth of an octave wide: a quantile is off by 3 % at most.

use std::collections::BTreeMap;

/// Steps of an octave.
const STEPS: u64 = 16;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Shorter durations share the first bucket's octave: below this each microsecond has its own.
const HIGHEST: u16 = 31 * STEPS as u16;

/// The bucket of a duration in microseconds.
pub(crate) fn bucket(us: u64) -> u16 {
    if us < STEPS {
        return us as u16;
    }
    let octave = 63 - us.leading_zeros();
    let step = (us >> (octave - STEP_BITS)) & (STEPS - 1);
    let index = u64::from(octave - STEP_BITS + 1) * STEPS + step;
    u16::try_from(index).unwrap_or(HIGHEST).min(HIGHEST)
}

/// The shortest duration of a bucket, in microseconds.
pub(crate) fn lower(bucket: u16) -> u64 {
    let bucket = u64::from(bucket);
    if bucket < STEPS {
        return bucket;
    }
    let octave = bucket / STEPS - 1;
    (STEPS + bucket % STEPS) << octave
}

/// How many spans took how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    buckets: BTreeMap<u16, u64>,
}

impl Durations {
    pub(crate) fn add(&mut self, bucket: u16, count: u64) {
        *self.buckets.entry(bucket).or_default() += count;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        other.buckets.iter().for_each(|(bucket, count)| self.add(*bucket, *count));
    }

    pub fn total(&self) -> u64 {
        self.buckets.values().sum()
    }

    /// How many took longer than `ms` milliseconds. The bucket around it is shared in proportion.
    pub fn slower_than(&self, ms: u64) -> u64 {
        let threshold = ms.saturating_mul(1_000);
        let middle = bucket(threshold);
        let above: u64 = self.buckets.range(middle.saturating_add(1)..).map(|(_, count)| count).sum();
        let (low, high) = (lower(middle), lower(middle + 1));
        let share = (high.saturating_sub(threshold)) as f64 / (high - low).max(1) as f64;
        let within = self.buckets.get(&middle).copied().unwrap_or(0) as f64 * share.clamp(0.0, 1.0);
        above + within.round() as u64
    }

    /// In milliseconds; 0 without requests. `quantile` is 0-1.
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        let total = self.total();
        if total == 0 {
            return 0.0;
        }
        let wanted = (quantile.clamp(0.0, 1.0) * total as f64).max(1.0);
        let mut seen = 0_u64;
        for (bucket, count) in &self.buckets {
            let before = seen as f64;
            seen += count;
            if seen as f64 >= wanted {
                let (low, high) = (lower(*bucket) as f64, lower(*bucket + 1) as f64);
                let within = (wanted - before) / *count as f64;
                return (low + (high - low) * within) / 1_000.0;
            }
        }
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bucket_begins_where_the_one_before_ends() {
        for index in 0..HIGHEST {
            assert_eq!(bucket(lower(index)), index);
            assert_eq!(bucket(lower(index + 1) - 1), index);
        }
    }

    #[test]
    fn slower_than_leaves_out_what_is_clearly_faster() {
        let mut durations = Durations::default();
        durations.add(bucket(100_000), 90);
        durations.add(bucket(2_000_000), 10);
        assert_eq!(durations.slower_than(500), 10);
        assert_eq!(durations.slower_than(50), 100);
        assert_eq!(durations.slower_than(5_000), 0);
    }

    proptest! {
        #[test]
        fn a_quantile_of_equal_durations_is_close_to_them(us in 1_u64..3_600_000_000, quantile in 0.0_f64..1.0) {
            let mut durations = Durations::default();
            durations.add(bucket(us), 1_000);
            let ms = us as f64 / 1_000.0;
            let found = durations.quantile_ms(quantile);
            prop_assert!((found - ms).abs() <= ms * 0.07 + 0.001, "{found} is far from {ms}");
        }
    }
}
