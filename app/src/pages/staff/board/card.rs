//! One order on the board.

use super::{Column, Kitchen};
use crate::ui::words::short_id;
use contract::Timestamp;
use contract::id::path_segment;
use contract::order::{Order, OrderLine, OrderStatus};
use leptos::either::Either;
use leptos::prelude::*;
use std::time::Duration;

/// Customers see "received" until a kitchen answers: after three minutes they begin to wonder.
const LATE_ANSWER: Duration = Duration::from_secs(3 * 60);
/// Most dishes are done by then, and what was promised is not far.
const LATE_COOKING: Duration = Duration::from_secs(20 * 60);

pub fn card(kitchen: &Kitchen, column: Column, order: Order, oldest: bool, now: Timestamp) -> impl IntoView + use<> {
    let id = order.id.to_string();
    let short = short_id(&id);
    let waits = now.since(since(column, &order));
    let late = waits >= if column == Column::New { LATE_ANSWER } else { LATE_COOKING } && matches!(column, Column::New | Column::Cooking);
    let time = (column != Column::HandedOver).then(|| {
        let class = if late { "waits late" } else { "waits" };
        view! { <p class=class><span class="sr-only">"Waiting: "</span><time data-waits=waits.as_secs()>{waited(waits)}</time>{late.then_some(" · late")}</p> }
    });
    let action = action(kitchen, column, &order, &short, oldest);
    let name = order.customer_name.map(String::from).map(|name| first_name(&name).to_owned());
    let wish = order.special_instructions.map(String::from).filter(|wish| !wish.is_empty() && column != Column::HandedOver);
    let lines: Vec<_> = if column == Column::HandedOver { Vec::new() } else { order.items.into_iter().map(line).collect() };
    let link = format!("/orders/{}", path_segment(&id));
    view! {
        <li>
            <article class="order-card" id=format!("card-{id}") tabindex="0" data-enter="" aria-labelledby=format!("no-{id}")>
                <header><h3 id=format!("no-{id}")><a href=link>{short}</a></h3>{time}</header>
                {(!lines.is_empty()).then(|| view! { <ul class="to-cook">{lines}</ul> })}
                {wish.map(|wish| view! { <p class="wish"><span class="sr-only">"Wish: "</span>"“"<bdi>{wish}</bdi>"”"</p> })}
                <p class="card-foot"><bdi>{name}</bdi><span class="price">{order.total_price.to_string()}</span></p>
                {action}
            </article>
        </li>
    }
}

fn line(line: OrderLine) -> impl IntoView {
    let choice = line.choice.map(|choice| view! { <span class="chosen">{choice}</span> });
    view! { <li><b>{line.quantity}" ×"</b><span><span aria-hidden="true">{line.item_emoji}</span>" "{line.item_name}{choice}</span></li> }
}

/// The step that comes next, as one large button; where nothing is to be done, what it waits for.
fn action(kitchen: &Kitchen, column: Column, order: &Order, short: &str, oldest: bool) -> impl IntoView + use<> {
    let (next, text) = match order.status {
        OrderStatus::Paid => (OrderStatus::Accepted, "Accept"),
        OrderStatus::Accepted => (OrderStatus::Preparing, "Start cooking"),
        OrderStatus::Preparing => (OrderStatus::Ready, "Ready"),
        // The focus of whoever pressed the last button comes here, instead of getting lost.
        status => return Either::Left(view! { <p class="next-wait" id=format!("next-{}", order.id) tabindex="-1">{wait(status)}</p> }),
    };
    let id = path_segment(order.id.as_str());
    let key = (oldest && column == Column::New).then_some("a");
    let reject = order.status.may_become(OrderStatus::Rejected).then(|| {
        let to = kitchen.path(&format!("/restaurant/orders/{id}/reject"));
        view! { <a class="reject" href=to>"Reject"<span class="sr-only">" order "{short.to_owned()}</span></a> }
    });
    Either::Right(view! {
        <div class="card-actions">
            <form method="post" action=format!("/restaurant/orders/{id}/status") data-swap="" data-key=key>
                {kitchen.hidden()}
                <input type="hidden" name="status" value=next.as_str()/>
                <input type="hidden" name="return" value=kitchen.path("/restaurant")/>
                <button class=format!("button wide step-{}", next.as_str()) id=format!("next-{}", order.id) aria-keyshortcuts=key>{text}<span class="sr-only">" order "{short.to_owned()}</span></button>
            </form>
            {reject}
        </div>
    })
}

const fn wait(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Ready => "🛎️ Waits for a courier",
        OrderStatus::Assigned => "🛰️ A courier is coming",
        OrderStatus::PickedUp => "🚀 With the courier",
        OrderStatus::Delivered => "🪐 Delivered",
        _ => "",
    }
}

/// Since when it stands in its column.
fn since(column: Column, order: &Order) -> Timestamp {
    let status = match column {
        Column::New => OrderStatus::Paid,
        Column::Cooking => OrderStatus::Accepted,
        Column::Ready => OrderStatus::Ready,
        Column::HandedOver => OrderStatus::PickedUp,
    };
    order.history.iter().find(|step| step.status == status).map_or(order.timestamp, |step| step.at)
}

/// `just now`, `4 min`, `1 h 5 min`; the script that lets it grow says it the same way.
fn waited(duration: Duration) -> String {
    match duration.as_secs() / 60 {
        0 => "just now".to_owned(),
        minutes @ 1..60 => format!("{minutes} min"),
        minutes => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// What one calls across a kitchen.
fn first_name(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{first_name, waited};
    use std::time::Duration;

    #[test]
    fn waiting_is_told_in_minutes() {
        let told = |s| waited(Duration::from_secs(s));
        assert_eq!([told(59), told(60), told(3_599), told(3_900)], ["just now", "1 min", "59 min", "1 h 5 min"]);
    }

    #[test]
    fn a_kitchen_calls_first_names() {
        assert_eq!((first_name("Ada Lovelace"), first_name("  ")), ("Ada", ""));
    }
}
