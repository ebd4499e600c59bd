//! Orders and their life cycle.

use crate::delivery::Delivery;
use crate::geo::Location;
use crate::id::{CartId, ItemId, OrderId, QuoteId, RestaurantId};
use crate::money::Money;
use crate::pricing::{Charge, PricedLine};
use crate::text::{CustomerName, Note};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum OrderStatus {
    Pending,
    Paid,
    Accepted,
    Preparing,
    Ready,
    Assigned,
    PickedUp,
    Delivered,
    /// By the customer, before the restaurant accepted.
    Cancelled,
    /// By the restaurant.
    Rejected,
    PaymentFailed,
}

impl OrderStatus {
    pub const ALL: [Self; 11] = [
        Self::Pending,
        Self::Paid,
        Self::Accepted,
        Self::Preparing,
        Self::Ready,
        Self::Assigned,
        Self::PickedUp,
        Self::Delivered,
        Self::Cancelled,
        Self::Rejected,
        Self::PaymentFailed,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Accepted => "accepted",
            Self::Preparing => "preparing",
            Self::Ready => "ready",
            Self::Assigned => "assigned",
            Self::PickedUp => "pickedUp",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::PaymentFailed => "paymentFailed",
        }
    }

    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    pub const fn may_become(self, next: Self) -> bool {
        use OrderStatus as S;
        matches!(
            (self, next),
            (S::Pending, S::Paid | S::PaymentFailed | S::Cancelled)
                | (S::Paid, S::Accepted | S::Rejected | S::Cancelled)
                | (S::Accepted, S::Preparing)
                | (S::Preparing, S::Ready)
                | (S::Ready, S::Assigned)
                | (S::Assigned, S::PickedUp)
                | (S::PickedUp, S::Delivered)
        )
    }

    /// Nothing follows.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Cancelled | Self::Rejected | Self::PaymentFailed)
    }
}

/// `POST /api/orders`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlaceOrder {
    pub customer_name: CustomerName,
    /// A cart becomes one order and no more.
    pub cart_id: CartId,
    /// A wish for the kitchen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special_instructions: Option<Note>,
    /// Where to deliver, in the city of the restaurant. Left out, the order is handed over at the counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Note>,
    /// `card` when left out, `wallet`, or one of the test cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<Note>,
    /// A code like `WELCOME10`, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<String>,
    /// The quote that was shown: its total is what is charged. Without one the order is priced when it is placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_id: Option<QuoteId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderLine {
    pub item_id: ItemId,
    #[cfg_attr(feature = "openapi", schema(examples("Nebula Latte")))]
    pub item_name: String,
    #[cfg_attr(feature = "openapi", schema(examples("☕")))]
    pub item_emoji: String,
    #[cfg_attr(feature = "openapi", schema(examples(2)))]
    pub quantity: u32,
    /// Of one, before any rule.
    pub base_price: Money,
    /// After all rules: what is charged for the line.
    pub item_total: Money,
    /// Why it differs from price times quantity, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// What was chosen: "Oat, Large".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<String>,
}

/// An order reached a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = OrderStep))]
pub struct Step {
    pub status: OrderStatus,
    pub at: Timestamp,
}

/// An order. Fields that only its owner, the restaurant and operators may see are `None` for everybody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Order {
    pub id: OrderId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_name: Option<CustomerName>,
    pub restaurant_id: RestaurantId,
    #[cfg_attr(feature = "openapi", schema(examples("Cosmic Coffee")))]
    pub restaurant_name: String,
    pub items: Vec<OrderLine>,
    /// What is charged: lines and fees, less the discounts.
    pub total_price: Money,
    /// Lines together, before fees and discounts. Zero in orders from before there were any.
    #[serde(default)]
    pub subtotal: Money,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fees: Vec<Charge>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Charge>,
    pub status: OrderStatus,
    /// When it was accepted.
    pub timestamp: Timestamp,
    /// When its status last changed.
    pub updated_at: Timestamp,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(examples("Lisbon")))]
    pub city: String,
    /// How it got here, oldest first, `pending` included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Step>,
    /// Why it was cancelled or rejected, or the payment failed; for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `card`, `wallet`, or one of the test cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<String>,
    /// The promotion that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<String>,
    /// Which algorithm priced it: "v1" or "v2".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pricing: Option<String>,
    /// Where the restaurant is, and where the order goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Location>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Location>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special_instructions: Option<Note>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Note>,
}

impl Order {
    /// The view for somebody who knows the id and nothing else.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.customer_name = None;
        self.special_instructions = None;
        self.address = None;
        self.payment_method = None;
        self.promotion = None;
        self.to = None;
        // The receipt is the owner's; anybody with the id may see what was ordered and the sum.
        for line in &mut self.items {
            line.rules.clear();
        }
        self.fees.clear();
        self.discounts.clear();
        self
    }
}

/// `PATCH /api/orders/{id}`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetStatus {
    pub status: OrderStatus,
    /// Why, when it ends the order; shown to the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
}

/// A restaurant's kitchen board (`GET /api/restaurants/{id}/orders`), oldest first in each column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = KitchenBoard))]
#[serde(rename_all = "camelCase")]
pub struct Board {
    /// Paid and not accepted yet.
    pub new: Vec<Order>,
    /// Accepted or preparing.
    pub cooking: Vec<Order>,
    /// Waiting for a courier, or for one to arrive.
    pub ready: Vec<Order>,
    /// Handed over, newest first, the last few.
    pub handed_over: Vec<Order>,
    /// Whether the kitchen accepts and cooks by itself.
    pub autopilot: bool,
}

/// `PUT /api/restaurants/{id}/autopilot`
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetAutopilot {
    pub on: bool,
}

/// An order with its courier, as its page follows it (`GET /events/orders/{id}`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tracking {
    pub order: Order,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
}

/// `POST /internal/orders/claim`: what a guest ordered becomes the account's when the guest logs in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claim {
    pub session: String,
    pub user: String,
}

/// `POST /api/quotes`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct QuoteCart {
    pub cart_id: CartId,
    /// A code like `WELCOME10`, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<String>,
    /// Where to deliver: the way decides the fee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Note>,
}

/// A quote with names and pictures, as the customer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CartQuote {
    pub quote_id: QuoteId,
    pub cart_id: CartId,
    pub restaurant_id: RestaurantId,
    pub lines: Vec<OrderLine>,
    pub fees: Vec<Charge>,
    pub discounts: Vec<Charge>,
    /// Lines together, before fees and discounts.
    pub subtotal: Money,
    /// What an order with this quote is charged.
    pub total: Money,
    /// Until then an order may name it.
    pub expires_at: Timestamp,
}

impl OrderLine {
    /// Joins a priced line with the name and picture its menu gives it.
    pub fn from_priced(line: &PricedLine, item_name: String, item_emoji: String) -> Self {
        Self {
            item_id: line.item_id.clone(),
            item_name,
            item_emoji,
            quantity: line.quantity,
            base_price: line.base_price,
            item_total: line.total,
            rules: line.rules.clone(),
            choice: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OrderStatus;

    #[test]
    fn a_final_order_never_moves_and_every_other_one_can() {
        for from in OrderStatus::ALL {
            let can_move = OrderStatus::ALL.into_iter().any(|to| from.may_become(to));
            assert_eq!(can_move, !from.is_final(), "{from:?}");
            assert!(!from.may_become(from), "{from:?}");
        }
    }

    #[test]
    fn the_word_on_the_wire_is_the_word_in_the_store() {
        for status in OrderStatus::ALL {
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("\"{}\"", status.as_str()));
        }
    }
}
