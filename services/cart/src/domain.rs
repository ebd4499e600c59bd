//! What may be done to a cart. Nothing here knows HTTP or Redis.

use contract::cart::{Cart, CartLine};
use contract::menu::MenuItem;
use contract::{ApiError, CartId, Code, ItemId, Quantity, Timestamp};

/// Lines in one cart. No menu is longer; a cart that is, is not somebody's dinner.
pub const MAX_LINES: usize = 50;

pub fn empty(id: CartId, now: Timestamp) -> Cart {
    Cart { id, items: Vec::new(), restaurant_id: None, created_at: now, updated_at: now }
}

/// Adds to the item's line or begins one.
///
/// # Errors
/// `CART_OTHER_RESTAURANT`, `CART_LINE_LIMIT`, `CART_FULL`; the cart is then as it was.
pub fn add(cart: &mut Cart, item: &MenuItem, quantity: Quantity, now: Timestamp) -> Result<(), ApiError> {
    if let Some(restaurant) = cart.restaurant_id.as_ref().filter(|restaurant| **restaurant != item.restaurant_id) {
        let message = format!("the cart holds dishes of {restaurant}; {} is from {}", item.id, item.restaurant_id);
        return Err(ApiError::new(Code::CartOtherRestaurant, message));
    }
    let lines = cart.items.len();
    match cart.items.iter_mut().find(|line| line.item_id == item.id) {
        Some(line) => {
            let total = line.quantity + quantity.get();
            if total > Quantity::MAX {
                let message = format!("the cart has {} of {} already; a line holds at most {}", line.quantity, item.id, Quantity::MAX);
                return Err(ApiError::new(Code::CartLineLimit, message));
            }
            line.quantity = total;
            // The menu may have changed since the line was begun.
            line.base_price = item.base_price;
        }
        None if lines >= MAX_LINES => {
            return Err(ApiError::new(Code::CartFull, format!("a cart holds at most {MAX_LINES} different dishes")));
        }
        None => cart.items.push(CartLine {
            item_id: item.id.clone(),
            item_name: item.name.clone(),
            item_emoji: item.emoji.clone(),
            quantity: quantity.get(),
            base_price: item.base_price,
            added_at: now,
            choice: None,
        }),
    }
    cart.restaurant_id = Some(item.restaurant_id.clone());
    cart.updated_at = now;
    Ok(())
}

/// Sets the line's quantity; zero or less removes it.
///
/// # Errors
/// `CART_LINE_NOT_FOUND`, `INVALID_QUANTITY`; the cart is then as it was.
pub fn set_quantity(cart: &mut Cart, item: &ItemId, quantity: i64, now: Timestamp) -> Result<(), ApiError> {
    let Some(at) = cart.items.iter().position(|line| line.item_id == *item) else {
        return Err(ApiError::new(Code::CartLineNotFound, format!("the cart has no {item}")));
    };
    if quantity <= 0 {
        cart.items.remove(at);
        if cart.items.is_empty() {
            cart.restaurant_id = None;
        }
    } else {
        cart.items[at].quantity = Quantity::new(quantity)?.get();
    }
    cart.updated_at = now;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::Money;

    const NOW: Timestamp = Timestamp::from_millis(1_000);
    const LATER: Timestamp = Timestamp::from_millis(2_000);

    fn item(id: &str, restaurant: &str) -> MenuItem {
        MenuItem {
            id: id.into(),
            name: id.to_owned(),
            description: String::new(),
            emoji: String::new(),
            base_price: Money::from_cents(500),
            in_stock: true,
            restaurant_id: restaurant.into(),
            category: String::new(),
            tags: Vec::new(),
        }
    }

    fn quantity(n: i64) -> Quantity {
        Quantity::new(n).unwrap()
    }

    #[test]
    fn adding_the_same_dish_twice_is_one_line() {
        let mut cart = empty("c".into(), NOW);
        add(&mut cart, &item("latte", "bar"), quantity(2), NOW).unwrap();
        add(&mut cart, &item("latte", "bar"), quantity(3), LATER).unwrap();
        assert_eq!((cart.items.len(), cart.count(), cart.updated_at), (1, 5, LATER));
    }

    #[test]
    fn a_line_never_passes_ten_and_a_refused_addition_changes_nothing() {
        let mut cart = empty("c".into(), NOW);
        add(&mut cart, &item("latte", "bar"), quantity(8), NOW).unwrap();
        let before = cart.clone();
        let error = add(&mut cart, &item("latte", "bar"), quantity(3), LATER).unwrap_err();
        assert_eq!((error.code, cart), (Code::CartLineLimit, before));
    }

    #[test]
    fn a_cart_is_of_one_restaurant_until_it_is_empty_again() {
        let mut cart = empty("c".into(), NOW);
        add(&mut cart, &item("latte", "bar"), quantity(1), NOW).unwrap();
        assert_eq!(add(&mut cart, &item("ramen", "noodles"), quantity(1), NOW).unwrap_err().code, Code::CartOtherRestaurant);
        set_quantity(&mut cart, &"latte".into(), 0, LATER).unwrap();
        add(&mut cart, &item("ramen", "noodles"), quantity(1), LATER).unwrap();
    }

    #[test]
    fn a_quantity_that_is_too_large_is_refused_and_a_line_that_is_not_there_is_not_found() {
        let mut cart = empty("c".into(), NOW);
        assert_eq!(set_quantity(&mut cart, &"latte".into(), 1, NOW).unwrap_err().code, Code::CartLineNotFound);
        add(&mut cart, &item("latte", "bar"), quantity(1), NOW).unwrap();
        assert_eq!(set_quantity(&mut cart, &"latte".into(), 11, NOW).unwrap_err().code, Code::InvalidQuantity);
        assert_eq!(cart.count(), 1);
    }

    #[test]
    fn a_cart_holds_no_more_lines_than_its_limit() {
        let mut cart = empty("c".into(), NOW);
        for n in 0..MAX_LINES {
            add(&mut cart, &item(&format!("dish-{n}"), "bar"), quantity(1), NOW).unwrap();
        }
        assert_eq!(add(&mut cart, &item("one-more", "bar"), quantity(1), NOW).unwrap_err().code, Code::CartFull);
    }
}
