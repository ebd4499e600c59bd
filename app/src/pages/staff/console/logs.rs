//! `/console/logs`: what every service says, newest first.

use super::numbers::hms_ms;
use super::traces::{SERVICES, hue};
use super::{Place, follow_events, follow_link, frame, snapshot};
use crate::control_room::SharedControlRoom;
use crate::extract::{Asked, Fields};
use crate::pages::console::sign_in;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::id::path_segment;
use contract::telemetry::{Level, LogLine, LogPage, LogQuery, Snapshot, Source};
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

const REFRESH_S: u32 = 5;
const FIELDS: [&str; 4] = ["text", "service", "level", "trace"];
/// Which telemetry is searched.
const SOURCE: &str = "source";

/// `?text=`, `?service=`, `?level=`, `?trace=`, `?cursor=`, `?follow=1`
pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(room): Extension<SharedControlRoom>, Asked(query): Asked) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let wanted = LogQuery {
        service: query.filled("service"),
        level: Level::ALL.into_iter().find(|level| level.as_str() == query.get("level")),
        text: query.filled("text"),
        trace: query.filled("trace"),
        limit: None,
        cursor: query.filled("cursor"),
        source: snapshot::source_of(&query),
    };
    let (lines, held) = futures::join!(room.logs(wanted), room.snapshot());
    match lines {
        Ok(lines) => {
            let mut meta = Meta::new("Logs", "What every service says.");
            meta.refresh_s = is_following(&query).then_some(REFRESH_S);
            page(&visit, meta, || body(&query, &lines, held.ok().flatten()))
        }
        Err(error) => error_page(&error, &visit),
    }
}

fn is_following(query: &Fields) -> bool {
    !query.get("follow").is_empty() && query.get("cursor").is_empty() && snapshot::source_of(query) == Source::Live
}

/// The address of this search, of the same telemetry, with other fields beside it.
fn address(query: &Fields, with: &[(&str, &str)]) -> String {
    of(query, query.get(SOURCE), with)
}

fn of(query: &Fields, source: &str, with: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = FIELDS
        .iter()
        .map(|name| (*name, query.get(name)))
        .chain([(SOURCE, source)])
        .chain(with.iter().copied())
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", path_segment(value)))
        .collect();
    if pairs.is_empty() { "/console/logs".to_owned() } else { format!("/console/logs?{}", pairs.join("&")) }
}

fn body(query: &Fields, page: &LogPage, held: Option<Snapshot>) -> impl IntoView + use<> {
    let (following, source) = (is_following(query), snapshot::source_of(query));
    let shown = snapshot::switch(source, held.as_ref(), of(query, "", &[]), of(query, Source::Imported.as_str(), &[]));
    let all = of(&Fields::default(), query.get(SOURCE), &[]);
    let on_first_page = query.get("cursor").is_empty();
    let to = if following { address(query, &[]) } else { address(query, &[("follow", "1")]) };
    let switch = (on_first_page && source == Source::Live).then(|| follow_link(following, to));
    let follow = following.then(follow_events);
    let newest = (!on_first_page).then(|| view! { <a class="button quiet" href=address(query, &[])>"Newest"</a> });
    let older = page.next.as_deref().map(|next| view! { <a class="button quiet" href=address(query, &[("cursor", next)])>"Older"</a> });
    let searched = FIELDS.iter().any(|name| !query.get(name).is_empty());
    let lines = if page.lines.is_empty() {
        let all = searched.then(|| view! { <p><a class="button quiet" href=all>"All lines"</a></p> });
        Either::Left(
            view! { <div class="empty"><p>"No line that is kept fits."</p><p class="hint">"Services log little while all is well: a line for what somebody should know."</p>{all}</div> },
        )
    } else {
        let lines: Vec<_> = page.lines.iter().map(|each| line(each, true)).collect();
        Either::Right(view! { <ol class="log">{lines}</ol> })
    };
    frame(
        Place::Logs,
        "What every service says, newest first; times are UTC.",
        view! {
            {shown}
            {search(query)}
            <div class="list-head"><span></span><div class="list-tools">{switch}</div></div>
            {follow}
            <div id="live-log" data-live="">{lines}</div>
            <nav class="pages" aria-label="Pages">{newest}{older}</nav>
        },
    )
}

fn search(query: &Fields) -> impl IntoView + use<> {
    let value = |name: &str| query.get(name).to_owned();
    let (service, level) = (value("service"), value("level"));
    let services: Vec<_> = SERVICES.into_iter().map(|name| view! { <option value=name selected=name == service>{name}</option> }).collect();
    let levels: Vec<_> = Level::ALL
        .into_iter()
        .map(|each| view! { <option value=each.as_str() selected=each.as_str() == level>{each.as_str()}</option> })
        .collect();
    let hidden: Vec<_> = ["trace", SOURCE]
        .into_iter()
        .filter_map(|name| query.filled(name).map(|value| view! { <input type="hidden" name=name value=value/> }))
        .collect();
    view! {
        <form class="search" method="get" action="/console/logs" role="search">
            <label class="search-text"><span>"Text"</span><input type="search" name="text" value=value("text") data-key="/" placeholder="message or field ( / )"/></label>
            <label><span>"Service"</span><select name="service"><option value="">"any"</option>{services}</select></label>
            <label><span>"Level, and graver"</span><select name="level"><option value="">"any"</option>{levels}</select></label>
            {hidden}
            <button class="button">"Search"</button>
        </form>
    }
}

/// One line; with a way to its trace where that is another page.
pub fn line(line: &LogLine, linked: bool) -> impl IntoView + use<> {
    let class = format!("log-line {}", line.level.as_str());
    let trace = line.trace_id.as_deref().filter(|_| linked).map(|id| {
        let to = format!("/console/traces/{}", path_segment(id));
        view! { <a class="log-trace" href=to>"trace"</a> }
    });
    // An event without words goes by its name.
    let name = || line.fields.iter().find(|(name, _)| name == "event.name" || name == "target").map(|(_, value)| value.clone());
    let message = if line.message.is_empty() { name().unwrap_or_default() } else { line.message.clone() };
    let fields: Vec<_> = line.fields.iter().map(|(name, value)| view! { <span><b>{name.clone()}</b>"="{value.clone()}</span> }).collect();
    let fields = (!fields.is_empty()).then(|| view! { <p class="log-fields">{fields}</p> });
    view! {
        <li class=class>
            <time datetime=line.at.to_string()>{hms_ms(line.at)}</time>
            <span class="log-level">{line.level.as_str()}</span>
            <span class=format!("service {}", hue(&line.service))><i></i>{line.service.clone()}</span>
            <div class="log-text"><p>{message}</p>{fields}</div>
            {trace}
        </li>
    }
}
