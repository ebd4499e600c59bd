//! What happened, as one service tells the others. Events carry all that a consumer needs: nobody calls back.

use crate::geo::Location;
use crate::id::{ItemId, OrderId, RestaurantId};
use crate::money::Money;
use crate::order::OrderStatus;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One fact about one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// `{orderId}/{kind}`: the same fact has the same id, so that telling it twice is harmless.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    pub order_id: OrderId,
    pub restaurant_id: RestaurantId,
    pub city: String,
    /// Of the load generator's making.
    #[serde(default)]
    pub synthetic: bool,
    /// The browser's session: targeting key of flags, and who may follow the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// W3C trace context of whoever caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    #[serde(flatten)]
    pub fact: Fact,
}

impl Event {
    /// A fact of an order; `session` and `traceparent` are left to the caller and the outbox.
    pub fn new(order_id: OrderId, restaurant_id: RestaurantId, city: impl Into<String>, at: Timestamp, fact: Fact) -> Self {
        let id = format!("{order_id}/{}", fact.kind());
        Self { id, at, order_id, restaurant_id, city: city.into(), synthetic: false, session: None, traceparent: None, fact }
    }

    /// A fact that follows from `cause`: same order, same customer.
    pub fn following(cause: &Self, at: Timestamp, fact: Fact) -> Self {
        let mut event = Self::new(cause.order_id.clone(), cause.restaurant_id.clone(), cause.city.clone(), at, fact);
        event.synthetic = cause.synthetic;
        event.session = cause.session.clone();
        event
    }
}

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident($body:ty) = $kind:literal;)+) => {
        /// What happened. On the wire: `"kind": "order.created", "data": {…}`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "kind", content = "data")]
        pub enum Fact {
            $($(#[$doc])* #[serde(rename = $kind)] $name($body),)+
        }

        impl Fact {
            /// Every kind there is.
            pub const KINDS: &'static [&'static str] = &[$($kind,)+];

            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => $kind,)+ }
            }
        }
    };
}

facts! {
    /// The order stands; nothing is paid yet.
    OrderCreated(OrderFact) = "order.created";
    OrderPaid(OrderFact) = "order.paid";
    OrderPaymentFailed(OrderFact) = "order.paymentFailed";
    OrderAccepted(OrderFact) = "order.accepted";
    OrderPreparing(OrderFact) = "order.preparing";
    OrderReady(OrderFact) = "order.ready";
    OrderAssigned(OrderFact) = "order.assigned";
    OrderPickedUp(OrderFact) = "order.pickedUp";
    OrderDelivered(OrderFact) = "order.delivered";
    OrderCancelled(OrderFact) = "order.cancelled";
    OrderRejected(OrderFact) = "order.rejected";
    PaymentCompleted(PaymentFact) = "payment.completed";
    PaymentFailed(PaymentFact) = "payment.failed";
    PaymentRefunded(PaymentFact) = "payment.refunded";
    DeliveryAssigned(DeliveryFact) = "delivery.assigned";
    DeliveryPickedUp(DeliveryFact) = "delivery.pickedUp";
    DeliveryCompleted(DeliveryFact) = "delivery.completed";
}

impl Fact {
    /// The event of an order that has just reached `status`.
    pub fn of_order(status: OrderStatus, fact: OrderFact) -> Self {
        match status {
            OrderStatus::Pending => Self::OrderCreated(fact),
            OrderStatus::Paid => Self::OrderPaid(fact),
            OrderStatus::PaymentFailed => Self::OrderPaymentFailed(fact),
            OrderStatus::Accepted => Self::OrderAccepted(fact),
            OrderStatus::Preparing => Self::OrderPreparing(fact),
            OrderStatus::Ready => Self::OrderReady(fact),
            OrderStatus::Assigned => Self::OrderAssigned(fact),
            OrderStatus::PickedUp => Self::OrderPickedUp(fact),
            OrderStatus::Delivered => Self::OrderDelivered(fact),
            OrderStatus::Cancelled => Self::OrderCancelled(fact),
            OrderStatus::Rejected => Self::OrderRejected(fact),
        }
    }

    /// Status and snapshot, when this is the order service speaking.
    pub const fn order(&self) -> Option<(OrderStatus, &OrderFact)> {
        Some(match self {
            Self::OrderCreated(fact) => (OrderStatus::Pending, fact),
            Self::OrderPaid(fact) => (OrderStatus::Paid, fact),
            Self::OrderPaymentFailed(fact) => (OrderStatus::PaymentFailed, fact),
            Self::OrderAccepted(fact) => (OrderStatus::Accepted, fact),
            Self::OrderPreparing(fact) => (OrderStatus::Preparing, fact),
            Self::OrderReady(fact) => (OrderStatus::Ready, fact),
            Self::OrderAssigned(fact) => (OrderStatus::Assigned, fact),
            Self::OrderPickedUp(fact) => (OrderStatus::PickedUp, fact),
            Self::OrderDelivered(fact) => (OrderStatus::Delivered, fact),
            Self::OrderCancelled(fact) => (OrderStatus::Cancelled, fact),
            Self::OrderRejected(fact) => (OrderStatus::Rejected, fact),
            _ => return None,
        })
    }
}

/// The order as its consumers need it. No address: `to` is the place, which is all a courier has to know here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderFact {
    /// What is charged.
    pub total: Money,
    /// How many things were ordered, over all lines.
    pub units: u32,
    pub customer_name: String,
    /// Account of the customer; `None` for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// A word of [`crate::payment::METHODS`], never a card number.
    pub payment_method: String,
    /// Which algorithm priced it: "v1" or "v2".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pricing: Option<String>,
    pub restaurant_name: String,
    /// Only in `order.created` and `order.paid`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<OrderedLine>,
    /// The restaurant's place.
    pub from: Location,
    /// The customer's place.
    pub to: Location,
    /// Money was taken and has to go back: cancelled or rejected after it was paid.
    #[serde(default)]
    pub refund: bool,
    /// Why it ended, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderedLine {
    pub item_id: ItemId,
    pub quantity: u32,
    pub total: Money,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFact {
    pub amount: Money,
    /// Why a charge failed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryFact {
    pub courier_id: String,
    pub courier_name: String,
    /// When it is expected at the customer's door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrives_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::{DeliveryFact, Event, Fact};
    use crate::{OrderId, RestaurantId, Timestamp};

    #[test]
    fn the_same_fact_has_the_same_id_and_survives_the_wire() {
        let fact = || Fact::DeliveryCompleted(DeliveryFact { courier_id: "c1".into(), courier_name: "Ada".into(), arrives_at: None });
        let event = |ms| Event::new(OrderId::new("o1"), RestaurantId::new("r"), "Berlin", Timestamp::from_millis(ms), fact());
        assert_eq!(event(1).id, event(2).id);
        assert_eq!(event(1).id, "o1/delivery.completed");
        let wire = serde_json::to_string(&event(1)).unwrap();
        assert!(wire.contains("\"kind\":\"delivery.completed\""), "{wire}");
        assert_eq!(serde_json::from_str::<Event>(&wire).unwrap(), event(1));
    }
}
