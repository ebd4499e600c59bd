//! `/courier`: what to carry, from where to where, and saying that it is done. It follows by itself.

use super::{city, refuse, switch};
use crate::extract::{Asked, Fields};
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::forms::hidden_fields;
use crate::ui::words::{count, distance, short_id, span};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::delivery::{Courier, Delivery, DeliveryStatus};
use contract::id::path_segment;
use contract::{ApiError, Code, Role, Timestamp};
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

/// How often the page asks for itself where no script does.
const REFRESH_S: u32 = 10;

/// The field that says which courier a form is about: a courier is one, operators may look after any.
pub const FIELD: &str = "courier";

/// The courier that whoever is looking may speak for; `None` when an operator has not said which.
pub fn courier_of(visit: &Visit, asked: &str) -> Result<Option<String>, ()> {
    match (visit.role, &visit.courier) {
        (Role::Operator, _) => Ok(Some(asked.to_owned()).filter(|id| !id.is_empty())),
        (Role::Courier, Some(own)) if asked.is_empty() || own == asked => Ok(Some(own.clone())),
        _ => Err(()),
    }
}

/// The page of a courier; operators' addresses say whose.
pub fn path(visit: &Visit, id: &str) -> String {
    if visit.role == Role::Operator { format!("/courier?id={}", path_segment(id)) } else { "/courier".to_owned() }
}

/// For whoever rides for nobody.
pub fn stranger(visit: &Visit) -> Response {
    refuse(visit, "couriers")
}

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Asked(query): Asked) -> Response {
    match courier_of(&visit, query.get("id")) {
        Ok(Some(id)) => one(&visit, &shop, &id).await,
        Ok(None) => choose(&visit, &shop).await,
        Err(()) => stranger(&visit),
    }
}

async fn one(visit: &Visit, shop: &Shop, id: &str) -> Response {
    match load(shop, id).await {
        Ok((courier, delivery)) => {
            let mut meta = Meta::new("Rides", "What to carry, and where to.");
            meta.refresh_s = Some(REFRESH_S);
            page(visit, meta, || body(visit, courier, delivery))
        }
        Err(error) => error_page(&error, visit),
    }
}

async fn load(shop: &Shop, id: &str) -> Result<(Courier, Option<Delivery>), ApiError> {
    let courier = shop.delivery.courier(id).await?;
    let delivery = match &courier.order_id {
        Some(order) => match shop.delivery.get(order).await {
            // It was handed over between the two questions.
            Err(error) if error.code == Code::DeliveryNotFound => None,
            found => Some(found?),
        },
        None => None,
    };
    Ok((courier, delivery))
}

fn body(visit: &Visit, courier: Courier, delivery: Option<Delivery>) -> impl IntoView + use<> {
    let here = path(visit, &courier.id);
    let delivery = delivery.filter(|delivery| delivery.status != DeliveryStatus::Completed);
    let today = format!("{} brought today.", count(u64::from(courier.delivered_today), "order", "orders"));
    let autopilot =
        switch("/courier/autopilot".to_owned(), vec![(FIELD.to_owned(), courier.id.clone())], "on", courier.autopilot, "Autopilot");
    let how = if courier.autopilot { "The bike rides by itself." } else { "You ride by hand: say when something is done." };
    let map = city::draw(&courier, delivery.as_ref(), visit.now);
    let (news, task, way, step) =
        (news(delivery.as_ref()), task(delivery.as_ref()), way(&courier, delivery.as_ref(), visit.now), step(&courier, delivery.as_ref()));
    // The button stands in a region of its own: it must not be replaced under a finger whenever the distance changes.
    view! {
        <header class="staff-head">
            <div><p class="eyebrow"><span>{courier.emoji}" "<bdi>{courier.name}</bdi>" · "{courier.city}</span></p><h1>"Rides"</h1></div>
            <p class="rides-today" id="live-today" data-live="">{today}</p>
        </header>
        <p class="sr-only" id="live-news" data-live="" role="status">{news}</p>
        <div class="rides" data-stay="">
            <section class="panel" aria-label="What to do">
                <div id="live-task" data-live="">{task}</div>
                <div id="live-way" data-live="">{way}</div>
                <div id="live-step" data-live="">{step}</div>
                <div class="rides-how" id="live-autopilot" data-live="">{autopilot}<p class="hint">{how}</p></div>
                <p class="stale" data-stale="" hidden>"No news at the moment; still trying."</p>
                <noscript><p class="hint">"This page looks again every ten seconds. "<a href=here>"Look now"</a></p></noscript>
            </section>
            <div id="live-map" data-live="">{map}</div>
        </div>
        <i data-follow="" hidden></i>
    }
}

