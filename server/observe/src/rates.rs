//! What is counted of every span and line, live and of an imported snapshot.

use crate::counts::{Counts, Select};
use crate::facts::Facts;
use crate::label::Label;
use crate::limits::Limits;
use crate::model::Span;
use crate::series::Series;
use crate::slot::Slot;
use crate::tallies::Tallies;
use crate::windows::{Windows, second_of};

#[derive(Debug)]
pub(crate) struct Rates {
    live: Windows,
    /// Of a snapshot: shown, and not counted for proofs and detection, which act on what is true now.
    replay: Windows,
    pub tallies: Tallies,
    tallies_bound: usize,
    now: u32,
}

impl Rates {
    pub fn new(limits: &Limits) -> Self {
        let bound = limits.windows();
        let (replay, tallies) = (bound / 4, bound / 8);
        Self {
            live: Windows::new(bound - replay - tallies),
            replay: Windows::new(replay),
            tallies: Tallies::default(),
            tallies_bound: tallies,
            now: 0,
        }
    }

    /// Counts a span. Answers the number of its own series.
    pub fn record(&mut self, span: &Span, facts: &Facts<'_>) -> u32 {
        let series = self.live.record(span, facts);
        let second = second_of(span.end_ns).min(self.now);
        if let Some(flag) = facts.flag {
            self.tallies.touch(flag, span, second);
        }
        if facts.tallied
            && let Some(label) = self.live.label(series)
        {
            self.tallies.record(span, label, second);
        }
        series
    }

    /// Keeps the bound; after every batch.
    pub fn shrink(&mut self) {
        self.live.shrink();
        self.tallies.shrink(self.now, self.tallies_bound);
    }

    /// Tells the time in seconds.
    pub fn tick(&mut self, now: u32) {
        if now > self.now {
            self.now = now;
            self.live.tick(now);
            self.replay.tick(now);
            self.tallies.tidy(now);
        }
    }

    pub fn counts(&self, select: &Select, from: u32, to: u32) -> Counts {
        self.live.counts(select, from, to)
    }

    /// Every series, live and replayed. One label may come twice.
    pub fn each(&self) -> impl Iterator<Item = (&Label, &Series)> {
        self.live.each().chain(self.replay.each())
    }

    /// Forgets the snapshot of before.
    pub fn begin_replay(&mut self) {
        let bound = self.replay.bound();
        self.replay = Windows::new(bound);
        self.replay.tick(self.now);
    }

    pub fn replay(&mut self, label: &Label, slots: Vec<Slot>) {
        self.replay.restore(label, slots);
    }

    pub fn now(&self) -> u32 {
        self.now
    }

    pub fn bytes(&self) -> usize {
        self.live.bytes() + self.replay.bytes() + self.tallies.bytes()
    }

    pub fn len(&self) -> usize {
        self.live.len() + self.replay.len()
    }
}
