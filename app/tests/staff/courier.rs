//! A courier's rides.

use super::as_;
use super::browser::Browser;
use super::common::kitchen::courier;
use contract::order::OrderStatus;

/// Zoë, who carries an order that has come this far, by hand.
fn riding(status: &[OrderStatus]) -> (Browser, String) {
    let browser = as_("zoe");
    let id = browser.world().paid_order("soup-one", "Ada", 5);
    for status in status {
        browser.world().becomes(&id, *status);
    }
    browser.world().kitchen.couriers.insert("zoe".into(), courier("zoe", Some(&id), false));
    (browser, id)
}

const TO_KITCHEN: [OrderStatus; 4] = [OrderStatus::Accepted, OrderStatus::Preparing, OrderStatus::Ready, OrderStatus::Assigned];

#[tokio::test]
async fn a_courier_without_an_order_has_nothing_to_press() {
    let mut zoe = as_("zoe");
    zoe.world().kitchen.couriers.insert("zoe".into(), courier("zoe", None, false));
    let seen = zoe.get("/courier").await;
    seen.is(200).says("Nothing to carry").says("3 orders brought today").says("<svg");
    assert!(!seen.html.contains("id=\"advance\""));
}

#[tokio::test]
async fn an_order_is_fetched_and_brought_by_two_presses() {
    let (mut zoe, id) = riding(&TO_KITCHEN);
    zoe.get("/courier").await.is(200).says("Fetch order ").says("Picked up").says("from the kitchen.").says("data-leg=");
    let action = format!("/courier/orders/{id}/advance");
    zoe.post(&action, "done=picked-up&courier=zoe").await.is(303);
    zoe.get("/courier").await.says("Bring order ").says("<bdi>Ada</bdi>").says("Delivered");
    zoe.post(&action, "done=delivered").await.is(303);
    zoe.get("/courier").await.says("Delivered. Well done.").says("4 orders brought today").says("Nothing to carry");
}

#[tokio::test]
async fn a_press_on_an_old_page_is_no_step_too_many() {
    let (mut zoe, id) = riding(&TO_KITCHEN);
    let action = format!("/courier/orders/{id}/advance");
    for _ in 0..2 {
        assert_eq!(zoe.post(&action, "done=picked-up").await.is(303).to, "/courier");
    }
    assert_eq!(zoe.world().deliveries[&id]["status"], "pickedUp");
}

#[tokio::test]
async fn whoever_rides_by_itself_has_no_button() {
    let (mut zoe, _) = riding(&TO_KITCHEN);
    zoe.post("/courier/autopilot", "on=true&courier=zoe").await.is(303);
    let seen = zoe.get("/courier").await;
    seen.says("rides by itself");
    assert!(!seen.html.contains("id=\"advance\""));
}

#[tokio::test]
async fn a_courier_speaks_for_no_other() {
    let (mut zoe, id) = riding(&TO_KITCHEN);
    zoe.get("/courier?id=max").await.is(403);
    zoe.post("/courier/autopilot", "on=true&courier=max").await.is(403);
    zoe.post(&format!("/courier/orders/{id}/advance"), "done=picked-up&courier=max").await.is(403);
    assert_eq!(zoe.world().deliveries[&id]["status"], "assigned");
}

#[tokio::test]
async fn an_operator_chooses_whom_to_look_at() {
    let (browser, _) = riding(&TO_KITCHEN);
    let mut operator = Browser { operator: true, cookies: Default::default(), features: None, fake: browser.fake };
    operator.get("/courier").await.is(200).says("Who rides?").says("/courier?id=zoe");
    operator.get("/courier?id=zoe").await.is(200).says("Fetch order ");
    assert_eq!(operator.post("/courier/autopilot", "on=true&courier=zoe").await.to, "/courier?id=zoe");
    operator.get("/courier?id=nobody").await.is(404);
}
