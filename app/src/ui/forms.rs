//! Forms for dishes and cart lines. All are plain; islands make those with `data-instant` quicker.

use super::doors::Door;
use contract::Quantity;
use contract::cart::CartLine;
use contract::menu::MenuItem;
use leptos::either::EitherOf3;
use leptos::prelude::*;

/// How much of a dish can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stock {
    Plenty,
    /// So few that it is worth saying.
    Low(i64),
    SoldOut,
}

/// At this many or fewer, the page says how many are left.
const LOW_STOCK: i64 = 10;

impl Stock {
    /// `counted` is `None` while nobody has asked for the item, which means plenty.
    pub fn of(item: &MenuItem, counted: Option<i64>) -> Self {
        match counted {
            _ if !item.in_stock => Self::SoldOut,
            Some(left) if left <= 0 => Self::SoldOut,
            Some(left) if left <= LOW_STOCK => Self::Low(left),
            _ => Self::Plenty,
        }
    }
}

/// Quantity and button, or why there are none. `choices` are fields of the form. The form leads back to the page it stands on.
///
/// There is one on every dish of a menu: what is the same for all of them is plain text to the renderer, and the button
/// carries the item's id, so that no field has to.
pub fn add_form<V: IntoView>(item: &MenuItem, stock: Stock, door: Door, choices: V) -> impl IntoView + use<V> {
    if stock == Stock::SoldOut {
        return EitherOf3::A(view! { <p class="sold-out">"Sold out today"</p> });
    }
    if !door.is_open() {
        return EitherOf3::B(view! { <p class="sold-out">{if door == Door::Paused { "On a break" } else { "Closed now" }}</p> });
    }
    let left = match stock {
        Stock::Low(left) => Some(view! { <p class="low-stock">{format!("Only {left} left")}</p> }),
        _ => None,
    };
    let label = ["Add ", &item.name, " to cart"].concat();
    let id = item.id.as_str().to_owned();
    EitherOf3::C(view! {
        {left}
        <form class="add" method="post" action="/cart/items" data-instant="">
            {choices}
            <div class="stepper">
                <button type="button" class="step" data-step="-1" aria-label="One less">"−"</button>
                <input type="number" name="quantity" value="1" min="1" max="10" required inputmode="numeric" aria-label="Quantity"/>
                <button type="button" class="step" data-step="1" aria-label="One more">"+"</button>
            </div>
            <button class="button" name="itemId" value=id aria-label=label>"Add"</button>
        </form>
    })
}

/// Less, more and remove for a line that is in the cart. Each button is a whole form field: it works without scripts.
pub fn line_form(line: &CartLine) -> impl IntoView + use<> {
    let id = line.item_id.as_str();
    let name = &line.item_name;
    let (label_less, label_more, label_remove) = (format!("One {name} less"), format!("One {name} more"), format!("Remove {name}"));
    view! {
        <form class="line-form" method="post" action=format!("/cart/items/{}", contract::id::path_segment(id)) data-swap="">
            <div class="stepper">
                <button class="step" name="quantity" value=line.quantity.saturating_sub(1) disabled={line.quantity <= 1}
                    id=format!("less-{id}") aria-label=label_less>"−"</button>
                <output>{line.quantity}</output>
                <button class="step" name="quantity" value=line.quantity + 1 disabled={line.quantity >= Quantity::MAX}
                    id=format!("more-{id}") aria-label=label_more>"+"</button>
            </div>
            <button class="link-button" name="quantity" value="0" aria-label=label_remove>"Remove"</button>
        </form>
    }
}

/// A form's values as hidden fields.
pub fn hidden_fields(fields: Vec<(String, String)>) -> impl IntoView {
    fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()
}

#[cfg(test)]
mod tests {
    use super::Stock;
    use contract::Quantity;
    use contract::menu::MenuItem;
    use serde_json::json;

    #[test]
    fn the_number_field_ends_where_a_quantity_ends() {
        assert_eq!(Quantity::MAX, 10, "the literal in add_form");
    }

    #[test]
    fn what_is_not_counted_is_in_plenty_and_what_is_not_offered_is_sold_out() {
        let item = |in_stock: bool| -> MenuItem {
            serde_json::from_value(
                json!({"id": "a", "name": "A", "description": "", "emoji": "", "basePrice": 1, "inStock": in_stock, "restaurantId": "r"}),
            )
            .unwrap()
        };
        assert_eq!(Stock::of(&item(true), None), Stock::Plenty);
        assert_eq!(Stock::of(&item(true), Some(11)), Stock::Plenty);
        assert_eq!(Stock::of(&item(true), Some(10)), Stock::Low(10));
        assert_eq!(Stock::of(&item(true), Some(0)), Stock::SoldOut);
        assert_eq!(Stock::of(&item(false), Some(200)), Stock::SoldOut);
    }
}
