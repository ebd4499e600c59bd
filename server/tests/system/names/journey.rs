//! A full run: customers, staff, couriers, operators, faults of every kind. Everything that has a name in telemetry is done once.

use super::receiver::{Receiver, Span};
use crate::harness::{Browser, Http, LATTE, Platform, purchase};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::eventually;

/// Longest anything may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// Faults of every kind of place: a handler, a call, a store, a consumer, a domain. `all` of what they are for is what fails.
const FAULTS: [(&str, &str); 16] = [
    ("cart-chaos-errors", "50-percent"),
    ("cart-slow", "300-ms"),
    ("menu-item-failure", LATTE),
    ("middleware-unreachable", "all"),
    ("order-lost-reply", "all"),
    ("order-bad-release", "everybody"),
    ("cart-ttl", "10-minutes"),
    ("pricing-v2", "on"),
    ("pricing-surge", "by-stock"),
    ("free-delivery", "every-order"),
    ("checkout-express", "first"),
    ("events-lag", "twice"),
    ("ssr-slow", "500-ms"),
    ("assets-slow", "300-ms"),
    ("cpu-burn", "50-percent-of-a-core"),
    ("notification-memory-leak", "1-fold"),
];

const ADDRESS: &str = "Moon Street 1";

pub async fn travel(platform: &Platform, receiver: &Receiver) {
    browse(platform).await;
    accounts(platform).await;
    questions_to_middleware(platform).await;
    // One order goes all the way, one is cancelled after it was paid, one the bank declines.
    let delivered = order(platform).await;
    let cancelled = order(platform).await;
    reaches(platform, &cancelled, &["paid", "accepted", "preparing", "ready", "assigned", "pickedUp", "delivered"]).await;
    let _ = platform.http.post(&format!("/api/orders/{cancelled}/cancel"), json!({})).operator().send().await;
    cook(platform, &delivered).await;
    reaches(platform, &delivered, &["assigned", "pickedUp", "delivered"]).await;
    faults(platform, receiver).await;
    eventually("the counters have left", PATIENCE, async || {
        let seen = receiver.seen();
        ["feast.deliveries", "feast.messages", "feast.kitchen.tickets"].iter().all(|name| seen.metrics.contains_key(*name))
    })
    .await;
}

/// A browser that tells all a browser can tell: how a page was, a call that an island made, an error.
pub async fn watched(http: &Http) {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let view = json!({"startedAt": 1.0, "loadMs": 9.0, "ttfbMs": 1.0, "fcpMs": 2.0, "lcpMs": 3.0, "inpMs": 4.0, "cls": 0.1});
    let call = json!({"trace": trace, "method": "POST", "path": "/cart/items", "startedAt": 5.0, "tookMs": 2.0, "status": 200});
    let error = json!({"at": 7.0, "message": "TypeError: no moon", "source": "boot.js:3"});
    let beacon = json!({"page": "/", "trace": trace, "sentAt": 9.0, "view": view, "calls": [call], "errors": [error]});
    assert_eq!(http.post("/api/beacon", beacon).send().await.status, 204);
}

async fn browse(platform: &Platform) {
    let browser = platform.browser();
    for page in ["/", "/restaurants/cosmic-coffee", "/items/nebula-latte", "/cart", "/nowhere"] {
        browser.get(page).await;
    }
    for list in ["/api/menu", "/api/restaurants?city=Berlin", "/api/restaurants/cosmic-coffee/menu", "/api/orders"] {
        platform.http.get(list).send().await.expect(200);
    }
    platform.http.get("/api/menu/nothing").send().await.refused(404, "ITEM_NOT_FOUND", "a name for refusals");
    for operators in ["/api/ledger", "/api/flags", "/api/events"] {
        platform.http.get(operators).operator().send().await.expect(200);
    }
}

async fn accounts(platform: &Platform) {
    let browser = platform.browser();
    browser.get("/").await;
    let person = json!({"email": "ada@example.com", "password": "correct horse battery", "name": "Ada", "displayName": "Ada"});
    browser.post("/api/users", person.clone()).await;
    browser.post("/api/session", json!({"email": "ada@example.com", "password": "wrong horse battery"})).await;
    browser.post("/api/session", person).await;
    browser.get("/api/profile").await;
}

