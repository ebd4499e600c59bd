//! What the middleware service is asked and answers: validation, prices, stock, quotes and reservations.

use crate::geo::Location;
use crate::id::{ItemId, OrderId, QuoteId, RestaurantId};
use crate::money::Money;
use crate::quantity::whole_number;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// `POST /validate`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidateRequest {
    pub item_id: ItemId,
    #[serde(deserialize_with = "whole_number")]
    pub quantity: i64,
    pub customer_name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidateReply {
    pub valid: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// `POST /calculate-price`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PriceRequest {
    pub item_id: ItemId,
    #[serde(deserialize_with = "whole_number")]
    pub quantity: i64,
    pub base_price: Money,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PriceReply {
    pub total_price: Money,
    pub base_price: Money,
    pub quantity: u32,
    /// What the rules took off, never negative.
    pub discount: Money,
    /// All rules together, as a factor: 1.1 in the rush, 0.85 in the afternoon.
    pub price_multiplier: f64,
    pub message: String,
}

/// `POST /check-inventory`. Any positive whole number; a hit takes the stock.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryRequest {
    pub item_id: ItemId,
    #[serde(deserialize_with = "whole_number")]
    pub quantity: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryReply {
    pub available: bool,
    pub current_stock: i64,
    pub requested_amount: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// One line to be priced or reserved. The base price comes from the menu service, never from a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineRequest {
    pub item_id: ItemId,
    pub quantity: u32,
    pub base_price: Money,
}

/// `POST /quote`: prices a whole cart, reserves nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuoteRequest {
    pub lines: Vec<LineRequest>,
    /// IANA time zone of the restaurant.
    pub time_zone: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restaurant_id: Option<RestaurantId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<String>,
    /// Where it comes from and goes to; none when nothing is known of it, and then the way costs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
}

/// From the restaurant to the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    pub city: String,
    pub from: Location,
    pub to: Location,
}

/// A line with its rules applied. `total` is what is charged for the line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PricedLine {
    pub item_id: ItemId,
    pub quantity: u32,
    pub base_price: Money,
    pub total: Money,
    /// Why the total differs from price times quantity, for people: "Afternoon -15 %".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
}

/// Fee or discount on a whole order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Charge {
    #[cfg_attr(feature = "openapi", schema(examples("Delivery")))]
    pub name: String,
    pub amount: Money,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    pub quote_id: QuoteId,
    pub lines: Vec<PricedLine>,
    pub fees: Vec<Charge>,
    pub discounts: Vec<Charge>,
    pub subtotal: Money,
    pub total: Money,
    pub expires_at: Timestamp,
    /// Which algorithm priced it: "v1" or "v2".
    #[serde(default)]
    pub pricing: String,
    /// What it was made for: an order with another promotion or another way has another price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
}

/// `POST /reservations`: validate, price (by quote or afresh) and take stock, in one atomic step. Repeating it with the same
/// order id answers the same reservation and takes nothing twice.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReservationRequest {
    pub order_id: OrderId,
    pub lines: Vec<LineRequest>,
    pub time_zone: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_id: Option<QuoteId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restaurant_id: Option<RestaurantId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<String>,
    /// Where it comes from and goes to; none when nothing is known of it, and then the way costs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReservationState {
    Reserved,
    Confirmed,
    Released,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    pub order_id: OrderId,
    pub state: ReservationState,
    pub lines: Vec<PricedLine>,
    #[serde(default)]
    pub fees: Vec<Charge>,
    #[serde(default)]
    pub discounts: Vec<Charge>,
    #[serde(default)]
    pub subtotal: Money,
    pub total: Money,
    #[serde(default)]
    pub pricing: String,
}

/// `POST /reservations/confirm`: many at once, so that the drain behind a busy hour is cheap.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmBatch {
    pub order_ids: Vec<OrderId>,
}

/// Stock of one item, as operators see it (`GET /api/inventory`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StockLevel {
    pub item_id: ItemId,
    pub current_stock: i64,
}

/// `PUT /api/inventory/{itemId}`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SetStock {
    /// What there is from now on; zero is sold out.
    #[serde(deserialize_with = "whole_number")]
    #[cfg_attr(feature = "openapi", schema(examples(200)))]
    pub stock: i64,
}

/// A promotion, as operators keep it (`GET`/`PUT`/`DELETE /internal/promotions`, `/internal/promotions/{code}`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Promotion {
    /// Upper case: `WELCOME10`. Customers may type it as they like.
    pub code: String,
    /// For people: "10 % off".
    pub says: String,
    pub gives: Gift,
    /// Smallest subtotal it is good for.
    #[serde(default)]
    pub minimum: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    pub active: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Gift {
    /// Of the subtotal, 1 to 100.
    Percent {
        percent: u8,
    },
    /// Never more than the subtotal.
    Amount {
        amount: Money,
    },
    FreeDelivery,
}

/// What the two pricing algorithms earn (`GET /internal/pricing/variants`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VariantRevenue {
    /// "v1" or "v2".
    pub variant: String,
    pub orders: u64,
    pub revenue: Money,
    pub revenue_per_order: Money,
}
