//! Events that wait for another attempt, each with the later ones of its order behind it.

use super::consumer::Taken;
use std::collections::{HashMap, VecDeque};
use tokio::time::Instant;

/// By order: when its first event is tried again, and all that wait.
#[derive(Default)]
pub struct Held(HashMap<String, (Instant, VecDeque<Taken>)>);

impl Held {
    pub fn len(&self) -> usize {
        self.0.values().map(|(_, waiting)| waiting.len()).sum()
    }

    pub fn is_waiting(&self, order: &str) -> bool {
        self.0.contains_key(order)
    }

    /// `taken` has failed, and so its order waits.
    pub fn hold(&mut self, taken: Taken, due: Instant) {
        self.0.insert(taken.message.order.clone(), (due, VecDeque::from([taken])));
    }

    /// Behind those of its order that wait already.
    pub fn queue(&mut self, taken: Taken) {
        if let Some((_, waiting)) = self.0.get_mut(&taken.message.order) {
            waiting.push_back(taken);
        }
    }

    /// The same, for several of one order.
    pub fn extend(&mut self, waiting: VecDeque<Taken>) {
        waiting.into_iter().for_each(|taken| self.queue(taken));
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.0.values().map(|(due, _)| *due).min()
    }

    /// Takes out the events of an order whose time has come.
    pub fn pop_due(&mut self, now: Instant) -> Option<VecDeque<Taken>> {
        let order = self.0.iter().find(|(_, (due, _))| *due <= now).map(|(order, _)| order.clone())?;
        self.0.remove(&order).map(|(_, waiting)| waiting)
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}
