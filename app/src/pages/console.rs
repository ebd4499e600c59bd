//! `/console/flags`: every fault as a card, flipped by one press, with what is seen of it.

pub mod proof;

use crate::control_room::SharedControlRoom;
use crate::desk::SharedDesk;
use crate::extract::Asked;
use crate::pages::staff::console::incidents::is_guessing;
use crate::pages::staff::console::{Place, follow_events, frame};
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::ui::words::{count, span};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::Timestamp;
use contract::flags::{Audience, FlagState, Flip};
use contract::id::path_segment;
use contract::proof::Proof;
use http::StatusCode;
use leptos::prelude::*;
use std::sync::Arc;
use std::time::Duration;

const REFRESH_S: u32 = 5;

/// What a page of flags is made from.
struct Desk {
    flags: Vec<FlagState>,
    proofs: Vec<Proof>,
    /// Somebody guesses what is on.
    hidden: bool,
    now: Timestamp,
}

/// `?q=` for the flags whose name, place or description has it; `?show=1` although a quiz runs.
pub async fn flags(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(desk): Extension<SharedDesk>,
    Extension(room): Extension<SharedControlRoom>,
    Asked(query): Asked,
) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let (flags, proofs, incidents) = futures::join!(desk.list(), room.proofs(), room.incidents());
    let flags = match flags {
        Ok(flags) => flags,
        Err(error) => return error_page(&error, &visit),
    };
    // Proofs are worth having; the desk works without them.
    let hidden = incidents.is_ok_and(|incidents| is_guessing(&incidents)) && query.get("show").is_empty();
    let desk = Desk { flags, proofs: proofs.unwrap_or_default(), hidden, now: visit.now };
    let mut meta = Meta::new("Flags", "Faults and their audience.");
    meta.refresh_s = Some(REFRESH_S);
    page(&visit, meta, || body(desk, query.get("q")))
}

/// For everybody who is not an operator.
pub fn sign_in(visit: &Visit) -> Response {
    let mut meta = Meta::new("Console", "For operators.");
    meta.status = StatusCode::UNAUTHORIZED;
    let log_in = format!("/login?next={}", path_segment(&visit.path));
    page(visit, meta, || {
        view! {
            <section class="scene">
                <p class="scene-art" aria-hidden="true">"🔑"</p>
                <h1>"The console is for operators"</h1>
                <p>"When the server starts, it prints a link to the console with a token in it. Open that link once in this browser, and this page becomes the flag desk."</p>
                <p><code>"/console?token=…"</code></p>
                <p class="scene-actions"><a class="button" href=log_in>"Log in as an operator"</a><a class="button quiet" href="/">"To the restaurants"</a></p>
            </section>
        }
    })
}

fn body(desk: Desk, q: &str) -> impl IntoView + use<> {
    let Desk { flags, proofs, hidden, now } = desk;
    let flipped: Vec<&FlagState> = flags.iter().filter(|flag| is_on(flag)).collect();
    let told = match (hidden, flipped.len()) {
        (true, _) => "A quiz is running: what is on stays hidden until it is answered.".to_owned(),
        (_, 0) => "Everything is at its default.".to_owned(),
        (_, n) => format!("{} not at its default.", count(n as u64, "flag is", "flags are")).replace("are not at its", "are not at their"),
    };
    let on: Vec<_> = flipped
        .iter()
        .filter(|_| !hidden)
        .map(|flag| {
            let chip = proof_of(&proofs, &flag.key).map(|proof| proof::chip(proof.verdict));
            view! { <li><a class="flag-chip" href=format!("#{}", flag.key)><span aria-hidden="true">"🚩"</span>{flag.key.clone()}</a><code>{flag.variant.clone()}</code>{chip}</li> }
        })
        .collect();
    let on = (!on.is_empty()).then(|| view! { <ul class="on-now" aria-label="Flags that are on">{on}</ul> });
    let anyway = hidden.then(|| view! { <p><a href="/console/flags?show=1">"Show it anyway"</a></p> });
    let wanted = q.to_lowercase();
    let fits = |flag: &&FlagState| {
        wanted.is_empty()
            || [&flag.key, &flag.service, &flag.route, &flag.description].iter().any(|text| text.to_lowercase().contains(&wanted))
    };
    let cards: Vec<_> = flags.iter().filter(fits).map(|flag| card(flag, proof_of(&proofs, &flag.key), hidden, now)).collect();
    let mut services: Vec<&str> =
        flags.iter().map(|flag| flag.service.as_str()).filter(|service| !service.is_empty() && *service != "*").collect();
    services.sort_unstable();
    services.dedup();
    let filters: Vec<_> = [""]
        .into_iter()
        .chain(services)
        .map(|service| {
            let (to, text) = if service.is_empty() {
                ("/console/flags".to_owned(), "All")
            } else {
                (format!("/console/flags?q={}", path_segment(service)), service)
            };
            let current = (wanted == service).then_some("true");
            view! { <li><a href=to aria-current=current>{text.to_owned()}</a></li> }
        })
        .collect();
    let nothing = cards
        .is_empty()
        .then(|| view! { <p class="nothing">"No flag is called or does that. "<a href="/console/flags">"Show all flags"</a></p> });
    frame(
        Place::Flags,
        "One press flips a fault; it ends by itself when its time is over. Each card shows what is measured.",
        view! {
            <div class="desk-head">
                <div id="live-told" data-live="" role="status"><p>{told}</p>{anyway}</div>
                <form class="desk-search" method="get" action="/console/flags" role="search">
                    <input type="search" name="q" value=q.to_owned() data-key="/" aria-label="Find a flag" placeholder="Find a flag ( / )"/>
                    <button class="button quiet">"Find"</button>
                </form>
            </div>
            <div id="live-on" data-live="">{on}</div>
            {follow_events()}
            <nav aria-label="Flags of one service"><ul class="ranges">{filters}</ul></nav>
            {nothing}
            <ul class="flags">{cards}</ul>
        },
    )
}

