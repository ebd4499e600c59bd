//! Chance comes from one seedable source (`SEED`), so that a run can be repeated.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// SplitMix64 (Steele, Lea, Flood 2014) over an atomic counter: no lock, and the n-th draw depends on the seed and n alone.
/// Clones share the sequence.
#[derive(Clone, Debug)]
pub struct Chance(Arc<AtomicU64>);

const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

impl Chance {
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seed)))
    }

    /// A seed nobody chose, from the operating system's entropy.
    pub fn from_entropy() -> Self {
        Self::seeded(uuid::Uuid::new_v4().as_u64_pair().0)
    }

    pub fn bits(&self) -> u64 {
        let mut z = self.0.fetch_add(GOLDEN_GAMMA, Ordering::Relaxed).wrapping_add(GOLDEN_GAMMA);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 (included) to 1 (excluded).
    pub fn unit(&self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True in `percent` of a hundred draws.
    pub fn percent(&self, percent: f64) -> bool {
        self.unit() * 100.0 < percent
    }

    /// Uniform over the range; its start when the range is empty.
    pub fn range(&self, range: RangeInclusive<i64>) -> i64 {
        let (low, high) = range.into_inner();
        let width = high.saturating_sub(low).max(0) as u64 + 1;
        low + (self.bits() % width) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn the_same_seed_draws_the_same_numbers() {
        let (a, b) = (Chance::seeded(7), Chance::seeded(7));
        assert!((0..100).all(|_| a.bits() == b.bits()));
    }

    #[test]
    fn fifteen_percent_is_close_to_fifteen_percent() {
        let chance = Chance::seeded(1);
        let hits = (0..100_000).filter(|_| chance.percent(15.0)).count();
        assert!((14_500..15_500).contains(&hits), "{hits}");
    }
}
