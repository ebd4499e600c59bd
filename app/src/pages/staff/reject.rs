//! `/restaurant/orders/{id}/reject`: declining an order is asked once more, with a reason for the customer.

use super::kitchen::Kitchen;
use super::{meta_of, refuse, sentence, wrong_line};
use crate::extract::{Asked, Fields, Segment};
use crate::render::page;
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::words::{count, short_id};
use crate::visit::Visit;
use axum::Extension;
use axum::response::{IntoResponse, Redirect, Response};
use contract::id::path_segment;
use contract::order::{Order, OrderStatus};
use contract::{ApiError, Note, OrderId};
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

/// What kitchens say most; the customer reads it as it stands.
pub const REASONS: [&str; 4] = [
    "We have run out of something you ordered.",
    "The kitchen is full right now.",
    "We are closing.",
    "We cannot make what you asked for.",
];

pub async fn show(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(shop): Extension<Shop>,
    Segment(id): Segment,
    Asked(query): Asked,
) -> Response {
    match Kitchen::asked(&visit, &shop, &query).await {
        Ok(kitchen) => show_with(&visit, &shop, &kitchen, &id, None).await,
        Err(response) => *response,
    }
}

/// With what was typed and why it will not do.
pub async fn show_with(visit: &Visit, shop: &Shop, kitchen: &Kitchen, id: &str, refused: Option<(Fields, ApiError)>) -> Response {
    let order = match shop.order.get(&OrderId::new(id)).await {
        Ok(order) => order,
        Err(error) => return error_page(&error, visit),
    };
    if order.restaurant_id != kitchen.id {
        return refuse(visit, "the restaurant's own staff");
    }
    if !order.status.may_become(OrderStatus::Rejected) && refused.is_none() {
        return Redirect::to(&kitchen.path("/restaurant")).into_response();
    }
    let short = short_id(id);
    let meta = meta_of(format!("Reject order {short}"), "Decline an order, with a reason.", refused.as_ref().map(|(_, error)| error));
    page(visit, meta, || body(kitchen, order, &short, refused))
}

fn body(kitchen: &Kitchen, order: Order, short: &str, refused: Option<(Fields, ApiError)>) -> impl IntoView + use<> {
    let (typed, wrong) = match refused {
        Some((typed, error)) => (typed, Some(sentence(&error))),
        None => (Fields::default(), None),
    };
    let chosen = if typed.has("reason") { typed.get("reason").to_owned() } else { REASONS[0].to_owned() };
    let reasons = REASONS.map(|reason| view! { <label class="choice"><input type="radio" name="reason" value=reason checked={reason == chosen}/><span>{reason}</span></label> });
    let dishes: Vec<String> = order.items.iter().map(|line| format!("{} × {}", line.quantity, line.item_name)).collect();
    let money = if order.total_price.cents() > 0 {
        Either::Left(
            view! { <p>"The customer gets "<strong>{order.total_price.to_string()}</strong>" back, and the dishes go back on the shelf."</p> },
        )
    } else {
        Either::Right(view! { <p>"The dishes go back on the shelf."</p> })
    };
    let described_by = wrong.is_some().then_some("wrong");
    view! {
        <section class="panel narrow" aria-labelledby="reject-title">
            <p class="eyebrow">{count(order.items.len() as u64, "dish", "dishes")}": "{dishes.join(", ")}</p>
            <h1 id="reject-title">"Reject order "<span class="order-id">{short.to_owned()}</span>"?"</h1>
            {money}
            <form class="stack" method="post" action=format!("/restaurant/orders/{}/status", path_segment(order.id.as_str())) data-swap="">
                {wrong_line(wrong)}
                {kitchen.hidden()}
                <input type="hidden" name="status" value=OrderStatus::Rejected.as_str()/>
                <fieldset class="field"><legend>"What shall the customer read?"</legend>{reasons.collect_view()}</fieldset>
                <label class="field"><span>"Or in your own words"</span>
                    <input name="words" value=typed.get("words").to_owned() maxlength=Note::MAX_CHARS aria-describedby=described_by/></label>
                <button class="button danger wide">"Reject the order"</button>
            </form>
            <p class="after-form"><a href=kitchen.path("/restaurant")>"Keep it"</a></p>
        </section>
    }
}
