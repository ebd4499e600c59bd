//! `/about`: what this is, and what it is running on.

use crate::render::{Meta, page};
use crate::ui::words::span;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use leptos::prelude::*;
use std::sync::Arc;

pub async fn show(Extension(visit): Extension<Arc<Visit>>) -> Response {
    page(&visit, Meta::new("About", "A food-ordering platform built to be broken on stage."), || body(&visit))
}

fn body(visit: &Visit) -> impl IntoView + use<> {
    let site = &visit.site;
    let mut facts = vec![
        ("Version".to_owned(), site.version.clone()),
        ("Services".to_owned(), services(visit)),
        ("Running for".to_owned(), span(visit.uptime())),
        ("This request".to_owned(), visit.request_id.clone()),
    ];
    facts.extend(visit.trace_id.iter().map(|id| ("This trace".to_owned(), id.clone())));
    facts.extend(site.stores.iter().map(|(what, store)| (format!("Where {what} live"), store.clone())));
    let facts = facts.into_iter().map(|(name, value)| view! { <tr><th scope="row">{name}</th><td>{value}</td></tr> }).collect_view();
    view! {
        <article class="prose">
            <p class="eyebrow">"About"</p>
            <h1>"A shop that is built to be broken on stage"</h1>
            <p class="lead">"Feast Flow is a food-ordering platform: customers order, restaurants cook, couriers deliver. A presenter flips a fault, and everybody watches, live, what it does to real orders."</p>
            <ul class="promises">
                <li><span aria-hidden="true">"🛰️"</span><h2>"Many services, one program"</h2><p>"Menu, cart, prices, stock and orders are services of their own. They run together in one process, or each alone."</p></li>
                <li><span aria-hidden="true">"🧯"</span><h2>"Faults end by themselves"</h2><p>"Every fault has a time to live. When it is over, or somebody presses all clear, the shop heals without a restart."</p></li>
                <li><span aria-hidden="true">"🧾"</span><h2>"No order is lost"</h2><p>"An order that was accepted is stored before you hear of it. Sending the same order twice makes one order."</p></li>
                <li><span aria-hidden="true">"📡"</span><h2>"Works with the lights off"</h2><p>"Every page is complete without JavaScript. With it, things are merely quicker."</p></li>
            </ul>
            <h2 id="environment">"Environment"</h2>
            <div class="table-wrap" tabindex="0" role="region" aria-labelledby="environment"><table class="facts-table"><tbody>{facts}</tbody></table></div>
            <p><a href=crate::handbook::ADDRESS>"The API, for programs"</a>" · "<a href="/console/flags">"Flags, for operators"</a></p>
        </article>
    }
}

fn services(visit: &Visit) -> String {
    let how = match visit.site.mode {
        crate::visit::Mode::Embedded => "all in one process",
        crate::visit::Mode::Split => "some in processes of their own",
    };
    format!("{} ({how})", visit.site.mode.as_str())
}
