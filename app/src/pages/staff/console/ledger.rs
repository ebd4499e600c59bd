//! `/console/ledger`: every check with both its sides, and what is under way.

use super::{Place, follow, frame, grouped, wide};
use crate::back_office::SharedBackOffice;
use crate::pages::console::sign_in;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::ui::words::{ago, count, short_id, span};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::Timestamp;
use contract::id::path_segment;
use contract::ledger::{Check, Ledger, LedgerItem};
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

/// How often the page asks for itself where no script does.
const REFRESH_S: u32 = 5;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(office): Extension<SharedBackOffice>) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    match office.ledger().await {
        Ok(ledger) => {
            let mut meta = Meta::new("Ledger", "What must hold, whatever fault is on.");
            meta.refresh_s = Some(REFRESH_S);
            page(&visit, meta, || body(ledger))
        }
        Err(error) => error_page(&error, &visit),
    }
}

fn body(ledger: Ledger) -> impl IntoView {
    let (verdict, at) = (verdict(&ledger), ledger.at);
    let rows: Vec<_> = ledger.checks.into_iter().map(row).collect();
    let open = open(ledger.open, at);
    let lead = "Each side of a check comes from another owner's books. What moved in the last 30 seconds may still be on its way; anything older must be equal.";
    frame(
        Place::Ledger,
        lead,
        view! {
            <div id="live-verdict" data-live="" role="status">{verdict}</div>
            {follow()}
            {wide("Checks", view! {
                <table class="numbers-table checks">
                    <thead><tr><th scope="col">"Check"</th><th scope="col">"Verdict"</th><th scope="col">"Left"</th><th scope="col">"Right"</th><th scope="col">"In flight"</th></tr></thead>
                    <tbody id="live-checks" data-live="">{rows}</tbody>
                </table>
            })}
            <section aria-labelledby="open-title">
                <h2 id="open-title">"Under way"</h2>
                <div id="live-open" data-live="">{open}</div>
            </section>
        },
    )
}

/// The whole ledger in a sentence, for eyes and ears.
pub fn verdict(ledger: &Ledger) -> impl IntoView + use<> {
    let broken: Vec<&str> = ledger.checks.iter().filter(|check| !check.holds).map(|check| check.name.as_str()).collect();
    let (class, mark, text) = match (broken.len(), ledger.settled) {
        (0, true) => ("verdict holds", "✔", "Balanced, and nothing is in flight: every number is exact.".to_owned()),
        (0, false) => ("verdict holds", "✔", "Balanced. Some of it is still in flight.".to_owned()),
        (n, _) => ("verdict broken", "✘", format!("{} broken: {}.", count(n as u64, "check is", "checks are"), broken.join(", "))),
    };
    view! { <p class=class><span aria-hidden="true">{mark}</span><strong>{text}</strong></p> }
}

fn row(check: Check) -> impl IntoView {
    let class = if check.holds { "holds" } else { "broken" };
    let mark = if check.holds {
        Either::Left(view! { <span class="mark-holds"><span aria-hidden="true">"✔ "</span>"holds"</span> })
    } else {
        let apart = format!("broken, {} apart", grouped(check.left.saturating_sub(check.right)));
        Either::Right(view! { <strong class="mark-broken"><span aria-hidden="true">"✘ "</span>{apart}</strong> })
    };
    view! {
        <tr class=class>
            <th scope="row">{check.name}<span class="says">{check.says}</span></th>
            <td>{mark}</td>
            <td>{grouped(check.left)}</td>
            <td>{grouped(check.right)}</td>
            <td>{if check.in_flight == 0 { "–".to_owned() } else { grouped(check.in_flight) }}</td>
        </tr>
    }
}

fn open(items: Vec<LedgerItem>, now: Timestamp) -> impl IntoView {
    if items.is_empty() {
        return Either::Left(view! { <p class="nothing">"Nothing is under way."</p> });
    }
    let rows: Vec<_> = items.into_iter().map(|item| open_row(item, now)).collect();
    Either::Right(wide(
        "Orders under way",
        view! {
            <table class="numbers-table">
                <thead><tr><th scope="col">"Order"</th><th scope="col">"Waits for"</th><th scope="col">"With"</th><th scope="col">"Since"</th><th scope="col">"Deadline"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        },
    ))
}

fn open_row(item: LedgerItem, now: Timestamp) -> impl IntoView {
    let to = format!("/orders/{}", path_segment(item.order_id.as_str()));
    let owner = if item.owner.is_empty() {
        Either::Left(view! { <strong class="mark-broken">"nobody"</strong> })
    } else {
        Either::Right(item.owner)
    };
    let deadline = if item.deadline < now {
        Either::Left(view! { <strong class="mark-broken">"over for "{span(now.since(item.deadline))}</strong> })
    } else {
        Either::Right(format!("in {}", span(item.deadline.since(now))))
    };
    view! { <tr><th scope="row"><a href=to>{short_id(item.order_id.as_str())}</a></th><td>{item.waits_for}</td><td>{owner}</td><td>{ago(item.since, now)}</td><td>{deadline}</td></tr> }
}
