//! `/orders/{id}`: confirmation, then its way to the door, live.

use crate::extract::Segment;
use crate::islands::{Following, LiveStatus};
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::receipt::receipt;
use crate::ui::words::{ago, short_id};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::OrderId;
use contract::order::Order;
use leptos::prelude::*;
use std::sync::Arc;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Segment(id): Segment) -> Response {
    let order = match shop.order.get(&OrderId::new(id)).await {
        Ok(order) => order,
        Err(error) => return error_page(&error, &visit),
    };
    let meta = Meta::new(format!("Order {}", short_id(order.id.as_str())), format!("Follow your order from {}.", order.restaurant_name));
    page(&visit, meta, || body(&visit, order))
}

fn body(visit: &Visit, order: Order) -> impl IntoView + use<> {
    let id = order.id.to_string();
    let short = short_id(&id);
    let status = order.status.as_str();
    provide_context(Following { order: id.clone(), status: status.to_owned() });
    let placed = ago(order.timestamp, visit.now);
    let whose = order.customer_name.map(|name| view! { <p class="for">"For "<bdi>{String::from(name)}</bdi></p> });
    let wish = order
        .special_instructions
        .filter(|wish| !wish.as_str().is_empty())
        .map(|wish| view! { <p class="wish"><span class="sr-only">"Wish: "</span>"“"<bdi>{String::from(wish)}</bdi>"”"</p> });
    view! {
        <div class="two-columns">
            <section class="panel flight" aria-labelledby="order-title" data-order=id data-status=status>
                <p class="eyebrow">{order.restaurant_name}</p>
                <h1 id="order-title">"Order "<span class="order-id">{short}</span></h1>
                <LiveStatus/>
            </section>
            <aside class="ticket" aria-label="What you ordered">
                <h2>"Your ticket"</h2>
                {whose}
                {receipt(order.items, Vec::new(), Vec::new(), order.total_price)}
                {wish}
                <p class="hint">"Placed "<time datetime=order.timestamp.to_string()>{placed}</time></p>
                <p class="hint">"Keep this page's address: it is the way back to your order."</p>
            </aside>
        </div>
    }
}
