//! Facts about sums, resets, outages and restarts.

use crate::desk::{Desk, WHILE, many, ready};
use contract::Timestamp;
use contract::delivery::DeliveryStatus;
use contract::ledger::LedgerPage;
use delivery::domain::staff::OWN;
use runtime::args;
use runtime::store::StoreError;
use std::time::Duration;
use testkit::flip;

async fn page(desk: &Desk) -> LedgerPage {
    desk.book.ledger(desk.now()).await.unwrap()
}

fn totals(page: &LedgerPage) -> (i64, i64) {
    (page.total("deliveries"), page.total("completed"))
}

pub async fn totals_follow_the_deliveries(desk: Desk) {
    assert_eq!(totals(&page(&desk).await), (0, 0));
    desk.arrive(&many(7, "Berlin", desk.now())).await;
    assert_eq!(totals(&page(&desk).await), (7, 0));
    desk.tick().await;
    desk.after(WHILE).await;
    assert_eq!(totals(&page(&desk).await), (7, 0));
    desk.after(WHILE).await;
    assert_eq!(totals(&page(&desk).await), (7, 7));
}

pub async fn totals_follow_a_row_that_is_planted_or_removed_by_hand(desk: Desk) {
    let plant = "INSERT INTO deliveries (order_id, restaurant_id, restaurant_name, customer_name, city, status,
            from_x, from_y, to_x, to_y, ready_at_ms, created_at_ms, updated_at_ms)
        VALUES ('planted', 'r', 'R', 'Mallory', 'Berlin', 'completed', 1, 1, 1, 1, 1, 1, 1)";
    desk.database.run(plant, args![]).await.unwrap();
    assert_eq!(totals(&page(&desk).await), (1, 1));
    desk.database.run("UPDATE deliveries SET status = 'queued'", args![]).await.unwrap();
    assert_eq!(totals(&page(&desk).await), (1, 0));
    desk.database.run("DELETE FROM deliveries", args![]).await.unwrap();
    assert_eq!(totals(&page(&desk).await), (0, 0));
}

pub async fn what_moved_within_thirty_seconds_is_recent(desk: Desk) {
    let recent = async || {
        let page = page(&desk).await;
        (page.recent("deliveries"), page.recent("completed"))
    };
    desk.arrive(&many(3, "Berlin", desk.now())).await;
    desk.tick().await;
    assert_eq!(recent().await, (3, 0));
    desk.after(Duration::from_secs(15)).await;
    desk.after(Duration::from_secs(14)).await;
    assert_eq!(recent().await, (3, 3));
    desk.after(Duration::from_secs(1)).await;
    assert_eq!(recent().await, (0, 3));
    desk.after(Duration::from_secs(29)).await;
    assert_eq!(recent().await, (0, 0));
}

pub async fn what_is_open_is_named_oldest_first_with_its_owner(desk: Desk) {
    assert_eq!(page(&desk).await.open, []);
    desk.arrive(&[ready("first", "Berlin", desk.now())]).await;
    desk.tick().await;
    desk.after(WHILE).await;
    desk.arrive(&[ready("second", "Berlin", desk.now())]).await;
    desk.tick().await;
    desk.clock.advance(Duration::from_millis(10));
    desk.arrive(&[ready("third", "Berlin", desk.now())]).await;
    let open = page(&desk).await.open;
    let named: Vec<(&str, &str)> = open.iter().map(|item| (item.order_id.as_str(), item.waits_for.as_str())).collect();
    assert_eq!(named, [("first", "being brought to the door"), ("second", "being picked up"), ("third", "a courier")]);
    assert_eq!(Some(&open[0].owner), desk.carrier("first").await.as_ref());
    assert_eq!(Some(&open[1].owner), desk.carrier("second").await.as_ref());
    assert_eq!(open[2].owner, "delivery");
    assert!(open.iter().all(|item| item.deadline > desk.now() && item.since <= desk.now()));

    desk.arrive(&many(LedgerPage::MAX_OPEN as u32, "Tokyo", desk.now())).await;
    assert_eq!(page(&desk).await.open.len(), LedgerPage::MAX_OPEN);
    for _ in 0..6 {
        desk.after(WHILE).await;
    }
    assert_eq!(page(&desk).await.open, []);
}

pub async fn a_reset_leaves_the_first_couriers_and_nothing_else(desk: Desk) {
    let first = desk.couriers("").await;
    desk.arrive(&many(4 * OWN, "Berlin", desk.now())).await;
    desk.arrive(&[ready("x", "Oslo", desk.now())]).await;
    desk.tick().await;
    desk.after(WHILE).await;
    assert!(desk.book.set_autopilot("berlin-01", false).await.unwrap());
    desk.after(WHILE).await;
    desk.book.reset(desk.now()).await.unwrap();
    assert_eq!(desk.couriers("").await, first);
    assert_eq!(totals(&page(&desk).await), (0, 0));
    assert_eq!(desk.tick().await, delivery::store::Ticked::default());
    // And it goes on from there.
    desk.arrive(&[ready("x", "Oslo", desk.now())]).await;
    assert_eq!(desk.tick().await.assigned.len(), 1);
}

