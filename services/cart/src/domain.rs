//! What may be done to a cart. Nothing here knows HTTP or Redis.

use contract::cart::{Cart, CartLine};
use contract::menu::{ItemOption, MenuItem};
use contract::{ApiError, CartId, Code, ItemId, Quantity, Timestamp};

/// Lines in one cart. No menu is longer; a cart that is, is not somebody's dinner.
pub const MAX_LINES: usize = 50;

pub fn empty(id: CartId, now: Timestamp) -> Cart {
    Cart { id, items: Vec::new(), restaurant_id: None, created_at: now, updated_at: now }
}

/// What is chosen of the item's options: as it was asked for, or the first of each. `None` when there is nothing to choose.
///
/// # Errors
/// `INVALID_BODY` for what the menu does not offer.
fn choice(item: &MenuItem, asked: Option<&str>) -> Result<Option<String>, ApiError> {
    let Some(asked) = asked.map(str::trim).filter(|asked| !asked.is_empty()) else {
        let first: Vec<&str> = item.options.iter().filter_map(|option| option.choices.first()).map(String::as_str).collect();
        return Ok((!first.is_empty()).then(|| first.join(", ")));
    };
    // No choice contains a comma.
    let chosen: Vec<&str> = asked.split(',').map(str::trim).collect();
    let offered = |(option, chosen): (&ItemOption, &&str)| option.choices.iter().any(|choice| choice == chosen);
    if chosen.len() != item.options.len() || !item.options.iter().zip(&chosen).all(offered) {
        let options: Vec<String> = item.options.iter().map(|option| format!("{} ({})", option.name, option.choices.join("/"))).collect();
        let offer = if options.is_empty() { "nothing to choose".to_owned() } else { options.join(", ") };
        return Err(ApiError::new(Code::InvalidBody, format!("{} does not come as it was chosen; there is: {offer}", item.name)));
    }
    Ok(Some(chosen.join(", ")))
}

