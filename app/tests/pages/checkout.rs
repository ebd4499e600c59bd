//! Address, payment, promotion, and a price that is always the one that was shown.

use super::browser::{ADD, Browser};
use contract::Code;

async fn with_cart() -> Browser {
    let mut browser = Browser::new();
    browser.post("/cart/items", ADD).await.is(303);
    browser
}

#[tokio::test]
async fn an_address_costs_its_way_and_no_address_costs_nothing() {
    let mut browser = with_cart().await;
    browser.get("/checkout").await.is(200).says("No address: handed over at the counter").says("$13.18").says("value=\"checkout-quote-1\"");
    let form = "cartId=cart-1&quoteId=quote-1&customerName=Ada&specialInstructions=hot&address=Orbit+Road+7&paymentMethod=wallet";
    let seen = browser.post("/checkout", form).await;
    seen.is(200).says("Delivery, 2.1 km").says("$15.18").says("Dishes together").says("value=\"checkout-quote-2\"");
    seen.says("value=\"Orbit Road 7\"").says("value=\"Ada\"").says(">hot</textarea>").says("value=\"wallet\" checked");
    assert!(browser.world().orders.is_empty(), "asking for the price orders nothing");
}

#[tokio::test]
async fn an_order_is_placed_with_address_payment_and_promotion() {
    let mut browser = with_cart().await;
    let form = "cartId=cart-1&customerName=Ada&address=Orbit+Road+7&promotion=WELCOME10&paymentMethod=card-slow";
    browser
        .post("/checkout", form)
        .await
        .is(200)
        .says("WELCOME10: 10 % off")
        .says("−$1.32")
        .says("$13.86")
        .says("value=\"card-slow\" checked");
    let placed = browser.post("/orders", &format!("{form}&quoteId=quote-1&idempotencyKey=checkout-quote-1")).await;
    placed.is(303);
    {
        let world = browser.world();
        let order = &world.orders[0];
        assert_eq!(
            (&order["address"], &order["promotion"], &order["paymentMethod"]),
            (&"Orbit Road 7".into(), &"WELCOME10".into(), &"card-slow".into())
        );
    }
    browser.get(&placed.to).await.is(200).says("$13.86").says("Orbit Road 7").says("WELCOME10");
}

#[tokio::test]
async fn a_promotion_that_does_not_fit_says_so_and_keeps_what_was_typed() {
    let mut browser = with_cart().await;
    for (code, status, words) in [("NOPE", 400, "We do not know the code “NOPE”"), ("BIGDINNER", 409, "for orders of $50.00 and more")]
    {
        let form = format!("cartId=cart-1&customerName=Ada&specialInstructions=hot&address=Orbit+Road+7&promotion={code}&idempotencyKey=k");
        for address in ["/checkout", "/orders"] {
            let seen = browser.post(address, &form).await;
            seen.is(status).says(words).says(&format!("value=\"{code}\"")).says("aria-invalid=\"true\"");
            seen.says("value=\"Ada\"").says("value=\"Orbit Road 7\"").says(">hot</textarea>").says("$15.18");
        }
    }
    assert!(browser.world().orders.is_empty());
}

#[tokio::test]
async fn an_address_changed_after_the_price_was_shown_shows_the_new_price_and_orders_nothing() {
    let mut browser = with_cart().await;
    browser.get("/checkout").await.says("value=\"quote-1\"");
    let form = "cartId=cart-1&quoteId=quote-1&idempotencyKey=checkout-quote-1&customerName=Ada&specialInstructions=hot&address=Far+Away+9";
    let seen = browser.post("/orders", form).await;
    seen.is(409).says("A fresh price").says("have changed since the price was shown").says("Order for ").says("$15.18");
    seen.says("value=\"checkout-quote-2\"").says("value=\"Far Away 9\"").says("value=\"Ada\"").says(">hot</textarea>");
    assert!(!seen.html.contains("checkout-quote-1"));
    assert!(browser.world().orders.is_empty());
    let again = form.replace("quote-1", "quote-2");
    browser.post("/orders", &again).await.is(303);
    assert_eq!(browser.world().keys.last().unwrap().as_deref(), Some("checkout-quote-2"));
}

#[tokio::test]
async fn a_price_that_is_over_is_replaced_by_one_press() {
    let mut browser = with_cart().await;
    browser.breaks("order.place", Code::QuoteExpired);
    let form = "customerName=Ada&specialInstructions=x&cartId=cart-1&quoteId=old&idempotencyKey=checkout-old";
    let seen = browser.post("/orders", form).await;
    seen.is(409).says("A fresh price").says("those are over").says("value=\"checkout-quote-1\"").says("Order for ").says("$13.18");
    assert!(!seen.html.contains("checkout-old"));
}

#[tokio::test]
async fn a_name_that_will_not_do_is_asked_again_with_what_was_typed() {
    let mut browser = with_cart().await;
    let form = "customerName=+&specialInstructions=no+onions&cartId=cart-1";
    browser.post("/orders", form).await.is(400).says("who it is for").says("no onions");
    let long = format!("customerName={}&cartId=cart-1", "x".repeat(10_000));
    browser.post("/orders", &long).await.is(400).says("who it is for");
    let far = format!("customerName=Ada&address={}&cartId=cart-1", "x".repeat(501));
    for address in ["/checkout", "/orders"] {
        browser.post(address, &far).await.is(400).says("an address has at most 500").says("$13.18");
    }
    assert!(browser.world().orders.is_empty());
}

#[tokio::test]
async fn an_account_chooses_among_its_addresses_another_one_and_none() {
    let mut browser = with_cart().await;
    browser.cookies.insert("feast_login".into(), "ada".into());
    let seen = browser.get("/checkout").await;
    seen.is(200)
        .says("value=\"Ada &lt;Lovelace&gt;\"")
        .says("value=\"Orbit Road 7\" checked")
        .says("value=\"Ring Street 1\"")
        .says("$15.18");
    for (place, address) in
        [("Ring+Street+1", "Ring Street 1"), ("%2Bother&address=Far+Away+9", "Far Away 9"), ("&address=Forgotten+1", "")]
    {
        browser.post("/orders", &format!("cartId=cart-1&customerName=Ada&where={place}")).await.is(303);
        assert_eq!(browser.world().orders.last().unwrap()["address"].as_str().unwrap_or_default(), address);
    }
    browser.cookies.insert("feast_cart".into(), "cart-1".into());
    browser.breaks("user.account", Code::ServiceUnavailable);
    browser.get("/checkout").await.is(200).says("name=\"address\"");
}

#[tokio::test]
async fn test_cards_are_marked_and_folded_away() {
    let mut browser = with_cart().await;
    let seen = browser.get("/checkout").await;
    seen.says("<summary>Test cards</summary>").says("Test card: declined").says("value=\"card\" checked");
    assert!(!seen.html.contains("<details class=\"test-cards\" open"));
}

#[tokio::test]
async fn a_checkout_without_a_cart_leads_to_the_cart() {
    let mut browser = Browser::new();
    for seen in
        [browser.get("/checkout").await, browser.post("/checkout", "address=x").await, browser.post("/orders", "customerName=Ada").await]
    {
        assert_eq!((seen.status, seen.to.as_str()), (303, "/cart"));
    }
}
