//! Restaurants and what they serve.

use crate::id::{ItemId, RestaurantId};
use crate::money::Money;
use serde::{Deserialize, Serialize};

/// A dish or drink as the menu service tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MenuItem {
    pub id: ItemId,
    pub name: String,
    pub description: String,
    pub emoji: String,
    pub base_price: Money,
    /// Whether the restaurant offers it today. How many are left is known to the middleware service alone.
    pub in_stock: bool,
    pub restaurant_id: RestaurantId,
    /// Heading it stands under: "Espresso", "Mains".
    #[serde(default)]
    pub category: String,
    /// Short marks such as "vegan", "spicy".
    #[serde(default)]
    pub tags: Vec<String>,
}

/// A restaurant, without its dishes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restaurant {
    pub id: RestaurantId,
    pub name: String,
    pub tagline: String,
    pub description: String,
    pub emoji: String,
    pub cuisine: String,
    pub city: String,
    /// IANA name, such as `Europe/Berlin`: price hours are in the restaurant's own time.
    pub time_zone: String,
    /// Two hues in degrees (0-359) that the restaurant's cards and headers are painted with.
    pub hues: [u16; 2],
    pub item_count: u32,
}

/// A restaurant with its dishes, in menu order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestaurantMenu {
    pub restaurant: Restaurant,
    pub items: Vec<MenuItem>,
}

/// What ordering needs to know of the items of one cart, in one round trip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemsReply {
    /// The items that exist, in no particular order; unknown ids are left out.
    pub items: Vec<MenuItem>,
    /// Time zones of the restaurants these items belong to.
    pub restaurants: Vec<Restaurant>,
}
