//! `/console/admin`: doors to kitchens and couriers, and beginning anew, which is asked once more.

use super::numbers::hms;
use super::{Place, flag_chips, follow, frame, wide};
use crate::back_office::SharedBackOffice;
use crate::control_room::SharedControlRoom;
use crate::extract::Asked;
use crate::pages::console::sign_in;
use crate::pages::staff::sentence;
use crate::render::{Meta, page};
use crate::ui::words::span;
use crate::visit::{Mode, Visit};
use axum::Extension;
use axum::response::Response;
use contract::ApiError;
use contract::audit::AuditEntry;
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

/// `?reset=` when it takes longer than the page waited.
pub const GOES_ON: &str = "goes-on";

/// How often the page looks whether a reset that goes on is over.
const RESET_REFRESH_S: u32 = 2;

/// `?reset=840`: a reset has just taken so many milliseconds. `?reset=goes-on`: it takes longer, and the page follows it.
pub async fn show(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(room): Extension<SharedControlRoom>,
    Extension(office): Extension<SharedBackOffice>,
    Asked(query): Asked,
) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let asked = query.get("reset");
    let reset = if asked == GOES_ON { Some(office.reset_outcome()) } else { asked.parse().ok().map(|took_ms| Some(Ok(took_ms))) };
    let mut meta = Meta::new("Admin", "Kitchens, couriers, what was done, and beginning anew.");
    meta.refresh_s = matches!(reset, Some(None)).then_some(RESET_REFRESH_S);
    let audit = room.audit().await;
    page(&visit, meta, || body(&visit, reset.map(|outcome| told(outcome).into_any()), audit))
}

/// What became of a reset.
fn told(outcome: Option<Result<u64, ApiError>>) -> impl IntoView + use<> {
    let follow = outcome.is_none().then(follow);
    let (class, art, told) = match outcome {
        Some(Ok(ms)) => {
            let told = format!("Everything is as it was in the beginning. It took {}.{} s.", ms / 1_000, ms % 1_000 / 100);
            ("verdict holds", "✔", told)
        }
        Some(Err(error)) => {
            ("verdict broken", "✘", format!("The reset did not come to its end: {} Some of it is done; reset once more.", sentence(&error)))
        }
        None => (
            "verdict unknown",
            "⏳",
            "The reset takes longer than usual. It goes on by itself, and this page says when it is over.".to_owned(),
        ),
    };
    view! {
        <div id="live-reset" data-live="">
            <p class=class role="status"><span aria-hidden="true">{art}</span><strong>{told}</strong></p>
            {follow}
        </div>
    }
}

fn body(visit: &Visit, done: Option<AnyView>, audit: Result<Vec<AuditEntry>, ApiError>) -> impl IntoView + use<> {
    let site = &visit.site;
    let stores =
        site.stores.iter().map(|(what, store)| view! { <div><dt>{what.clone()}</dt><dd>{store.clone()}</dd></div> }).collect_view();
    let how = match site.mode {
        Mode::Embedded => "every service in one process",
        Mode::Split => "services in processes of their own",
    };
    let health = view! {
        <dl class="health"><div><dt>"version"</dt><dd>{site.version.clone()}</dd></div><div><dt>"runs"</dt><dd>{how}</dd></div><div><dt>"since"</dt><dd>{span(visit.uptime())}</dd></div>{stores}</dl>
    };
    frame(
        Place::Admin,
        "What an operator may do beyond looking.",
        view! {
            {done}
            <div class="staff-panels">
                <section class="panel" aria-labelledby="others-title">
                    <h2 id="others-title">"Other people's work"</h2>
                    <p>"Every kitchen's board, menu and hours, and every courier's rides, as they see them."</p>
                    <p class="scene-actions"><a class="button quiet" href="/restaurant">"Kitchens"</a><a class="button quiet" href="/courier">"Couriers"</a><a class="button quiet" href="/orders">"All orders"</a></p>
                </section>
                <section class="panel" aria-labelledby="snapshot-title">
                    <h2 id="snapshot-title">"What was seen, as a file"</h2>
                    <p>"Traces, log lines and charts can be downloaded, and read again here or on another platform."</p>
                    <p><a class="button quiet" href="/console/snapshot">"Snapshot"</a></p>
                </section>
                <section class="panel" aria-labelledby="reset-title">
                    <h2 id="reset-title">"Between two shows"</h2>
                    <p>"A reset forgets every order, payment, delivery and message, and puts menus, stock and flags back to how they began."</p>
                    <p><a class="button danger" href="/console/admin/reset">"Reset the platform"</a></p>
                </section>
                <section class="panel" aria-labelledby="health-title"><h2 id="health-title">"What runs here"</h2>{health}<p><a href="/console/policies">"How services call each other"</a></p></section>
            </div>
            <section aria-labelledby="audit-title"><h2 id="audit-title" class="section-title">"What was done"</h2>{entries(audit)}</section>
        },
    )
}

/// What operators did, newest first.
fn entries(audit: Result<Vec<AuditEntry>, ApiError>) -> impl IntoView {
    let nothing = |text: String| Either::Left(view! { <p class="nothing">{text}</p> });
    let entries = match audit {
        Ok(entries) if entries.is_empty() => {
            return nothing("Nothing yet. Every flip, reset and incident is noted here, with who did it and when.".to_owned());
        }
        Ok(entries) => entries,
        Err(error) => return nothing(format!("The audit log cannot be read. {}", sentence(&error))),
    };
    let rows: Vec<_> = entries.into_iter().map(entry).collect();
    Either::Right(wide(
        "Audit log",
        view! {
            <table class="numbers-table audit">
                <thead><tr><th scope="col">"When (UTC)"</th><th scope="col">"Who"</th><th scope="col">"What"</th><th scope="col">"Of what"</th><th scope="col">"How"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        },
    ))
}

fn entry(entry: AuditEntry) -> impl IntoView {
    let subject = if entry.subject == "*" {
        Either::Right("every flag".to_owned())
    } else if entry.action.starts_with("flag.") && !entry.subject.is_empty() {
        Either::Left(flag_chips(&[entry.subject]))
    } else {
        Either::Right(entry.subject)
    };
    view! { <tr><td><time datetime=entry.at.to_string()>{hms(entry.at)}</time></td><td>{entry.who}</td><th scope="row"><code>{entry.action}</code></th><td>{subject}</td><td class="words">{entry.detail}</td></tr> }
}

/// `/console/admin/reset`
pub async fn ask(Extension(visit): Extension<Arc<Visit>>) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    page(&visit, Meta::new("Reset the platform", "Begin anew."), || {
        view! {
            <section class="scene alarm">
                <p class="scene-art" aria-hidden="true">"🌌"</p>
                <h1>"Begin anew?"</h1>
                <p>"Every order, payment, delivery and message is forgotten, for everybody, for good. Menus, stock, accounts and flags go back to how they began. It takes a few seconds, and no orders are taken meanwhile."</p>
                <div class="scene-actions">
                    <form method="post" action="/console/admin/reset" data-once=""><button class="button danger">"Reset everything"</button></form>
                    <a class="button quiet" href="/console/admin">"Leave it as it is"</a>
                </div>
            </section>
        }
    })
}
