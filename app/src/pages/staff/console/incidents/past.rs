//! How incidents went: detected, mitigated, and what it cost.

use crate::pages::staff::console::numbers::{hms, percent, took};
use crate::pages::staff::console::wide;
use contract::incident::{Outcome, PlayMode};
use leptos::either::Either;
use leptos::prelude::*;

pub fn list(past: &[Outcome]) -> impl IntoView + use<> {
    if past.is_empty() {
        return Either::Left(
            view! { <p class="nothing">"None was played yet. Each ends with the time to detect it, the time to mitigate it, and the budget it spent."</p> },
        );
    }
    let rows: Vec<_> = past.iter().map(row).collect();
    Either::Right(wide(
        "Incidents that ended",
        view! {
            <table class="numbers-table past-table">
                <thead><tr><th scope="col">"Incident"</th><th scope="col">"When"</th><th scope="col">"Detected after"</th><th scope="col">"Mitigated after"</th><th scope="col">"Budget spent"</th><th scope="col">"Quiz"</th><th scope="col">"Ledger"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        },
    ))
}

fn row(outcome: &Outcome) -> impl IntoView + use<> {
    let after = |ms: Option<u64>, never: &'static str| ms.map_or_else(|| never.to_owned(), took);
    let spent = outcome.budget_spent.iter().map(|(name, share)| format!("{name} {}", percent(*share))).collect::<Vec<_>>().join(", ");
    let spent = if spent.is_empty() { "nothing".to_owned() } else { spent };
    let mode = match (outcome.mode, outcome.stopped) {
        (PlayMode::Show, false) => "",
        (PlayMode::Show, true) => "stopped early",
        (PlayMode::Rehearsal, false) => "rehearsal",
        (PlayMode::Rehearsal, true) => "rehearsal, stopped early",
        (PlayMode::Quiz, false) => "quiz",
        (PlayMode::Quiz, true) => "quiz, stopped early",
    };
    let quiz = match &outcome.answered {
        Some(answered) if answered.right => format!("right, {} points", answered.score),
        Some(_) => "wrong".to_owned(),
        None => "–".to_owned(),
    };
    let ledger = match outcome.balanced {
        Some(true) => Either::Left(view! { <span class="mark-holds">"✔ balanced"</span> }),
        Some(false) => Either::Right(Either::Left(view! { <strong class="mark-broken">"✖ broken"</strong> })),
        None => Either::Right(Either::Right("soon")),
    };
    view! {
        <tr>
            <th scope="row">{outcome.title.clone()}<span class="says">{mode}</span></th>
            <td>{hms(outcome.started_at)}" – "{hms(outcome.ended_at)}</td>
            <td>{after(outcome.detected_after_ms, "not at all")}</td>
            <td>{after(outcome.mitigated_after_ms, "not yet")}</td>
            <td class="words">{spent}</td>
            <td>{quiz}</td>
            <td>{ledger}</td>
        </tr>
    }
}
