//! The operators' side of the platform: what happens, what is broken on purpose, what must hold, and what can be done about it.

pub mod admin;
pub mod chart;
pub mod detection;
pub mod events;
pub mod incidents;
pub mod ledger;
pub mod load;
pub mod logs;
pub mod map;
pub mod numbers;
pub mod outbox;
pub mod overview;
pub mod policies;
pub mod pricing;
pub mod promotions;
pub mod settlement;
pub mod snapshot;
pub mod trace;
pub mod traces;

use crate::ui::words::short_id;
use leptos::prelude::*;

/// The pages of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Overview,
    Traces,
    Map,
    Logs,
    Snapshot,
    Flags,
    Incidents,
    Load,
    Ledger,
    Events,
    Outbox,
    Settlement,
    Pricing,
    Promotions,
    Policies,
    Admin,
}

/// One page in the navigation.
struct Entry {
    place: Place,
    to: &'static str,
    picture: &'static str,
    text: &'static str,
    /// The key that leads there.
    key: Option<&'static str>,
}

const fn entry(place: Place, to: &'static str, picture: &'static str, text: &'static str, key: Option<&'static str>) -> Entry {
    Entry { place, to, picture, text, key }
}

/// What the navigation is made of: groups, and their pages.
const GROUPS: [(&str, &[Entry]); 4] = [
    (
        "Watch",
        &[
            entry(Place::Overview, "/console/overview", "🛰️", "Overview", Some("1")),
            entry(Place::Traces, "/console/traces", "🧵", "Traces", Some("2")),
            entry(Place::Map, "/console/map", "🗺️", "Map", Some("3")),
            entry(Place::Logs, "/console/logs", "📜", "Logs", Some("4")),
            entry(Place::Snapshot, "/console/snapshot", "📦", "Snapshot", None),
        ],
    ),
    (
        "Break",
        &[
            entry(Place::Flags, "/console/flags", "🎛️", "Flags", Some("5")),
            entry(Place::Incidents, "/console/incidents", "🎬", "Incidents", Some("6")),
            entry(Place::Load, "/console/load", "🏋️", "Load", Some("7")),
        ],
    ),
    (
        "Books",
        &[
            entry(Place::Ledger, "/console/ledger", "⚖️", "Ledger", Some("8")),
            entry(Place::Events, "/console/events", "📨", "Events", None),
            entry(Place::Outbox, "/console/outbox", "📮", "Outbox", None),
            entry(Place::Settlement, "/console/settlement", "🏦", "Settlement", None),
            entry(Place::Pricing, "/console/pricing", "🧮", "Pricing", None),
            entry(Place::Promotions, "/console/promotions", "🎟️", "Promotions", None),
        ],
    ),
    (
        "House",
        &[
            entry(Place::Policies, "/console/policies", "📐", "Call policy", None),
            entry(Place::Admin, "/console/admin", "🧰", "Admin", Some("9")),
        ],
    ),
];

fn title(place: Place) -> &'static str {
    GROUPS.iter().flat_map(|(_, entries)| *entries).find(|entry| entry.place == place).map_or("Console", |entry| entry.text)
}

/// The navigation of every console page.
fn nav(here: Place) -> impl IntoView {
    let link = |entry: &Entry| {
        let current = (entry.place == here).then_some("page");
        let key = entry.key.map(|key| view! { <kbd aria-hidden="true">{key}</kbd> });
        view! { <li><a href=entry.to aria-current=current data-key=entry.key aria-keyshortcuts=entry.key><span aria-hidden="true">{entry.picture}</span>{entry.text}{key}</a></li> }
    };
    let groups = GROUPS.map(|(name, entries)| {
        view! { <li class="console-group"><p aria-hidden="true">{name}</p><ul aria-label=name>{entries.iter().map(link).collect_view()}</ul></li> }
    });
    view! { <nav class="console-nav" aria-label="Console"><ul>{groups.into_iter().collect_view()}</ul></nav> }
}

/// Ends every fault, from wherever one is.
fn all_clear() -> impl IntoView {
    view! {
        <form method="post" action="/console/all-clear" data-key="c" data-swap="">
            <button class="button danger" id="all-clear" aria-keyshortcuts="c">"All clear"<kbd aria-hidden="true">"C"</kbd></button>
        </form>
    }
}

