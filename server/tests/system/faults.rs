//! Each fault from outside: what it does, what it leaves alone, and that all is well when it is cleared.

use crate::harness::{LATTE, Platform, on_both_platforms, placed, purchase};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::eventually;

on_both_platforms! {
    an_order_whose_reply_was_lost_is_found_by_sending_it_again,
    a_form_whose_reply_was_lost_is_sent_again_and_is_one_order,
    one_dish_fails_and_the_rest_of_the_menu_is_whole,
    a_store_that_is_down_is_an_honest_error_and_heals,
    an_unreachable_middleware_takes_no_stock_and_the_same_order_goes_through_afterwards,
    slow_carts_are_slow_and_menus_are_not,
    a_service_that_says_it_is_not_ready_is_alive,
    only_the_browser_that_is_meant_meets_the_fault,
    a_flip_ends_with_the_server_that_holds_it_and_nothing_else_does,
    a_flip_that_makes_no_sense_is_refused_and_all_clear_ends_every_flip,
}

const HEALS_WITHIN: Duration = Duration::from_secs(2);

async fn an_order_whose_reply_was_lost_is_found_by_sending_it_again(platform: &Platform) {
    platform.set_stock(LATTE, 100).await;
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    platform.flip("order-lost-reply", "all").await;
    platform.order(&cart).key("lost").send().await.refused(503, "SERVICE_UNAVAILABLE", "the reply is lost");
    let stored = platform.orders().await;
    assert_eq!(stored.len(), 1, "the order is not");
    platform.order(&cart).key("lost").send().await.refused(503, "SERVICE_UNAVAILABLE", "and lost again");
    platform.clear("order-lost-reply").await;
    let found = platform.order(&cart).key("lost").send().await;
    assert_eq!((found.expect(201)["id"].clone(), found.header("idempotent-replayed")), (stored[0]["id"].clone(), "true"));
    assert_eq!((platform.orders().await.len(), platform.stock(LATTE).await), (1, 99));
}

/// The value of a hidden field of a page.
fn hidden<'p>(page: &'p str, name: &str) -> &'p str {
    let at = page.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name} in {page}"));
    page[at..].split('"').nth(3).unwrap()
}

async fn a_form_whose_reply_was_lost_is_sent_again_and_is_one_order(platform: &Platform) {
    let browser = platform.browser();
    browser.form("/cart/items", &[("itemId", LATTE), ("quantity", "2")]).await.page(200);
    let checkout = browser.get("/checkout").await;
    let page = checkout.page(200);
    let form = [
        ("customerName", "Ada"),
        ("cartId", hidden(page, "cartId")),
        ("quoteId", hidden(page, "quoteId")),
        ("idempotencyKey", hidden(page, "idempotencyKey")),
    ];
    platform.flip("order-lost-reply", "all").await;
    let lost = browser.form("/orders", &form).await;
    assert!(lost.page(503).contains("Try again") && hidden(&lost.body, "idempotencyKey") == form[3].1, "the button repeats the form");
    platform.clear("order-lost-reply").await;
    let done = browser.form("/orders", &form).await;
    assert!(done.page(200).contains("Nebula Latte"));
    assert_eq!(platform.orders().await.len(), 1);
}

async fn one_dish_fails_and_the_rest_of_the_menu_is_whole(platform: &Platform) {
    let menu = platform.http.get("/api/menu").send().await.expect(200);
    platform.flip("menu-item-failure", LATTE).await;
    platform.http.get(&format!("/api/menu/{LATTE}")).send().await.refused(500, "FEATURE_FLAG_CHAOS", "the one dish");
    platform.browser().get(&format!("/items/{LATTE}")).await.page(500);
    assert_eq!(platform.http.get("/api/menu").send().await.expect(200), menu);
    for dish in menu.as_array().unwrap().iter().filter(|dish| dish["id"] != LATTE) {
        assert_eq!(platform.http.get(&format!("/api/menu/{}", dish["id"].as_str().unwrap())).send().await.expect(200), *dish);
    }
    platform.clear("menu-item-failure").await;
    platform.http.get(&format!("/api/menu/{LATTE}")).send().await.expect(200);
}

