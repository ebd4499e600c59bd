//! The board: what it shows, and the steps of an order.

use super::as_;
use super::browser::{Browser, Seen};
use super::common::kitchen::busy_evening;
use contract::Code;
use contract::order::OrderStatus;

fn status_of(browser: &Browser, id: &str) -> String {
    browser.world().orders.iter().find(|order| order["id"] == id).unwrap()["status"].as_str().unwrap().to_owned()
}

fn count(seen: &Seen, text: &str) -> usize {
    seen.html.matches(text).count()
}

#[tokio::test]
async fn staff_of_another_restaurant_see_no_board() {
    let mut cook = as_("cook");
    cook.world().paid_order("soup-two", "Secret Person", 0);
    let seen = cook.get("/restaurant?id=soup-two").await;
    assert!(!seen.is(403).html.contains("Secret"));
    assert!(!cook.get("/restaurant").await.is(200).html.contains("Secret"));
    cook.post("/restaurant/autopilot", "on=true&restaurant=soup-two").await.is(403);
    assert!(!cook.world().kitchen.autopilot);
}

#[tokio::test]
async fn a_new_order_has_one_large_accept_button() {
    let mut cook = as_("cook");
    let id = cook.world().paid_order("soup-one", "Ada <Lovelace>", 2);
    let seen = cook.get("/restaurant").await;
    seen.is(200).says("<title>(1) Board · Feast Flow</title>").says("2 min").says("Oat, Large").says("no &lt;onions&gt;").says("$17.50");
    seen.says("<bdi>Ada</bdi>").says("1 new order.");
    assert_eq!((count(&seen, "step-accepted"), count(&seen, "data-key=\"a\"")), (1, 1));
    let accepted = cook.post(&format!("/restaurant/orders/{id}/status"), "status=accepted&restaurant=soup-one&return=%2Frestaurant").await;
    assert_eq!((accepted.status, accepted.to.as_str()), (303, "/restaurant"));
    let seen = cook.get("/restaurant").await;
    seen.says("Accepted. The customer knows.").says("Start cooking").says("<title>Board · Feast Flow</title>");
    assert_eq!(count(&seen, "step-accepted"), 0);
}

#[tokio::test]
async fn an_order_goes_from_column_to_column() {
    let mut cook = as_("cook");
    let id = cook.world().paid_order("soup-one", "Ada", 0);
    for (status, then) in [("accepted", "Start cooking"), ("preparing", "step-ready"), ("ready", "Waits for a courier")] {
        cook.post(&format!("/restaurant/orders/{id}/status"), &format!("status={status}&restaurant=soup-one")).await.is(303);
        cook.get("/restaurant").await.says(then);
    }
    cook.world().becomes(&id, OrderStatus::Assigned);
    cook.get("/restaurant").await.says("A courier is coming");
    cook.world().becomes(&id, OrderStatus::PickedUp);
    cook.get("/restaurant").await.says("With the courier");
}

#[tokio::test]
async fn only_the_oldest_new_order_has_the_key() {
    let mut cook = as_("cook");
    for n in 0..3 {
        cook.world().paid_order("soup-one", "Ada", 3 - n);
    }
    let seen = cook.get("/restaurant").await;
    assert_eq!((count(&seen, "data-key=\"a\""), count(&seen, "step-accepted")), (1, 3));
}

#[tokio::test]
async fn an_order_that_waits_too_long_is_called_late() {
    let mut cook = as_("cook");
    cook.world().paid_order("soup-one", "Ada", 2);
    assert_eq!(count(&cook.get("/restaurant").await, "· late"), 0);
    cook.world().paid_order("soup-one", "Ada", 3);
    assert_eq!(count(&cook.get("/restaurant").await, "· late"), 1);
}

