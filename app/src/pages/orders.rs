//! `/orders`: what this browser or this account has ordered, newest first.

use crate::extract::Asked;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::stations::headline;
use crate::ui::words::{ago, short_id};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
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
        false => Either::Right(list(title, orders, cursor.is_some(), next, &visit)),
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

fn list(title: &'static str, orders: Vec<Order>, later_page: bool, next: Option<String>, visit: &Visit) -> impl IntoView + use<> {
    let newest = later_page.then(|| view! { <a class="button quiet" href="/orders">"Newest orders"</a> });
    let older =
        next.map(|cursor| view! { <a class="button quiet" href=format!("/orders?cursor={}", path_segment(&cursor))>"Older orders"</a> });
    let guest = visit.user.is_none().then(|| {
        view! { <p class="hint">"These are the orders of this browser. "<a href="/login?next=%2Forders">"Log in"</a>" to have them everywhere."</p> }
    });
    let entries = orders.into_iter().map(|order| entry(order, visit)).collect_view();
    view! {
        <h1>{title}</h1>
        {guest}
        <ul class="tickets">{entries}</ul>
        <nav class="pages" aria-label="Pages">{newest}{older}</nav>
    }
}

fn entry(order: Order, visit: &Visit) -> impl IntoView + use<> {
    let status = order.status.as_str();
    let path = format!("/orders/{}", path_segment(order.id.as_str()));
    let things: Vec<String> = order.items.iter().map(|line| format!("{} × {}", line.quantity, line.item_name)).collect();
    let pictures: String = order.items.iter().take(4).map(|line| line.item_emoji.as_str()).collect();
    let short = short_id(order.id.as_str());
    let again = order.status.is_final().then(|| {
        let label = format!("Order again: {}", things.join(", "));
        view! {
            <form method="post" action=format!("{path}/reorder") data-once="">
                <button class="button quiet" aria-label=label>"Order again"</button>
            </form>
        }
    });
    view! {
        <li class="ticket-row">
            <p class="pictures" aria-hidden="true">{pictures}</p>
            <div>
                <h2><a href=path>"Order "{short.clone()}</a></h2>
                <p>{order.restaurant_name}" · "{things.join(", ")}</p>
                <p class="hint"><time datetime=order.timestamp.to_string()>{ago(order.timestamp, visit.now)}</time></p>
            </div>
            <div class="ticket-end"><p class="price">{order.total_price.to_string()}</p><p class=format!("status status-{status}")>{headline(order.status)}</p>{again}</div>
        </li>
    }
}
