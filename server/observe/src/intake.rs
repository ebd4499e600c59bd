//! The way in: a queue that never makes anybody wait.

use crate::model::{Log, Point, Span, Value};
use std::collections::VecDeque;
use std::mem::size_of;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Takes spans, logs and points. Cheap to clone. What the queue has no room for is counted as refused.
#[derive(Clone)]
pub struct Intake(Arc<Queue>);

/// What was handed in at once.
#[derive(Debug)]
pub(crate) enum Batch {
    Spans(Vec<Span>),
    Logs(Vec<Log>),
    Points(Vec<Point>),
}

/// What was refused since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refused {
    pub spans: u64,
    pub logs: u64,
    pub points: u64,
}

#[derive(Debug, Default)]
struct Waiting {
    batches: VecDeque<(Batch, usize)>,
    /// Of what waits and of what the store's thread has taken and not stored yet.
    bytes: usize,
    /// The store's thread works on a batch.
    busy: bool,
    closed: bool,
    refused: Refused,
}

#[derive(Debug)]
pub(crate) struct Queue {
    bound: usize,
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    emptied: Condvar,
}

impl Intake {
    pub(crate) fn new(bound: usize) -> Self {
        Self(Arc::new(Queue { bound, waiting: Mutex::default(), arrived: Condvar::new(), emptied: Condvar::new() }))
    }

    /// Spans that have ended, in any order, of any number of traces.
    pub fn spans(&self, spans: Vec<Span>) {
        self.push(spans, span_bytes, Batch::Spans, |refused| &mut refused.spans);
    }

    pub fn logs(&self, logs: Vec<Log>) {
        self.push(logs, log_bytes, Batch::Logs, |refused| &mut refused.logs);
    }

    pub fn points(&self, points: Vec<Point>) {
        self.push(points, point_bytes, Batch::Points, |refused| &mut refused.points);
    }

    /// Takes the front of what fits; the rest is refused.
    fn push<T>(&self, mut items: Vec<T>, weigh: fn(&T) -> usize, batch: fn(Vec<T>) -> Batch, count: fn(&mut Refused) -> &mut u64) {
        if items.is_empty() {
            return;
        }
        let mut bytes = items.capacity().saturating_sub(items.len()) * size_of::<T>();
        let weights: Vec<usize> = items.iter().map(weigh).collect();
        let mut waiting = self.0.lock();
        let room = self.0.bound.saturating_sub(waiting.bytes);
        let fitting = weights
            .iter()
            .take_while(|weight| {
                bytes += **weight;
                bytes <= room
            })
            .count();
        let refused = items.split_off(fitting);
        *count(&mut waiting.refused) += refused.len() as u64;
        if fitting > 0 && !waiting.closed {
            let bytes = bytes.min(room);
            waiting.bytes += bytes;
            waiting.batches.push_back((batch(items), bytes));
            self.0.arrived.notify_one();
        }
        drop(waiting);
    }

    /// Waits until half of the queue is free; false when that takes longer than `at_most`. For who has a thread to wait with, and
    /// would lose what is refused.
    pub fn wait_for_room(&self, at_most: Duration) -> bool {
        self.0.wait(at_most, |waiting| waiting.bytes <= self.0.bound / 2)
    }

    /// So many were lost on the way here.
    pub fn lost(&self, spans: u64, logs: u64) {
        let mut waiting = self.0.lock();
        waiting.refused.spans += spans;
        waiting.refused.logs += logs;
    }

    pub(crate) fn queue(&self) -> Arc<Queue> {
        self.0.clone()
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next batch, or `None` after `at_most`. Says that the one before is done.
    pub fn next(&self, at_most: Duration) -> Option<(Batch, usize)> {
        let mut waiting = self.lock();
        waiting.busy = false;
        if waiting.batches.is_empty() {
            self.emptied.notify_all();
            waiting = self.arrived.wait_timeout(waiting, at_most).unwrap_or_else(PoisonError::into_inner).0;
        }
        let next = waiting.batches.pop_front();
        waiting.busy = next.is_some();
        next
    }

    /// A batch's bytes are the store's now.
    pub fn done(&self, bytes: usize) {
        let mut waiting = self.lock();
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
        if waiting.bytes <= self.bound / 2 {
            self.emptied.notify_all();
        }
    }

    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub fn bytes_and_refused(&self) -> (usize, Refused) {
        let waiting = self.lock();
        (waiting.bytes, waiting.refused)
    }

    /// True once everything that waits is stored.
    pub fn settle(&self, at_most: Duration) -> bool {
        self.wait(at_most, |waiting| waiting.batches.is_empty() && !waiting.busy)
    }

    fn wait(&self, at_most: Duration, until: impl Fn(&Waiting) -> bool) -> bool {
        let deadline = Instant::now() + at_most;
        let mut waiting = self.lock();
        while !until(&waiting) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            waiting = self.emptied.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// An allocation's own cost: header and rounding.
const ALLOCATION: usize = 16;

fn text_bytes(text: &str) -> usize {
    text.len() + ALLOCATION
}

/// Keys are shared; texts mostly are not.
pub(crate) fn attributes_bytes(attributes: &[(Arc<str>, Value)]) -> usize {
    let texts: usize = attributes.iter().map(|(_, value)| if let Value::Text(text) = value { text_bytes(text) } else { 0 }).sum();
    size_of_val(attributes) + texts + ALLOCATION
}

pub(crate) fn span_bytes(span: &Span) -> usize {
    let events: usize = span.events.iter().map(|event| size_of_val(event) + attributes_bytes(&event.attributes)).sum();
    size_of::<Span>() + span.message.len() + attributes_bytes(&span.attributes) + events + size_of_val(&*span.links)
}

fn log_bytes(log: &Log) -> usize {
    size_of::<Log>() + text_bytes(&log.message) + attributes_bytes(&log.attributes)
}

fn point_bytes(point: &Point) -> usize {
    size_of::<Point>() + attributes_bytes(&point.attributes)
}
