//! The timeline of an order, with the moment of every step.

use crate::ui::stations::{STATIONS, ended_early, headline, station};
use crate::ui::words::clock;
use contract::Timestamp;
use contract::order::{Order, OrderStatus};
use leptos::either::Either;
use leptos::prelude::*;

/// All stations, the passed ones with their times; of an order that left the way, only what it passed.
pub fn list(order: &Order) -> impl IntoView + use<> {
    if ended_early(order.status) {
        return Either::Left(view! { <ol class="timeline">{passed(order)}</ol> });
    }
    let here = station(order.status).unwrap_or_default();
    let stops = STATIONS
        .iter()
        .enumerate()
        .map(|(n, stop)| {
            let state = match n.cmp(&here) {
                std::cmp::Ordering::Less => "done",
                std::cmp::Ordering::Equal => "now",
                std::cmp::Ordering::Greater => "todo",
            };
            entry(state, stop.picture, stop.text, when(order, stop.status))
        })
        .collect_view();
    Either::Right(view! { <ol class="timeline">{stops}</ol> })
}

fn passed(order: &Order) -> impl IntoView + use<> {
    order
        .history
        .iter()
        .map(|step| {
            let stop = station(step.status).and_then(|at| STATIONS.get(at));
            let (state, picture) = stop.map_or(("now over", "🛑"), |stop| ("done", stop.picture));
            entry(state, picture, headline(step.status), Some(step.at))
        })
        .collect_view()
}

fn when(order: &Order, status: OrderStatus) -> Option<Timestamp> {
    order.history.iter().find(|step| step.status == status).map(|step| step.at)
}

fn entry(state: &'static str, picture: &'static str, text: &'static str, at: Option<Timestamp>) -> impl IntoView + use<> {
    let current = state.starts_with("now").then_some("step");
    let time = at.map(|at| view! { <time datetime=at.to_string() data-clock="">{clock(at)}</time> });
    view! { <li class=state aria-current=current><span class="stop" aria-hidden="true">{picture}</span><span>{text}</span>{time}</li> }
}
