//! From paid orders to what is recommended, through the bus.

use crate::books::{event, of};
use crate::house::{COFFEE, House, SOON, STAFF, Who};
use contract::event::Event;
use contract::order::OrderStatus as Status;
use serde_json::json;
use testkit::{MORNING, eventually};

fn paid(order: &str, items: &[&str]) -> Event {
    of(event(order, "cosmic-coffee", Status::Paid, MORNING), 1_000, items)
}

async fn sold(house: &House) {
    house
        .tell(vec![
            paid("o1", &["nebula-latte", "galaxy-mocha"]),
            paid("o2", &["nebula-latte", "galaxy-mocha"]),
            paid("o3", &["nebula-latte", "rocket-fuel", "gone-long-ago"]),
            event("o2", "cosmic-coffee", Status::Accepted, MORNING),
            event("o3", "cosmic-coffee", Status::Rejected, MORNING),
        ])
        .await;
    eventually("tickets are written", SOON, async || house.see("/internal/ledger").await["totals"]["refunded_tickets"] == 1).await;
}

pub async fn paid_orders_reach_figures_recommendations_and_ledger(house: House) {
    let advice = format!("{COFFEE}/recommendations");
    assert_eq!(house.see(&advice).await, json!({ "popular": [], "together": [] }));
    sold(&house).await;

    let ledger = house.see("/internal/ledger").await;
    assert_eq!(ledger["totals"], json!({ "tickets": 3, "ticket_cents": 3_000, "refunded_tickets": 1, "refunded_cents": 1_000 }));
    assert_eq!(ledger["open"].as_array().unwrap().len(), 2);

    let (status, figures) = house.ask(STAFF, "GET", &format!("{COFFEE}/figures"), None).await;
    assert_eq!((status, &figures["orders"], &figures["revenue"]), (200, &json!(3), &json!(30.0)), "{figures}");
    assert_eq!(figures["best"][0], json!({ "itemId": "nebula-latte", "name": "Nebula Latte", "sold": 3 }));
    assert_eq!(figures["best"][2]["name"], "gone-long-ago");

    // What was worked out before is good for some seconds.
    house.clock.advance(std::time::Duration::from_secs(6));
    let told = house.see(&advice).await;
    assert_eq!(told["popular"], json!(["nebula-latte", "galaxy-mocha", "rocket-fuel"]), "only what is on the menu");
    let of_latte = told["together"].as_array().unwrap().iter().find(|one| one["item"] == "nebula-latte").unwrap();
    assert_eq!(of_latte["with"], json!(["galaxy-mocha", "rocket-fuel"]));

    house.write("PATCH", &format!("{COFFEE}/items/galaxy-mocha"), json!({ "inStock": false })).await;
    house.clock.advance(std::time::Duration::from_secs(6));
    assert_eq!(house.see(&advice).await["popular"], json!(["nebula-latte", "rocket-fuel"]));
}

pub async fn a_reset_forgets_what_was_sold(house: House) {
    sold(&house).await;
    assert_eq!(house.see(&format!("{COFFEE}/recommendations")).await["popular"][0], "nebula-latte");
    assert_eq!(house.ask(Who::Operator, "POST", "/internal/reset", None).await.0, 204);
    let ledger = house.see("/internal/ledger").await;
    assert!(ledger["totals"].as_object().unwrap().values().all(|total| *total == 0), "{ledger}");
    assert_eq!(ledger["open"], json!([]));
    assert_eq!(house.see(&format!("{COFFEE}/recommendations")).await["popular"], json!([]));
    assert_eq!(house.ask(STAFF, "GET", &format!("{COFFEE}/figures"), None).await.1["orders"], 0);
}
