//! Payments.

use crate::id::{OrderId, RestaurantId};
use crate::money::Money;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Ways to pay, as (word on the wire, name for people). Words nobody knows count as `card`. The last three are test cards.
pub const METHODS: &[(&str, &str)] = &[
    ("card", "Card"),
    ("wallet", "Wallet"),
    ("card-declined", "Test card: declined"),
    ("card-insufficient", "Test card: not enough money"),
    ("card-slow", "Test card: bank takes five seconds"),
];

/// The method a client's word means.
pub fn method(word: &str) -> &'static str {
    METHODS.iter().map(|(known, _)| *known).find(|known| *known == word.trim()).unwrap_or("card")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PaymentStatus {
    /// The provider is being asked.
    Charging,
    Completed,
    Failed,
    /// Money is on its way back.
    Refunding,
    Refunded,
    /// Ended before anything was charged.
    Void,
}

/// The payment of one order (`GET /internal/payments/{orderId}`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    pub order_id: OrderId,
    pub restaurant_id: RestaurantId,
    pub status: PaymentStatus,
    pub amount: Money,
    pub method: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What a restaurant is paid for a day (`GET /internal/settlement?day=2026-11-20`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettlementLine {
    pub restaurant_id: RestaurantId,
    pub charges: u32,
    pub charged: Money,
    pub refunds: u32,
    pub refunded: Money,
    pub net: Money,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settlement {
    /// UTC day, `2026-11-20`.
    pub day: String,
    pub lines: Vec<SettlementLine>,
    pub net: Money,
}
