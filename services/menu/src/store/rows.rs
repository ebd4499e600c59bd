//! Restaurants and items as rows, there and back.

use contract::geo::Location;
use contract::menu::{Hours, ItemOption, MenuItem, Restaurant, RestaurantMenu};
use contract::{ItemId, Money, RestaurantId};
use runtime::store::sql::Row;
use serde::Serialize;
use serde_json::{Value, json};

/// The columns that [`restaurant`] reads.
macro_rules! restaurant_columns {
    () => {
        "id, name, tagline, description, emoji, cuisine, city, time_zone, hue_1, hue_2, x, y, opens, closes, paused"
    };
}

/// The columns that [`item`] reads.
macro_rules! item_columns {
    () => {
        "id, restaurant_id, name, description, emoji, cents, in_stock, category, tags, options"
    };
}

pub(super) use {item_columns, restaurant_columns};

fn number<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<T, sqlx::Error> {
    let number = row.int(column)?;
    T::try_from(number).map_err(|_| sqlx::Error::Decode(format!("{number} in column {column} is out of range").into()))
}

/// A restaurant; how many items it has and whether it is open is not in its row.
pub fn restaurant(row: &Row) -> Result<Restaurant, sqlx::Error> {
    Ok(Restaurant {
        id: RestaurantId::new(row.text(0)?),
        name: row.text(1)?,
        tagline: row.text(2)?,
        description: row.text(3)?,
        emoji: row.text(4)?,
        cuisine: row.text(5)?,
        city: row.text(6)?,
        time_zone: row.text(7)?,
        hues: [number(row, 8)?, number(row, 9)?],
        item_count: 0,
        location: Location { x: number(row, 10)?, y: number(row, 11)? },
        hours: Hours { opens: number(row, 12)?, closes: number(row, 13)? },
        paused: row.int(14)? != 0,
        open: true,
    })
}

pub fn item(row: &Row) -> Result<MenuItem, sqlx::Error> {
    Ok(MenuItem {
        id: ItemId::new(row.text(0)?),
        restaurant_id: RestaurantId::new(row.text(1)?),
        name: row.text(2)?,
        description: row.text(3)?,
        emoji: row.text(4)?,
        base_price: Money::from_cents(row.int(5)?),
        in_stock: row.int(6)? != 0,
        category: row.text(7)?,
        tags: list(&row.text(8)?)?,
        options: list::<ItemOption>(&row.text(9)?)?,
    })
}

fn list<T: serde::de::DeserializeOwned>(json: &str) -> Result<Vec<T>, sqlx::Error> {
    serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// # Errors
/// The value has no JSON form.
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

pub fn row_of_restaurant(place: usize, of: &Restaurant) -> Value {
    json!({
        "id": of.id, "place": place, "name": of.name, "tagline": of.tagline, "description": of.description, "emoji": of.emoji,
        "cuisine": of.cuisine, "city": of.city, "zone": of.time_zone, "hue1": of.hues[0], "hue2": of.hues[1], "x": of.location.x,
        "y": of.location.y, "opens": of.hours.opens, "closes": of.hours.closes, "paused": i64::from(of.paused),
    })
}

pub fn row_of_item(place: usize, item: &MenuItem) -> Result<Value, sqlx::Error> {
    Ok(json!({
        "id": item.id, "restaurant": item.restaurant_id, "place": place, "name": item.name, "description": item.description,
        "emoji": item.emoji, "cents": item.base_price.cents(), "inStock": i64::from(item.in_stock), "category": item.category,
        "tags": to_json(&item.tags)?, "options": to_json(&item.options)?,
    }))
}

/// Joins restaurants with their items, both in the order they have.
pub fn joined(restaurants: Vec<Restaurant>, items: Vec<MenuItem>) -> Vec<RestaurantMenu> {
    let mut menus: Vec<_> = restaurants.into_iter().map(|restaurant| RestaurantMenu { restaurant, items: Vec::new() }).collect();
    for item in items {
        // An item without its restaurant was read between two steps of somebody's change; the next version has both or none.
        if let Some(menu) = menus.iter_mut().find(|menu| menu.restaurant.id == item.restaurant_id) {
            menu.items.push(item);
        }
    }
    menus
}
