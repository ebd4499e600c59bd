//! `/console/settlement`: what each restaurant is paid for a day.

use super::{Place, frame, wide};
use crate::extract::Asked;
use crate::pages::console::sign_in;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::Timestamp;
use contract::menu::Restaurant;
use contract::payment::{Settlement, SettlementLine};
use leptos::either::Either;
use leptos::prelude::*;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// `?day=2026-11-20`; today by default. Days are UTC.
pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Asked(query): Asked) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let noon = noon(query.get("day")).unwrap_or(visit.now);
    let asked = day(noon);
    let (settlement, restaurants) = futures::join!(shop.payment.settlement(&asked), shop.menu.restaurants());
    match settlement {
        Ok(settlement) => {
            let today = day(visit.now) == asked;
            page(&visit, Meta::new("Settlement", "What restaurants are paid."), || {
                body(settlement, restaurants.unwrap_or_default(), noon, today)
            })
        }
        Err(error) => error_page(&error, &visit),
    }
}

/// A moment in the middle of a day, so that a day more or less is another day.
fn noon(day: &str) -> Option<Timestamp> {
    let text = format!("{day}T12:00:00Z");
    let deserializer: StrDeserializer<'_, Error> = text.as_str().into_deserializer();
    Timestamp::deserialize(deserializer).ok().filter(|_| day.len() == 10)
}

fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

fn body(settlement: Settlement, restaurants: Vec<Restaurant>, noon: Timestamp, today: bool) -> impl IntoView {
    let before = day(Timestamp::from_millis(noon.millis() - i64::try_from(DAY.as_millis()).unwrap_or(0)));
    let after = (!today).then(|| day(noon + DAY));
    let after = after.map(|day| view! { <a class="button quiet" href=format!("/console/settlement?day={day}")>"Next day"</a> });
    let net = settlement.net.to_string();
    let table = if settlement.lines.is_empty() {
        Either::Left(view! { <p class="nothing">"No money moved on this day."</p> })
    } else {
        let rows: Vec<_> = settlement.lines.into_iter().map(|line| row(line, &restaurants)).collect();
        Either::Right(wide(
            "Settlement",
            view! {
                <table class="numbers-table">
                    <thead><tr><th scope="col">"Restaurant"</th><th scope="col">"Charges"</th><th scope="col">"Charged"</th><th scope="col">"Refunds"</th><th scope="col">"Refunded"</th><th scope="col">"Paid out"</th></tr></thead>
                    <tbody>{rows}</tbody>
                    <tfoot><tr><th scope="row" colspan="5">"All together"</th><td>{net}</td></tr></tfoot>
                </table>
            },
        ))
    };
    frame(
        Place::Settlement,
        "Charges less refunds, by restaurant. Days begin and end at midnight UTC.",
        view! {
            <form class="day-form" method="get" action="/console/settlement">
                <label class="field"><span>"Day"</span><input type="date" name="day" value=settlement.day/></label>
                <button class="button">"Show"</button>
                <a class="button quiet" href=format!("/console/settlement?day={before}")>"Day before"</a>
                {after}
            </form>
            {table}
        },
    )
}

fn row(line: SettlementLine, restaurants: &[Restaurant]) -> impl IntoView + use<> {
    let known = restaurants.iter().find(|restaurant| restaurant.id == line.restaurant_id);
    let name = known.map_or_else(|| line.restaurant_id.to_string(), |restaurant| format!("{} {}", restaurant.emoji, restaurant.name));
    view! { <tr><th scope="row">{name}</th><td>{line.charges}</td><td>{line.charged.to_string()}</td><td>{line.refunds}</td><td>{line.refunded.to_string()}</td><td><strong>{line.net.to_string()}</strong></td></tr> }
}

#[cfg(test)]
mod tests {
    use super::{day, noon};

    #[test]
    fn a_day_is_read_and_told_the_same() {
        assert_eq!(noon("2026-02-28").map(day).as_deref(), Some("2026-02-28"));
        for bad in ["", "today", "2026-02-30", "2026-2-3", "2026-11-20T1"] {
            assert!(noon(bad).is_none(), "{bad}");
        }
    }
}
