//! What goes well together and what sells now: a short row of dishes. It is an extra: a page never waits or fails for it.

use crate::shop::Shop;
use crate::ui::art::plate;
use contract::id::path_segment;
use contract::menu::{MenuItem, Recommendations};
use contract::{ItemId, RestaurantId};
use leptos::prelude::*;

/// As many as fit into one row on a laptop.
const MOST: usize = 4;

/// What the shop would suggest; nothing when the menu service has no answer.
pub async fn recommendations(shop: &Shop, id: &RestaurantId) -> Recommendations {
    shop.menu.recommendations(id).await.unwrap_or_default()
}

/// The best sellers among these dishes.
pub fn popular(of: &Recommendations, items: &[MenuItem]) -> Vec<MenuItem> {
    pick(of.popular.iter(), items, |_| true)
}

/// What is ordered together with what is `there`, and is not there yet.
pub fn together(of: &Recommendations, there: &[&ItemId], items: &[MenuItem]) -> Vec<MenuItem> {
    let with = of.together.iter().filter(|pair| there.contains(&&pair.item)).flat_map(|pair| &pair.with);
    pick(with, items, |id| !there.contains(&id))
}

fn pick<'a>(ids: impl Iterator<Item = &'a ItemId>, items: &[MenuItem], fits: impl Fn(&ItemId) -> bool) -> Vec<MenuItem> {
    let mut picked: Vec<MenuItem> = Vec::new();
    for id in ids.filter(|id| fits(id)) {
        let known = items.iter().find(|item| item.id == *id && item.in_stock);
        if let Some(item) = known.filter(|_| picked.iter().all(|item| item.id != *id)) {
            picked.push(item.clone());
        }
        if picked.len() == MOST {
            break;
        }
    }
    picked
}

/// The row, or nothing. One press adds one of a dish, as it comes.
pub fn row(heading: &'static str, picks: Vec<MenuItem>) -> Option<impl IntoView> {
    (!picks.is_empty()).then(|| {
        view! {
            <section class="picks" aria-labelledby="picks">
                <h2 id="picks">{heading}</h2>
                <ul>{picks.into_iter().map(card).collect_view()}</ul>
            </section>
        }
    })
}

fn card(item: MenuItem) -> impl IntoView {
    let label = format!("Add one {}", item.name);
    view! {
        <li class="pick">
            {plate(&item.emoji, "plate plate-s")}
            <div>
                <h3><a href=["/items/", &path_segment(item.id.as_str())].concat()>{item.name}</a></h3>
                <p class="price">{item.base_price.to_string()}</p>
            </div>
            <form method="post" action="/cart/items" data-instant="">
                <input type="hidden" name="quantity" value="1"/>
                <button class="button quiet" name="itemId" value=item.id.as_str().to_owned() aria-label=label>"Add"</button>
            </form>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::{popular, together};
    use contract::ItemId;
    use contract::menu::{MenuItem, Recommendations};
    use serde_json::json;

    fn items() -> Vec<MenuItem> {
        let item = |id: &str, in_stock: bool| json!({"id": id, "name": id, "description": "", "emoji": "", "basePrice": 1, "inStock": in_stock, "restaurantId": "r"});
        serde_json::from_value(json!([item("a", true), item("b", true), item("c", true), item("gone", false)])).unwrap()
    }

    fn ids(items: &[MenuItem]) -> Vec<&str> {
        items.iter().map(|item| item.id.as_str()).collect()
    }

    #[test]
    fn a_suggestion_is_on_the_menu_in_stock_and_not_in_the_cart() {
        let told: Recommendations = serde_json::from_value(json!({"popular": ["c", "gone", "unknown", "a", "c"],
            "together": [{"item": "a", "with": ["b", "gone", "c"]}, {"item": "b", "with": ["c", "a"]}]}))
        .unwrap();
        assert_eq!(ids(&popular(&told, &items())), ["c", "a"]);
        let (a, b): (ItemId, ItemId) = ("a".into(), "b".into());
        assert_eq!(ids(&together(&told, &[&a], &items())), ["b", "c"]);
        assert_eq!(ids(&together(&told, &[&a, &b], &items())), ["c"]);
        assert!(together(&told, &[], &items()).is_empty());
    }
}
