//! `/console/flags`: every fault as a card, flipped by one press.

use crate::desk::SharedDesk;
use crate::pages::staff::console::{Place, nav};
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::ui::words::{count, span};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::Timestamp;
use contract::flags::{Audience, FlagState, Flip};
use contract::id::path_segment;
use http::StatusCode;
use leptos::prelude::*;
use std::sync::Arc;
use std::time::Duration;

pub async fn flags(Extension(visit): Extension<Arc<Visit>>, Extension(desk): Extension<SharedDesk>) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let flags = match desk.list().await {
        Ok(flags) => flags,
        Err(error) => return error_page(&error, &visit),
    };
    page(&visit, Meta::new("Flags", "Faults and their audience."), || body(flags, visit.now))
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

fn body(flags: Vec<FlagState>, now: Timestamp) -> impl IntoView {
    let flipped = flags.iter().filter(|flag| is_on(flag)).count();
    let told = match flipped {
        0 => "Everything is at its default.".to_owned(),
        n => format!("{} not at its default.", count(n as u64, "flag is", "flags are")).replace("are not at its", "are not at their"),
    };
    view! {
        <header class="staff-head">
            <div><p class="eyebrow">"Console"</p><h1>"Flags"</h1></div>
            {nav(Place::Flags)}
        </header>
        <div class="desk-head">
            <p>{told}</p>
            <form method="post" action="/console/all-clear" data-key="c">
                <button class="button danger" aria-keyshortcuts="c">"All clear"<kbd aria-hidden="true">"C"</kbd></button>
            </form>
        </div>
        <ul class="flags">{flags.into_iter().map(|flag| card(flag, now)).collect_view()}</ul>
    }
}

fn is_on(flag: &FlagState) -> bool {
    flag.flip.is_some() || flag.variant != flag.default_variant
}

fn card(flag: FlagState, now: Timestamp) -> impl IntoView {
    let class = if is_on(&flag) { "flag on" } else { "flag" };
    let action = format!("/console/flags/{}", path_segment(&flag.key));
    let state = flag.flip.as_ref().map(|flip| state(flip, now));
    let clear = flag.flip.as_ref().map(|_| {
        view! { <form method="post" action=format!("{action}/clear")><button class="link-button" aria-label=format!("Clear {}", flag.key)>"Clear"</button></form> }
    });
    let place = [flag.service, flag.route].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    let variants = flag
        .variants
        .into_iter()
        .map(|variant| {
            let pressed = if variant.name == flag.variant { "true" } else { "false" };
            let label = format!("{}: {}", flag.key, variant.name);
            let (name, shown) = (variant.name.clone(), variant.name);
            view! { <button class="variant" name="variant" value=name aria-pressed=pressed aria-label=label title=variant.value.to_string()>{shown}</button> }
        })
        .collect_view();
    view! {
        <li class=class id=flag.key.clone()>
            <div class="flag-head"><h2><code>{flag.key.clone()}</code></h2><p class="facts"><span>{place}</span></p></div>
            <p>{flag.description}</p>
            <dl class="notes">
                <div><dt>"Expect"</dt><dd>{flag.expected}</dd></div>
                <div><dt>"Say"</dt><dd>{flag.audience_sentence}</dd></div>
            </dl>
            <form method="post" action=action>
                <div class="variants" role="group" aria-label=format!("Variant of {}", flag.key)>{variants}</div>
                <details>
                    <summary>"Audience and time"</summary>
                    <div class="reach">
                        <label><span>"Who"</span>
                            <select name="audience">
                                <option value="everyone">"Everyone"</option>
                                <option value="synthetic">"Load generator only"</option>
                                <option value="session">"Only my browser"</option>
                                <option value="percent">"A share of sessions"</option>
                            </select>
                        </label>
                        <label><span>"Share, %"</span><input type="number" name="percent" min="1" max="100" value="50"/></label>
                        <label><span>"For"</span>
                            <select name="ttlSeconds">
                                <option value="60">"1 minute"</option>
                                <option value="300">"5 minutes"</option>
                                <option value="600" selected>"10 minutes"</option>
                                <option value="1800">"30 minutes"</option>
                                <option value="3600">"1 hour"</option>
                            </select>
                        </label>
                    </div>
                </details>
            </form>
            <div class="flag-state">{state}{clear}</div>
        </li>
    }
}

fn state(flip: &Flip, now: Timestamp) -> impl IntoView + use<> {
    // Rounded up: the page is asked for again when the flip is over, not shortly before.
    let left = flip.expires_at.since(now) + Duration::from_secs(1);
    let whom = match &flip.audience {
        Audience::Everyone => "for everyone".to_owned(),
        Audience::Synthetic => "for the load generator".to_owned(),
        Audience::Session(_) => "for one browser".to_owned(),
        Audience::Restaurant(id) => format!("for restaurant {id}"),
        Audience::City(city) => format!("for {city}"),
        Audience::Percent(share) => format!("for {share} % of sessions"),
    };
    view! { <p>"Flipped "{whom}", ends in "<time data-countdown=left.as_secs() data-then-reload="">{span(left)}</time></p> }
}