/// Whether the food is on the bike.
fn carried(delivery: &Delivery) -> bool {
    delivery.status == DeliveryStatus::PickedUp
}

/// Read out when it changes.
fn news(delivery: Option<&Delivery>) -> String {
    match delivery {
        None => "Nothing to carry.".to_owned(),
        Some(delivery) if carried(delivery) => format!("Bring it to {}.", delivery.customer_name),
        Some(delivery) => format!("Fetch an order from {}.", delivery.restaurant_name),
    }
}

fn task(delivery: Option<&Delivery>) -> impl IntoView + use<> {
    let Some(delivery) = delivery else {
        return Either::Left(view! {
            <p class="task-art" aria-hidden="true">"🛰️"</p>
            <p class="task">"Nothing to carry. The next order that is ready comes to you by itself."</p>
        });
    };
    let short = short_id(delivery.order_id.as_str());
    let (art, verb, word, who) = match carried(delivery) {
        true => ("🏠", "Bring order ", " to ", delivery.customer_name.clone()),
        false => ("🍳", "Fetch order ", " from ", delivery.restaurant_name.clone()),
    };
    Either::Right(view! {
        <p class="task-art" aria-hidden="true">{art}</p>
        <p class="task">{verb}<span class="order-id">{short}</span>{word}<bdi>{who}</bdi>"."</p>
    })
}

/// How far it is, and how long that takes.
fn way(courier: &Courier, delivery: Option<&Delivery>, now: Timestamp) -> Option<impl IntoView + use<>> {
    let delivery = delivery?;
    let goal = if carried(delivery) { delivery.to } else { delivery.from };
    let left = delivery.leg.map_or_else(|| courier.location.distance_m(goal), |leg| leg.at(now).distance_m(goal));
    let arrives =
        delivery.leg.map(|leg| leg.arrives_at.since(now)).filter(|left| left.as_secs() > 0).map(|left| format!(", {}", span(left)));
    let told = if left < 10 { "You are there.".to_owned() } else { format!("{} to go{}", distance(left), arrives.unwrap_or_default()) };
    Some(view! { <p class="task-way">{told}</p> })
}

/// The button of whoever rides by hand.
fn step(courier: &Courier, delivery: Option<&Delivery>) -> Option<impl IntoView + use<>> {
    let delivery = delivery.filter(|_| !courier.autopilot)?;
    let action = format!("/courier/orders/{}/advance", path_segment(delivery.order_id.as_str()));
    let fields = vec![(FIELD.to_owned(), courier.id.clone()), ("done".to_owned(), step_of(delivery).to_owned())];
    let button = if carried(delivery) { "Delivered" } else { "Picked up" };
    let short = short_id(delivery.order_id.as_str());
    Some(view! {
        <form class="step-form" method="post" action=action data-swap="" data-key="d">
            {hidden_fields(fields)}
            <button class="button wide step-accepted" id="advance" aria-keyshortcuts="d">{button}<span class="sr-only">" order "{short}</span></button>
        </form>
    })
}

/// What is done by pressing the button, so that a press on an old page is no step too many.
fn step_of(delivery: &Delivery) -> &'static str {
    if carried(delivery) { "delivered" } else { "picked-up" }
}

/// Whether the step that a form says is done is still the next one.
pub fn is_next(delivery: &Delivery, fields: &Fields) -> bool {
    delivery.status != DeliveryStatus::Completed && fields.get("done") == step_of(delivery)
}

/// For operators: everybody who rides.
async fn choose(visit: &Visit, shop: &Shop) -> Response {
    let couriers = match shop.delivery.couriers("").await {
        Ok(couriers) => couriers,
        Err(error) => return error_page(&error, visit),
    };
    page(visit, Meta::new("Couriers", "Everybody who rides."), || {
        let entry = |courier: Courier| {
            let to = format!("/courier?id={}", path_segment(&courier.id));
            let what = if courier.order_id.is_some() { "on a ride" } else { "free" };
            let how = if courier.autopilot { "rides by itself" } else { "ridden by hand" };
            view! { <tr><th scope="row"><a href=to>{courier.emoji}" "{courier.name}</a></th><td>{courier.city}</td><td>{what}</td><td>{how}</td><td>{courier.delivered_today}</td></tr> }
        };
        let rows: Vec<_> = couriers.into_iter().map(entry).collect();
        view! {
            <p class="eyebrow">"Couriers"</p>
            <h1>"Who rides?"</h1>
            <div class="table-wrap" tabindex="0" role="region" aria-label="Couriers">
                <table class="numbers-table">
                    <thead><tr><th scope="col">"Courier"</th><th scope="col">"City"</th><th scope="col">"Now"</th><th scope="col">"How"</th><th scope="col">"Brought today"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
    })
}
