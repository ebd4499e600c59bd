//! `/console/traces`: search among what the platform remembers, newest first.

use super::numbers::{hms, hms_ms, micros};
use super::{Place, flag_chips, follow_events, follow_link, frame, order_link, snapshot};
use crate::control_room::SharedControlRoom;
use crate::extract::{Asked, Fields};
use crate::pages::console::sign_in;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::ui::words::count;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::Timestamp;
use contract::id::path_segment;
use contract::telemetry::{Outcome, Snapshot, Source, TracePage, TraceQuery, TraceSummary};
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

const REFRESH_S: u32 = 5;

/// What has spans of its own: the names to choose from.
pub const SERVICES: [&str; 11] =
    ["server", "menu", "cart", "middleware", "order", "payment", "delivery", "notification", "user", "browser", "loadgen"];

/// Fields of the search, in the order of its address.
const FIELDS: [&str; 10] = ["text", "service", "route", "outcome", "minMs", "maxMs", "flag", "order", "from", "to"];
/// Which telemetry is searched.
const SOURCE: &str = "source";
/// Whether what the platform does by itself is listed as well. A search looks everywhere.
const OWN: &str = "own";

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(room): Extension<SharedControlRoom>, Asked(query): Asked) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let (traces, held) = futures::join!(room.traces(read(&query)), room.snapshot());
    match traces {
        Ok(traces) => {
            let mut meta = Meta::new("Traces", "Every request, step by step.");
            meta.refresh_s = is_following(&query).then_some(REFRESH_S);
            page(&visit, meta, || body(&query, traces, held.ok().flatten()))
        }
        Err(error) => error_page(&error, &visit),
    }
}

fn is_following(query: &Fields) -> bool {
    !query.get("follow").is_empty() && query.get("cursor").is_empty() && snapshot::source_of(query) == Source::Live
}

/// A moment of an address: milliseconds since 1970, or RFC 3339.
fn moment(text: &str) -> Option<Timestamp> {
    let millis = text.parse().ok().map(Timestamp::from_millis);
    millis.or_else(|| serde::Deserialize::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(text)).ok())
}

fn read(query: &Fields) -> TraceQuery {
    TraceQuery {
        service: query.filled("service"),
        route: query.filled("route"),
        outcome: match query.get("outcome") {
            "error" => Some(Outcome::Error),
            "ok" => Some(Outcome::Ok),
            _ => None,
        },
        min_ms: query.get("minMs").parse().ok(),
        max_ms: query.get("maxMs").parse().ok(),
        flag: query.filled("flag"),
        order: query.filled("order"),
        text: query.filled("text"),
        requests: query.get(OWN).is_empty() && !is_searched(query),
        from: moment(query.get("from")),
        to: moment(query.get("to")),
        limit: None,
        cursor: query.filled("cursor"),
        source: snapshot::source_of(query),
    }
}

fn is_searched(query: &Fields) -> bool {
    FIELDS.iter().any(|name| !query.get(name).is_empty())
}

/// The address of this search with other fields beside it.
fn address(query: &Fields, without: &[&str], with: &[(&str, &str)]) -> String {
    let kept = FIELDS.iter().chain([&SOURCE, &OWN]).filter(|name| !without.contains(name)).map(|name| (*name, query.get(name)));
    let pairs: Vec<String> = kept
        .chain(with.iter().copied())
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", path_segment(value)))
        .collect();
    if pairs.is_empty() { "/console/traces".to_owned() } else { format!("/console/traces?{}", pairs.join("&")) }
}

fn body(query: &Fields, traces: TracePage, held: Option<Snapshot>) -> impl IntoView + use<> {
    let (following, source) = (is_following(query), snapshot::source_of(query));
    let imported = address(query, &[SOURCE], &[(SOURCE, Source::Imported.as_str())]);
    let shown = snapshot::switch(source, held.as_ref(), address(query, &[SOURCE], &[]), imported);
    let searched = is_searched(query);
    let on_first_page = query.get("cursor").is_empty();
    let follow_to = if following { address(query, &[], &[]) } else { address(query, &[], &[("follow", "1")]) };
    let list = list(&traces, searched, &address(query, &FIELDS, &[]));
    let newest = (!on_first_page).then(|| view! { <a class="button quiet" href=address(query, &[], &[])>"Newest"</a> });
    let older = traces.next.map(|next| view! { <a class="button quiet" href=address(query, &[], &[("cursor", &next)])>"Older"</a> });
    let follow = following.then(follow_events);
    let scope = if searched { Either::Left(chips(query)) } else { Either::Right(own(query)) };
    let switch = (on_first_page && source == Source::Live).then(|| follow_link(following, follow_to));
    frame(
        Place::Traces,
        "Every request, step by step, through all services. Failed, slow and flagged ones are kept longest.",
        view! {
            {shown}
            {search(query)}
            <div class="list-head">{scope}<div class="list-tools"><a class="button quiet" href=snapshot::PAGE>"Snapshot"</a>{switch}</div></div>
            {follow}
            <div id="live-traces" data-live="">{list}</div>
            <nav class="pages" aria-label="Pages">{newest}{older}</nav>
        },
    )
}