/// What other programs may ask the service itself.
async fn questions_to_middleware(platform: &Platform) {
    for (name, http) in platform.doors() {
        if name == "middleware" {
            for quantity in [2, 99] {
                let question = json!({"itemId": LATTE, "quantity": quantity, "customerName": "Ada"});
                http.post("/validate", question.clone()).send().await;
                http.post("/check-inventory", question).send().await;
            }
        }
    }
}

async fn order(platform: &Platform) -> String {
    let cart = platform.cart_with(&[(LATTE, 2), ("galaxy-mocha", 1)]).await;
    platform.quote(&cart).send().await.expect(200);
    let order = platform.order(&cart).send().await.expect(201);
    // The same cart again, and one that nobody has.
    platform.http.post("/api/orders", purchase("00000000-0000-7000-8000-000000000000")).send().await;
    let other = platform.cart_with(&[(LATTE, 1)]).await;
    platform.http.ask("DELETE", &format!("/api/cart/{other}")).send().await;
    order["id"].as_str().unwrap().to_owned()
}

/// In a browser: the second time the shop remembers name and address.
async fn by_form(browser: &Browser, express: bool) {
    for _ in 0..2 {
        browser.form("/cart/items", &[("itemId", LATTE), ("quantity", "1")]).await;
        browser.get("/cart").await;
        let mut fields = vec![("customerName", "Ada"), ("address", ADDRESS), ("paymentMethod", "card")];
        fields.extend(express.then_some(("express", "yes")));
        browser.form("/orders", &fields).await;
    }
}

async fn status(platform: &Platform, order: &str) -> String {
    let order: Value = platform.http.get(&format!("/api/orders/{order}")).operator().send().await.expect(200);
    order["status"].as_str().unwrap_or_default().to_owned()
}

async fn reaches(platform: &Platform, order: &str, wanted: &[&str]) {
    eventually(&format!("the order is one of {wanted:?}"), PATIENCE, async || wanted.contains(&status(platform, order).await.as_str()))
        .await;
}

/// As staff do it; the autopilot may be faster, which is no matter.
async fn cook(platform: &Platform, order: &str) {
    reaches(platform, order, &["paid", "accepted", "preparing", "ready", "assigned", "pickedUp", "delivered"]).await;
    for status in ["accepted", "preparing", "ready"] {
        let _ = platform.http.patch(&format!("/api/orders/{order}"), json!({"status": status})).operator().send().await;
    }
}

async fn faults(platform: &Platform, receiver: &Receiver) {
    let browser = platform.browser();
    for (flag, variant) in FAULTS {
        platform.flip(flag, variant).await;
        // Little of it: what is scarce costs more, and is filled up.
        platform.set_stock(LATTE, 30).await;
        let cart = platform.new_cart().await;
        for _ in 0..4 {
            platform.add(&cart, LATTE, 1).send().await;
        }
        for path in ["/api/menu/nebula-latte", "/", "/pkg/favicon.svg"] {
            browser.get(path).await;
        }
        platform.quote(&cart).send().await;
        platform.http.post("/api/orders", json!({"customerName": "Ada", "cartId": cart, "address": ADDRESS})).send().await;
        by_form(&browser, flag == "checkout-express").await;
        platform.clear(flag).await;
    }
    // Consumers meet a slow store as well, and what happens to an order goes on for seconds.
    order(platform).await;
    platform.flip("store-slow", "all-300-ms").await;
    platform.http.get("/api/orders").send().await;
    platform.http.ask("POST", "/api/cart").send().await;
    eventually("a consumer has met the slow store", PATIENCE, async || {
        let of_a_consumer = |span: &Span| span.kind == "consumer" && span.name.starts_with("process ");
        receiver.seen().spans.iter().any(|span| of_a_consumer(span) && span.attributes.contains("chaos.flag"))
    })
    .await;
    platform.clear("store-slow").await;
    // A store that is down is so for as long as a few questions take: nothing else works meanwhile.
    platform.flip("store-down", "all").await;
    platform.http.get("/api/orders").send().await;
    platform.http.ask("POST", "/api/cart").send().await;
    platform.clear("store-down").await;
    platform.flip("payment-failure", "all").await;
    let declined = order(platform).await;
    reaches(platform, &declined, &["paymentFailed"]).await;
    platform.clear("payment-failure").await;
}
