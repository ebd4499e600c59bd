//! What a batch of events adds up to, before anything is written: rows that are unique by key and in the order of their keys.

use crate::domain::local_time;
use contract::event::{Event, OrderedLine};
use contract::order::OrderStatus;
use contract::{ItemId, Money, OrderId, RestaurantId, Timestamp};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Items of one order that count as bought together. A banquet of fifty dishes would make 1225 pairs and say little.
const MAX_PAIRED: usize = 6;

/// An order that was paid.
#[derive(Debug)]
pub struct Paid<'a> {
    pub order: &'a OrderId,
    pub restaurant: &'a RestaurantId,
    pub day: String,
    pub hour: Timestamp,
    pub at: Timestamp,
    pub total: Money,
    pub units: u32,
    pub lines: &'a [OrderedLine],
}

impl<'a> Paid<'a> {
    pub fn of(event: &'a Event, zone: &TimeZone) -> Option<Self> {
        let (OrderStatus::Paid, fact) = event.fact.order()? else { return None };
        Some(Self {
            order: &event.order_id,
            restaurant: &event.restaurant_id,
            day: local_time::day(zone, event.at).date,
            hour: local_time::hour(zone, event.at),
            at: event.at,
            total: fact.total,
            units: fact.units,
            lines: &fact.lines,
        })
    }
}

/// What has happened to one ticket since it was written.
#[derive(Debug)]
pub struct Moved {
    pub status: OrderStatus,
    pub at: Timestamp,
    pub accepted: Option<Timestamp>,
    pub ready: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub refunded: Option<Timestamp>,
}

impl Moved {
    /// Joins the moves of each order; events of one order come in their order.
    pub fn all(events: &[Event]) -> BTreeMap<&OrderId, Self> {
        let mut moved = BTreeMap::new();
        for event in events {
            let Some((status, _)) = event.fact.order() else { continue };
            if matches!(status, OrderStatus::Pending | OrderStatus::Paid | OrderStatus::PaymentFailed) {
                continue;
            }
            let now: &mut Self = moved.entry(&event.order_id).or_insert(Self {
                status,
                at: event.at,
                accepted: None,
                ready: None,
                ended: None,
                refunded: None,
            });
            (now.status, now.at) = (status, event.at);
            match status {
                OrderStatus::Accepted => now.accepted = Some(event.at),
                OrderStatus::Ready => now.ready = Some(event.at),
                // A ticket was paid: whatever ends it without food gives the money back.
                OrderStatus::Cancelled | OrderStatus::Rejected => (now.ended, now.refunded) = (Some(event.at), Some(event.at)),
                OrderStatus::Delivered => now.ended = Some(event.at),
                _ => {}
            }
        }
        moved
    }

    pub fn row(&self, order: &OrderId) -> Value {
        let ms = |at: Option<Timestamp>| at.map(Timestamp::millis);
        json!({
            "order": order, "state": self.status.as_str(), "at": self.at.millis(), "accepted": ms(self.accepted),
            "ready": ms(self.ready), "ended": ms(self.ended), "refunded": ms(self.refunded),
        })
    }
}

/// What one hour of one restaurant gains.
#[derive(Debug, Default)]
struct Hour {
    orders: i64,
    cents: i64,
    refunds: i64,
    refunded_cents: i64,
    cooked: i64,
    cooking_ms: i64,
}

/// What the roll-ups gain.
#[derive(Debug, Default)]
pub struct Gains {
    hours: BTreeMap<(RestaurantId, i64), Hour>,
    items: BTreeMap<(RestaurantId, i64, ItemId), i64>,
    pairs: BTreeMap<(RestaurantId, ItemId, ItemId), i64>,
}

impl Gains {
    fn hour(&mut self, restaurant: &RestaurantId, hour: Timestamp) -> &mut Hour {
        self.hours.entry((restaurant.clone(), hour.millis())).or_default()
    }

    pub fn paid(&mut self, paid: &Paid<'_>) {
        let hour = self.hour(paid.restaurant, paid.hour);
        hour.orders += 1;
        hour.cents += paid.total.cents();
        let mut ids: Vec<&ItemId> = Vec::with_capacity(paid.lines.len());
        for line in paid.lines {
            let key = (paid.restaurant.clone(), paid.hour.millis(), line.item_id.clone());
            *self.items.entry(key).or_default() += i64::from(line.quantity);
            ids.push(&line.item_id);
        }
        ids.sort_unstable();
        ids.dedup();
        ids.truncate(MAX_PAIRED);
        for (place, one) in ids.iter().enumerate() {
            for other in &ids[place + 1..] {
                *self.pairs.entry((paid.restaurant.clone(), (*one).clone(), (*other).clone())).or_default() += 1;
            }
        }
    }

    pub fn refunded(&mut self, restaurant: &RestaurantId, hour: Timestamp, cents: i64) {
        let hour = self.hour(restaurant, hour);
        hour.refunds += 1;
        hour.refunded_cents += cents;
    }

    pub fn cooked(&mut self, restaurant: &RestaurantId, hour: Timestamp, cooking_ms: i64) {
        let hour = self.hour(restaurant, hour);
        hour.cooked += 1;
        hour.cooking_ms += cooking_ms.max(0);
    }

    pub fn hour_rows(&self) -> Vec<Value> {
        let row = |((restaurant, at), hour): (&(RestaurantId, i64), &Hour)| {
            json!({
                "restaurant": restaurant, "hour": at, "orders": hour.orders, "cents": hour.cents, "refunds": hour.refunds,
                "refundedCents": hour.refunded_cents, "cooked": hour.cooked, "cookingMs": hour.cooking_ms,
            })
        };
        self.hours.iter().map(row).collect()
    }

    pub fn item_rows(&self) -> Vec<Value> {
        let rows = self.items.iter();
        rows.map(|((restaurant, at, item), units)| json!({ "restaurant": restaurant, "hour": at, "item": item, "units": units })).collect()
    }

    pub fn pair_rows(&self) -> Vec<Value> {
        let rows = self.pairs.iter();
        rows.map(|((restaurant, one, other), orders)| json!({ "restaurant": restaurant, "item": one, "with": other, "orders": orders }))
            .collect()
    }
}
