//! What cannot be right is refused in the one error shape, with the right status, and changes nothing.

use crate::harness::{Ask, LATTE, Platform, on_both_platforms, purchase};
use bytes::Bytes;
use contract::id::path_segment;
use futures::future::join_all;
use futures::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::eventually;

on_both_platforms! {
    an_addition_that_makes_no_sense_is_refused_and_the_cart_stays,
    an_order_that_makes_no_sense_is_refused_and_nothing_is_taken,
    names_of_every_script_come_back_as_they_were_sent,
    a_body_that_is_too_large_or_of_no_known_kind_is_refused,
    what_is_not_there_is_not_found,
    a_cart_of_a_thousand_lines_cannot_be_made,
    a_form_that_makes_no_sense_is_answered_by_a_page,
}

const MEGABYTE: usize = 1 << 20;

fn raw(ask: Ask, body: &str) -> Ask {
    ask.header("content-type", "application/json").body(body.to_owned())
}

/// A body whose length nobody is told beforehand.
fn chunked(text: String) -> reqwest::Body {
    let chunks: Vec<Bytes> = text.into_bytes().chunks(16_384).map(Bytes::copy_from_slice).collect();
    let frames = chunks.into_iter().map(|chunk| Ok::<_, std::io::Error>(Frame::data(chunk)));
    reqwest::Body::wrap(StreamBody::new(stream::iter(frames)))
}

/// Texts that mean something to somebody else: to SQL, to HTML, to a shell, to Redis, to a template.
const FOREIGN: [&str; 8] = [
    "'; DROP TABLE orders; --",
    "<script>alert(1)</script>",
    "\" onload=\"alert(1)",
    "$(reboot)",
    "x\r\nFLUSHALL\r\n",
    "{{7*7}}",
    "../../../etc/passwd",
    "%00%ff",
];

async fn an_addition_that_makes_no_sense_is_refused_and_the_cart_stays(platform: &Platform) {
    let cart = platform.cart_with(&[(LATTE, 2)]).await;
    let before = platform.cart(&cart).await;
    let items = format!("/api/cart/{cart}/items");
    let add = |body: &str| raw(platform.http.ask("POST", &items), body);
    for body in [
        "",
        "{",
        "nonsense",
        "[]",
        "null",
        "7",
        "\"text\"",
        "{\"quantity\": 1}",
        "{\"itemId\": 7, \"quantity\": 1}",
        "{\"itemId\": null, \"quantity\": 1}",
    ] {
        add(body).send().await.refused(400, "INVALID_BODY", body);
    }
    add(&format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000))).send().await.refused(400, "INVALID_BODY", "deep");
    let with = |quantity: &str| format!("{{\"itemId\": \"{LATTE}\", \"quantity\": {quantity}}}");
    for quantity in
        ["0", "-1", "11", "1000000000000", "1e12", "1.5", "-0.5", "\"2\"", "null", "true", "[]", "{}", "99999999999999999999999", "1e400"]
    {
        add(&with(quantity)).send().await.refused(400, "INVALID_QUANTITY", quantity);
        let set = raw(platform.http.ask("PATCH", &format!("{items}/{LATTE}")), &format!("{{\"quantity\": {quantity}}}"));
        if !matches!(quantity, "0" | "-1") {
            set.send().await.refused(400, "INVALID_QUANTITY", quantity);
        }
    }
    add(&format!("{{\"itemId\": \"{LATTE}\"}}")).send().await.refused(400, "INVALID_QUANTITY", "no quantity");
    for item in FOREIGN.map(str::to_owned).into_iter().chain(["".to_owned(), "x".repeat(10_000), "/".repeat(10_000), "🚀".repeat(10_000)])
    {
        let answer = add(&json!({"itemId": item, "quantity": 1}).to_string()).send().await;
        assert_eq!(answer.status, 404, "{item:.40}: {}", answer.body);
    }
    assert_eq!(platform.cart(&cart).await, before);
}

