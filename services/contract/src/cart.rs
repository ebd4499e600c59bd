//! Carts.

use crate::id::{CartId, ItemId, RestaurantId};
use crate::money::Money;
use crate::quantity::{Quantity, whole_number};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A cart as clients see it. Prices are for display: what is charged is decided when the order is placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Cart {
    pub id: CartId,
    pub items: Vec<CartLine>,
    /// The restaurant of its items; `None` while the cart is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restaurant_id: Option<RestaurantId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Cart {
    /// How many things are in the cart, over all lines.
    pub fn count(&self) -> u32 {
        self.items.iter().map(|line| line.quantity).sum()
    }

    pub fn subtotal(&self) -> Money {
        self.items.iter().map(|line| line.base_price.times(line.quantity)).sum()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CartLine {
    pub item_id: ItemId,
    #[cfg_attr(feature = "openapi", schema(examples("Nebula Latte")))]
    pub item_name: String,
    #[cfg_attr(feature = "openapi", schema(examples("☕")))]
    pub item_emoji: String,
    #[cfg_attr(feature = "openapi", schema(examples(2)))]
    pub quantity: u32,
    /// Of one.
    pub base_price: Money,
    pub added_at: Timestamp,
    /// What was chosen of the item's options: "Oat, Large".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<String>,
}

/// `POST /cart/{id}/items`. Other fields (`basePrice`, `itemName`, ...) are accepted and ignored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AddItem {
    pub item_id: ItemId,
    pub quantity: Quantity,
    /// One choice an option, in their order, joined by ", ". What the menu does not offer is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<String>,
}

/// `PATCH /cart/{id}/items/{itemId}`. Zero or less removes the line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SetQuantity {
    #[serde(deserialize_with = "whole_number")]
    #[cfg_attr(feature = "openapi", schema(examples(3)))]
    pub quantity: i64,
}
