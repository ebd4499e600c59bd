//! Kitchen tickets from the platform's events.

use crate::cache::MenuCache;
use crate::store;
use async_trait::async_trait;
use contract::event::Event;
use contract::order::OrderStatus;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Meter};
use runtime::events::{Handler, HandlerError};
use runtime::store::sql::Connection;
use runtime::telemetry::metrics::count;
use std::sync::Arc;

/// From paid to the end. Of an order that is never paid the kitchen hears nothing.
const KINDS: &[&str] = &[
    "order.paid",
    "order.accepted",
    "order.preparing",
    "order.ready",
    "order.assigned",
    "order.pickedUp",
    "order.delivered",
    "order.cancelled",
    "order.rejected",
];

pub struct Kitchen {
    menus: Arc<MenuCache>,
    tickets: Counter<u64>,
}

impl Kitchen {
    pub fn new(menus: Arc<MenuCache>, meter: &Meter) -> Self {
        Self { menus, tickets: count(meter, "feast.kitchen.tickets", "Kitchen tickets by the status they reached") }
    }
}

#[async_trait]
impl Handler for Kitchen {
    fn kinds(&self) -> &'static [&'static str] {
        KINDS
    }

    async fn apply(&self, transaction: &mut Connection<'_>, events: &[Event]) -> Result<(), HandlerError> {
        // A ticket of a restaurant that is gone counts by the days of UTC.
        let menus = self.menus.snapshot();
        Ok(store::apply(transaction, events, &|id| menus.catalogue().zone(id)).await?)
    }

    fn applied(&self, events: &[Event]) {
        for status in OrderStatus::ALL {
            let reached = events.iter().filter(|event| event.fact.order().is_some_and(|(reached, _)| reached == status)).count();
            if reached > 0 {
                self.tickets.add(reached as u64, &[KeyValue::new("feast.order.status", status.as_str())]);
            }
        }
    }
}