async fn an_order_that_makes_no_sense_is_refused_and_nothing_is_taken(platform: &Platform) {
    platform.set_stock(LATTE, 100).await;
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    let order = |body: Value| platform.http.post("/api/orders", body);
    for body in ["", "{", "[]", "null", "{\"cartId\": 7}"] {
        raw(platform.http.ask("POST", "/api/orders"), body).send().await.refused(400, "INVALID_BODY", body);
        raw(platform.http.ask("POST", "/api/quotes"), body).send().await.refused(400, "INVALID_BODY", body);
    }
    for name in [json!(""), json!("   "), json!("x".repeat(101)), json!("x".repeat(10_000)), json!("a\u{0}b"), json!("a\u{1b}[31m")] {
        order(json!({"customerName": name, "cartId": cart})).send().await.refused(400, "INVALID_NAME", &format!("{name:.40}"));
    }
    for (field, value) in [
        ("specialInstructions", json!("x".repeat(501))),
        ("address", json!("x".repeat(10_000))),
        ("paymentMethod", json!(["card"])),
        ("quoteId", json!(7)),
        ("promotion", json!({"code": "FREE"})),
    ] {
        let mut body = purchase(&cart);
        body[field] = value;
        let answer = order(body).send().await;
        answer.refused(400, "INVALID_BODY", field);
        assert!(answer.json()["error"].as_str().unwrap().contains(&format!("{field}: ")), "{field}: {}", answer.body);
    }
    for body in [json!({"cartId": cart}), json!({"customerName": null, "cartId": cart}), json!({"customerName": 7, "cartId": cart})] {
        order(body.clone()).send().await.refused(400, "INVALID_BODY", &format!("{body:.80}"));
    }
    let mut promoted = purchase(&cart);
    promoted["promotion"] = json!("FREE-LUNCH");
    order(promoted).send().await.refused(400, "PROMOTION_UNKNOWN", "a code nobody gave out");
    for id in FOREIGN.map(str::to_owned).into_iter().chain(["none".to_owned(), "/".repeat(20_000)]) {
        for answer in [order(purchase(&id)).send().await, platform.quote(&id).send().await] {
            assert_eq!(answer.status, 404, "{id:.40}: {}", answer.body);
        }
    }
    assert!(platform.orders().await.is_empty());
    assert_eq!(platform.stock(LATTE).await, 100);
    platform.order(&cart).send().await.expect(201);
}

async fn names_of_every_script_come_back_as_they_were_sent(platform: &Platform) {
    let names = [
        "مريم العذراء",
        "\u{202e}txt.exe",
        "👩‍🚀 Zoë 🚀",
        "Robert'); DROP TABLE orders;--",
        "<script>alert(1)</script>",
        "<b>Bo</b> & \"Co\"",
        "山田 太郎",
        "O’Brien / Søren?cursor=x#y",
        "%s%n{{7*7}}${HOME}",
    ];
    let browser = platform.browser();
    browser.get("/").await;
    for name in names {
        let cart = platform.cart_with(&[(LATTE, 1)]).await;
        let body = json!({"customerName": name, "cartId": cart, "specialInstructions": name, "address": name});
        let order = browser.post("/api/orders", body).await.expect(201);
        let id = order["id"].as_str().unwrap();
        let read = browser.get(&format!("/api/orders/{id}")).await.expect(200);
        for field in ["customerName", "specialInstructions", "address"] {
            assert_eq!((&order[field], &read[field]), (&json!(name), &json!(name)));
        }
        let of_name = platform.http.get(&format!("/api/customers/{}/orders", path_segment(name))).operator().send().await.expect(200);
        assert_eq!(of_name.as_array().unwrap().len(), 1, "{name}");
        let page = browser.get(&format!("/orders/{id}")).await;
        assert!(!page.page(200).contains("<script>alert") && !page.body.contains("<b>Bo"), "{name}");
    }
    let mut sorted = names;
    sorted.sort_unstable();
    assert_eq!(browser.get("/api/customers").await.expect(200), json!(sorted));
}

async fn a_body_that_is_too_large_or_of_no_known_kind_is_refused(platform: &Platform) {
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    let before = platform.cart(&cart).await;
    let items = format!("/api/cart/{cart}/items");
    let padded = |bytes: usize| format!("{{\"itemId\": \"{LATTE}\", \"quantity\": 1, \"more\": \"{}\"}}", "x".repeat(bytes));
    for (method, path) in [
        ("POST", items.as_str()),
        ("POST", "/api/orders"),
        ("POST", "/api/quotes"),
        ("PUT", "/api/flags/cart-slow"),
        ("PUT", "/api/inventory/x"),
    ] {
        for bytes in [70_000, 10 * MEGABYTE] {
            let ask = platform.http.ask(method, path).operator();
            raw(ask, &padded(bytes)).send().await.refused(413, "BODY_TOO_LARGE", &format!("{path} {bytes}"));
            let ask = platform.http.ask(method, path).operator().header("content-type", "application/json");
            ask.body(chunked(padded(bytes))).send().await.refused(413, "BODY_TOO_LARGE", &format!("{path} {bytes}, its length not told"));
        }
    }
    let add = json!({"itemId": LATTE, "quantity": 1}).to_string();
    for kind in ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"] {
        for path in [items.as_str(), "/api/orders", "/api/quotes"] {
            let ask = platform.http.ask("POST", path).body(add.clone());
            let ask = if kind.is_empty() { ask } else { ask.header("content-type", kind) };
            ask.send().await.refused(415, "UNSUPPORTED_MEDIA_TYPE", &format!("{path} {kind:?}"));
        }
    }
    assert_eq!(platform.cart(&cart).await, before);
    // A small body needs no length either, and a charset does no harm.
    let ask = platform.http.ask("POST", &items).header("content-type", "application/json; charset=utf-8");
    ask.body(chunked(add)).send().await.expect(200);
}

