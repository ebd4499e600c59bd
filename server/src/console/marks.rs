//! What happened, as lines in the charts: flips, incidents, alerts, load, what operators did.

use contract::Timestamp;
use contract::telemetry::{Mark, MarkKind};
use runtime::clock::SharedClock;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Charts reach back an hour; more than this within it is a picture nobody can read.
const MAX_MARKS: usize = 500;

/// Clones share them.
#[derive(Clone)]
pub struct Marks {
    marks: Arc<Mutex<VecDeque<Mark>>>,
    clock: SharedClock,
}

impl Marks {
    pub fn new(clock: SharedClock) -> Self {
        Self { marks: Arc::default(), clock }
    }

    pub fn add(&self, kind: MarkKind, text: impl Into<String>, flag: Option<&str>) {
        let mark = Mark { at: self.clock.now(), kind, text: text.into(), flag: flag.map(str::to_owned) };
        let mut marks = self.lock();
        marks.push_back(mark);
        if marks.len() > MAX_MARKS {
            marks.pop_front();
        }
    }

    /// Oldest first.
    pub fn since(&self, from: Timestamp) -> Vec<Mark> {
        self.lock().iter().filter(|mark| mark.at >= from).cloned().collect()
    }

    /// Of the last `minutes`, oldest first.
    pub fn of_minutes(&self, minutes: u32) -> Vec<Mark> {
        self.since(Timestamp::from_millis(self.clock.now().millis() - i64::from(minutes) * 60_000))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Mark>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
