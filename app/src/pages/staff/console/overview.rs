//! `/console/overview`: how things stand, and where to look closer.

use super::{PLACES, Place, follow, frame, grouped, ledger};
use crate::back_office::SharedBackOffice;
use crate::pages::console::sign_in;
use crate::render::{Meta, page};
use crate::ui::words::count;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::ApiError;
use contract::ledger::Ledger;
use contract::parked::{EventLag, ParkedEvent};
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

const REFRESH_S: u32 = 5;

type Heard = Result<(Vec<EventLag>, Vec<(String, ParkedEvent)>), ApiError>;

/// It is shown whatever is down: that is when somebody looks at it.
pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(office): Extension<SharedBackOffice>) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let (ledger, heard) = futures::join!(office.ledger(), office.events());
    let mut meta = Meta::new("Overview", "How the platform stands.");
    meta.refresh_s = Some(REFRESH_S);
    page(&visit, meta, || body(ledger, heard))
}

fn body(ledger: Result<Ledger, ApiError>, heard: Heard) -> impl IntoView {
    let (books, events) = (books(ledger), events(heard));
    let links = PLACES.into_iter().filter(|(place, ..)| *place != Place::Overview).map(|(_, to, picture, text, says)| {
        view! { <li class="door-card"><span aria-hidden="true">{picture}</span><h2><a href=to>{text}</a></h2><p>{says}</p></li> }
    });
    let links = links.collect_view();
    frame(
        Place::Overview,
        "The whole platform on one page; every number follows by itself.",
        view! {
            <div id="live-books" data-live="">{books}</div>
            <div id="live-events" data-live="">{events}</div>
            {follow()}
            <ul class="door-cards">{links}</ul>
        },
    )
}

fn books(ledger: Result<Ledger, ApiError>) -> impl IntoView {
    match ledger {
        Ok(ledger) => {
            let open = count(ledger.open.len() as u64, "order is under way", "orders are under way");
            Either::Left(view! { {ledger::verdict(&ledger)} <p class="hint">{ledger.checks.len()}" checks · "{open}"."</p> })
        }
        Err(error) => Either::Right(view! {
            <p class="verdict unknown"><span aria-hidden="true">"?"</span><strong>"The ledger cannot be read: a service does not show its books."</strong></p>
            <p class="hint">{super::super::sentence(&error)}</p>
        }),
    }
}

fn events(heard: Heard) -> impl IntoView {
    let Ok((lags, parked)) = heard else {
        return Either::Left(view! { <p class="hint">"How far services are behind with events cannot be read."</p> });
    };
    let behind: u64 = lags.iter().map(|lag| lag.waiting + lag.pending + lag.outbox).sum();
    let behind = i64::try_from(behind).unwrap_or(i64::MAX);
    let parked: u64 = lags.iter().map(|lag| lag.parked).sum::<u64>().max(parked.len() as u64);
    let parked_text = if parked == 0 {
        Either::Left("none parked")
    } else {
        Either::Right(view! { <strong class="mark-broken">{parked}" parked"</strong> })
    };
    Either::Right(view! { <p class="hint">{lags.len()}" services listen · events on their way: "{grouped(behind)}" · "{parked_text}</p> })
}