async fn what_is_not_there_is_not_found(platform: &Platform) {
    let cart = platform.new_cart().await;
    let one = json!({"itemId": LATTE, "quantity": 1, "stock": 1, "status": "paid", "variant": "off"});
    for (method, path, code) in [
        ("GET", "/api/cart/none", "CART_NOT_FOUND"),
        ("DELETE", "/api/cart/none", "CART_NOT_FOUND"),
        ("POST", "/api/cart/none/items", "CART_NOT_FOUND"),
        ("PATCH", "/api/cart/none/items/nebula-latte", "CART_NOT_FOUND"),
        ("DELETE", "/api/cart/none/items/nebula-latte", "CART_NOT_FOUND"),
        ("GET", "/api/menu/none", "ITEM_NOT_FOUND"),
        ("GET", "/api/orders/none", "ORDER_NOT_FOUND"),
        ("PUT", "/api/flags/none", "FLAG_NOT_FOUND"),
        ("DELETE", "/api/flags/none", "FLAG_NOT_FOUND"),
        ("GET", "/api/cart/%ff", "NOT_FOUND"),
        ("DELETE", "/api/cart/%ff", "NOT_FOUND"),
        ("POST", "/api/cart/%ff/items", "NOT_FOUND"),
        ("PATCH", "/api/cart/%ff/items/%ff", "NOT_FOUND"),
        ("GET", "/api/menu/%ff", "NOT_FOUND"),
        ("GET", "/api/restaurants/%ff", "NOT_FOUND"),
        ("GET", "/api/restaurants/%ff/menu", "NOT_FOUND"),
        ("GET", "/api/orders/%ff", "NOT_FOUND"),
        ("PATCH", "/api/orders/%ff", "NOT_FOUND"),
        ("GET", "/api/customers/%ff/orders", "NOT_FOUND"),
        ("PUT", "/api/inventory/%ff", "NOT_FOUND"),
        ("PUT", "/api/flags/%ff", "NOT_FOUND"),
        ("GET", "/api/%ff", "NOT_FOUND"),
        ("GET", "/api/nothing", "NOT_FOUND"),
        ("POST", "/api/cart/x/y/z", "NOT_FOUND"),
    ] {
        let ask = platform.http.ask(method, path).operator();
        let ask = if matches!(method, "GET" | "DELETE") { ask } else { ask.json(&one) };
        ask.send().await.refused(404, code, &format!("{method} {path}"));
    }
    for inside in [
        "/validate",
        "/calculate-price",
        "/check-inventory",
        "/quote",
        "/reservations",
        "/cart/none",
        "/internal/items?ids=x",
        "/inventory",
    ] {
        let answer = platform.http.get(inside).send().await;
        assert!(matches!(answer.status, 404 | 405), "{inside} is for the inside: {}", answer.status);
    }
    for (method, path) in
        [("PUT", "/api/menu"), ("POST", "/api/orders/none"), ("DELETE", "/api/orders"), ("PATCH", "/api/cart"), ("POST", "/api/flags")]
    {
        platform.http.ask(method, path).operator().json(&one).send().await.refused(405, "METHOD_NOT_ALLOWED", &format!("{method} {path}"));
    }
    for page in [
        "/nothing",
        "/%ff",
        "/restaurants/none",
        "/restaurants/%ff",
        "/items/none",
        "/items/%ff",
        "/orders/none",
        "/orders/%ff",
        "/<script>",
    ] {
        let answer = platform.browser().get(page).await;
        assert!(!answer.page(404).contains("<script>"), "{page}");
    }
    platform.http.delete(&format!("/api/cart/{cart}")).send().await.expect(200);
    platform.add(&cart, LATTE, 1).send().await.refused(404, "CART_NOT_FOUND", "a cart that was deleted");
    platform.quote(&cart).send().await.refused(404, "CART_NOT_FOUND", "its price");
    platform.order(&cart).send().await.refused(404, "CART_NOT_FOUND", "its order");
}

