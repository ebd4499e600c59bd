//! What payments hear of: orders that are placed, cancelled or rejected.

use crate::domain::Payment;
use crate::store;
use async_trait::async_trait;
use contract::OrderId;
use contract::event::Event;
use runtime::clock::SharedClock;
use runtime::events::{Handler, HandlerError};
use runtime::store::sql::Connection;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Payments of rounds that were rolled back and never came again. Those of a running round are far fewer.
const FORGET_ABOVE: usize = 8_192;

/// Writes payments down in the consumer's transaction, and hands them to the worker after its commit. What the worker has no room for,
/// or what is lost on the way, it finds in the books when the lease ends.
pub struct OrderEvents {
    clock: SharedClock,
    worker: mpsc::Sender<Payment>,
    written: Mutex<HashMap<OrderId, Payment>>,
}

impl OrderEvents {
    pub fn new(clock: SharedClock, worker: mpsc::Sender<Payment>) -> Self {
        Self { clock, worker, written: Mutex::default() }
    }

    fn written(&self) -> MutexGuard<'_, HashMap<OrderId, Payment>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Handler for OrderEvents {
    fn kinds(&self) -> &'static [&'static str] {
        &["order.created", "order.cancelled", "order.rejected"]
    }

    async fn apply(&self, transaction: &mut Connection<'_>, events: &[Event]) -> Result<(), HandlerError> {
        let open = store::hear(transaction, events, self.clock.now()).await?;
        let mut written = self.written();
        if written.len() > FORGET_ABOVE {
            written.clear();
        }
        written.extend(open.into_iter().map(|payment| (payment.order_id.clone(), payment)));
        Ok(())
    }

    fn applied(&self, events: &[Event]) {
        let mut written = self.written();
        for payment in events.iter().filter_map(|event| written.remove(&event.order_id)) {
            // Full: it is due when its lease ends.
            let _ = self.worker.try_send(payment);
        }
    }
}