/// What the keys do. Opened by one of them.
fn keys() -> impl IntoView {
    let rows = [
        ("1 – 9", "the pages, as they are numbered"),
        ("c", "all clear: every fault ends"),
        ("/", "search"),
        ("f", "follow, or stand still"),
        ("p n s", "incidents: pause, next step, stop"),
        ("?", "this help"),
    ];
    let rows = rows.map(|(key, says)| view! { <div><dt><kbd>{key}</kbd></dt><dd>{says}</dd></div> });
    view! {
        <details class="keys">
            <summary data-key="?" aria-keyshortcuts="?"><span aria-hidden="true">"⌨️"</span><span class="keys-word">"Keys"</span></summary>
            <div class="keys-card"><dl>{rows.into_iter().collect_view()}</dl><p class="hint">"Keys work while nothing is being typed. Tab and Enter reach everything."</p></div>
        </details>
    }
}

/// Heading, one sentence and navigation around the body of a page.
pub fn frame<V: IntoView>(here: Place, lead: impl IntoView, body: V) -> impl IntoView {
    framed(here, title(here), lead, body)
}

/// The same under a heading of its own.
pub fn framed<V: IntoView>(here: Place, title: impl IntoView, lead: impl IntoView, body: V) -> impl IntoView {
    view! {
        <div class="console" data-stay="">
            {nav(here)}
            <div class="console-body">
                <header class="console-head">
                    <h1>{title}</h1>
                    <div class="console-tools">{keys()}{all_clear()}</div>
                    <p class="console-lead">{lead}</p>
                </header>
                {body}
            </div>
        </div>
    }
}

/// Like [`follow`], for pages that the server tells when there is news: they ask only then.
pub fn follow_events() -> impl IntoView {
    view! {
        <p class="stale" data-stale="" hidden>"No news at the moment; still trying."</p>
        <i data-follow="" data-events="/events/console" data-kind="console" data-every="1000" hidden></i>
    }
}

/// A switch between a list that stands still and one that follows.
pub fn follow_link(following: bool, to: String) -> impl IntoView {
    let (text, class) = if following { ("Stand still", "button") } else { ("Follow", "button quiet") };
    view! { <a class=class href=to data-key="f" aria-keyshortcuts="f">{text}<kbd aria-hidden="true">"F"</kbd></a> }
}

/// The flags a thing was touched by, as links to their cards.
pub fn flag_chips(flags: &[String]) -> impl IntoView + use<> {
    let chips = flags.iter().map(|flag| {
        let to = format!("/console/flags#{}", contract::id::path_segment(flag));
        view! { <a class="flag-chip" href=to><span aria-hidden="true">"🚩"</span>{flag.clone()}</a> }
    });
    chips.collect_view()
}

/// The address of an order's page, with the end of its id.
pub fn order_link(order: &str) -> impl IntoView + use<> {
    let to = format!("/orders/{}", contract::id::path_segment(order));
    view! { <a href=to>"order "{short_id(order)}</a> }
}

/// A part of the page that follows by itself asks every second: operators watch what a fault does.
pub fn follow() -> impl IntoView {
    view! {
        <p class="stale" data-stale="" hidden>"No news at the moment; still trying."</p>
        <i data-follow="" data-every="1000" hidden></i>
    }
}

/// A table that may be wider than a phone.
pub fn wide<V: IntoView>(label: &'static str, table: V) -> impl IntoView {
    view! { <div class="table-wrap" tabindex="0" role="region" aria-label=label>{table}</div> }
}

/// 12 345 678, with thin spaces, as long numbers are read.
pub fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = if n < 0 { "−".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{GROUPS, grouped};

    #[test]
    fn the_keys_are_in_the_order_of_the_pages() {
        let keys: Vec<&str> = GROUPS.iter().flat_map(|(_, entries)| *entries).filter_map(|entry| entry.key).collect();
        assert_eq!(keys, ["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    }

    #[test]
    fn long_numbers_are_read_in_threes() {
        assert_eq!(["0", "999", "1\u{202f}000", "−12\u{202f}345\u{202f}678"].map(str::to_owned), [0, 999, 1_000, -12_345_678].map(grouped));
    }
}
