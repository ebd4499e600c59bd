//! Everything that goes wrong has a page and a way on.

use super::browser::{ADD, Browser};
use axum::body::Body;
use axum::extract::Request;
use contract::Code;
use http::header::{CONTENT_TYPE, REFERER};

#[tokio::test]
async fn a_fault_is_a_page_that_repeats_the_same_form() {
    let mut browser = Browser::new();
    browser.breaks("cart.add_item", Code::FeatureFlagChaos);
    let seen = browser.post("/cart/items", ADD).await;
    seen.is(503)
        .says("We lost contact")
        .says("action=\"/cart/items\"")
        .says("name=\"itemId\" value=\"hot-soup\"")
        .says("req-1")
        .says("Try again");
    assert!(!seen.html.contains("4bf92f3577b34da6"), "the trace is for operators");
    browser.heals();
    browser.post("/cart/items", ADD).await.is(303);
    assert_eq!(browser.fake.0.lock().unwrap().carts.len(), 1, "the cart made before the fault is used");
}

#[tokio::test]
async fn an_error_after_a_form_stays_on_the_page_of_the_form() {
    let mut browser = Browser::new();
    browser.breaks("cart.add_item", Code::FeatureFlagChaos);
    let form = "itemId=hot-soup&quantity=1";
    let mut request =
        Request::post("/cart/items").header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(form)).unwrap();
    request.headers_mut().insert(REFERER, "http://127.0.0.1:3000/restaurants/soup-one?a=b".parse().unwrap());
    browser.send(request).await.is(503).says("name=\"return\" value=\"/restaurants/soup-one?a=b\"");
    browser.heals();
    for (path, form) in [("/cart/items", "itemId=hot-soup&quantity=1"), ("/theme", "theme=dark")] {
        let mut request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(form)).unwrap();
        request.headers_mut().insert(REFERER, "http://127.0.0.1:3000/restaurants/soup-one".parse().unwrap());
        assert_eq!(browser.send(request).await.to, "/restaurants/soup-one");
    }
    assert_eq!(browser.post("/cart/items", "itemId=hot-soup&quantity=1").await.to, "/cart");
    assert_eq!(browser.post("/theme", "theme=dark").await.to, "/");
}

#[tokio::test]
async fn an_operator_sees_the_trace_of_a_fault() {
    let mut browser = Browser { operator: true, ..Browser::new() };
    browser.breaks("menu.restaurants", Code::ServiceUnavailable);
    browser.get("/").await.is(503).says("4bf92f3577b34da6");
}

#[tokio::test]
async fn a_lost_reply_is_retried_with_the_same_key() {
    let mut browser = Browser::new();
    browser.post("/cart/items", ADD).await;
    browser.breaks("order.place", Code::Timeout);
    let form = "customerName=Ada&cartId=cart-1&quoteId=quote-1&idempotencyKey=checkout-quote-1";
    browser.post("/orders", form).await.is(504).says("value=\"checkout-quote-1\"").says("value=\"cart-1\"").says("value=\"Ada\"");
    assert!(browser.cookies.contains_key("feast_cart"));
}

#[tokio::test]
async fn an_expired_cart_is_told_and_forgotten_and_an_addition_starts_a_new_one() {
    let mut browser = Browser::new();
    browser.cookies.insert("feast_cart".into(), "long-gone".into());
    browser.cookies.insert("feast_count".into(), "3".into());
    browser.get("/cart").await.is(404).says("drifted away");
    assert!(browser.cookies.is_empty());
    browser.cookies.insert("feast_cart".into(), "long-gone".into());
    let added = browser.post("/cart/items", ADD).await;
    browser.get(&added.to).await.is(200).says("this is a fresh one");
}

#[tokio::test]
async fn every_other_refusal_has_its_page_and_status() {
    for (code, words) in [
        (Code::CartAlreadyOrdered, "This cart is an order already"),
        (Code::OutOfStock, "Sold out"),
        (Code::IdempotencyMismatch, "sent already"),
        (Code::IdempotencyInFlight, "just arriving"),
        (Code::RateLimited, "Easy, astronaut"),
        (Code::ServiceUnavailable, "We lost contact"),
        (Code::StoreUnavailable, "We lost contact"),
        (Code::Internal, "black hole"),
    ] {
        let mut browser = Browser::new();
        browser.post("/cart/items", ADD).await;
        browser.breaks("order.place", code);
        browser.post("/orders", "customerName=Ada&cartId=cart-1").await.is(code.status()).says(words);
    }
}

#[tokio::test]
async fn unknown_places_are_designed_404s() {
    let mut browser = Browser::new();
    for path in ["/restaurants/nowhere", "/items/nothing", "/orders/none", "/restaurants/%FF"] {
        browser.get(path).await.is(404).says("scene");
    }
}

#[tokio::test]
async fn forms_that_make_no_sense_change_nothing() {
    let mut browser = Browser::new();
    for quantity in ["0", "-1", "11", "1e12", "1.5", "", "two", "99999999999999999999"] {
        browser.post("/cart/items", &format!("itemId=hot-soup&quantity={quantity}")).await.is(400).says("one to ten");
    }
    browser.post("/cart/items", "itemId=%3Cscript%3E&quantity=1").await.is(404).says("No such dish");
    let mut request = Request::post("/cart/items").body(Body::from("{}")).unwrap();
    request.headers_mut().insert(CONTENT_TYPE, "application/json".parse().unwrap());
    browser.send(request).await.is(415).says("garbled");
    assert!(browser.fake.0.lock().unwrap().carts.values().all(|cart| cart["items"].as_array().unwrap().is_empty()));
}

#[tokio::test]
async fn an_island_gets_json_for_success_and_a_page_for_failure() {
    let mut browser = Browser::new();
    let seen = browser.post_as("/cart/items", ADD, "application/json, text/html").await;
    assert_eq!(seen.is(200).html, r#"{"count":2,"total":11.98,"notice":"Added to your cart. 2 things are in it."}"#);
    browser.breaks("cart.add_item", Code::FeatureFlagChaos);
    browser.post_as("/cart/items", ADD, "application/json, text/html").await.is(503).says("<!DOCTYPE html>");
    let seen = browser.post_as("/cart/items", ADD, "application/json").await;
    assert!(seen.is(503).html.starts_with(r#"{"error":"#));
}