async fn a_store_that_is_down_is_an_honest_error_and_heals(platform: &Platform) {
    platform.set_stock(LATTE, 100).await;
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    let first = platform.cart_with(&[(LATTE, 1)]).await;
    let first = platform.order(&first).send().await.expect(201);
    let first = format!("/api/orders/{}", first["id"].as_str().unwrap());
    for (variant, works) in
        [("cart", [true, false, false]), ("middleware", [true, true, false]), ("order", [false, true, false]), ("all", [false; 3])]
    {
        platform.flip("store-down", variant).await;
        let answers = [
            platform.http.get(&first).send().await,
            platform.http.get(&format!("/api/cart/{cart}")).send().await,
            platform.order(&cart).key("while-it-is-down").send().await,
        ];
        for (answer, works) in answers.iter().zip(works) {
            if works {
                answer.expect(200);
            } else {
                answer.refused(503, "STORE_UNAVAILABLE", variant);
            }
        }
        platform.http.get("/api/menu").send().await.expect(200);
        platform.clear("store-down").await;
        platform.cart(&cart).await;
        platform.http.get(&first).send().await.expect(200);
        assert_eq!(platform.orders().await.len(), 1, "{variant}");
    }
    eventually("the refused order goes through", HEALS_WITHIN, async || {
        platform.order(&cart).key("while-it-is-down").send().await.status == 201
    })
    .await;
    eventually("stock is what was sold", HEALS_WITHIN, async || platform.stock(LATTE).await == 98).await;
    assert_eq!(platform.orders().await.len(), 2);
}

async fn an_unreachable_middleware_takes_no_stock_and_the_same_order_goes_through_afterwards(platform: &Platform) {
    platform.set_stock(LATTE, 100).await;
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    platform.flip("middleware-unreachable", "all").await;
    for _ in 0..8 {
        platform.order(&cart).key("patient").send().await.refused(503, "SERVICE_UNAVAILABLE", "order");
        platform.quote(&cart).send().await.refused(503, "SERVICE_UNAVAILABLE", "quote");
    }
    platform.http.get("/api/menu").send().await.expect(200);
    platform.add(&cart, LATTE, 1).send().await.expect(200);
    assert_eq!(platform.stock(LATTE).await, 100, "an operator's question takes another way");
    platform.clear("middleware-unreachable").await;
    eventually("the same order goes through", HEALS_WITHIN, async || platform.order(&cart).key("patient").send().await.status == 201).await;
    assert_eq!((platform.orders().await.len(), platform.stock(LATTE).await), (1, 98));
}

async fn slow_carts_are_slow_and_menus_are_not(platform: &Platform) {
    let slow = Duration::from_millis(300);
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    let path = format!("/api/cart/{cart}");
    for (flag, variant) in [("cart-slow", "300-ms"), ("store-slow", "cart-300-ms")] {
        platform.flip(flag, variant).await;
        assert!(platform.http.get(&path).send().await.took >= slow, "{flag}");
        assert!(platform.http.get("/api/menu").send().await.took < slow, "{flag}");
        platform.clear(flag).await;
        assert!(platform.http.get(&path).send().await.took < slow, "{flag}");
    }
}

async fn a_service_that_says_it_is_not_ready_is_alive(platform: &Platform) {
    platform.flip("readiness-failure", "cart").await;
    for (name, http) in platform.doors() {
        let ready = http.get("/ready").send().await;
        assert_eq!(ready.status, if name == "cart" { 503 } else { 200 }, "{name}: {}", ready.body);
        assert_eq!(http.get("/health").send().await.status, 200, "{name}");
    }
    platform.clear("readiness-failure").await;
    for (name, http) in platform.doors() {
        assert_eq!(http.get("/ready").send().await.expect(200)["ready"], true, "{name}");
    }
    platform.cart_with(&[(LATTE, 1)]).await;
}

async fn only_the_browser_that_is_meant_meets_the_fault(platform: &Platform) {
    let (meant, other) = (platform.browser(), platform.browser());
    for browser in [&meant, &other] {
        browser.get("/").await.page(200);
    }
    let session = meant.cookie("feast_sid").unwrap();
    let flip = json!({"variant": LATTE, "audience": {"kind": "session", "value": session}});
    platform.flip_as("menu-item-failure", flip).await;
    let path = format!("/api/menu/{LATTE}");
    meant.get(&path).await.refused(500, "FEATURE_FLAG_CHAOS", "meant");
    other.get(&path).await.expect(200);
    platform.http.get(&path).send().await.expect(200);
}

