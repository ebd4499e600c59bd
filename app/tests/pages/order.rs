//! An order's page: its way, its receipt, its end, and the same again.

use super::browser::{ADD, Browser};
use contract::Code;
use contract::order::OrderStatus;

const FORM: &str = "customerName=Ada&cartId=cart-1&address=Orbit+Road+7&paymentMethod=wallet&idempotencyKey=k";

/// An order of two soups; its page.
async fn ordered() -> (Browser, String) {
    let mut browser = Browser::new();
    browser.post("/cart/items", ADD).await.is(303);
    let placed = browser.post("/orders", FORM).await;
    placed.is(303);
    (browser, placed.to)
}

fn becomes(browser: &Browser, page: &str, statuses: &[OrderStatus]) {
    for status in statuses {
        browser.world().becomes(page.trim_start_matches("/orders/"), *status);
    }
}

use OrderStatus as S;
const TO_THE_DOOR: [S; 7] = [S::Paid, S::Accepted, S::Preparing, S::Ready, S::Assigned, S::PickedUp, S::Delivered];

#[tokio::test]
async fn the_receipt_explains_every_line() {
    let (mut browser, page) = ordered().await;
    let seen = browser.get(&page).await;
    seen.is(200).says("Rush hour +10 %").says("Dishes together").says("$13.18").says("Delivery, 2.1 km").says("$2.00").says("$15.18");
    seen.says("Payment is being taken: $15.18. Wallet.");
}

#[tokio::test]
async fn every_step_has_its_time_and_the_courier_a_name_a_place_and_a_moment() {
    let (mut browser, page) = ordered().await;
    browser.get(&page).await.is(200).says("Order received").says("09:30 UTC").says("class=\"map\"");
    becomes(&browser, &page, &TO_THE_DOOR[..4]);
    browser.get(&page).await.says("Ready for pick-up").says("All couriers are out").says("3 min 20 s");
    becomes(&browser, &page, &[S::Assigned]);
    let seen = browser.get(&page).await;
    seen.says("🛵 Zoë rides to the kitchen.")
        .says("data-leg=\"4200 3900 5000 5000\" data-whole=\"20000\" data-gone=\"0\"")
        .says("Map: Zoë is 1.3 km from the kitchen.");
    assert_eq!(seen.html.matches("class=\"done\"").count(), 5);
    becomes(&browser, &page, &[S::PickedUp]);
    browser.get(&page).await.says("🛵 Zoë is on the way to you.").says("data-countdown=\"200\"");
    becomes(&browser, &page, &[S::Delivered]);
    let seen = browser.get(&page).await;
    seen.says("Delivered. Enjoy!").says("Zoë brought it").says("Paid $15.18. Wallet.").says("Order the same again");
    assert!(!seen.html.contains("data-leg") && !seen.html.contains("At your door"));
}

#[tokio::test]
async fn a_page_that_is_looked_at_follows_by_events_and_without_scripts_by_asking_again() {
    let (mut browser, page) = ordered().await;
    let seen = browser.get(&page).await;
    seen.says(&format!("data-events=\"/events{page}\"")).says("data-seen=\"2026-11-20T09:30:00.000Z\"");
    seen.says("<noscript><meta http-equiv=\"refresh\" content=\"10\">").says("Look now");
    becomes(&browser, &page, &TO_THE_DOOR);
    let seen = browser.get(&page).await;
    assert!(!seen.html.contains("data-follow") && !seen.html.contains("http-equiv"), "what is over is not followed");
}

#[tokio::test]
async fn an_order_is_followed_until_its_refund_has_arrived() {
    let (mut browser, page) = ordered().await;
    browser.post(&format!("{page}/cancel"), "").await.is(303);
    browser.get(&page).await.says("Your order is cancelled.").says("A refund of $15.18 is on its way.").says("data-ask");
    browser.world().payments.values_mut().for_each(|payment| payment["status"] = "refunded".into());
    let seen = browser.get(&page).await;
    assert!(!seen.says("Refunded $15.18.").html.contains("data-follow"));
}

#[tokio::test]
async fn an_order_is_cancelled_until_the_kitchen_has_accepted_it() {
    let (mut browser, page) = ordered().await;
    becomes(&browser, &page, &[S::Paid]);
    browser.get(&page).await.says("Cancel the order");
    becomes(&browser, &page, &[S::Accepted]);
    assert!(!browser.get(&page).await.html.contains("Cancel the order"));
    browser.post(&format!("{page}/cancel"), "").await.is(409).says("The order has moved on").says(&format!("href=\"{page}\""));
    browser.breaks("order.cancel", Code::Timeout);
    browser.post(&format!("{page}/cancel"), "").await.is(504).says(&format!("action=\"{page}/cancel\"")).says("Try again");
}