/// Adds to the item's line or begins one. The whole line is as it was chosen last; who chooses nothing changes nothing of that.
///
/// # Errors
/// `INVALID_BODY` for a choice that is not offered, `CART_OTHER_RESTAURANT`, `CART_LINE_LIMIT`, `CART_FULL`; the cart is then as it was.
pub fn add(cart: &mut Cart, item: &MenuItem, quantity: Quantity, asked: Option<&str>, now: Timestamp) -> Result<(), ApiError> {
    let chosen = choice(item, asked)?;
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
            // So may what there is to choose from.
            let stays = asked.is_none_or(|asked| asked.trim().is_empty())
                && choice(item, line.choice.as_deref()).is_ok_and(|now| now == line.choice);
            if !stays {
                line.choice = chosen;
            }
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
            choice: chosen,
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
            options: Vec::new(),
        }
    }

    fn quantity(n: i64) -> Quantity {
        Quantity::new(n).unwrap()
    }

    #[test]
    fn adding_the_same_dish_twice_is_one_line() {
        let mut cart = empty("c".into(), NOW);
        add(&mut cart, &item("latte", "bar"), quantity(2), None, NOW).unwrap();
        add(&mut cart, &item("latte", "bar"), quantity(3), None, LATER).unwrap();
        assert_eq!((cart.items.len(), cart.count(), cart.updated_at), (1, 5, LATER));
    }

    #[test]
    fn a_line_never_passes_ten_and_a_refused_addition_changes_nothing() {
        let mut cart = empty("c".into(), NOW);
        add(&mut cart, &item("latte", "bar"), quantity(8), None, NOW).unwrap();
        let before = cart.clone();
        let error = add(&mut cart, &item("latte", "bar"), quantity(3), None, LATER).unwrap_err();
        assert_eq!((error.code, cart), (Code::CartLineLimit, before));
    }

    #[test]
    fn a_cart_is_of_one_restaurant_until_it_is_empty_again() {
        let mut cart = empty("c".into(), NOW);
        add(&mut cart, &item("latte", "bar"), quantity(1), None, NOW).unwrap();
        assert_eq!(add(&mut cart, &item("ramen", "noodles"), quantity(1), None, NOW).unwrap_err().code, Code::CartOtherRestaurant);
        set_quantity(&mut cart, &"latte".into(), 0, LATER).unwrap();
        add(&mut cart, &item("ramen", "noodles"), quantity(1), None, LATER).unwrap();
    }

    #[test]
    fn a_quantity_that_is_too_large_is_refused_and_a_line_that_is_not_there_is_not_found() {
        let mut cart = empty("c".into(), NOW);
        assert_eq!(set_quantity(&mut cart, &"latte".into(), 1, NOW).unwrap_err().code, Code::CartLineNotFound);
        add(&mut cart, &item("latte", "bar"), quantity(1), None, NOW).unwrap();
        assert_eq!(set_quantity(&mut cart, &"latte".into(), 11, NOW).unwrap_err().code, Code::InvalidQuantity);
        assert_eq!(cart.count(), 1);
    }

    /// A latte with two options.
    fn latte() -> MenuItem {
        let option =
            |name: &str, choices: &[&str]| ItemOption { name: name.to_owned(), choices: choices.iter().map(|c| (*c).to_owned()).collect() };
        MenuItem { options: vec![option("Milk", &["Whole", "Oat"]), option("Size", &["Small", "Large"])], ..item("latte", "bar") }
    }

    #[test]
    fn who_chooses_nothing_gets_the_first_of_each() {
        assert_eq!(choice(&latte(), None).unwrap().as_deref(), Some("Whole, Small"));
        assert_eq!(choice(&latte(), Some(" ")).unwrap().as_deref(), Some("Whole, Small"));
        assert_eq!(choice(&item("tea", "bar"), None).unwrap(), None);
    }

    #[test]
    fn only_what_the_menu_offers_can_be_chosen() {
        assert_eq!(choice(&latte(), Some("Oat,Large")).unwrap().as_deref(), Some("Oat, Large"));
        for asked in ["Oat", "Large, Oat", "Oat, Large, Hot", "oat, Large", "Hemp, Large", ", "] {
            assert_eq!(choice(&latte(), Some(asked)).unwrap_err().code, Code::InvalidBody, "{asked}");
        }
        assert_eq!(choice(&item("tea", "bar"), Some("Oat")).unwrap_err().code, Code::InvalidBody);
    }

    #[test]
    fn a_line_is_as_it_was_chosen_last() {
        let mut cart = empty("c".into(), NOW);
        add(&mut cart, &latte(), quantity(1), None, NOW).unwrap();
        add(&mut cart, &latte(), quantity(2), Some("Oat, Large"), LATER).unwrap();
        assert_eq!((cart.count(), cart.items[0].choice.as_deref()), (3, Some("Oat, Large")));
        add(&mut cart, &latte(), quantity(1), None, LATER).unwrap();
        assert_eq!(cart.items[0].choice.as_deref(), Some("Oat, Large"), "who chooses nothing wants another of the same");
        assert!(add(&mut cart, &latte(), quantity(9), Some("Whole, Small"), LATER).is_err());
        assert_eq!(cart.items[0].choice.as_deref(), Some("Oat, Large"));
    }

    #[test]
    fn a_choice_that_left_the_menu_leaves_the_cart_with_the_next_addition() {
        let mut cart = empty("c".into(), NOW);
        add(&mut cart, &latte(), quantity(1), Some("Oat, Large"), NOW).unwrap();
        let mut changed = latte();
        changed.options.remove(1);
        add(&mut cart, &changed, quantity(1), None, LATER).unwrap();
        assert_eq!(cart.items[0].choice.as_deref(), Some("Whole"));
        add(&mut cart, &item("latte", "bar"), quantity(1), None, LATER).unwrap();
        assert_eq!(cart.items[0].choice, None);
    }

    #[test]
    fn a_cart_holds_no_more_lines_than_its_limit() {
        let mut cart = empty("c".into(), NOW);
        for n in 0..MAX_LINES {
            add(&mut cart, &item(&format!("dish-{n}"), "bar"), quantity(1), None, NOW).unwrap();
        }
        assert_eq!(add(&mut cart, &item("one-more", "bar"), quantity(1), None, NOW).unwrap_err().code, Code::CartFull);
    }
}