/// Delivers so many orders in Berlin.
async fn delivered(desk: &Desk, count: u32) {
    desk.arrive(&many(count, "Berlin", desk.now())).await;
    desk.tick().await;
    while totals(&page(desk).await).1 < count.into() {
        desk.after(WHILE).await;
    }
}

async fn kept(desk: &Desk, order: &str) -> bool {
    desk.book.find(&order.into(), desk.now()).await.unwrap().is_some()
}

pub async fn what_was_completed_long_ago_is_forgotten_and_its_sums_stay(desk: Desk) {
    delivered(&desk, 3).await;
    let (delivered_at, told) = (desk.now(), desk.told().await.len());
    desk.clock.advance(WHILE);
    assert_eq!(desk.book.forget(Timestamp::from_millis(1)).await.unwrap(), 0);
    assert!(kept(&desk, "order-00000").await);
    assert_eq!(desk.book.forget(delivered_at + WHILE).await.unwrap(), 3);
    assert_eq!(desk.book.forget(delivered_at + WHILE).await.unwrap(), 0);
    assert!(!kept(&desk, "order-00000").await);
    assert_eq!(totals(&page(&desk).await), (3, 3));
    assert_eq!(desk.told().await.len(), told, "nobody is told");
    // What somebody removes by hand still shows.
    delivered(&desk, 4).await;
    desk.database.run("DELETE FROM deliveries WHERE order_id = 'order-00000'", args![]).await.unwrap();
    assert_eq!(totals(&page(&desk).await), (6, 6));
}

pub async fn thousands_are_forgotten_in_steps_and_nothing_that_is_open_or_young(desk: Desk) {
    let plant = "INSERT INTO deliveries (order_id, restaurant_id, restaurant_name, customer_name, city, status,
            from_x, from_y, to_x, to_y, ready_at_ms, created_at_ms, updated_at_ms)
        SELECT 'old-' || (value ->> 'n'), 'r', 'R', 'Ada', 'Berlin', 'completed', 1, 1, 1, 1, 1, 1, 1 FROM rows_of($1)";
    let rows: Vec<_> = (0..1_200).map(|n| serde_json::json!({ "n": n })).collect();
    desk.database.run(plant, args![serde_json::Value::Array(rows).to_string()]).await.unwrap();
    desk.assigned("open").await;
    let mut steps = Vec::new();
    while steps.last() != Some(&0) {
        steps.push(desk.book.forget(desk.now()).await.unwrap());
    }
    assert_eq!(steps, [500, 500, 200, 0]);
    assert_eq!(totals(&page(&desk).await), (1_201, 1_200));
    assert_eq!(desk.status("open").await, DeliveryStatus::Assigned);
}

pub async fn a_reset_after_something_was_forgotten_begins_at_nothing(desk: Desk) {
    delivered(&desk, 2).await;
    assert_eq!(desk.book.forget(desk.now() + WHILE).await.unwrap(), 2);
    desk.book.reset(desk.now()).await.unwrap();
    assert_eq!(totals(&page(&desk).await), (0, 0));
}

pub async fn a_store_that_is_down_is_unavailable_and_forgets_nothing(desk: Desk) {
    desk.assigned("a").await;
    flip(&desk.platform, "store-down", "all");
    desk.clock.advance(WHILE);
    assert!(matches!(desk.book.tick(desk.now()).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(desk.book.couriers("", desk.now()).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(desk.book.ledger(desk.now()).await, Err(StoreError::Unavailable(_))));
    desk.platform.flag_control().clear_all().unwrap();
    assert_eq!(desk.status("a").await, DeliveryStatus::Assigned);
    assert_eq!(desk.tick().await.picked_up, 1);
}

pub async fn rides_go_on_in_the_next_process(desk: Desk) {
    let id = desk.assigned("a").await;
    desk.arrive(&[ready("b", "Oslo", desk.now())]).await;
    let before = desk.find("a").await;
    let desk = desk.reopened().await;
    assert_eq!(desk.find("a").await, before);
    assert_eq!(desk.couriers("").await.len(), (OWN * 11) as usize);
    let ticked = desk.after(WHILE).await;
    assert_eq!((ticked.picked_up, ticked.assigned.len()), (1, 1));
    let desk = desk.reopened().await;
    let ticked = desk.after(WHILE).await;
    assert_eq!((ticked.completed, ticked.picked_up), (1, 1));
    assert_eq!(desk.courier(&id).await.delivered_today, 1);
    assert_eq!(desk.told().await.len(), 5);
}
