//! The operators' side of the platform: what must hold, what is under way, and what can be done about it.

pub mod admin;
pub mod events;
pub mod ledger;
pub mod outbox;
pub mod overview;
pub mod pricing;
pub mod promotions;
pub mod settlement;

use super::{Tab, tabs};
use leptos::prelude::*;

/// The pages of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Overview,
    Flags,
    Ledger,
    Events,
    Outbox,
    Promotions,
    Settlement,
    Pricing,
    Admin,
}

pub const PLACES: [(Place, &str, &str, &str, &str); 9] = [
    (Place::Overview, "/console/overview", "🛰️", "Overview", "How things stand, on one page."),
    (Place::Flags, "/console/flags", "🎛️", "Flags", "Faults and their audience, flipped by one press."),
    (Place::Ledger, "/console/ledger", "⚖️", "Ledger", "What must hold, whatever fault is on."),
    (Place::Events, "/console/events", "📨", "Events", "How far each service is behind, and what it could not apply."),
    (Place::Outbox, "/console/outbox", "📮", "Outbox", "Every mail, text and push message to customers."),
    (Place::Promotions, "/console/promotions", "🎟️", "Promotions", "Codes that take something off."),
    (Place::Settlement, "/console/settlement", "🏦", "Settlement", "What each restaurant is paid for a day."),
    (Place::Pricing, "/console/pricing", "🧮", "Pricing", "What the two pricing algorithms earn."),
    (Place::Admin, "/console/admin", "🧰", "Admin", "Kitchens, couriers, and beginning anew."),
];

/// The navigation of every console page.
pub fn nav(here: Place) -> impl IntoView {
    let entries = PLACES.map(|(place, to, picture, text, _)| Tab { to: to.to_owned(), picture, text, here: place == here });
    tabs("Console", entries.into())
}

/// Heading, one sentence and navigation around the body of a page.
pub fn frame<V: IntoView>(here: Place, lead: impl IntoView, body: V) -> impl IntoView {
    let title = PLACES.iter().find(|(place, ..)| *place == here).map_or("Console", |(_, _, _, text, _)| *text);
    view! {
        <header class="staff-head">
            <div><p class="eyebrow">"Console"</p><h1>{title}</h1></div>
            {nav(here)}
        </header>
        <p class="console-lead">{lead}</p>
        {body}
    }
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
    use super::grouped;

    #[test]
    fn long_numbers_are_read_in_threes() {
        assert_eq!(["0", "999", "1\u{202f}000", "−12\u{202f}345\u{202f}678"].map(str::to_owned), [0, 999, 1_000, -12_345_678].map(grouped));
    }
}
