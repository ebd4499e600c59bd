//! `/restaurants/{id}`: a menu, by category.

use super::stock::Shelf;
use crate::extract::Segment;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::art::{hue_classes, planet, plate};
use crate::ui::doors::{self, Door};
use crate::ui::forms::{Stock, add_form};
use crate::ui::{options, picks};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::RestaurantId;
use contract::id::path_segment;
use contract::menu::{MenuItem, Recommendations, Restaurant, RestaurantMenu};
use leptos::prelude::*;
use std::sync::Arc;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Segment(id): Segment) -> Response {
    let id = RestaurantId::new(id);
    let (menu, shelf, told) = futures::join!(shop.menu.restaurant_menu(&id), Shelf::load(&shop), picks::recommendations(&shop, &id));
    match menu {
        Ok(menu) => respond(&visit, menu, &shelf, &told),
        Err(error) => error_page(&error, &visit),
    }
}

fn respond(visit: &Visit, menu: RestaurantMenu, shelf: &Shelf, told: &Recommendations) -> Response {
    let RestaurantMenu { restaurant, items } = menu;
    let meta = Meta::new(restaurant.name.clone(), format!("{}. {}", restaurant.tagline, restaurant.description));
    page(visit, meta, || {
        let class = format!("menu {}", hue_classes(restaurant.hues));
        let door = Door::of(&restaurant);
        let popular = if door.is_open() { picks::popular(told, &shelf.left_of(&items)) } else { Vec::new() };
        let sections = by_category(items);
        let jumps = (sections.len() > 1).then(|| jumps(&sections));
        let sections: Vec<_> =
            sections.into_iter().enumerate().map(|(n, (category, items))| section(n, category, items, shelf, door)).collect();
        view! { <div class=class>{banner(restaurant)} {jumps} {picks::row("Popular now", popular)} {sections}</div> }
    })
}

/// Dishes of one heading follow each other on the menu.
fn by_category(items: Vec<MenuItem>) -> Vec<(String, Vec<MenuItem>)> {
    let mut sections: Vec<(String, Vec<MenuItem>)> = Vec::new();
    for item in items {
        match sections.last_mut() {
            Some((category, members)) if *category == item.category => members.push(item),
            _ => sections.push((item.category.clone(), vec![item])),
        }
    }
    sections
}

fn banner(restaurant: Restaurant) -> impl IntoView {
    let (class, badge) = (Door::of(&restaurant).class(), doors::badge(&restaurant));
    let hours = doors::hours_there(&restaurant).map(|hours| view! { <span>{hours}</span> });
    let sorry = closed(&restaurant);
    view! {
        <header class="banner">
            {planet(&restaurant, "planet-l")}
            <div>
                <p class="eyebrow">{restaurant.cuisine}" · "{restaurant.city}</p>
                <h1>{restaurant.name}</h1>
                <p class="lead">{restaurant.tagline}</p>
                <p class="about">{restaurant.description}</p>
                <p class="hours"><span class=class>{badge}</span>" "{hours}</p>
            </div>
        </header>
        {sorry}
    }
}

/// Why nothing can be ordered here, when that is so.
pub fn closed(restaurant: &Restaurant) -> Option<impl IntoView + use<>> {
    doors::sorry(restaurant).map(|(what, until)| {
        view! { <p class="sorry" role="status"><span aria-hidden="true">"🌙"</span><span><strong>{what}</strong>" "{until}" "<a href="/?open=now">"See who is open"</a></span></p> }
    })
}

fn jumps(sections: &[(String, Vec<MenuItem>)]) -> impl IntoView + use<> {
    let links = sections
        .iter()
        .enumerate()
        .map(|(n, (category, _))| view! { <li><a href=format!("#c{n}")>{category.clone()}</a></li> })
        .collect_view();
    view! { <nav class="jumps" aria-label="Menu sections"><ul>{links}</ul></nav> }
}

fn section(n: usize, category: String, items: Vec<MenuItem>, shelf: &Shelf, door: Door) -> impl IntoView + use<> {
    let heading = if category.is_empty() { "Menu".to_owned() } else { category };
    let dishes = items.into_iter().map(|item| dish(shelf.of(&item), door, item)).collect_view();
    view! {
        <section class="course" aria-labelledby=format!("c{n}")>
            <h2 id=format!("c{n}")>{heading}</h2>
            <ul class="dishes">{dishes}</ul>
        </section>
    }
}

fn dish(stock: Stock, door: Door, item: MenuItem) -> impl IntoView {
    let add = add_form(&item, stock, door, options::folded(&item.options));
    let class = if stock == Stock::SoldOut { "dish gone" } else { "dish" };
    view! {
        <li class=class>
            {plate(&item.emoji, "plate")}
            <div class="dish-text">
                <h3><a href=["/items/", &path_segment(item.id.as_str())].concat()>{item.name}</a></h3>
                <p>{item.description}</p>
                {tags(item.tags)}
            </div>
            <div class="dish-buy"><p class="price">{item.base_price.to_string()}</p>{add}</div>
        </li>
    }
}

/// Small marks such as "vegan".
pub fn tags(tags: Vec<String>) -> impl IntoView {
    (!tags.is_empty()).then(
        || view! { <ul class="tags" aria-label="Good to know">{tags.into_iter().map(|tag| view! { <li>{tag}</li> }).collect_view()}</ul> },
    )
}
