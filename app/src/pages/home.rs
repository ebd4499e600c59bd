//! `/`: the restaurants.

use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use leptos::prelude::*;
use std::sync::Arc;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>) -> Response {
    let restaurants = match shop.menu.restaurants().await {
        Ok(restaurants) => restaurants,
        Err(error) => return error_page(&error, &visit),
    };
    let meta = Meta::new("Restaurants", "Food from across the galaxy, delivered.");
    page(&visit, meta, || {
        view! {
            <h1>"Restaurants"</h1>
            <ul>
                {restaurants
                    .into_iter()
                    .map(|r| view! { <li><a href=format!("/restaurants/{}", r.id)>{r.emoji} " " {r.name}</a></li> })
                    .collect_view()}
            </ul>
        }
    })
}
