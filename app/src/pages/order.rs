//! `/orders/{id}`: confirmation, then its way to the door, live; later its receipt.
//!
//! What changes while somebody looks stands in regions marked `data-live`. A script that hears of news asks for this page again and puts
//! the regions in place; without scripts the page asks for itself.

mod map;
mod money;
mod steps;

use crate::control_room::SharedControlRoom;
use crate::extract::Segment;
use crate::pages::staff::console::flag_chips;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::receipt::receipt;
use crate::ui::stations::{ended_early, headline};
use crate::ui::words::{ago, short_id, span};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::delivery::{Delivery, DeliveryStatus};
use contract::id::path_segment;
use contract::order::{Order, OrderStatus};
use contract::payment::Payment;
use contract::telemetry::TraceQuery;
use contract::{ApiError, OrderId, Role};
use leptos::prelude::*;
use std::sync::Arc;

/// How often the page asks for itself where no script does.
const REFRESH_S: u32 = 10;

/// An order has about as many traces: one that places it, and one for each step of the kitchen and the courier.
const TRACES_ASKED: usize = 20;

/// An order and what its owner may know of it.
struct Told {
    order: Order,
    delivery: Option<Delivery>,
    payment: Option<Payment>,
}

impl Told {
    async fn load(shop: &Shop, id: &OrderId) -> Result<Self, ApiError> {
        let order = shop.order.get(id).await?;
        let mut told = Self { order, delivery: None, payment: None };
        if !told.whole() {
            return Ok(told);
        }
        // The order's page is worth showing when one of these two does not answer.
        let delivery = async {
            let on_its_way =
                matches!(told.order.status, OrderStatus::Ready | OrderStatus::Assigned | OrderStatus::PickedUp | OrderStatus::Delivered);
            if on_its_way { shop.delivery.get(id).await.ok() } else { None }
        };
        let payment = async { shop.payment.get(id).await.ok() };
        (told.delivery, told.payment) = futures::join!(delivery, payment);
        Ok(told)
    }

    /// Whether the order service told everything: to its owner, the restaurant's staff and operators. Whoever has only the address
    /// learns what was ordered and where it is, and nothing about people.
    const fn whole(&self) -> bool {
        self.order.customer_name.is_some()
    }

    /// Nothing more will happen, to the food or to the money.
    fn is_over(&self) -> bool {
        self.order.status.is_final() && !self.payment.as_ref().is_some_and(money::moves)
    }

    fn may_cancel(&self, visit: &Visit) -> bool {
        let customer = matches!(visit.role, Role::Customer | Role::Operator);
        self.whole() && customer && self.order.status.may_become(OrderStatus::Cancelled)
    }
}

pub async fn show(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(shop): Extension<Shop>,
    room: Option<Extension<SharedControlRoom>>,
    Segment(id): Segment,
) -> Response {
    let told = match Told::load(&shop, &OrderId::new(id)).await {
        Ok(told) => told,
        Err(error) => return error_page(&error, &visit),
    };
    let order = &told.order;
    let mut meta =
        Meta::new(format!("Order {}", short_id(order.id.as_str())), format!("Follow your order from {}.", order.restaurant_name));
    meta.refresh_s = (!told.is_over()).then_some(REFRESH_S);
    let traced = match room.filter(|_| visit.operator) {
        Some(Extension(room)) => flags_of(&room, told.order.id.as_str()).await,
        None => Vec::new(),
    };
    page(&visit, meta, || body(&visit, told, &traced))
}

/// Flags whose faults touched the order, as far as traces are kept. Without them the page is worth showing too.
async fn flags_of(room: &SharedControlRoom, order: &str) -> Vec<String> {
    let query = TraceQuery { order: Some(order.to_owned()), limit: Some(TRACES_ASKED), ..TraceQuery::default() };
    let mut flags: Vec<String> = room.traces(query).await.unwrap_or_default().traces.into_iter().flat_map(|trace| trace.flags).collect();
    flags.sort_unstable();
    flags.dedup();
    flags
}

/// What operators see of an order beyond what everybody sees.
fn for_operators(visit: &Visit, order: &str, flags: &[String]) -> impl IntoView + use<> {
    visit.operator.then(|| {
        let to = format!("/console/traces?order={}", path_segment(order));
        let touched = (!flags.is_empty()).then(|| view! { <span>"Touched by "{flag_chips(flags)}</span> });
        view! { <p class="for-operators no-print"><a href=to>"Its traces"</a>{touched}</p> }
    })
}

fn body(visit: &Visit, told: Told, flags: &[String]) -> impl IntoView + use<> {
    let path = format!("/orders/{}", path_segment(told.order.id.as_str()));
    let short = short_id(told.order.id.as_str());
    let status = told.order.status;
    let class = if ended_early(status) { "headline ended" } else { "headline" };
    let no_script = (!told.is_over()).then(|| {
        let path = path.clone();
        view! { <noscript><p class="hint">"This page looks again every ten seconds. "<a href=path>"Look now"</a></p></noscript> }
    });
    let (follow, way, steps, actions, money) =
        (follow(&told), way(&told, visit), steps::list(&told.order), actions(&told, visit, &path), money::lines(&told));
    let operators = for_operators(visit, told.order.id.as_str(), flags);
    let restaurant = format!("/restaurants/{}", path_segment(told.order.restaurant_id.as_str()));
    view! {
        <div class="two-columns order-page">
            <section class="panel flight" aria-labelledby="order-title" data-order=told.order.id.to_string()>
                <p class="eyebrow"><a href=restaurant>{told.order.restaurant_name.clone()}</a></p>
                <h1 id="order-title">"Order "<span class="order-id">{short}</span></h1>
                <div id="live-headline" data-live="" role="status"><p class=class>{headline(status)}</p></div>
                <div id="live-way" data-live="">{way}</div>
                <div id="live-steps" data-live="">{steps}</div>
                <p class="stale" data-stale="" hidden>"No news at the moment; still trying."</p>
                {no_script}
                <div id="live-actions" data-live="">{actions}</div>
                <div id="live-operators" data-live="">{operators}</div>
                <div id="live-follow" data-live="" hidden>{follow}</div>
            </section>
            <aside class="ticket" aria-label="What you ordered">{ticket(visit, told, money)}</aside>
        </div>
    }
}

