//! The one press that orders, for whom it is offered.

use super::browser::{ADD, Browser};
use app::features::Features;
use async_trait::async_trait;
use std::sync::{Arc, Mutex};

/// Offers to everybody, at this place.
struct Offered {
    place: &'static str,
    notes: Mutex<Vec<&'static str>>,
}

#[async_trait]
impl Features for Offered {
    async fn of(&self, flag: &str, field: &str) -> Option<String> {
        assert_eq!((flag, field), ("checkout-express", "place"));
        Some(self.place.to_owned())
    }

    fn note(&self, _: &str, what: &'static str) {
        self.notes.lock().unwrap().push(what);
    }
}

fn at(place: &'static str) -> Arc<Offered> {
    Arc::new(Offered { place, notes: Mutex::default() })
}

/// Ordered to Orbit Road 7 before, and has something in the cart again.
async fn regular() -> Browser {
    let mut browser = Browser::new();
    browser.post("/cart/items", ADD).await.is(303);
    let form = "cartId=cart-1&customerName=Ada&address=Orbit+Road+7&paymentMethod=wallet&idempotencyKey=before";
    browser.post("/orders", form).await.is(303);
    browser.post("/cart/items", ADD).await.is(303);
    browser
}

#[tokio::test]
async fn a_regular_orders_with_one_press_at_the_price_that_is_shown() {
    let mut browser = regular().await;
    assert!(!browser.get("/cart").await.is(200).html.contains("Order now"), "nobody is offered what the flag does not offer");
    let features = at("below");
    browser.features = Some(features.clone());
    let cart = browser.get("/cart").await;
    cart.is(200).says("Order now · ").says("$15.18").says("For Ada, to Orbit Road 7. Paid by wallet.").says("This price is held for");
    assert!(cart.html.find("Go to checkout") < cart.html.find("Order now"));
    let fields: Vec<String> = cart
        .html
        .split("<input type=\"hidden\" ")
        .skip(1)
        .filter_map(|field| {
            let of = |name: &str| field.split_once(&format!("{name}=\""))?.1.split('"').next();
            Some(format!("{}={}", of("name")?, of("value")?.replace(' ', "+")))
        })
        .collect();
    let form = fields.join("&");
    assert!(form.contains("express=yes") && form.contains("customerName=Ada") && form.contains("address=Orbit+Road+7"), "{form}");
    let placed = browser.post("/orders", &form).await;
    placed.is(303);
    browser.get(&placed.to).await.is(200).says("$15.18").says("Orbit Road 7");
    assert_eq!(*features.notes.lock().unwrap(), ["offered", "ordered"]);
    // Pressed twice, it is the same request.
    browser.post("/orders", &form).await.is(303);
    let world = browser.world();
    let keys: Vec<Option<&str>> = world.keys.iter().rev().take(2).map(Option::as_deref).collect();
    assert!(keys[0].is_some_and(|key| key.starts_with("checkout-quote-")) && keys[0] == keys[1], "{keys:?}");
}

#[tokio::test]
async fn the_press_may_stand_before_the_way_to_the_checkout() {
    let mut browser = regular().await;
    browser.features = Some(at("first"));
    let cart = browser.get("/cart").await;
    assert!(cart.html.find("Order now") < cart.html.find("Go to checkout"));
}

#[tokio::test]
async fn who_never_ordered_is_offered_nothing() {
    let mut browser = Browser::new();
    let features = at("first");
    browser.features = Some(features.clone());
    browser.post("/cart/items", ADD).await.is(303);
    assert!(!browser.get("/cart").await.is(200).says("Go to checkout").html.contains("Order now"));
    assert!(features.notes.lock().unwrap().is_empty());
}

#[tokio::test]
async fn without_a_price_or_a_past_the_cart_is_as_it_was() {
    let mut browser = regular().await;
    browser.features = Some(at("first"));
    for call in ["order.quote", "order.list"] {
        browser.world().broken.insert(call, contract::Code::ServiceUnavailable);
        assert!(!browser.get("/cart").await.is(200).says("Go to checkout").html.contains("Order now"), "{call}");
        browser.world().broken.clear();
    }
}
