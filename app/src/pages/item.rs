//! `/items/{id}`: one dish, large.

use super::restaurant::tags;
use super::stock::Shelf;
use crate::extract::Segment;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::art::{hue_classes, plate};
use crate::ui::forms::add_form;
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
    let meta = Meta::new(item.name.clone(), item.description.clone());
    page(&visit, meta, || body(item, restaurant, &shelf))
}

fn restaurant_of(item: &MenuItem, around: ItemsReply) -> Result<Restaurant, ApiError> {
    let mut restaurants = around.restaurants.into_iter();
    restaurants.find(|restaurant| restaurant.id == item.restaurant_id).ok_or_else(|| ApiError::restaurant_not_found(&item.restaurant_id))
}

fn body(item: MenuItem, restaurant: Restaurant, shelf: &Shelf) -> impl IntoView + use<> {
    let home = format!("/restaurants/{}", path_segment(restaurant.id.as_str()));
    let add = add_form(&item, shelf.of(&item));
    view! {
        <article class=format!("item {}", hue_classes(restaurant.hues))>
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
    }
}