/// What the script has to know: whether to follow, where news comes from, and what this page knows already.
fn follow(told: &Told) -> impl IntoView + use<> {
    (!told.is_over()).then(|| {
        let order = &told.order;
        let events = told.whole().then(|| format!("/events/orders/{}", path_segment(order.id.as_str())));
        let mut seen = order.updated_at.to_string();
        if let Some(delivery) = &told.delivery {
            seen = format!("{seen} {}", delivery.updated_at);
        }
        // A refund is no event of the order.
        let ask = order.status.is_final().then_some("");
        view! { <i data-follow="" data-events=events data-kind="order" data-seen=seen data-ask=ask></i> }
    })
}

/// Who brings it, when, and where that is.
fn way(told: &Told, visit: &Visit) -> impl IntoView + use<> {
    let order = &told.order;
    let reason = order.reason.clone().map(|reason| view! { <p class="reason"><span class="sr-only">"Reason: "</span>{reason}</p> });
    let delivery = told.delivery.as_ref();
    let next = match order.status {
        OrderStatus::Pending => Some("The payment comes first."),
        OrderStatus::Paid => Some("The kitchen has a look at it now."),
        OrderStatus::Accepted | OrderStatus::Preparing => Some("The courier is called as soon as it is ready."),
        _ => None,
    };
    let next = next.map(|text| view! { <p>{text}</p> });
    let courier = delivery.map(|delivery| {
        let who = match (&delivery.courier, delivery.status) {
            (_, DeliveryStatus::Queued) | (None, _) => "All couriers are out: the next free one comes.".to_owned(),
            (Some(courier), DeliveryStatus::Completed) => format!("{} {} brought it.", courier.emoji, courier.name),
            (Some(courier), DeliveryStatus::Assigned) => format!("{} {} rides to the kitchen.", courier.emoji, courier.name),
            (Some(courier), DeliveryStatus::PickedUp) => format!("{} {} is on the way to you.", courier.emoji, courier.name),
        };
        view! { <p class="courier-name">{who}</p> }
    });
    let expected = delivery.filter(|_| !order.status.is_final()).and_then(|delivery| delivery.expected_at).map(|at| {
        let left = at.since(visit.now);
        let shown = if left.is_zero() { "any moment now".to_owned() } else { span(left) };
        let seconds = (!left.is_zero()).then(|| left.as_secs().max(1));
        view! { <p class="eta">"At your door: "<time datetime=at.to_string() data-countdown=seconds data-then-say="any moment now">{shown}</time></p> }
    });
    let map = if ended_early(order.status) { None } else { map::draw(order, delivery, visit.now) };
    view! { {reason} <div class="who-rides">{next}{courier}{expected}</div> {map} }
}

fn actions(told: &Told, visit: &Visit, path: &str) -> impl IntoView + use<> {
    let cancel = told.may_cancel(visit).then(|| {
        view! {
            <form method="post" action=format!("{path}/cancel") data-swap="">
                <button class="button quiet" id="cancel">"Cancel the order"</button>
            </form>
        }
    });
    let again = (told.whole() && told.order.status.is_final()).then(|| {
        view! { <form method="post" action=format!("{path}/reorder") data-once=""><button class="button" id="reorder">"Order the same again"</button></form> }
    });
    (cancel.is_some() || again.is_some()).then(|| view! { <div class="order-actions">{again}{cancel}</div> })
}

fn ticket<V: IntoView>(visit: &Visit, told: Told, money: V) -> impl IntoView + use<V> {
    let whole = told.whole();
    let order = told.order;
    let id = order.id.to_string();
    let short = short_id(&id);
    let placed = ago(order.timestamp, visit.now);
    let whose = order.customer_name.map(|name| view! { <p class="for">"For "<bdi>{String::from(name)}</bdi></p> });
    let address = order.address.map(String::from).filter(|address| !address.is_empty());
    let place = whole.then(|| address.unwrap_or_else(|| "No address: handed over at the counter.".to_owned()));
    let place = place.map(|place| view! { <p class="where-to"><bdi>{place}</bdi></p> });
    let wish = order
        .special_instructions
        .filter(|wish| !wish.as_str().is_empty())
        .map(|wish| view! { <p class="wish"><span class="sr-only">"Wish: "</span>"“"<bdi>{String::from(wish)}</bdi>"”"</p> });
    let hint = if whole {
        "Keep this page's address: it is the way back to your order."
    } else {
        "Fees, discounts and the name are shown to whoever ordered."
    };
    view! {
        <h2>"Your ticket"</h2>
        <p class="print-only">{order.restaurant_name}" · order "{short}" · "{order.timestamp.to_string()}</p>
        {whose}
        {place}
        {receipt(order.items, order.fees, order.discounts, order.total_price)}
        <div id="live-money" data-live="">{money}</div>
        {wish}
        <p class="hint">"Placed "<time datetime=order.timestamp.to_string()>{placed}</time></p>
        <p class="hint no-print">{hint}</p>
        {whole.then(|| view! { <p class="no-print"><button type="button" class="link-button script-only" data-print="">"Print the receipt"</button></p> })}
    }
}
