//! `/items/{id}`: one dish, large.

use super::restaurant::{closed, tags};
use super::stock::Shelf;
use crate::extract::Segment;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::art::{hue_classes, plate};
use crate::ui::doors::Door;
use crate::ui::forms::add_form;
use crate::ui::{options, picks};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::id::path_segment;
use contract::menu::{ItemsReply, MenuItem, Restaurant};
use contract::{ApiError, ItemId};
use leptos::prelude::*;
use std::sync::Arc;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Segment(id): Segment) -> Response {
    let id = ItemId::new(id);
    // The item's own call is the one that can be made to fail on stage; its restaurant comes beside it.
    let ids = [&id];
    let (item, around, shelf) = futures::join!(shop.menu.item(&id), shop.menu.items(&ids), Shelf::load(&shop));
    let (item, restaurant) = match item.and_then(|item| Ok((restaurant_of(&item, around?)?, item))) {
        Ok((restaurant, item)) => (item, restaurant),
        Err(error) => return error_page(&error, &visit),
    };
    let with = if Door::of(&restaurant).is_open() { goes_with(&shop, &item, &shelf).await } else { Vec::new() };
    let meta = Meta::new(item.name.clone(), item.description.clone());
    page(&visit, meta, || body(item, restaurant, &shelf, with))
}

fn restaurant_of(item: &MenuItem, around: ItemsReply) -> Result<Restaurant, ApiError> {
    let mut restaurants = around.restaurants.into_iter();
    restaurants.find(|restaurant| restaurant.id == item.restaurant_id).ok_or_else(|| ApiError::restaurant_not_found(&item.restaurant_id))
}

/// What others order with it; nothing when that is not known.
async fn goes_with(shop: &Shop, item: &MenuItem, shelf: &Shelf) -> Vec<MenuItem> {
    let told = picks::recommendations(shop, &item.restaurant_id).await;
    let Some(pair) = told.together.iter().find(|pair| pair.item == item.id) else { return Vec::new() };
    let ids: Vec<&ItemId> = pair.with.iter().collect();
    let known = shop.menu.items(&ids).await.map(|reply| reply.items).unwrap_or_default();
    picks::together(&told, &[&item.id], &shelf.left_of(&known))
}

fn body(item: MenuItem, restaurant: Restaurant, shelf: &Shelf, with: Vec<MenuItem>) -> impl IntoView + use<> {
    let home = format!("/restaurants/{}", path_segment(restaurant.id.as_str()));
    let add = add_form(&item, shelf.of(&item), Door::of(&restaurant), options::open(&item.options));
    let (class, sorry) = (hue_classes(restaurant.hues), closed(&restaurant));
    view! {
        {sorry}
        <article class=format!("item {class}")>
            <div class="item-art">{plate(&item.emoji, "plate plate-l")}</div>
            <div class="item-text">
                <p class="eyebrow"><a href=home>{restaurant.name}</a>" · "{item.category}</p>
                <h1>{item.name}</h1>
                <p class="lead">{item.description}</p>
                {tags(item.tags)}
                <p class="price price-l">{item.base_price.to_string()}</p>
                {add}
            </div>
        </article>
        <div class=class>{picks::row("Goes well with", with)}</div>
    }
}
