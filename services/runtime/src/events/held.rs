//! Events that wait for another attempt, each with the later ones of its order behind it.

use super::consumer::Taken;
use std::collections::{HashMap, VecDeque};
use tokio::time::Instant;

/// The events of one order that wait.
pub struct Queue {
    /// How often the first has failed.
    pub attempts: u32,
    pub due: Instant,
    pub waiting: VecDeque<Taken>,
}

#[derive(Default)]
pub struct Held(HashMap<String, Queue>);

impl Held {
    pub fn len(&self) -> usize {
        self.0.values().map(|queue| queue.waiting.len()).sum()
    }

    pub fn is_waiting(&self, order: &str) -> bool {
        self.0.contains_key(order)
    }

    /// `taken` has failed, and so its order waits.
    pub fn hold(&mut self, taken: Taken, attempts: u32, due: Instant) {
        let order = taken.document.order.clone();
        self.0.insert(order, Queue { attempts, due, waiting: VecDeque::from([taken]) });
    }

    /// Behind those of its order that wait already.
    pub fn queue(&mut self, taken: Taken) {
        if let Some(queue) = self.0.get_mut(&taken.document.order) {
            queue.waiting.push_back(taken);
        }
    }

    /// The same, for several of one order.
    pub fn extend(&mut self, waiting: VecDeque<Taken>) {
        waiting.into_iter().for_each(|taken| self.queue(taken));
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.0.values().map(|queue| queue.due).min()
    }

    /// Takes out the events of an order whose time has come.
    pub fn pop_due(&mut self, now: Instant) -> Option<Queue> {
        let order = self.0.iter().find(|(_, queue)| queue.due <= now).map(|(order, _)| order.clone())?;
        self.0.remove(&order)
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}