/// What is left out of a list that nobody searched, and the way to see it.
fn own(query: &Fields) -> impl IntoView + use<> {
    let (says, to, does) = if query.get(OWN).is_empty() {
        ("Without timers and the console's own pages. ", address(query, &[], &[(OWN, "1")]), "Show them")
    } else {
        ("With timers and the console's own pages. ", address(query, &[OWN], &[]), "Leave them out")
    };
    view! { <p class="hint">{says}<a href=to>{does}</a></p> }
}

/// The search. What is seldom asked for is folded away.
fn search(query: &Fields) -> impl IntoView + use<> {
    let value = |name: &str| query.get(name).to_owned();
    let option = |chosen: &str, name: &'static str, text: &'static str| {
        let selected = chosen == name;
        view! { <option value=name selected=selected>{text}</option> }
    };
    let service = value("service");
    let services: Vec<_> = SERVICES.into_iter().map(|name| option(&service, name, name)).collect();
    let other = (!service.is_empty() && !SERVICES.contains(&service.as_str()))
        .then(|| view! { <option value=service.clone() selected>{service.clone()}</option> });
    let outcome = value("outcome");
    let outcomes = [("", "all"), ("error", "failed"), ("ok", "went well")].map(|(name, text)| option(&outcome, name, text));
    let open = ["route", "minMs", "maxMs", "flag", "order"].iter().any(|name| !query.get(name).is_empty());
    let hidden: Vec<_> = ["from", "to", SOURCE]
        .into_iter()
        .filter(|name| !query.get(name).is_empty())
        .map(|name| view! { <input type="hidden" name=name value=value(name)/> })
        .collect();
    view! {
        <form class="search" method="get" action="/console/traces" role="search">
            <label class="search-text"><span>"Text"</span><input type="search" name="text" value=value("text") data-key="/" placeholder="name, attribute, message ( / )"/></label>
            <label><span>"Service"</span><select name="service"><option value="">"any"</option>{services}{other}</select></label>
            <label><span>"Outcome"</span><select name="outcome">{outcomes.into_iter().collect_view()}</select></label>
            <button class="button">"Search"</button>
            <details class="search-more" open=open>
                <summary>"More"</summary>
                <div class="search-fields">
                    <label><span>"Route or name"</span><input name="route" value=value("route") placeholder="POST /cart/{id}/items"/></label>
                    <label><span>"Flag"</span><input name="flag" value=value("flag") placeholder="cart-chaos-errors"/></label>
                    <label><span>"Order"</span><input name="order" value=value("order")/></label>
                    <label><span>"At least, ms"</span><input type="number" name="minMs" min="0" value=value("minMs")/></label>
                    <label><span>"At most, ms"</span><input type="number" name="maxMs" min="0" value=value("maxMs")/></label>
                </div>
            </details>
            {hidden}
        </form>
    }
}

/// What the search holds, each with a way to let go of it.
fn chips(query: &Fields) -> impl IntoView + use<> {
    let chip = |label: String, without: &[&str]| {
        view! { <li><a class="filter-chip" href=address(query, without, &[])>{label}<span aria-hidden="true">"×"</span><span class="sr-only">", let go"</span></a></li> }
    };
    let mut chips = Vec::new();
    if let (Some(from), Some(to)) = (moment(query.get("from")), moment(query.get("to"))) {
        chips.push(chip(format!("{} – {} UTC", hms(from), hms(to)), &["from", "to"]));
    }
    for name in ["text", "service", "route", "outcome", "flag", "order"] {
        if let Some(value) = query.filled(name) {
            let value = if name == "outcome" && value == "error" { "failed".to_owned() } else { value };
            chips.push(chip(format!("{name}: {value}"), &[name]));
        }
    }
    for (name, text) in [("minMs", "at least"), ("maxMs", "at most")] {
        if let Some(value) = query.filled(name) {
            chips.push(chip(format!("{text} {value} ms"), &[name]));
        }
    }
    view! { <ul class="filter-chips" aria-label="Searched for">{chips}</ul> }
}

/// `all` is the address of the list without a search.
fn list(traces: &TracePage, searched: bool, all: &str) -> impl IntoView + use<> {
    if traces.traces.is_empty() {
        return Either::Left(if searched {
            Either::Left(view! {
                <div class="empty"><p>"No trace that is kept fits."</p><p class="hint">"The oldest are let go first, healthy ones before failed, slow and flagged ones. A wider search may find more."</p><p><a class="button quiet" href=all.to_owned()>"All traces"</a></p></div>
            })
        } else {
            Either::Right(view! {
                <div class="empty"><p>"No traces yet."</p><p class="hint">"Open the shop in another tab, or start some load: every request appears here within a second."</p><p class="scene-actions"><a class="button" href="/console/load">"Start some load"</a><a class="button quiet" href="/">"To the shop"</a></p></div>
            })
        });
    }
    let longest = traces.traces.iter().map(|trace| trace.duration_us).max().unwrap_or(1).max(1);
    let rows: Vec<_> = traces.traces.iter().map(|trace| row(trace, longest)).collect();
    Either::Right(view! { <ol class="trace-list">{rows}</ol> })
}

