//! What customers are told about: every step of an order that matters to them, and refunds.

use crate::domain::KINDS;
use crate::store::{self, Letter};
use async_trait::async_trait;
use contract::event::Event;
use runtime::clock::SharedClock;
use runtime::events::{Handler, HandlerError};
use runtime::store::sql::Connection;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Messages of rounds that were rolled back and never came again. Those of a running round are far fewer.
const FORGET_ABOVE: usize = 8_192;

/// Writes messages down in the consumer's transaction, and hands them to the worker after its commit. What the worker has no room for,
/// or what is lost on the way, it finds in the book when the lease ends.
pub struct OrderEvents {
    clock: SharedClock,
    worker: mpsc::Sender<Letter>,
    /// By order.
    written: Mutex<HashMap<String, Vec<Letter>>>,
}

impl OrderEvents {
    pub fn new(clock: SharedClock, worker: mpsc::Sender<Letter>) -> Self {
        Self { clock, worker, written: Mutex::default() }
    }

    fn written(&self) -> MutexGuard<'_, HashMap<String, Vec<Letter>>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Handler for OrderEvents {
    fn kinds(&self) -> &'static [&'static str] {
        KINDS
    }

    async fn apply(&self, transaction: &mut Connection<'_>, events: &[Event]) -> Result<(), HandlerError> {
        let letters = store::hear(transaction, events, self.clock.now()).await?;
        let mut written = self.written();
        if written.len() > FORGET_ABOVE {
            written.clear();
        }
        for event in events {
            // Of an attempt that was rolled back.
            written.remove(event.order_id.as_str());
        }
        for letter in letters {
            written.entry(letter.message.order_id.to_string()).or_default().push(letter);
        }
        Ok(())
    }

    fn applied(&self, events: &[Event]) {
        let mut written = self.written();
        for letter in events.iter().filter_map(|event| written.remove(event.order_id.as_str())).flatten() {
            // Full: it is due when its lease ends.
            let _ = self.worker.try_send(letter);
        }
    }
}
