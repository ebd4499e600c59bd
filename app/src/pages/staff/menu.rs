//! `/restaurant/menu`: what is offered, and how much of it is left.

use super::kitchen::{self, Kitchen, Place};
use super::{meta_of, sentence};
use crate::extract::{Asked, Fields};
use crate::render::page;
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::art::plate;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::id::path_segment;
use contract::menu::{MenuItem, RestaurantMenu};
use contract::pricing::StockLevel;
use contract::{ApiError, ItemId};
use leptos::either::EitherOf3;
use leptos::prelude::*;
use std::sync::Arc;

/// A stock that was refused: of which dish, what was typed, and why.
pub struct Refused {
    pub item: String,
    pub typed: Fields,
    pub error: ApiError,
}

/// `?undo=…` and the fields of a dish that was taken off the menu a moment ago: it can be put back.
pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Asked(query): Asked) -> Response {
    match Kitchen::asked(&visit, &shop, &query).await {
        Ok(kitchen) => show_with(&visit, &shop, &kitchen, &query, None).await,
        Err(response) => *response,
    }
}

pub async fn show_with(visit: &Visit, shop: &Shop, kitchen: &Kitchen, query: &Fields, refused: Option<Refused>) -> Response {
    let menu = match shop.menu.restaurant_menu(&kitchen.id).await {
        Ok(menu) => menu,
        Err(error) => return error_page(&error, visit),
    };
    let ids: Vec<&ItemId> = menu.items.iter().map(|item| &item.id).collect();
    let stock = match ids.is_empty() {
        true => Some(Vec::new()),
        false => shop.middleware.stock_of(&ids).await.ok(),
    };
    let meta = meta_of("Menu", "What this kitchen offers.", refused.as_ref().map(|refused| &refused.error));
    page(visit, meta, || body(kitchen, menu, stock.as_deref(), query, refused))
}

fn body(
    kitchen: &Kitchen,
    menu: RestaurantMenu,
    stock: Option<&[StockLevel]>,
    query: &Fields,
    refused: Option<Refused>,
) -> impl IntoView + use<> {
    let RestaurantMenu { restaurant, items } = menu;
    let empty = items.is_empty().then(|| view! { <p class="nothing">"There is nothing on the menu yet."</p> });
    let unknown = stock
        .is_none()
        .then(|| view! { <p class="hint" role="status">"How much is left cannot be seen at the moment; everything else works."</p> });
    let undo = undo(kitchen, query);
    let sections: Vec<_> = by_category(items)
        .into_iter()
        .enumerate()
        .map(|(n, (category, items))| section(kitchen, n, category, items, stock, refused.as_ref()))
        .collect();
    let inside = view! {
        {undo}
        <div class="section-head">
            {unknown}
            <a class="button" href=kitchen.path("/restaurant/new-dish")>"Add a dish"</a>
        </div>
        {empty}
        {sections}
    };
    kitchen::frame(kitchen, Some(restaurant), Place::Menu, "Menu", inside)
}

/// Whoever deleted the wrong dish has it back with two presses.
fn undo(kitchen: &Kitchen, query: &Fields) -> Option<impl IntoView + use<>> {
    let name = query.filled("undo")?;
    let fields: Vec<String> = query
        .0
        .iter()
        .filter(|(field, _)| super::dish::FIELDS.contains(&field.as_str()))
        .map(|(field, value)| format!("{field}={}", path_segment(value)))
        .collect();
    let to = kitchen.path(&format!("/restaurant/new-dish?{}", fields.join("&")));
    Some(
        view! { <p class="banner-strip" role="status"><span><strong><bdi>{name}</bdi></strong>" is off the menu for good."</span><a class="button quiet" href=to>"Put it back"</a></p> },
    )
}

fn by_category(items: Vec<MenuItem>) -> Vec<(String, Vec<MenuItem>)> {
    let mut sections: Vec<(String, Vec<MenuItem>)> = Vec::new();
    for item in items {
        match sections.iter_mut().find(|(category, _)| *category == item.category) {
            Some((_, members)) => members.push(item),
            None => sections.push((item.category.clone(), vec![item])),
        }
    }
    sections
}