#[tokio::test]
async fn rejecting_asks_for_a_reason_first_and_the_customer_reads_it() {
    let mut cook = as_("cook");
    let id = cook.world().paid_order("soup-one", "Ada", 0);
    let (page, action) = (format!("/restaurant/orders/{id}/reject"), format!("/restaurant/orders/{id}/status"));
    cook.get(&page).await.is(200).says("What shall the customer read?").says("$17.50");
    cook.post(&action, "status=rejected&restaurant=soup-one").await.is(400).says("Please say why");
    let long = format!("status=rejected&restaurant=soup-one&reason=We+are+closing.&words={}", "x".repeat(501));
    cook.post(&action, &long).await.is(400).says("at most 500").says("xxxxx");
    assert_eq!(status_of(&cook, &id), "paid");
    cook.post(&action, "status=rejected&restaurant=soup-one&reason=We+are+closing.&words=The+oven+is+cold").await.is(303);
    assert_eq!(status_of(&cook, &id), "rejected");
    assert_eq!(cook.world().orders[0]["reason"], "The oven is cold");
    assert_eq!(cook.get(&page).await.is(303).to, "/restaurant", "there is nothing to reject any more");
}

#[tokio::test]
async fn an_order_of_another_kitchen_cannot_be_rejected() {
    let mut cook = as_("cook");
    let id = cook.world().paid_order("soup-two", "Secret Person", 0);
    let seen = cook.get(&format!("/restaurant/orders/{id}/reject")).await;
    assert!(!seen.is(403).html.contains("Secret"));
}

#[tokio::test]
async fn a_step_that_somebody_else_made_is_no_crash() {
    let mut cook = as_("cook");
    let id = cook.world().paid_order("soup-one", "Ada", 0);
    cook.world().becomes(&id, OrderStatus::Accepted);
    let action = format!("/restaurant/orders/{id}/status");
    cook.post(&action, "status=accepted&restaurant=soup-one").await.is(409).says("The order has moved on").says("href=\"/restaurant\"");
    cook.post(&action, "status=eaten&restaurant=soup-one").await.is(400);
}

#[tokio::test]
async fn the_autopilot_is_one_press_and_says_how_it_is() {
    let mut cook = as_("cook");
    cook.post("/restaurant/autopilot", "on=true&restaurant=soup-one").await.is(303);
    cook.get("/restaurant").await.says("Autopilot is on").says("value=\"false\" aria-pressed=\"true\"");
    cook.post("/restaurant/autopilot", "on=false").await.is(303);
    assert!(!cook.world().kitchen.autopilot);
}

#[tokio::test]
async fn an_operator_chooses_a_kitchen_and_stays_in_it() {
    let mut operator = as_("op");
    operator.get("/restaurant").await.is(200).says("/restaurant?id=soup-two").says("Whose board?");
    operator.get("/restaurant?id=soup-two").await.is(200).says("/restaurant/menu?id=soup-two");
    operator.get("/restaurant?id=nowhere").await.is(404);
    assert_eq!(operator.post("/restaurant/autopilot", "on=true&restaurant=soup-two").await.to, "/restaurant?id=soup-two");
    assert_eq!(operator.post("/restaurant/autopilot", "on=true").await.to, "/restaurant");
}

#[tokio::test]
async fn the_board_goes_on_while_the_menu_service_is_down() {
    let mut cook = as_("cook");
    cook.world().paid_order("soup-one", "Ada", 0);
    cook.breaks("menu.restaurant_menu", Code::ServiceUnavailable);
    cook.get("/restaurant").await.is(200).says("step-accepted");
    cook.breaks("order.board", Code::ServiceUnavailable);
    cook.get("/restaurant").await.is(503).says("We lost contact").says("Try again");
}

#[tokio::test]
async fn a_pause_is_said_on_every_page_of_the_kitchen() {
    let mut cook = as_("cook");
    busy_evening(&mut cook.world());
    cook.post("/restaurant/pause", "paused=true").await.is(303);
    for page in ["/restaurant", "/restaurant/menu", "/restaurant/hours", "/restaurant/today"] {
        cook.get(page).await.is(200).says("Paused.").says("Take orders again");
    }
    assert_eq!(cook.post("/restaurant/pause", "paused=false&return=%2Frestaurant").await.to, "/restaurant");
    assert!(!cook.get("/restaurant").await.html.contains("Paused."));
}

#[tokio::test]
async fn a_day_is_told_in_numbers_and_its_chart_in_a_table() {
    let mut cook = as_("cook");
    busy_evening(&mut cook.world());
    let seen = cook.get("/restaurant/today").await;
    seen.is(200).says("$1284.50").says("6 min 52 s").says("Most, 12, from 12:00.").says("Hot &amp; Soup");
    seen.says("<th scope=\"row\">12:00</th><td>12</td>");
    assert!(!seen.html.contains("03:00"), "hours without orders are not in the table");
}
