//! `/orders`: what this browser has ordered, newest first.

use crate::extract::Asked;
use crate::islands::headline;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::words::{ago, short_id};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::Timestamp;
use contract::id::path_segment;
use contract::order::Order;
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Asked(query): Asked) -> Response {
    let cursor = Some(query.get("cursor")).filter(|cursor| !cursor.is_empty());
    let (orders, next) = match shop.order.list(cursor).await {
        Ok(found) => found,
        Err(error) => return error_page(&error, &visit),
    };
    let title = if visit.operator { "All orders" } else { "Your orders" };
    page(&visit, Meta::new(title, "What you have ordered, newest first."), || match orders.is_empty() {
        true => Either::Left(none(cursor.is_some())),
        false => Either::Right(list(title, orders, next, visit.now)),
    })
}

fn none(past_the_end: bool) -> impl IntoView {
    let (heading, text) = if past_the_end {
        ("That was all", "There are no older orders.")
    } else {
        ("No orders yet", "Your first one will appear here, with its way to your door.")
    };
    view! {
        <section class="scene">
            <p class="scene-art" aria-hidden="true">"🌠"</p>
            <h1>{heading}</h1>
            <p>{text}</p>
            <p class="scene-actions"><a class="button" href="/">"Find something to eat"</a></p>
        </section>
    }
}

fn list(title: &'static str, orders: Vec<Order>, next: Option<String>, now: Timestamp) -> impl IntoView {
    let older = next
        .map(|cursor| view! { <p><a class="button quiet" href=format!("/orders?cursor={}", path_segment(&cursor))>"Older orders"</a></p> });
    view! {
        <h1>{title}</h1>
        <ul class="tickets">{orders.into_iter().map(|order| entry(order, now)).collect_view()}</ul>
        {older}
    }
}

fn entry(order: Order, now: Timestamp) -> impl IntoView {
    let status = order.status.as_str();
    let things: Vec<String> = order.items.iter().map(|line| format!("{} × {}", line.quantity, line.item_name)).collect();
    let pictures: String = order.items.iter().take(4).map(|line| line.item_emoji.as_str()).collect();
    view! {
        <li class="ticket-row">
            <p class="pictures" aria-hidden="true">{pictures}</p>
            <div>
                <h2><a href=format!("/orders/{}", path_segment(order.id.as_str()))>"Order "{short_id(order.id.as_str())}</a></h2>
                <p>{order.restaurant_name}" · "{things.join(", ")}</p>
                <p class="hint"><time datetime=order.timestamp.to_string()>{ago(order.timestamp, now)}</time></p>
            </div>
            <div class="ticket-end"><p class="price">{order.total_price.to_string()}</p><p class=format!("status status-{status}")>{headline(status)}</p></div>
        </li>
    }
}
