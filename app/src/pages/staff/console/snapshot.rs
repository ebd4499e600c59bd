//! `/console/snapshot`: what the platform remembers, as a file, and such a file read back, beside what is live.

use super::numbers::{bytes, date_hms, hms};
use super::{Place, frame, grouped};
use crate::control_room::SharedControlRoom;
use crate::extract::Fields;
use crate::pages::console::sign_in;
use crate::pages::staff::{sentence, wrong_line};
use crate::render::{Meta, page};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::ApiError;
use contract::telemetry::{Kept, SNAPSHOT_LIMIT_BYTES, Snapshot, Source};
use http::StatusCode;
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

pub const PAGE: &str = "/console/snapshot";

/// The call that answers the file.
const FILE: &str = "/api/telemetry/snapshot";

/// Added to the address of a page that shows the snapshot.
pub const QUERY: &str = "source=imported";

/// Pages that show either what is live or the snapshot.
const SHOWN_ON: [(&str, &str); 4] =
    [("/console/overview", "Overview"), ("/console/traces", "Traces"), ("/console/map", "Map"), ("/console/logs", "Logs")];

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(room): Extension<SharedControlRoom>) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    show_with(&visit, &room, None).await
}

/// With what was wrong with the file that was sent.
pub async fn show_with(visit: &Visit, room: &SharedControlRoom, wrong: Option<ApiError>) -> Response {
    let (live, held) = futures::join!(room.overview(1, Source::Live), room.snapshot());
    let mut meta = Meta::new("Snapshot", "What the platform remembers, as a file.");
    if let Some(error) = &wrong {
        meta.status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    }
    page(visit, meta, || body(live.map(|live| live.kept), held, wrong))
}

fn body(live: Result<Kept, ApiError>, held: Result<Option<Snapshot>, ApiError>, wrong: Option<ApiError>) -> impl IntoView {
    let number = |n: u64| grouped(i64::try_from(n).unwrap_or(i64::MAX));
    let live = match live {
        Ok(kept) => format!("Now: {} traces, {} spans, {} log lines.", number(kept.traces), number(kept.spans), number(kept.logs)),
        Err(error) => format!("Telemetry cannot be read: {}", sentence(&error)),
    };
    let wrong = wrong.map(|error| sentence(&error));
    let described_by = if wrong.is_some() { "wrong file-hint" } else { "file-hint" };
    let held = match held {
        Ok(Some(snapshot)) => Some(Either::Left(facts(&snapshot))),
        Ok(None) => None,
        Err(error) => Some(Either::Right(view! { <p class="nothing">{sentence(&error)}</p> })),
    };
    let megabytes = SNAPSHOT_LIMIT_BYTES / 1024 / 1024;
    frame(
        Place::Snapshot,
        "Traces, log lines and charts as a file: to show a demonstration again, or to attach to an issue.",
        view! {
            {held}
            <div class="staff-panels">
                <section class="panel" aria-labelledby="take-title">
                    <h2 id="take-title">"Take one"</h2>
                    <p>"Everything the console shows of requests, as one compressed file. "{live}</p>
                    <p class="scene-actions"><a class="button" href=FILE download="">"Download a snapshot"</a></p>
                </section>
                <section class="panel" aria-labelledby="read-title">
                    <h2 id="read-title">"Read one"</h2>
                    <form class="stack" method="post" action=PAGE enctype="multipart/form-data" data-once="">
                        {wrong_line(wrong)}
                        <label class="field"><span>"File"</span><input type="file" name="file" required accept=".gz,application/gzip" aria-describedby=described_by/></label>
                        <p class="hint" id="file-hint">{format!("As it was downloaded, at most {megabytes} MB. It stands beside what is live, in place of the one before; no chart, proof or alert counts it.")}</p>
                        <button class="button">"Read the snapshot"</button>
                    </form>
                </section>
            </div>
        },
    )
}

fn facts(snapshot: &Snapshot) -> impl IntoView + use<> {
    let number = |n: u64| grouped(i64::try_from(n).unwrap_or(i64::MAX));
    let between = snapshot.from.zip(snapshot.to).map(|(from, to)| format!("{} – {} UTC", date_hms(from), hms(to)));
    let left_out =
        (snapshot.left_out > 0).then(|| view! { <div><dt>"no room for"</dt><dd>{number(snapshot.left_out)}" spans and lines"</dd></div> });
    let links = SHOWN_ON.map(|(to, text)| view! { <a class="button quiet" href=format!("{to}?{QUERY}")>{text}</a> });
    view! {
        <section class="panel imported-panel" aria-labelledby="held-title">
            <h2 id="held-title"><span class="chip imported">"imported"</span>" A snapshot is read"</h2>
            <dl class="health">
                <div><dt>"of"</dt><dd>{whose(snapshot)}</dd></div>
                <div><dt>"written"</dt><dd>{date_hms(snapshot.exported_at)}" UTC"</dd></div>
                <div><dt>"traces began"</dt><dd>{between.unwrap_or_else(|| "–".to_owned())}</dd></div>
                <div><dt>"holds"</dt><dd>{number(snapshot.traces)}" traces, "{number(snapshot.spans)}" spans, "{number(snapshot.logs)}" log lines"</dd></div>
                {left_out}
                <div><dt>"read"</dt><dd>{date_hms(snapshot.imported_at)}" UTC, into "{bytes(snapshot.bytes as f64)}</dd></div>
            </dl>
            <div class="scene-actions">
                {links.into_iter().collect_view()}
                <form method="post" action="/console/snapshot/forget" data-swap=""><button class="button danger">"Forget it"</button></form>
            </div>
        </section>
    }
}

fn whose(snapshot: &Snapshot) -> String {
    if snapshot.platform.is_empty() { "a platform without a name".to_owned() } else { snapshot.platform.clone() }
}

/// What an address asks for: `?source=imported`.
pub fn source_of(query: &Fields) -> Source {
    if query.get("source") == Source::Imported.as_str() { Source::Imported } else { Source::Live }
}

/// What stands above telemetry while a snapshot is held: which of the two is shown, and the way to the other. `live` and `imported` are the
/// addresses of this page with either.
pub fn switch(source: Source, held: Option<&Snapshot>, live: String, imported: String) -> impl IntoView + use<> {
    let held = held?;
    let current = |which: Source| (source == which).then_some("true");
    let note = (source == Source::Imported).then(|| {
        view! {
            <p class="imported-note"><span class="chip imported">"imported"</span>" Of "<strong>{whose(held)}</strong>", written "{date_hms(held.exported_at)}" UTC. Nothing of it is happening now. "<a href=PAGE>"About it"</a></p>
        }
    });
    Some(view! {
        <div class="source-row">
            <nav aria-label="Telemetry shown"><ul class="ranges"><li><a href=live aria-current=current(Source::Live)>"Live"</a></li><li><a href=imported aria-current=current(Source::Imported)>"Snapshot"</a></li></ul></nav>
            {note}
        </div>
    })
}
