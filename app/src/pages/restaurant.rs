//! `/restaurants/{id}`: a menu.

use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::visit::Visit;
use axum::Extension;
use axum::extract::Path;
use axum::response::Response;
use contract::RestaurantId;
use leptos::prelude::*;
use std::sync::Arc;

pub async fn show(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(shop): Extension<Shop>,
    Path(id): Path<RestaurantId>,
) -> Response {
    let menu = match shop.menu.restaurant_menu(&id).await {
        Ok(menu) => menu,
        Err(error) => return error_page(&error, &visit),
    };
    let meta = Meta::new(menu.restaurant.name.clone(), menu.restaurant.tagline.clone());
    page(&visit, meta, || {
        view! {
            <h1>{menu.restaurant.name}</h1>
            <ul>
                {menu
                    .items
                    .into_iter()
                    .map(|item| view! { <li>{item.emoji} " " {item.name} " " {item.base_price.to_string()}</li> })
                    .collect_view()}
            </ul>
        }
    })
}