#[tokio::test]
async fn a_rejected_order_says_why_and_where_the_money_is() {
    let (mut browser, page) = ordered().await;
    becomes(&browser, &page, &[S::Paid, S::Rejected]);
    browser.world().orders[0]["reason"] = "The oven is <broken>".into();
    let seen = browser.get(&page).await;
    seen.is(200).says("The kitchen had to decline").says("The oven is &lt;broken&gt;").says("A refund of $15.18 is on its way");
    assert!(!seen.html.contains("class=\"map\"") && !seen.html.contains("class=\"todo\""));
}

#[tokio::test]
async fn a_stranger_with_the_address_learns_the_status_and_nothing_about_people() {
    let (mut browser, page) = ordered().await;
    becomes(&browser, &page, &TO_THE_DOOR[..6]);
    browser.world().stranger = true;
    let seen = browser.get(&page).await;
    seen.is(200).says("On the way to you").says("class=\"amount\">2<").says("shown to whoever ordered");
    for secret in ["Ada", "Orbit Road", "Zoë", "class=\"map\"", "Wallet", "data-events", "Cancel", "Rush hour"] {
        assert!(!seen.html.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn courier_and_payment_may_be_silent() {
    let (mut browser, page) = ordered().await;
    becomes(&browser, &page, &TO_THE_DOOR[..6]);
    browser.breaks("delivery.get", Code::ServiceUnavailable);
    browser.breaks("payment.get", Code::ServiceUnavailable);
    browser.get(&page).await.is(200).says("On the way to you").says("To be paid by: Wallet.").says("class=\"map\"");
}

#[tokio::test]
async fn the_same_again_is_a_new_cart_with_the_same_choices() {
    let mut browser = Browser::new();
    browser.post("/cart/items", "itemId=oat-soup&quantity=3&choice0=Oat&choice1=Large").await.is(303);
    let page = browser.post("/orders", FORM).await.to;
    browser.post("/cart/items", "itemId=far-soup&quantity=1").await.is(303);
    let seen = browser.post(&format!("{page}/reorder"), "").await;
    assert_eq!((seen.status, seen.to.as_str()), (303, "/cart"));
    let cart = browser.get("/cart").await;
    cart.is(200).says("The same again").says("Oat Soup").says("Oat, Large").says("$12.00");
    assert!(!cart.html.contains("Far Soup") && !cart.html.contains("Left out"));
    browser.world().menus[0].items[2].options.clear();
    browser.post(&format!("{page}/reorder"), "").await.is(303);
    let cart = browser.get("/cart").await;
    assert!(!cart.says("Oat Soup").html.contains("Oat, Large"), "a choice that is gone is no reason to go hungry");
}

#[tokio::test]
async fn reorder_skips_what_is_sold_out_and_says_so() {
    let mut browser = Browser::new();
    browser.post("/cart/items", ADD).await.is(303);
    browser.post("/cart/items", "itemId=oat-soup&quantity=1").await.is(303);
    let page = browser.post("/orders", FORM).await.to;
    browser.world().stock.insert("hot-soup".into(), 1);
    let seen = browser.post(&format!("{page}/reorder"), "").await;
    assert_eq!((seen.status, seen.to.as_str()), (303, "/cart?without=hot-soup"));
    browser.get(&seen.to).await.is(200).says("Not everything could be had again").says("from the menu: Hot &amp; Soup.").says("Oat Soup");
    browser.get("/cart?without=nothing-known").await.says("a dish that left the menu");
    browser.world().stock.insert("oat-soup".into(), 0);
    let carts = browser.world().carts.len();
    browser.post(&format!("{page}/reorder"), "").await.is(409).says("Sold out");
    assert_eq!(browser.world().carts.len(), carts, "no cart is made for nothing");
}

#[tokio::test]
async fn orders_are_listed_with_status_total_and_the_same_again() {
    let (mut browser, page) = ordered().await;
    let seen = browser.get("/orders").await;
    seen.is(200).says("Order received").says("$15.18").says("2 × Hot &amp; Soup").says("orders of this browser");
    assert!(!seen.html.contains("/reorder"));
    becomes(&browser, &page, &TO_THE_DOOR);
    browser.get("/orders").await.says(&format!("action=\"{page}/reorder\""));
}
