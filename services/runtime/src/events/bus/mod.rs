//! How events travel between services: in this process' memory, or through one Redis stream. Both mean the same.
//!
//! - A group (one a service) receives every event published since the bus began, each at least once, in the order of publishing.
//! - One reader of a group is active at a time; others stand by. So the events of an order keep their order, however many replicas.
//! - What was read and not acknowledged comes again, first of all, when the reader is gone or had to begin anew.
//! - The bus is bounded. Who publishes waits; that is always an outbox' relay and never a request.

mod memory;
mod redis;

pub use memory::MemoryBus;
pub use redis::{Limits, RedisBus};

use crate::store::StoreError;
use async_trait::async_trait;
use contract::event::Event;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc};

/// Most deliveries of one read: the size of the transactions behind them.
pub const READ_LIMIT: usize = 256;

/// Longest a read may wait. Shorter than a reader's lease, which every read renews.
pub const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Events a tail may be behind before it misses the oldest.
const TAIL_BEHIND: usize = 1_024;

/// An event as it travels: what a reader needs to choose, and the JSON it was written as, untouched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The event's id.
    pub id: String,
    pub kind: String,
    pub order: String,
    /// A [`contract::event::Event`] as JSON.
    pub document: String,
}

/// A message with the outbox row it came from.
pub struct Parcel {
    pub row: i64,
    pub message: Arc<Message>,
}

/// Where the bus says which outbox rows are of no more use.
pub type Settled = mpsc::UnboundedSender<i64>;

/// Names a delivery, to acknowledge it. Ordered as published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(super) u64, pub(super) u64);

#[derive(Clone, Debug)]
pub struct Delivery {
    pub ticket: Ticket,
    pub message: Arc<Message>,
    /// It was delivered before and not acknowledged.
    pub again: bool,
}

/// What one read answers.
#[derive(Debug, Default)]
pub struct Batch {
    /// The reader begins anew: forget what was read and is not acknowledged; all of it comes again, this batch first.
    pub restarted: bool,
    pub deliveries: Vec<Delivery>,
}

/// How far a group is behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupLag {
    pub group: String,
    /// Published and not read yet.
    pub waiting: u64,
    /// Read and not acknowledged.
    pub pending: u64,
}

#[async_trait]
pub trait Bus: Send + Sync {
    /// "memory" or "redis".
    fn backend(&self) -> &'static str;

    /// Publishes in this order and waits for room. Rows that need not be kept any more are named to `settled`, now or later.
    ///
    /// # Errors
    /// Not all were published; publish all again.
    async fn publish(&self, parcels: &[Parcel], settled: &Settled) -> Result<(), StoreError>;

    /// A reader of `group`, which from now on misses nothing.
    fn reader(&self, group: &'static str) -> Box<dyn Reader>;

    /// How far each group is behind.
    ///
    /// # Errors
    /// The bus is down.
    async fn lag(&self) -> Result<Vec<GroupLag>, StoreError>;

    /// Live events from now on, outside of any group.
    fn tail(&self) -> Tail;

    /// Every group of this process has a reader now. Until then nothing is settled, so that a group that comes last misses nothing.
    fn open(&self) {}
}

#[async_trait]
pub trait Reader: Send + Sync {
    /// Up to [`READ_LIMIT`] deliveries; waits up to `wait` (at most [`LONGEST_WAIT`]) while there are none or another reader of the
    /// group is active.
    ///
    /// # Errors
    /// The bus is down. What may have been lost on the way comes again.
    async fn read(&mut self, wait: Duration) -> Result<Batch, StoreError>;

    /// These need not come again.
    ///
    /// # Errors
    /// They may come again.
    async fn acknowledge(&mut self, tickets: &[Ticket]) -> Result<(), StoreError>;

    /// Leaves at once to another reader what is not acknowledged. A reader that is only dropped does so too, if later.
    async fn close(&mut self);
}

/// What a tail sees.
#[derive(Clone, Debug)]
pub enum Tailed {
    Event(Arc<Event>),
    /// So many were not kept for a listener that is too slow.
    Missed(u64),
}

/// Live events, for pages that follow an order. May see an event twice.
pub struct Tail(broadcast::Receiver<Arc<Event>>);

impl Tail {
    /// Waits for the next; `None` when the bus is gone.
    pub async fn next(&mut self) -> Option<Tailed> {
        match self.0.recv().await {
            Ok(event) => Some(Tailed::Event(event)),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(Tailed::Missed(missed)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// Feeds the tails.
#[derive(Clone)]
struct Tails(broadcast::Sender<Arc<Event>>);

impl Tails {
    fn new() -> Self {
        Self(broadcast::channel(TAIL_BEHIND).0)
    }

    fn tail(&self) -> Tail {
        Tail(self.0.subscribe())
    }

    /// Read once for all listeners, and not at all without one.
    fn show(&self, document: &str) {
        if self.0.receiver_count() > 0
            && let Ok(event) = serde_json::from_str::<Event>(document)
        {
            // The last listener may be gone by now.
            let _ = self.0.send(Arc::new(event));
        }
    }
}
