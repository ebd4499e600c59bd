//! Listens for orders that are ready.
//!
//! An order cannot be cancelled once it is ready, so nothing else of its life matters here.

use crate::metrics::Metrics;
use crate::store;
use async_trait::async_trait;
use contract::delivery::DeliveryStatus;
use contract::event::{Event, Fact};
use runtime::clock::SharedClock;
use runtime::events::{Handler, HandlerError};
use runtime::store::sql::Connection;

pub struct Arrivals {
    pub seed: u64,
    pub clock: SharedClock,
    pub metrics: Metrics,
}

#[async_trait]
impl Handler for Arrivals {
    fn kinds(&self) -> &'static [&'static str] {
        &["order.ready"]
    }

    async fn apply(&self, transaction: &mut Connection<'_>, events: &[Event]) -> Result<(), HandlerError> {
        let ready = |event: &Event| matches!(event.fact, Fact::OrderReady(_));
        let orders: Vec<_> = events.iter().filter(|event| ready(event)).filter_map(|event| Some((event, event.fact.order()?.1))).collect();
        Ok(store::take(transaction, &orders, self.seed, self.clock.now()).await?)
    }

    fn applied(&self, events: &[Event]) {
        self.metrics.became(DeliveryStatus::Queued, events.len() as u64);
    }
}
