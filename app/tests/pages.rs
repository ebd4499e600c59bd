//! Pages and forms against fake services: status, words, cookies.
#![cfg(feature = "ssr")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use common::Fake;
use contract::Code;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, REFERER, SET_COOKIE};
use http_body_util::BodyExt;
use std::collections::BTreeMap;
use tower::ServiceExt;

/// A browser without scripts: it keeps cookies and follows nothing by itself.
struct Browser {
    fake: Fake,
    operator: bool,
    cookies: BTreeMap<String, String>,
}

struct Seen {
    status: u16,
    to: String,
    html: String,
}

impl Seen {
    #[track_caller]
    fn says(&self, text: &str) -> &Self {
        assert!(self.html.contains(text), "{} does not say {text:?}:\n{}", self.status, self.html);
        self
    }

    #[track_caller]
    fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.html);
        self
    }
}

impl Browser {
    fn new() -> Self {
        Self { fake: Fake::new(common::menus()), operator: false, cookies: BTreeMap::new() }
    }

    async fn send(&mut self, mut request: Request) -> Seen {
        let jar: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request.headers_mut().insert(COOKIE, jar.join("; ").parse().unwrap());
        let response: Response = self.fake.router(self.operator).oneshot(request).await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name)
            } else {
                self.cookies.insert(name.into(), value.into())
            };
        }
        let to = response.headers().get(LOCATION).map_or("", |to| to.to_str().unwrap()).to_owned();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Seen { status, to, html: String::from_utf8(body.to_vec()).unwrap() }
    }

    async fn get(&mut self, path: &str) -> Seen {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post_as(&mut self, path: &str, form: &str, accept: &str) -> Seen {
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded").header(ACCEPT, accept);
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    async fn post(&mut self, path: &str, form: &str) -> Seen {
        self.post_as(path, form, "text/html").await
    }

    fn breaks(&self, call: &'static str, code: Code) {
        self.fake.0.lock().unwrap().broken.insert(call, code);
    }

    fn heals(&self) {
        self.fake.0.lock().unwrap().broken.clear();
    }
}

const ADD: &str = "itemId=hot-soup&quantity=2&return=%2Frestaurants%2Fsoup-one";

#[tokio::test]
async fn a_page_has_no_inline_script_and_no_inline_style() {
    let mut browser = Browser::new();
    browser.post("/cart/items", ADD).await;
    for path in ["/", "/restaurants/soup-one", "/items/hot-soup", "/cart", "/checkout", "/orders", "/about", "/nothing-here"] {
        let seen = browser.get(path).await;
        assert!(!seen.html.contains(" style="), "{path}");
        assert!(!seen.html.contains("<script>"), "{path}");
        assert_eq!(seen.html.matches("<script").count(), if path == "/nothing-here" { 0 } else { 2 }, "{path}");
    }
}

#[tokio::test]
async fn restaurants_are_found_by_word_city_and_kitchen() {
    let mut browser = Browser::new();
    browser.get("/").await.is(200).says("Soup &lt;One&gt;").says("Soup Two");
    let seen = browser.get("/?city=Naples&q=SOUP").await;
    assert!(seen.says("Soup Two").html.contains("1 restaurant<"));
    browser.get("/?q=%3Cb%3E").await.is(200).says("No kitchen in sight").says("value=\"&lt;b&gt;\"");
}

#[tokio::test]
async fn a_menu_says_what_is_sold_out_and_what_is_nearly_gone() {
    let mut browser = Browser::new();
    browser.fake.0.lock().unwrap().stock.insert("hot-soup".into(), 3);
    browser.get("/restaurants/soup-one").await.is(200).says("Only 3 left").says("Sold out today");
    browser.fake.0.lock().unwrap().stock.insert("hot-soup".into(), 0);
    assert_eq!(browser.get("/restaurants/soup-one").await.html.matches("Sold out today").count(), 2);
    browser.breaks("middleware.inventory", Code::ServiceUnavailable);
    browser.get("/restaurants/soup-one").await.is(200).says("Add Hot &amp; Soup to cart");
}

#[tokio::test]
async fn two_soups_are_ordered_without_scripts() {
    let mut browser = Browser::new();
    let added = browser.post("/cart/items", ADD).await;
    assert_eq!((added.status, added.to.as_str()), (303, "/restaurants/soup-one"));
    browser.get(&added.to).await.says("Added to your cart.").says(">2</span>");
    browser.get("/cart").await.is(200).says("$11.98");
    browser.get("/checkout").await.is(200).says("$13.18").says("Rush hour +10 %").says("value=\"checkout-quote-1\"");
    let placed = browser
        .post(
            "/orders",
            "customerName=Ada&specialInstructions=hot%0D%0Aplease&cartId=cart-1&quoteId=quote-1&idempotencyKey=checkout-quote-1",
        )
        .await;
    assert_eq!(placed.status, 303);
    browser.get(&placed.to).await.is(200).says("Order received").says("Ada").says("hot\nplease");
    assert_eq!(browser.fake.0.lock().unwrap().keys, [Some("checkout-quote-1".to_owned())]);
    browser.get("/cart").await.is(200).says("floating empty");
    browser.get("/orders").await.is(200).says("2 × Hot &amp; Soup");
}

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
async fn a_dish_of_another_restaurant_offers_a_new_cart() {
    let mut browser = Browser::new();
    browser.post("/cart/items", ADD).await;
    let other = "itemId=far-soup&quantity=1&return=%2Frestaurants%2Fsoup-two";
    browser.post("/cart/items", other).await.is(409).says("One cart, one planet").says("Far Soup").says("action=\"/cart/new\"");
    browser.get("/cart").await.says("Hot &amp; Soup");
    browser.post("/cart/new", other).await.is(303);
    let cart = browser.get("/cart").await;
    assert!(!cart.says("Far Soup").html.contains("Hot &amp; Soup"));
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
async fn a_price_that_is_over_is_replaced_by_one_press() {
    let mut browser = Browser::new();
    browser.post("/cart/items", ADD).await;
    browser.breaks("order.place", Code::QuoteExpired);
    let seen =
        browser.post("/orders", "customerName=Ada&specialInstructions=x&cartId=cart-1&quoteId=old&idempotencyKey=checkout-old").await;
    seen.is(409).says("A fresh price").says("value=\"checkout-quote-1\"").says("Order for ").says("$13.18");
    assert!(!seen.html.contains("checkout-old"));
}

#[tokio::test]
async fn a_name_that_will_not_do_is_asked_again_with_what_was_typed() {
    let mut browser = Browser::new();
    browser.post("/cart/items", ADD).await;
    browser
        .post("/orders", "customerName=+&specialInstructions=no+onions&cartId=cart-1")
        .await
        .is(400)
        .says("who it is for")
        .says("no onions");
    let long = format!("customerName={}&cartId=cart-1", "x".repeat(10_000));
    browser.post("/orders", &long).await.is(400).says("who it is for");
    assert!(browser.fake.0.lock().unwrap().orders.is_empty());
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

#[tokio::test]
async fn cart_lines_change_and_go() {
    let mut browser = Browser::new();
    browser.post("/cart/items", ADD).await;
    browser.post("/cart/items/hot-soup", "quantity=5").await.is(303);
    browser.get("/cart").await.says("$29.95");
    browser.post("/cart/items/hot-soup", "quantity=11").await.is(400);
    browser.post("/cart/items/hot-soup", "quantity=0").await.is(303);
    browser.get("/cart").await.is(200).says("floating empty");
    browser.post("/cart/items", ADD).await;
    browser.post("/cart/clear", "").await.is(303);
    assert!(!browser.cookies.contains_key("feast_cart"));
}

#[tokio::test]
async fn the_theme_is_kept_in_a_cookie() {
    let mut browser = Browser::new();
    browser.get("/").await.says("data-theme=\"auto\"");
    browser.post("/theme", "theme=light&return=%2Fabout").await.is(303);
    browser.get("/about").await.says("data-theme=\"light\"").says("embedded").says("1 min 30 s");
}

#[tokio::test]
async fn only_operators_see_and_flip_flags() {
    let mut browser = Browser::new();
    browser.get("/console/flags").await.is(401).says("/console?token=");
    for path in ["/console/flags/cart-chaos-errors", "/console/flags/cart-chaos-errors/clear", "/console/all-clear"] {
        browser.post(path, "variant=high").await.is(401);
    }
    browser.operator = true;
    browser.get("/console/flags").await.is(200).says("Everything is at its default");
    browser.post("/console/flags/cart-chaos-errors", "variant=high&audience=session&ttlSeconds=60").await.is(303);
    browser.get("/console/flags").await.says("1 flag is not at its default").says("for one browser").says("1 min 1 s");
    browser.post("/console/flags/cart-chaos-errors", "variant=high&audience=percent&percent=0").await.is(400);
    browser.post("/console/all-clear", "").await.is(303);
    browser.get("/console/flags").await.says("Everything is at its default");
}

#[tokio::test]
async fn a_form_address_opened_as_a_page_leads_to_the_page_of_the_form() {
    let mut browser = Browser::new();
    for (path, to) in [("/cart/items", "/cart"), ("/cart/new", "/cart"), ("/theme", "/"), ("/console/all-clear", "/console/flags")] {
        let seen = browser.get(path).await;
        assert_eq!((seen.status, seen.to.as_str()), (303, to), "{path}");
    }
}
