//! Seeded randomness. One seed gives every shopper the same decisions in every run; only ids differ.

/// SplitMix64: small, fast, and good enough for choosing dishes.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// A stream of its own for each `lane`, such as a shopper's number.
    pub fn new(seed: u64, lane: u64) -> Self {
        let mut chance = Self(seed ^ lane.wrapping_mul(0xA076_1D64_78BD_642F));
        chance.draw();
        chance
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A whole number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        let span = high.saturating_sub(low).saturating_add(1);
        // The high half of a 128 bit product: no modulo bias worth speaking of.
        low + ((u128::from(self.draw()) * u128::from(span)) >> 64) as u64
    }

    /// True `percent` times in a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.between(1, 100) <= percent
    }

    /// One of `things`; `None` when there are none.
    pub fn pick<'a, T>(&mut self, things: &'a [T]) -> Option<&'a T> {
        let last = things.len().checked_sub(1)?;
        things.get(self.between(0, last as u64) as usize)
    }

    /// Up to `count` different ones of `things`, in random order.
    pub fn pick_some<'a, T>(&mut self, things: &'a [T], count: usize) -> Vec<&'a T> {
        let mut rest: Vec<&T> = things.iter().collect();
        let mut chosen = Vec::with_capacity(count);
        while chosen.len() < count && !rest.is_empty() {
            let at = self.between(0, rest.len() as u64 - 1) as usize;
            chosen.push(rest.swap_remove(at));
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn one_seed_and_lane_always_give_the_same_decisions() {
        let draw = |seed, lane| (0..8).scan(Chance::new(seed, lane), |c, _| Some(c.draw())).collect::<Vec<_>>();
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        assert_ne!(draw(7, 1), draw(8, 1));
    }

    #[test]
    fn sixty_percent_is_sixty_percent() {
        let mut chance = Chance::new(1, 1);
        let hits = (0..10_000).filter(|_| chance.percent(60)).count();
        assert!((5_800..6_200).contains(&hits), "{hits}");
    }

    #[test]
    fn a_choice_of_some_never_repeats_one() {
        let mut chance = Chance::new(3, 0);
        for _ in 0..100 {
            let mut chosen = chance.pick_some(&[1, 2, 3, 4], 3);
            chosen.sort();
            chosen.dedup();
            assert_eq!(chosen.len(), 3);
        }
        assert_eq!(chance.pick_some(&[1, 2], 3).len(), 2);
        assert_eq!(chance.pick::<u8>(&[]), None);
    }
}
