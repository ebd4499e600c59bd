//! A row that nobody should have written turns its check false, and no other owner's silence hides it.

use crate::harness::{LATTE, Mode, Options, Platform, run};
use runtime::args;
use runtime::store::sql::{Database, Schema};
use serde_json::Value;
use std::time::Duration;
use testkit::eventually;

const WITHIN: Duration = Duration::from_secs(20);

/// The books' tables are there already.
const NOTHING_NEW: Schema = Schema { sqlite: &[], postgres: &[] };

/// Who is bribed, what is planted, how it goes again, and which checks must see it.
const PLANTS: &[(&str, &str, &str, &[&str])] = &[
    (
        "menu",
        "INSERT INTO tickets (order_id, restaurant_id, day, number, state, state_at_ms, total_cents, units, lines, paid_at_ms, ended_at_ms) \
         VALUES ('ghost', 'cosmic-coffee', '2020-01-01', 1, 'delivered', 1, 500, 1, '[]', 1, 1)",
        "DELETE FROM tickets WHERE order_id = 'ghost'",
        &["tickets", "ticketMoney"],
    ),
    (
        "payment",
        "INSERT INTO payments (order_id, restaurant_id, status, amount_cents, charged_ms, created_ms, updated_ms) \
         VALUES ('ghost', 'cosmic-coffee', 'completed', 500, 1, 1, 1)",
        "DELETE FROM payments WHERE order_id = 'ghost'",
        &["payments", "money", "bank"],
    ),
    (
        "payment",
        "INSERT INTO provider_charges (key, state, amount_cents, at_ms) VALUES ('ghost', 'charged', 500, 1)",
        "DELETE FROM provider_charges WHERE key = 'ghost'",
        &["bank"],
    ),
    (
        "middleware",
        "INSERT INTO movements (item_id, kind, quantity, order_id, at_ms) VALUES ('nebula-latte', 'take', -1, 'ghost', 1)",
        "DELETE FROM movements WHERE order_id = 'ghost'",
        &["sold", "stock"],
    ),
    (
        "middleware",
        "INSERT INTO pricing_variants (variant, orders, cents) VALUES ('ghost', 1, 500)",
        "DELETE FROM pricing_variants WHERE variant = 'ghost'",
        &["pricing"],
    ),
    (
        "order",
        "INSERT INTO orders (id, customer_name, restaurant_id, status, total_cents, created_at_ms, updated_at_ms, document, units, paid_at_ms) \
         VALUES ('ghost', 'Ghost', 'cosmic-coffee', 'delivered', 500, 1, 1, '{\"id\":\"ghost\",\"restaurantId\":\"cosmic-coffee\",\"restaurantName\":\"Cosmic Coffee\",\"items\":[],\"totalPrice\":5.00,\"status\":\"pending\",\"timestamp\":\"2020-01-01T00:00:00.000Z\",\"updatedAt\":\"2020-01-01T00:00:00.000Z\"}', 2, 1)",
        "DELETE FROM orders WHERE id = 'ghost'",
        &["tickets", "payments", "money", "pricing", "sold", "oneOrderAKey", "delivered"],
    ),
    (
        "order",
        "INSERT INTO orders (id, customer_name, restaurant_id, status, total_cents, created_at_ms, updated_at_ms, document, units, holder, deadline_ms) \
         VALUES ('ghost', 'Ghost', 'cosmic-coffee', 'paid', 0, 1, 1, '{\"id\":\"ghost\",\"restaurantId\":\"cosmic-coffee\",\"restaurantName\":\"Cosmic Coffee\",\"items\":[],\"totalPrice\":5.00,\"status\":\"pending\",\"timestamp\":\"2020-01-01T00:00:00.000Z\",\"updatedAt\":\"2020-01-01T00:00:00.000Z\"}', 0, NULL, NULL)",
        "DELETE FROM orders WHERE id = 'ghost'",
        &["owners"],
    ),
    (
        "notification",
        "INSERT INTO messages (id, order_id, channel, recipient, subject, body, due_ms, created_ms) \
         VALUES ('ghost', 'ghost', 'email', 'Ghost', 'Boo', 'Boo', 9000000000000, 1)",
        "UPDATE messages SET status = 'sent', sent_ms = 1 WHERE id = 'ghost'",
        &["told"],
    ),
];

#[test]
fn a_planted_row_turns_its_checks_false_until_it_is_gone() {
    run(Mode::Embedded, Options::default(), async |platform| {
        // Nothing has moved: nothing may be in flight.
        assert!(broken(platform).await.is_empty());
        for (service, plant, weed, checks) in PLANTS {
            let file = platform.data_dir().join(format!("{service}.db"));
            let books = Database::open_file(&file, &NOTHING_NEW).await.unwrap();
            books.run(plant, args![]).await.unwrap();
            eventually(&format!("{plant} is seen by {checks:?}"), WITHIN, async || {
                let broken = broken(platform).await;
                checks.iter().all(|check| broken.iter().any(|name| name == check))
            })
            .await;
            books.run(weed, args![]).await.unwrap();
            eventually(&format!("{weed} heals"), WITHIN, async || broken(platform).await.is_empty()).await;
        }
    });
}

#[test]
fn stock_below_nothing_is_seen() {
    run(Mode::Split, Options::default(), async |platform| {
        platform.set_stock(LATTE, 100).await;
        platform.redis_set(&format!("inventory:{LATTE}"), "-1").await;
        eventually("the shelf is seen", WITHIN, async || broken(platform).await.contains(&"noNegativeStock".to_owned())).await;
        platform.redis_set(&format!("inventory:{LATTE}"), "100").await;
        eventually("the shelf is right", WITHIN, async || broken(platform).await.is_empty()).await;
    });
}

/// Names of the checks that do not hold.
async fn broken(platform: &Platform) -> Vec<String> {
    let ledger = platform.http.get("/api/ledger").operator().send().await.expect(200);
    let broken: Vec<String> =
        checks(&ledger).filter(|check| check["holds"] == false).map(|check| check["name"].as_str().unwrap().into()).collect();
    assert_eq!(ledger["balanced"] == true, broken.is_empty());
    broken
}

fn checks(ledger: &Value) -> impl Iterator<Item = &Value> {
    ledger["checks"].as_array().unwrap().iter()
}
