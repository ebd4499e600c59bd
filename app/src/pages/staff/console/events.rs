//! `/console/events`: how far each service is behind, and events that could not be applied.

use super::{Place, follow, frame, wide};
use crate::back_office::SharedBackOffice;
use crate::pages::console::sign_in;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::ui::words::{ago, count, short_id, span};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::Timestamp;
use contract::id::path_segment;
use contract::parked::{EventLag, ParkedEvent};
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;
use std::time::Duration;

const REFRESH_S: u32 = 5;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(office): Extension<SharedBackOffice>) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    match office.events().await {
        Ok((lags, parked)) => {
            let mut meta = Meta::new("Events", "What services have not heard of yet.");
            meta.refresh_s = Some(REFRESH_S);
            page(&visit, meta, || body(lags, parked, visit.now))
        }
        Err(error) => error_page(&error, &visit),
    }
}

fn body(lags: Vec<EventLag>, parked: Vec<(String, ParkedEvent)>, now: Timestamp) -> impl IntoView {
    let rows: Vec<_> = lags.into_iter().map(row).collect();
    let told = parked_told(parked.len());
    let cards: Vec<_> = parked.into_iter().map(|(service, event)| card(service, event, now)).collect();
    frame(
        Place::Events,
        "Services tell each other what happened by events. One that cannot be applied is parked, so that the next ones can go on.",
        view! {
            {wide("Services", view! {
                <table class="numbers-table">
                    <thead><tr><th scope="col">"Service"</th><th scope="col">"Waiting"</th><th scope="col">"Being applied"</th><th scope="col">"Its own, not sent yet"</th><th scope="col">"Parked"</th></tr></thead>
                    <tbody id="live-lags" data-live="">{rows}</tbody>
                </table>
            })}
            {follow()}
            <section aria-labelledby="parked-title">
                <h2 id="parked-title">"Parked"</h2>
                <div id="live-parked" data-live="">{told}<ul class="parked">{cards}</ul></div>
            </section>
        },
    )
}

fn row(lag: EventLag) -> impl IntoView {
    let outbox = match lag.outbox {
        0 => "0".to_owned(),
        n => format!("{n}, the oldest for {}", span(Duration::from_millis(lag.outbox_oldest_ms))),
    };
    let parked =
        if lag.parked == 0 { Either::Left("0") } else { Either::Right(view! { <strong class="mark-broken">{lag.parked}</strong> }) };
    view! { <tr><th scope="row">{lag.service}</th><td>{lag.waiting}</td><td>{lag.pending}</td><td>{outbox}</td><td>{parked}</td></tr> }
}

fn parked_told(n: usize) -> impl IntoView {
    match n {
        0 => Either::Left(view! { <p class="nothing">"Nothing is parked: whatever was said has been understood."</p> }),
        n => Either::Right(view! { <p>{format!("{} for somebody to look.", count(n as u64, "event waits", "events wait"))}</p> }),
    }
}

fn card(service: String, event: ParkedEvent, now: Timestamp) -> impl IntoView {
    let order = format!("/orders/{}", path_segment(&event.order_id));
    let label = format!("Replay {} of order {} at {service}", event.kind, short_id(&event.order_id));
    let id = format!("replay-{service}-{}", path_segment(&event.id).replace('%', "_"));
    let document = format!("The event {} as it came", event.id);
    let tried = count(u64::from(event.attempts), "attempt", "attempts");
    view! {
        <li class="parked-event">
            <div>
                <h3><code>{event.kind}</code>" at "{service.clone()}</h3>
                <p class="hint">"Order "<a href=order>{short_id(&event.order_id)}</a>" · "{tried}" · parked "{ago(event.parked_at, now)}</p>
                <p class="why">{event.error}</p>
                <pre tabindex="0" role="region" aria-label=document>{event.document}</pre>
            </div>
            <form method="post" action="/console/events/replay" data-swap="">
                <input type="hidden" name="service" value=service/>
                <button class="button quiet" id=id name="id" value=event.id aria-label=label>"Replay"</button>
            </form>
        </li>
    }
}
