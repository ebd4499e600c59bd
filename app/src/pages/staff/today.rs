//! `/restaurant/today`: the kitchen's day in numbers.

use super::chart::bars;
use super::kitchen::{self, Kitchen, Place};
use crate::extract::Asked;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::words::span;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::menu::{Figures, HourFigures, ItemFigures, Restaurant};
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;
use std::time::Duration;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Asked(query): Asked) -> Response {
    let kitchen = match Kitchen::asked(&visit, &shop, &query).await {
        Ok(kitchen) => kitchen,
        Err(response) => return *response,
    };
    let (figures, restaurant) = futures::join!(shop.menu.figures(&kitchen.id), kitchen::restaurant(&shop, &kitchen.id));
    match (figures, restaurant) {
        (Ok(figures), Ok(restaurant)) => {
            page(&visit, Meta::new("Today", "The kitchen's day in numbers."), || body(&kitchen, restaurant, figures))
        }
        (Err(error), _) | (_, Err(error)) => error_page(&error, &visit),
    }
}

fn body(kitchen: &Kitchen, restaurant: Option<Restaurant>, figures: Figures) -> impl IntoView + use<> {
    let cooking = match figures.cooking_seconds {
        0 => "–".to_owned(),
        seconds => span(Duration::from_secs(u64::from(seconds))),
    };
    let refunds = if figures.refunds == 0 { "none".to_owned() } else { format!("{} · {}", figures.refunded, figures.refunds) };
    let numbers = [
        ("Orders", figures.orders.to_string()),
        ("Revenue", figures.revenue.to_string()),
        ("Cooking, on average", cooking),
        ("Refunds", refunds),
    ];
    let numbers = numbers.map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> }).collect_view();
    let chart = bars(&figures.hours);
    let inside = view! {
        <p class="hint">"The day of "<time datetime=figures.day.clone()>{figures.day.clone()}</time>", in the restaurant's own time, so far."</p>
        <dl class="numbers">{numbers}</dl>
        <div class="today">
            <section class="panel" aria-labelledby="by-hour">
                <h2 id="by-hour">"Orders by the hour"</h2>
                {chart}
                {table(figures.hours)}
            </section>
            <section class="panel" aria-labelledby="best">
                <h2 id="best">"Best sellers"</h2>
                {best(figures.best)}
            </section>
        </div>
    };
    kitchen::frame(kitchen, restaurant, Place::Today, "Today", inside)
}

fn table(hours: Vec<HourFigures>) -> impl IntoView {
    let rows: Vec<_> = hours
        .into_iter()
        .filter(|hour| hour.orders > 0)
        .map(|hour| view! { <tr><th scope="row">{format!("{:02}:00", hour.hour)}</th><td>{hour.orders}</td><td>{hour.revenue.to_string()}</td></tr> })
        .collect();
    (!rows.is_empty()).then(|| {
        view! {
            <details class="as-table">
                <summary>"The same as a table"</summary>
                <table class="numbers-table">
                    <caption class="sr-only">"Orders and revenue by the hour"</caption>
                    <thead><tr><th scope="col">"From"</th><th scope="col">"Orders"</th><th scope="col">"Revenue"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </details>
        }
    })
}

fn best(best: Vec<ItemFigures>) -> impl IntoView {
    if best.is_empty() {
        return Either::Left(view! { <p class="nothing">"Nothing has been sold yet today."</p> });
    }
    let rows =
        best.into_iter().map(|item| view! { <li><span>{item.name}</span><b>{item.sold}<span class="sr-only">" sold"</span></b></li> });
    Either::Right(view! { <ol class="best">{rows.collect_view()}</ol> })
}