async fn a_flip_ends_with_the_server_that_holds_it_and_nothing_else_does(platform: &Platform) {
    let browser = platform.browser();
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    browser.get("/").await.page(200);
    let order = browser.post("/api/orders", purchase(&cart)).await.expect(201);
    platform.flip("menu-item-failure", LATTE).await;
    let told = platform.told();
    platform.kill("server");
    platform.restart("server").await;
    platform.told_since(told).await;
    let path = format!("/api/menu/{LATTE}");
    eventually("the dish is back", HEALS_WITHIN, async || platform.http.get(&path).send().await.status == 200).await;
    let own = browser.get("/api/orders").await.expect(200);
    assert_eq!(own.as_array().unwrap().iter().map(placed).collect::<Vec<_>>(), [placed(&order)], "the browser still owns its order");
    platform.flip("menu-item-failure", LATTE).await;
    platform.http.get(&path).send().await.refused(500, "FEATURE_FLAG_CHAOS", "the new server's flips are followed, too");
}

async fn a_flip_that_makes_no_sense_is_refused_and_all_clear_ends_every_flip(platform: &Platform) {
    let flags = async || platform.http.get("/api/flags").operator().send().await.expect(200);
    let off = flags().await;
    for body in [
        json!({"variant": "99-percent"}),
        json!({"variant": 7}),
        json!({}),
        json!([]),
        json!({"variant": "off", "ttlSeconds": 0}),
        json!({"variant": "50-percent", "ttlSeconds": -1}),
        json!({"variant": "50-percent", "ttlSeconds": 90_000}),
        json!({"variant": "50-percent", "audience": {"kind": "percent", "value": 0}}),
        json!({"variant": "50-percent", "audience": {"kind": "percent", "value": 101}}),
        json!({"variant": "50-percent", "audience": {"kind": "moon"}}),
        json!({"variant": "50-percent", "audience": "everyone"}),
    ] {
        platform.http.put("/api/flags/cart-chaos-errors", body.clone()).operator().send().await.refused(
            400,
            "INVALID_BODY",
            &body.to_string(),
        );
    }
    assert_eq!(flags().await, off);
    platform.flip("cart-chaos-errors", "50-percent").await;
    platform.flip("order-lost-reply", "all").await;
    let flipped: Vec<Value> = flags().await.as_array().unwrap().iter().filter(|flag| !flag["flip"].is_null()).cloned().collect();
    assert_eq!(flipped.len(), 2, "{flipped:?}");
    let all_clear = platform.http.delete("/api/flags").operator().send().await.expect(200);
    assert_eq!(all_clear, off);
    eventually("no fault is left", Duration::from_secs(1), async || {
        let cart = platform.cart_with(&[]).await;
        platform.add(&cart, LATTE, 1).send().await.status == 200
            && platform.http.post("/api/orders", purchase(&cart)).send().await.status == 201
    })
    .await;
}

mod from_a_file {
    use super::*;
    use crate::harness::Options;

    const FILE: &str = include_str!("../../../flags/feast.flagd.json");

    on_both_platforms! {
        Options { flags_file: Some(FILE), ..Options::default() } =>
        a_flag_file_that_is_edited_acts_everywhere_without_a_restart,
    }

    /// The file as an editor leaves it, with another default.
    fn edited(flag: &str, default: &str) -> String {
        let mut file: Value = serde_json::from_str(FILE).unwrap();
        file["flags"][flag]["defaultVariant"] = default.into();
        serde_json::to_string_pretty(&file).unwrap()
    }

    async fn a_flag_file_that_is_edited_acts_everywhere_without_a_restart(platform: &Platform) {
        let path = format!("/api/menu/{LATTE}");
        let answers = async |status: u16| {
            let what = format!("the dish answers {status}");
            eventually(&what, HEALS_WITHIN, async || platform.http.get(&path).send().await.status == status).await;
        };
        answers(200).await;
        platform.write_flags(&edited("menu-item-failure", LATTE));
        answers(500).await;
        let half = edited("menu-item-failure", "off");
        platform.write_flags(&half[..half.len() / 2]);
        for _ in 0..20 {
            assert_eq!(platform.http.get(&path).send().await.status, 500, "half a file changes nothing");
        }
        platform.write_flags(&edited("menu-item-failure", "off"));
        answers(200).await;
        // An operator's flip lies over what the file says.
        platform.flip("menu-item-failure", LATTE).await;
        platform.http.get(&path).send().await.refused(500, "FEATURE_FLAG_CHAOS", "flipped");
    }
}
