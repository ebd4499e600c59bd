//! `/console/load`: how many customers the load generator plays, and what they meet.

use super::numbers::{ms, percent, plain};
use super::{Place, follow_events, frame, grouped, wide};
use crate::control_room::SharedControlRoom;
use crate::pages::console::sign_in;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::load::{LoadAgent, LoadState, LoadWanted};
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

const REFRESH_S: u32 = 5;
/// What one press asks for.
const PRESETS: [(u32, &str); 6] =
    [(0, "Stop"), (10, "A quiet day"), (50, "Busy"), (100, "Lunch rush"), (200, "Stadium"), (500, "Everything")];
/// How fast they are: divisor of think times.
const PACES: [(f64, &str); 4] =
    [(1.0, "as people do"), (3.0, "three times as fast"), (10.0, "ten times as fast"), (0.0, "without a pause")];

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(room): Extension<SharedControlRoom>) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    match room.load().await {
        Ok(load) => {
            let mut meta = Meta::new("Load", "Customers that are played.");
            meta.refresh_s = Some(REFRESH_S);
            page(&visit, meta, || body(&load))
        }
        Err(error) => error_page(&error, &visit),
    }
}

fn body(load: &LoadState) -> impl IntoView + use<> {
    let told = told(load);
    let presets = presets(&load.wanted);
    let agents = agents(&load.agents);
    let wanted = &load.wanted;
    let paces: Vec<_> = PACES
        .into_iter()
        .map(|(pace, text)| {
            let selected = (pace - wanted.pace).abs() < f64::EPSILON;
            view! { <option value=pace.to_string() selected=selected>{text}</option> }
        })
        .collect();
    let odd = (!PACES.iter().any(|(pace, _)| (pace - wanted.pace).abs() < f64::EPSILON))
        .then(|| view! { <option value=wanted.pace.to_string() selected>{format!("{}× as fast", plain(wanted.pace))}</option> });
    let seed = wanted.seed.map(|seed| seed.to_string()).unwrap_or_default();
    frame(
        Place::Load,
        "Customers that are played by the load generator: they look, fill carts, change their minds and order.",
        view! {
            <div id="live-load-told" data-live="" role="status">{told}</div>
            {follow_events()}
            <form class="panel load-form" method="post" action="/console/load" data-swap="">
                <div class="presets" role="group" aria-label="How many" id="live-presets" data-live="">{presets}</div>
                <div class="load-fields">
                    <label><span>"Customers at once, 0 – 500"</span><input type="number" name="wanted" min="0" max="500" value=wanted.users/></label>
                    <label><span>"How fast"</span><select name="pace">{paces}{odd}</select></label>
                    <label><span>"Seed (the same again)"</span><input name="seed" inputmode="numeric" value=seed autocomplete="off"/></label>
                    <button class="button" id="load-set">"Set"</button>
                </div>
            </form>
            <section aria-labelledby="agents-title"><h2 id="agents-title">"What they meet"</h2><div id="live-agents" data-live="">{agents}</div></section>
        },
    )
}

fn told(load: &LoadState) -> impl IntoView + use<> {
    let running: u32 = load.agents.iter().map(|agent| agent.report.users).sum();
    let (class, art, text) = match (load.agents.is_empty(), load.wanted.users) {
        (true, 0) => ("verdict unknown", "·", "No load, and no load generator is connected.".to_owned()),
        (true, users) => ("verdict broken", "!", format!("{users} customers are wanted, and no load generator is connected.")),
        (false, 0) if running == 0 => ("verdict unknown", "·", "Idle: the load generator waits to be asked.".to_owned()),
        (false, users) => ("verdict holds", "▶", format!("{running} of {users} customers are busy.")),
    };
    view! { <p class=class><span aria-hidden="true">{art}</span><strong>{text}</strong></p> }
}

fn presets(wanted: &LoadWanted) -> impl IntoView + use<> {
    let button = |(users, text): (u32, &'static str)| {
        let pressed = if users == wanted.users { "true" } else { "false" };
        view! { <button class="variant" id=format!("preset-{users}") name="users" value=users aria-pressed=pressed><b>{users}</b>" "{text}</button> }
    };
    PRESETS.map(button).into_iter().collect_view()
}

fn agents(agents: &[LoadAgent]) -> impl IntoView + use<> {
    if agents.is_empty() {
        return Either::Left(view! {
            <div class="empty">
                <p>"No load generator is connected."</p>
                <p class="hint">"Start one beside the server; it follows this page at once:"</p>
                <pre class="command"><code>"loadgen --agent"</code></pre>
                <p class="hint">"For a platform at another address, add "<code>"--host"</code>" and that address. From the source, "<code>"cargo xtask demo"</code>" starts the platform with one, idle until asked."</p>
            </div>
        });
    }
    let number = |n: u64| grouped(i64::try_from(n).unwrap_or(i64::MAX));
    let rows: Vec<_> = agents
        .iter()
        .map(|agent| {
            let report = &agent.report;
            let class = (report.error_percent > 0.0).then_some("bad");
            view! {
                <tr>
                    <th scope="row">{report.agent.clone()}</th><td>{report.users}</td><td>{plain(report.rate)}</td><td class=class>{percent(report.error_percent)}</td>
                    <td>{ms(report.p50_ms)}</td><td>{ms(report.p95_ms)}</td><td>{ms(report.p99_ms)}</td><td>{number(report.requests)}</td><td>{number(report.failed)}</td><td>{number(report.orders)}</td>
                </tr>
            }
        })
        .collect();
    Either::Right(wide(
        "Load generators",
        view! {
            <table class="numbers-table red-table">
                <thead><tr><th scope="col">"Load generator"</th><th scope="col">"Users"</th><th scope="col">"/s"</th><th scope="col">"Failed"</th><th scope="col">"p50"</th><th scope="col">"p95"</th><th scope="col">"p99"</th><th scope="col">"Requests"</th><th scope="col">"Failed, all"</th><th scope="col">"Orders"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        },
    ))
}
