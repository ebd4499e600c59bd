//! What is counted of every span and line.

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
    windows: Windows,
    pub tallies: Tallies,
    tallies_bound: usize,
    now: u32,
}

impl Rates {
    pub fn new(limits: &Limits) -> Self {
        let bound = limits.windows();
        let tallies_bound = bound / 8;
        Self { windows: Windows::new(bound - tallies_bound), tallies: Tallies::default(), tallies_bound, now: 0 }
    }

    /// Counts a span. Answers the number of its own series.
    pub fn record(&mut self, span: &Span, facts: &Facts<'_>) -> u32 {
        let series = self.windows.record(span, facts);
        let second = second_of(span.end_ns).min(self.now);
        if let Some(flag) = facts.flag {
            self.tallies.touch(flag, span, second);
        }
        if facts.tallied
            && let Some(label) = self.windows.label(series)
        {
            self.tallies.record(span, label, second);
        }
        series
    }

    /// Keeps the bound; after every batch.
    pub fn shrink(&mut self) {
        self.windows.shrink();
        self.tallies.shrink(self.now, self.tallies_bound);
    }

    /// Tells the time in seconds.
    pub fn tick(&mut self, now: u32) {
        if now > self.now {
            self.now = now;
            self.windows.tick(now);
            self.tallies.tidy(now);
        }
    }

    pub fn counts(&self, select: &Select, from: u32, to: u32) -> Counts {
        self.windows.counts(select, from, to)
    }

    pub fn each(&self) -> impl Iterator<Item = (&Label, &Series)> {
        self.windows.each()
    }

    /// Takes a series of a snapshot.
    pub fn restore(&mut self, label: &Label, slots: Vec<Slot>) {
        self.windows.restore(label, slots);
    }

    pub fn now(&self) -> u32 {
        self.now
    }

    pub fn bytes(&self) -> usize {
        self.windows.bytes() + self.tallies.bytes()
    }

    pub fn len(&self) -> usize {
        self.windows.len()
    }
}