async fn a_cart_of_a_thousand_lines_cannot_be_made(platform: &Platform) {
    let cart = platform.new_cart().await;
    let restaurants = platform.http.get("/api/restaurants").send().await.expect(200);
    for restaurant in restaurants.as_array().unwrap() {
        let menu = platform.http.get(&format!("/api/restaurants/{}/menu", restaurant["id"].as_str().unwrap())).send().await.expect(200);
        let dishes: Vec<&str> = menu.as_array().unwrap().iter().map(|dish| dish["id"].as_str().unwrap()).collect();
        join_all(dishes.iter().map(|dish| platform.add(&cart, dish, 1).send())).await;
    }
    let lines: Vec<Value> = (0..1_000).map(|n| json!({"itemId": format!("dish-{n}"), "quantity": 1})).collect();
    let many = json!({"items": lines});
    platform.http.post(&format!("/api/cart/{cart}/items"), many.clone()).send().await.refused(400, "INVALID_BODY", "a list");
    platform.http.post(&format!("/api/cart/{cart}/items"), json!(lines)).send().await.refused(400, "INVALID_BODY", "an array");
    let made = platform.http.post("/api/cart", many).send().await;
    assert!(made.status == 400 || made.expect(201)["items"] == json!([]), "{}", made.body);
    let held = platform.cart(&cart).await["items"].as_array().unwrap().len();
    assert!((8..=50).contains(&held), "a cart holds one restaurant's menu at most: {held}");
}

async fn a_form_that_makes_no_sense_is_answered_by_a_page(platform: &Platform) {
    let browser = platform.browser();
    browser.form("/cart/items", &[("itemId", LATTE), ("quantity", "2")]).await.page(200);
    let cart = browser.cookie("feast_cart").unwrap();
    let before = platform.cart(&cart).await;
    for quantity in ["", "0", "-1", "11", "1.5", "two", "1000000000000"] {
        browser.form("/cart/items", &[("itemId", LATTE), ("quantity", quantity)]).await.page(400);
    }
    for item in FOREIGN {
        let answer = browser.form("/cart/items", &[("itemId", item), ("quantity", "1")]).await;
        assert!(!answer.page(404).contains("<script>alert"), "{item}");
    }
    browser.form("/cart/items", &[("itemId", LATTE), ("quantity", "9")]).await.page(409);
    browser.form("/cart/items", &[("itemId", "singularity-tonkotsu"), ("quantity", "1")]).await.page(409);
    browser.form(&format!("/cart/items/{LATTE}"), &[("quantity", "11")]).await.page(400);
    browser.form("/cart/items/none", &[("quantity", "1")]).await.page(404);
    browser.post("/cart/items", json!({"itemId": LATTE, "quantity": 1})).await.page(415);
    for key in ["a\nb", "\u{0}", &"k".repeat(201)] {
        browser.form("/orders", &[("customerName", "Ada"), ("cartId", &cart), ("idempotencyKey", key)]).await.page(400);
    }
    for name in ["", "   ", &"x".repeat(101)] {
        let answer = browser.form("/orders", &[("customerName", name), ("cartId", &cart)]).await;
        assert!(answer.page(400).contains("role=\"alert\""));
    }
    assert_eq!(platform.cart(&cart).await, before);
    assert!(platform.orders().await.is_empty());
    // A cookie that names a cart which has expired.
    browser.set_cookie("feast_cart", "00000000-0000-4000-8000-000000000000");
    browser.get("/cart").await.page(404);
    browser.set_cookie("feast_cart", "00000000-0000-4000-8000-000000000000");
    browser.form("/cart/items", &[("itemId", LATTE), ("quantity", "1")]).await.page(200);
    assert_eq!(platform.cart(&browser.cookie("feast_cart").unwrap()).await["items"][0]["quantity"], 1, "a fresh cart took its place");
}

mod limited {
    use super::*;
    use crate::harness::Options;

    on_both_platforms! {
        Options { rate_limit: Some(10), ..Options::default() } =>
        who_asks_too_often_is_told_to_slow_down_and_nobody_else_is,
    }

    async fn who_asks_too_often_is_told_to_slow_down_and_nobody_else_is(platform: &Platform) {
        let (hasty, calm) = (platform.browser(), platform.browser());
        hasty.get("/").await.page(200);
        calm.get("/").await.page(200);
        let answers = join_all((0..40).map(|_| hasty.ask("GET", "/api/menu").send())).await;
        let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
        assert!((20..40).contains(&refused.len()), "{}", refused.len());
        for answer in refused {
            answer.refused(429, "RATE_LIMITED", "too often");
        }
        let page = hasty.get("/orders").await;
        assert!(page.page(429).contains("Try again") && !page.header("retry-after").is_empty());
        calm.get("/api/menu").await.expect(200);
        eventually("a moment later all is well", Duration::from_secs(2), async || hasty.get("/api/menu").await.status == 200).await;
    }
}