fn row(trace: &TraceSummary, longest: u64) -> impl IntoView + use<> {
    let to = format!("/console/traces/{}", path_segment(&trace.trace_id));
    let class = if trace.failed { "trace-row failed" } else { "trace-row" };
    let width = trace.duration_us as f64 / longest as f64 * 100.0;
    let bar = format!(
        r#"<svg class="trace-bar" aria-hidden="true" focusable="false"><rect class="ground" width="100%" height="100%"/><rect class="value" width="{:.1}%" height="100%"/></svg>"#,
        width.clamp(0.5, 100.0)
    );
    let status = match (trace.status, trace.failed) {
        (Some(status), true) => format!("{status} failed"),
        (Some(status), false) => status.to_string(),
        (None, true) => "failed".to_owned(),
        (None, false) => "ok".to_owned(),
    };
    let inner = (trace.errors > usize::from(trace.failed)).then(|| {
        view! { <span class="bad">{count(trace.errors as u64, "span failed", "spans failed")}</span> }
    });
    let order = trace.order.as_deref().map(|order| view! { <span>{order_link(order)}</span> });
    let imported = (trace.source == Source::Imported).then(|| view! { <span class="chip imported">"imported"</span> });
    let services = trace
        .services
        .iter()
        .map(|service| view! { <span class=format!("service {}", hue(service))><i></i>{service.clone()}</span> })
        .collect_view();
    view! {
        <li class=class>
            <p class="trace-status">{status}</p>
            <p class="trace-name"><a href=to>{trace.name.clone()}</a>{flag_chips(&trace.flags)}</p>
            <p class="trace-time">{micros(trace.duration_us)}</p>
            <div class="trace-picture" inner_html=bar></div>
            <p class="trace-facts">{imported}<time datetime=trace.started_at.to_string()>{hms_ms(trace.started_at)}</time><span>{count(trace.spans as u64, "span", "spans")}</span>{inner}{order}</p>
            <p class="trace-services">{services}</p>
        </li>
    }
}

/// Each service has a colour of its own, the same everywhere.
pub fn hue(service: &str) -> &'static str {
    const HUES: [&str; 11] = ["hue-0", "hue-1", "hue-2", "hue-3", "hue-4", "hue-5", "hue-6", "hue-7", "hue-8", "hue-9", "hue-10"];
    let sum = || service.bytes().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    let at = SERVICES.iter().position(|name| *name == service).unwrap_or_else(|| sum() % HUES.len());
    HUES[at]
}

#[cfg(test)]
mod tests {
    use super::{address, hue, moment, read};
    use crate::extract::Fields;
    use contract::Timestamp;
    use contract::telemetry::{Outcome, Source};

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_search_is_read_from_its_address() {
        let query = read(&fields(&[
            ("service", "cart"),
            ("outcome", "error"),
            ("minMs", "250"),
            ("maxMs", "x"),
            ("from", "1000"),
            ("to", "1970-01-01T00:00:02Z"),
        ]));
        assert_eq!(
            (query.service.as_deref(), query.outcome, query.min_ms, query.max_ms),
            (Some("cart"), Some(Outcome::Error), Some(250), None)
        );
        assert_eq!((query.from, query.to), (Some(Timestamp::from_millis(1_000)), Some(Timestamp::from_millis(2_000))));
        assert_eq!(moment("yesterday"), None);
    }

    #[test]
    fn a_search_in_a_snapshot_stays_there_and_follows_nothing() {
        let query = fields(&[("source", "imported"), ("flag", "cart-slow"), ("follow", "1")]);
        assert_eq!((read(&query).source, super::is_following(&query)), (Source::Imported, false));
        assert_eq!(address(&query, &["flag"], &[("cursor", "a")]), "/console/traces?source=imported&cursor=a");
        assert_eq!(read(&fields(&[("source", "elsewhere")])).source, Source::Live);
    }

    #[test]
    fn a_search_keeps_its_fields_from_page_to_page() {
        let query = fields(&[("route", "POST /cart"), ("flag", "cart-slow"), ("cursor", "9")]);
        assert_eq!(address(&query, &[], &[("cursor", "a b")]), "/console/traces?route=POST%20%2Fcart&flag=cart-slow&cursor=a%20b");
        assert_eq!(address(&query, &["route", "flag"], &[]), "/console/traces");
    }

    #[test]
    fn a_service_has_one_colour() {
        assert_eq!((hue("server"), hue("menu")), ("hue-0", "hue-1"));
        assert_eq!(hue("something"), hue("something"));
    }
}
