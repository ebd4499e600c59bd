//! Which traces are kept while there are more than fit: a share by trace id, and the first of each kind in every second.

use crate::model::TraceId;
use std::collections::HashSet;
use std::mem::size_of;

/// Lets about `cap` traces through a second, chosen by their ids, so that the choice does not depend on what they are.
#[derive(Debug)]
pub(crate) struct Sampler {
    cap: u32,
    second: u32,
    offered_before: u32,
    offered: u32,
    admitted: u32,
    /// Series of which one was kept in this second: what is rare is not lost in what is frequent.
    firsts: HashSet<u32>,
}

impl Sampler {
    pub fn new(cap: u32) -> Self {
        Self { cap, second: 0, offered_before: 0, offered: 0, admitted: 0, firsts: HashSet::new() }
    }

    /// `series` is that of the span by which the trace became known.
    pub fn admit(&mut self, trace: TraceId, series: u32, second: u32) -> bool {
        if second != self.second {
            self.offered_before = if second == self.second.wrapping_add(1) { self.offered } else { 0 };
            self.second = second;
            (self.offered, self.admitted) = (0, 0);
            self.firsts.clear();
        }
        self.offered = self.offered.saturating_add(1);
        if self.admitted >= self.cap {
            return false;
        }
        let share = f64::from(self.cap) / f64::from(self.offered_before.max(1));
        let admitted = draw(trace) < share || self.firsts.insert(series);
        self.admitted += u32::from(admitted);
        admitted
    }
}

/// 0-1, the same for the same trace. Ids need not be random: the multiplication spreads them (Fibonacci hashing).
fn draw(trace: TraceId) -> f64 {
    let folded = (trace as u64) ^ ((trace >> 64) as u64);
    (folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as f64 / f64::from(u32::MAX)
}

/// Generations of [`Gone`] change after so long: what follows a request by events comes within 15 seconds.
const GENERATION_SECONDS: u32 = 10;
/// Two per cent of wrong answers with 70 000 traces, which is more than seven thousand dropped a second.
const MOST_BYTES: usize = 128 * 1024;

/// Traces that were let go lately, so that their last spans do not come back as traces of their own. A Bloom filter of two
/// generations: it never forgets one, and now and then takes another for one of them. Takes no room until something is let go.
#[derive(Debug)]
pub(crate) struct Gone {
    words: usize,
    now: Vec<u64>,
    before: Vec<u64>,
    since: u32,
}

impl Gone {
    /// `bound`: bytes it may use at most.
    pub fn new(bound: usize) -> Self {
        let bytes = (bound / 2).min(MOST_BYTES);
        let words = if bytes < 64 { 0 } else { 1 << (bytes / size_of::<u64>()).ilog2() };
        Self { words, now: Vec::new(), before: Vec::new(), since: 0 }
    }

    pub fn tick(&mut self, second: u32) {
        if second.saturating_sub(self.since) < GENERATION_SECONDS || (self.now.is_empty() && self.before.is_empty()) {
            return;
        }
        self.since = second;
        self.before = std::mem::take(&mut self.now);
    }

    fn places(&self, trace: TraceId) -> [(usize, u64); 2] {
        let (low, high) = (trace as u64, (trace >> 64) as u64);
        let mixed = (low ^ high.rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        [mixed, mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(31)]
            .map(|hash| ((hash >> 40) as usize & (self.words - 1), 1 << (hash & 63)))
    }

    pub fn add(&mut self, trace: TraceId) {
        if self.words == 0 {
            return;
        }
        if self.now.is_empty() {
            self.now = vec![0; self.words];
        }
        for (word, bit) in self.places(trace) {
            if let Some(word) = self.now.get_mut(word) {
                *word |= bit;
            }
        }
    }

    pub fn contains(&self, trace: TraceId) -> bool {
        if self.now.is_empty() && self.before.is_empty() {
            return false;
        }
        let places = self.places(trace);
        [&self.now, &self.before]
            .into_iter()
            .any(|bits| places.iter().all(|(word, bit)| bits.get(*word).is_some_and(|bits| bits & bit != 0)))
    }

    pub fn bytes(&self) -> usize {
        (self.now.capacity() + self.before.capacity()) * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(sampler: &mut Sampler, traces: impl Iterator<Item = u128>, series: u32, second: u32) -> usize {
        traces.filter(|trace| sampler.admit(*trace, series, second)).count()
    }

    #[test]
    fn below_the_cap_everything_is_kept() {
        let mut sampler = Sampler::new(300);
        for second in 0..5 {
            assert_eq!(admitted(&mut sampler, 0..300, 1, second), 300);
        }
    }

    #[test]
    fn above_the_cap_about_the_cap_is_kept_from_all_of_the_second() {
        let mut sampler = Sampler::new(300);
        for second in 1..5_u128 {
            let ids = (0..6_000_u128).map(|n| n + second * 1_000_000);
            assert_eq!(
                admitted(&mut sampler, ids, 1, second as u32).min(300),
                admitted(&mut Sampler::new(300), 0..300, 1, 9).min(300).min(300)
            );
        }
        let early = admitted(&mut sampler, 9_000_000..9_003_000, 1, 5);
        let late = admitted(&mut sampler, 9_003_000..9_006_000, 1, 5);
        assert!((100..=200).contains(&early) && (100..=200).contains(&late), "{early} then {late}");
    }

    #[test]
    fn the_first_of_a_rare_series_is_kept_in_a_storm() {
        let mut sampler = Sampler::new(10);
        admitted(&mut sampler, 0..100_000, 1, 1);
        let rare = (0..50_u128).find(|trace| draw(*trace) > 0.5).unwrap();
        assert!(sampler.admit(rare, 2, 2));
        assert!(!sampler.admit(rare, 2, 2));
    }

    #[test]
    fn what_is_gone_is_remembered_for_two_generations() {
        let mut gone = Gone::new(1 << 20);
        assert_eq!(gone.bytes(), 0);
        gone.tick(100);
        (0..70_000_u128).for_each(|trace| gone.add(trace));
        assert!((0..70_000_u128).all(|trace| gone.contains(trace)));
        let wrong = (1_000_000..1_010_000_u128).filter(|trace| gone.contains(*trace)).count();
        assert!(wrong < 500, "{wrong} of 10 000");
        gone.tick(110);
        assert!(gone.contains(5));
        gone.tick(120);
        assert!(!gone.contains(5));
    }
}
