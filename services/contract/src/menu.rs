//! Restaurants and what they serve.

use crate::error::{ApiError, Code};
use crate::geo::Location;
use crate::id::{ItemId, RestaurantId};
use crate::money::Money;
use crate::quantity::whole_number;
use serde::{Deserialize, Serialize};

/// A dish or drink as the menu service tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MenuItem {
    pub id: ItemId,
    #[cfg_attr(feature = "openapi", schema(examples("Nebula Latte")))]
    pub name: String,
    #[cfg_attr(feature = "openapi", schema(examples("Espresso under a cloud of oat milk.")))]
    pub description: String,
    #[cfg_attr(feature = "openapi", schema(examples("☕")))]
    pub emoji: String,
    pub base_price: Money,
    /// Whether the restaurant offers it today. How many are left is known to the middleware service alone.
    pub in_stock: bool,
    pub restaurant_id: RestaurantId,
    /// Heading it stands under: "Espresso", "Mains".
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(examples("Espresso")))]
    pub category: String,
    /// Short marks such as "vegan", "spicy".
    #[serde(default)]
    pub tags: Vec<String>,
    /// Choices that cost nothing: milk, size of the cup.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ItemOption>,
}

/// One choice of an item. Whoever chooses nothing gets the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ItemOption {
    /// "Milk"
    #[cfg_attr(feature = "openapi", schema(examples("Milk")))]
    pub name: String,
    /// "Whole", "Oat"
    pub choices: Vec<String>,
}

/// A restaurant, without its dishes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Restaurant {
    pub id: RestaurantId,
    #[cfg_attr(feature = "openapi", schema(examples("Cosmic Coffee")))]
    pub name: String,
    pub tagline: String,
    pub description: String,
    #[cfg_attr(feature = "openapi", schema(examples("☕")))]
    pub emoji: String,
    #[cfg_attr(feature = "openapi", schema(examples("Coffee")))]
    pub cuisine: String,
    #[cfg_attr(feature = "openapi", schema(examples("Lisbon")))]
    pub city: String,
    /// IANA name, such as `Europe/Berlin`: price hours are in the restaurant's own time.
    #[cfg_attr(feature = "openapi", schema(examples("Europe/Lisbon")))]
    pub time_zone: String,
    /// Two hues in degrees (0-359) that the restaurant's cards and headers are painted with.
    pub hues: [u16; 2],
    pub item_count: u32,
    #[serde(default)]
    pub location: Location,
    #[serde(default)]
    pub hours: Hours,
    /// Takes no orders, by its staff's choice.
    #[serde(default)]
    pub paused: bool,
    /// Takes orders right now: within its hours and not paused.
    #[serde(default = "yes")]
    pub open: bool,
}

const fn yes() -> bool {
    true
}

/// Opening hours, the same every day, in minutes after midnight of the restaurant's own time. `opens == closes` is around the clock;
/// `closes < opens` goes past midnight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hours {
    #[cfg_attr(feature = "openapi", schema(examples(480)))]
    pub opens: u16,
    #[cfg_attr(feature = "openapi", schema(examples(1320)))]
    pub closes: u16,
}

impl Hours {
    pub const MINUTES_A_DAY: u16 = 1_440;

    /// # Errors
    /// `INVALID_MENU` when a moment is not within a day.
    pub fn new(opens: u16, closes: u16) -> Result<Self, ApiError> {
        if opens.max(closes) < Self::MINUTES_A_DAY {
            Ok(Self { opens, closes })
        } else {
            Err(ApiError::new(Code::InvalidMenu, "opening hours are minutes of a day, 0 to 1439"))
        }
    }

    /// Whether it is open at this minute of the day.
    pub const fn contains(self, minute: u16) -> bool {
        if self.opens == self.closes {
            return true;
        }
        if self.opens < self.closes { self.opens <= minute && minute < self.closes } else { minute >= self.opens || minute < self.closes }
    }
}

/// What staff change of a restaurant (`PATCH /api/restaurants/{id}`); what is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChangeRestaurant {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tagline: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// A dish as staff write it: `POST /api/restaurants/{id}/items` makes one, `PUT /api/restaurants/{id}/items/{itemId}` replaces one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct WriteItem {
    #[cfg_attr(feature = "openapi", schema(examples("Comet Cortado")))]
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(examples("☄️")))]
    pub emoji: String,
    pub base_price: Money,
    #[serde(default = "yes")]
    pub in_stock: bool,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(examples("Espresso")))]
    pub category: String,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub options: Vec<ItemOption>,
}

/// `PATCH /api/restaurants/{id}/items/{itemId}`: the quick changes of a busy evening.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChangeItem {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_price: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_stock: Option<bool>,
}

/// What goes well together and what sells now (`GET /api/restaurants/{id}/recommendations`), from the platform's own orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recommendations {
    /// Most ordered of late, best first.
    pub popular: Vec<ItemId>,
    /// Ordered together with an item, best first; only items that were.
    pub together: Vec<Together>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Together {
    pub item: ItemId,
    pub with: Vec<ItemId>,
}

/// A restaurant's day (`GET /api/restaurants/{id}/figures`), from its kitchen tickets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// The restaurant's own day, `2026-11-20`.
    pub day: String,
    pub orders: u32,
    pub revenue: Money,
    pub refunds: u32,
    pub refunded: Money,
    /// From accepted to ready, on average.
    pub cooking_seconds: u32,
    /// By hour of the day, 0 to 23.
    pub hours: Vec<HourFigures>,
    /// Best sellers of the day.
    pub best: Vec<ItemFigures>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HourFigures {
    pub hour: u8,
    pub orders: u32,
    pub revenue: Money,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ItemFigures {
    pub item_id: ItemId,
    pub name: String,
    pub sold: u32,
}

/// Stock as staff set it: `PUT /api/restaurants/{id}/items/{itemId}/stock`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ItemStock {
    #[serde(deserialize_with = "whole_number")]
    pub stock: i64,
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

#[cfg(test)]
mod tests {
    use super::Hours;

    #[test]
    fn a_bar_may_close_after_midnight_and_a_counter_never() {
        let bar = Hours::new(18 * 60, 2 * 60).unwrap();
        assert!(bar.contains(18 * 60) && bar.contains(60) && !bar.contains(2 * 60) && !bar.contains(12 * 60));
        let always = Hours::default();
        assert!((0..Hours::MINUTES_A_DAY).all(|minute| always.contains(minute)));
        let noon = Hours::new(11 * 60, 15 * 60).unwrap();
        assert!(noon.contains(11 * 60) && !noon.contains(15 * 60));
        assert!(Hours::new(0, Hours::MINUTES_A_DAY).is_err());
    }
}