fn section(
    kitchen: &Kitchen,
    n: usize,
    category: String,
    items: Vec<MenuItem>,
    stock: Option<&[StockLevel]>,
    refused: Option<&Refused>,
) -> impl IntoView + use<> {
    let rows: Vec<_> = items
        .into_iter()
        .map(|item| {
            let refused = refused.filter(|refused| refused.item == item.id.as_str());
            let counted = stock.map(|levels| levels.iter().find(|level| level.item_id == item.id).map(|level| level.current_stock));
            row(kitchen, item, counted, refused)
        })
        .collect();
    view! {
        <section class="course" aria-labelledby=format!("m{n}")>
            <h2 id=format!("m{n}")>{if category.is_empty() { "Menu".to_owned() } else { category }}</h2>
            <ul class="offers">{rows}</ul>
        </section>
    }
}

/// `counted`: `None` when the counter does not answer, `Some(None)` when nobody has asked for the dish yet.
fn row(kitchen: &Kitchen, item: MenuItem, counted: Option<Option<i64>>, refused: Option<&Refused>) -> impl IntoView + use<> {
    let id = path_segment(item.id.as_str());
    let edit = kitchen.path(&format!("/restaurant/menu/{id}"));
    let offered = item.in_stock;
    let class = if offered { "offer" } else { "offer off" };
    let (pressed, next) = if offered { ("true", "false") } else { ("false", "true") };
    let name = item.name.clone();
    let left = counted.map(|counted| left(kitchen, &item, counted, refused));
    view! {
        <li class=class>
            {plate(&item.emoji, "plate plate-s")}
            <div class="offer-text">
                <h3><a href=edit>{item.name.clone()}</a></h3>
                <p><span class="price">{item.base_price.to_string()}</span>{(!item.tags.is_empty()).then(|| format!(" · {}", item.tags.join(", ")))}</p>
            </div>
            <form class="switch-form" method="post" action=format!("/restaurant/menu/{id}/available") data-swap="">
                {kitchen.hidden()}
                <button class="switch" id=format!("offer-{id}") name="inStock" value=next aria-pressed=pressed>
                    <span class="knob" aria-hidden="true"></span>"Offered"<span class="sr-only">": "{name}</span>
                </button>
            </form>
            {left}
        </li>
    }
}

/// How many are left, and a field to say otherwise.
fn left(kitchen: &Kitchen, item: &MenuItem, counted: Option<i64>, refused: Option<&Refused>) -> impl IntoView + use<> {
    let id = path_segment(item.id.as_str());
    let (typed, wrong) = match refused {
        Some(refused) => (refused.typed.get("stock").to_owned(), Some(sentence(&refused.error))),
        None => (counted.map(|n| n.max(0).to_string()).unwrap_or_default(), None),
    };
    let told = match counted {
        None => EitherOf3::A(view! { <span class="hint">"not counted yet"</span> }),
        Some(n) if n <= 0 => EitherOf3::B(view! { <strong class="gone-mark">"sold out"</strong> }),
        Some(n) => EitherOf3::C(view! { <span>{n}" left"</span> }),
    };
    let (describe, label) = (format!("wrong-{id}"), format!("Stock of {}", item.name));
    let described_by = wrong.is_some().then(|| describe.clone());
    let invalid = wrong.is_some().then_some("true");
    view! {
        <form class="stock-form" method="post" action=format!("/restaurant/menu/{id}/stock") data-swap="">
            {kitchen.hidden()}
            <p>{told}</p>
            <input type="text" inputmode="numeric" name="stock" id=format!("stock-{id}") value=typed maxlength="7" autocomplete="off"
                aria-label=label aria-describedby=described_by aria-invalid=invalid/>
            <button class="button quiet" id=format!("set-{id}")>"Set"<span class="sr-only">" the stock of "{item.name.clone()}</span></button>
            {wrong.map(|text| view! { <p class="wrong" id=describe role="alert">{text}</p> })}
        </form>
    }
}