fn proof_of<'a>(proofs: &'a [Proof], key: &str) -> Option<&'a Proof> {
    proofs.iter().find(|proof| proof.flag == key)
}

fn is_on(flag: &FlagState) -> bool {
    flag.flip.is_some() || flag.variant != flag.default_variant
}

fn card(flag: &FlagState, proof: Option<&Proof>, hidden: bool, now: Timestamp) -> impl IntoView + use<> {
    let class = if is_on(flag) && !hidden { "flag on" } else { "flag" };
    let key = flag.key.clone();
    let action = format!("/console/flags/{}", path_segment(&key));
    let place = [flag.service.as_str(), flag.route.as_str()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    let variants = variants(flag, hidden);
    // Nothing of a quiz's cause.
    let flip = flag.flip.as_ref().filter(|_| !hidden);
    let state = flip.map(|flip| state(flip, now));
    let clear = flip.map(|_| {
        view! { <form method="post" action=format!("{action}/clear") data-swap=""><button class="link-button" id=format!("clear-{key}") aria-label=format!("Clear {key}")>"Clear"</button></form> }
    });
    let proof = proof.filter(|_| !hidden).map(proof::panel);
    view! {
        <li class=class id=key.clone() data-live-class="">
            <div class="flag-head"><h2><code>{key.clone()}</code></h2><p class="facts"><span>{place}</span></p></div>
            <p>{flag.description.clone()}</p>
            <dl class="notes">
                <div><dt>"Expect"</dt><dd>{flag.expected.clone()}</dd></div>
                <div><dt>"Say"</dt><dd>{flag.audience_sentence.clone()}</dd></div>
            </dl>
            <form method="post" action=action data-swap="">
                <div class="variants" role="group" aria-label=format!("Variant of {key}") id=format!("variants-{key}") data-live="">{variants}</div>
                {reach()}
            </form>
            <div class="flag-state"><div id=format!("state-{key}") data-live="">{state}</div><div id=format!("end-{key}") data-live="">{clear}</div></div>
            <div class="proof" id=format!("proof-{key}") data-live="">{proof}</div>
        </li>
    }
}

fn variants(flag: &FlagState, hidden: bool) -> impl IntoView + use<> {
    let variant = |name: &str, value: String| {
        let pressed = if !hidden && name == flag.variant { "true" } else { "false" };
        let label = format!("{}: {name}", flag.key);
        let id = format!("{}--{name}", flag.key);
        view! { <button class="variant" id=id name="variant" value=name.to_owned() aria-pressed=pressed aria-label=label title=value>{name.to_owned()}</button> }
    };
    flag.variants.iter().map(|each| variant(&each.name, each.value.to_string())).collect_view()
}

/// Whom a flip reaches, and for how long.
fn reach() -> impl IntoView {
    view! {
        <details>
            <summary>"Audience and time"</summary>
            <div class="reach">
                <label><span>"Who"</span>
                    <select name="audience">
                        <option value="everyone">"Everyone"</option>
                        <option value="synthetic">"Load generator only"</option>
                        <option value="session">"Only my browser"</option>
                        <option value="percent">"A share of sessions"</option>
                        <option value="restaurant">"One restaurant"</option>
                        <option value="city">"One city"</option>
                    </select>
                </label>
                <label><span>"For"</span>
                    <select name="ttlSeconds">
                        <option value="60">"1 minute"</option>
                        <option value="300">"5 minutes"</option>
                        <option value="600" selected>"10 minutes"</option>
                        <option value="1800">"30 minutes"</option>
                        <option value="3600">"1 hour"</option>
                    </select>
                </label>
                <label class="reach-share"><span>"Share, %"</span><input type="number" name="percent" min="1" max="100" value="50"/></label>
                <label class="reach-place"><span>"Restaurant or city"</span><input name="place" autocomplete="off" placeholder="cosmic-coffee, Berlin"/></label>
            </div>
        </details>
    }
}

fn state(flip: &Flip, now: Timestamp) -> impl IntoView + use<> {
    // Rounded up, as clocks that count down are read.
    let left = flip.expires_at.since(now) + Duration::from_secs(1);
    let whom = match &flip.audience {
        Audience::Everyone => "for everyone".to_owned(),
        Audience::Synthetic => "for the load generator".to_owned(),
        Audience::Session(_) => "for one browser".to_owned(),
        Audience::Restaurant(id) => format!("for restaurant {id}"),
        Audience::City(city) => format!("for {city}"),
        Audience::Percent(share) => format!("for {share} % of sessions"),
    };
    view! { <p>"Flipped "{whom}", ends in "<time data-countdown=left.as_secs()>{span(left)}</time></p> }
}
