//! What payment and delivery tell, and what becomes of orders by it.

use crate::Metrics;
use crate::domain::{Actor, News};
use crate::store::{Desk, Steps};
use async_trait::async_trait;
use contract::event::{Event, Fact};
use runtime::chance::Chance;
use runtime::clock::SharedClock;
use runtime::events::{Handler, HandlerError};
use runtime::store::sql::Connection;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Applies news to orders, a batch in a fixed number of statements.
pub struct Listener {
    pub clock: SharedClock,
    pub chance: Chance,
    pub metrics: Metrics,
    /// Wakes the relay of tasks: an order that ends gives its stock back.
    pub wake: Arc<Notify>,
    /// Steps of batches whose transaction may not have ended yet, by the first event.
    made: Mutex<HashMap<String, Steps>>,
}

impl Listener {
    pub fn new(clock: SharedClock, chance: Chance, metrics: Metrics, wake: Arc<Notify>) -> Self {
        Self { clock, chance, metrics, wake, made: Mutex::default() }
    }
}

fn news(fact: &Fact) -> Option<News> {
    Some(match fact {
        Fact::PaymentCompleted(_) => News::Charged,
        Fact::PaymentFailed(payment) => News::ChargeFailed(payment.reason.clone().unwrap_or_else(|| "The payment failed.".to_owned())),
        Fact::PaymentRefunded(_) => News::Refunded,
        Fact::DeliveryAssigned(_) => News::CourierAssigned,
        Fact::DeliveryPickedUp(_) => News::PickedUp,
        Fact::DeliveryCompleted(_) => News::Delivered,
        _ => return None,
    })
}

#[async_trait]
impl Handler for Listener {
    fn kinds(&self) -> &'static [&'static str] {
        &["payment.completed", "payment.failed", "payment.refunded", "delivery.assigned", "delivery.pickedUp", "delivery.completed"]
    }

    async fn apply(&self, transaction: &mut Connection<'_>, events: &[Event]) -> Result<(), HandlerError> {
        let mut desk = Desk::open(transaction, events.iter().map(|event| &event.order_id), self.clock.now()).await?;
        for event in events {
            let (id, Some(news)) = (&event.order_id, news(&event.fact)) else { continue };
            let Some(progress) = desk.progress(id) else {
                // Of a book that was reset since.
                tracing::debug!(order.id = %id, "There is no order {id} to hear {}", event.fact.kind());
                continue;
            };
            for to in progress.hear(&news) {
                let reason = if let News::ChargeFailed(why) = &news { Some(why.clone()) } else { None };
                desk.follow(id, Actor::Platform, to, reason, event.traceparent.clone(), &self.chance);
            }
            if news == News::Refunded {
                desk.refunded(id);
            }
        }
        let steps = desk.write(transaction).await?;
        if let Some(first) = events.first() {
            self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(first.id.clone(), steps);
        }
        Ok(())
    }

    fn applied(&self, events: &[Event]) {
        let made = |event: &Event| self.made.lock().unwrap_or_else(PoisonError::into_inner).remove(&event.id);
        if let Some(steps) = events.first().and_then(made) {
            self.metrics.reached(&steps);
        }
        self.wake.notify_one();
    }
}

#[cfg(test)]
mod tests;
