//! One part is down: which addresses answer what, never a wrong success, and all is well within two seconds of its return.
//!
//! Split, a part goes down by `kill -9`. In one process, where nobody can kill a part, `readiness-failure` and `store-down` do it. The
//! table is the same.

use crate::harness::{Answer, Browser, LATTE, Mode, Platform, on_both_platforms, purchase};
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::eventually;

on_both_platforms! {
    without_the_menu_service_carts_can_be_looked_at_and_orders_be_followed,
    without_the_cart_service_menus_and_orders_can_be_looked_at,
    without_the_middleware_service_carts_can_be_filled,
    without_the_order_service_carts_can_be_filled,
    without_the_carts_store_menus_and_orders_can_be_looked_at,
}

const HEALS_WITHIN: Duration = Duration::from_secs(2);

/// An honest refusal comes soon. Who asks Redis in the tenth of a second before its end is noticed waits for one command's time-out.
const REFUSES_WITHIN: Duration = Duration::from_millis(1_500);

const OK: &str = "";
const GONE: &str = "SERVICE_UNAVAILABLE";
const STORE: &str = "STORE_UNAVAILABLE";

/// What each address answers while a part is down: 503 with this code, or what it always answers.
#[rustfmt::skip]
const TABLE: [(&str, [&str; 5]); 20] = [
    //                      menu  cart  middl order store
    ("menu",               [GONE, OK,   OK,   OK,   OK]),
    ("dish",               [GONE, OK,   OK,   OK,   OK]),
    ("restaurants",        [GONE, OK,   OK,   OK,   OK]),
    ("restaurant's menu",  [GONE, OK,   OK,   OK,   OK]),
    ("create cart",        [OK,   GONE, OK,   OK,   STORE]),
    ("cart",               [OK,   GONE, OK,   OK,   STORE]),
    ("add",                [GONE, GONE, OK,   OK,   STORE]),
    ("set quantity",       [OK,   GONE, OK,   OK,   STORE]),
    ("quote",              [GONE, GONE, GONE, GONE, STORE]),
    ("order",              [GONE, GONE, GONE, GONE, STORE]),
    ("orders",             [OK,   OK,   OK,   GONE, OK]),
    ("order by id",        [OK,   OK,   OK,   GONE, OK]),
    ("customers",          [OK,   OK,   OK,   GONE, OK]),
    ("page /",             [GONE, OK,   OK,   OK,   OK]),
    ("page /restaurants",  [GONE, OK,   OK,   OK,   OK]),
    ("page /items",        [GONE, OK,   OK,   OK,   OK]),
    ("page /cart",         [OK,   GONE, OK,   OK,   STORE]),
    ("page /checkout",     [GONE, GONE, GONE, GONE, STORE]),
    ("page /orders",       [OK,   OK,   OK,   GONE, OK]),
    ("page /orders/{id}",  [OK,   OK,   OK,   GONE, OK]),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Menu,
    Cart,
    Middleware,
    Order,
    /// Redis; in one process, the carts in memory.
    Store,
}

async fn without_the_menu_service_carts_can_be_looked_at_and_orders_be_followed(platform: &Platform) {
    check(platform, Part::Menu).await;
}

async fn without_the_cart_service_menus_and_orders_can_be_looked_at(platform: &Platform) {
    check(platform, Part::Cart).await;
}

async fn without_the_middleware_service_carts_can_be_filled(platform: &Platform) {
    check(platform, Part::Middleware).await;
}

async fn without_the_order_service_carts_can_be_filled(platform: &Platform) {
    check(platform, Part::Order).await;
}

async fn without_the_carts_store_menus_and_orders_can_be_looked_at(platform: &Platform) {
    check(platform, Part::Store).await;
}

/// What was there before the outage.
struct World {
    browser: Browser,
    cart: String,
    order: String,
}

impl World {
    async fn new(platform: &Platform) -> Self {
        let browser = platform.browser();
        browser.get("/about").await;
        let ordered = platform.cart_with(&[(LATTE, 1)]).await;
        let order = browser.post("/api/orders", purchase(&ordered)).await.expect(201);
        let cart = platform.cart_with(&[(LATTE, 2)]).await;
        browser.set_cookie("feast_cart", &cart);
        Self { browser, cart, order: order["id"].as_str().unwrap().to_owned() }
    }

    async fn visit(&self, route: &str) -> Answer {
        let Self { browser, cart, order } = self;
        // Pages that were rendered a moment ago are kept for a second: a query of its own makes each visit the first.
        let fresh = uuid::Uuid::new_v4();
        let ask = |method: &str, path: String| browser.ask(method, &path);
        let ask = match route {
            "menu" => ask("GET", "/api/menu".to_owned()),
            "dish" => ask("GET", format!("/api/menu/{LATTE}")),
            "restaurants" => ask("GET", "/api/restaurants".to_owned()),
            "restaurant's menu" => ask("GET", "/api/restaurants/cosmic-coffee/menu".to_owned()),
            "create cart" => ask("POST", "/api/cart".to_owned()),
            "cart" => ask("GET", format!("/api/cart/{cart}")),
            "add" => ask("POST", format!("/api/cart/{cart}/items")).json(&json!({"itemId": "galaxy-mocha", "quantity": 1})),
            "set quantity" => ask("PATCH", format!("/api/cart/{cart}/items/{LATTE}")).json(&json!({"quantity": 2})),
            "quote" => ask("POST", "/api/quotes".to_owned()).json(&json!({"cartId": cart})),
            "order" => ask("POST", "/api/orders".to_owned()).json(&purchase(cart)).key("during-the-outage"),
            "orders" => ask("GET", "/api/orders".to_owned()),
            "order by id" => ask("GET", format!("/api/orders/{order}")),
            "customers" => ask("GET", "/api/customers".to_owned()),
            "page /" => ask("GET", format!("/?{fresh}")),
            "page /restaurants" => ask("GET", format!("/restaurants/cosmic-coffee?{fresh}")),
            "page /items" => ask("GET", format!("/items/{LATTE}?{fresh}")),
            "page /cart" => ask("GET", "/cart".to_owned()),
            "page /checkout" => ask("GET", "/checkout".to_owned()),
            "page /orders" => ask("GET", "/orders".to_owned()),
            "page /orders/{id}" => ask("GET", format!("/orders/{order}")),
            _ => unreachable!("{route}"),
        };
        browser.send(ask).await
    }
}

/// What a route answers when nothing is wrong.
fn usual(route: &str) -> u16 {
    if matches!(route, "create cart" | "order") { 201 } else { 200 }
}

async fn check(platform: &Platform, part: Part) {
    platform.set_stock(LATTE, 100).await;
    let world = World::new(platform).await;
    for (route, _) in TABLE.iter().filter(|(route, _)| *route != "order") {
        assert_eq!(world.visit(route).await.status, usual(route), "before: {route}");
    }

    take_down(platform, part).await;
    for (route, expected) in TABLE {
        let expected = expected[part as usize];
        let answer = world.visit(route).await;
        if expected == OK {
            assert_eq!(answer.status, usual(route), "{route}: {}", answer.body);
        } else if route.starts_with("page") {
            let page = answer.page(503);
            assert!(page.contains("class=\"scene") && page.contains("Try again") && page.contains(expected), "{route}: {page}");
            assert!(!answer.header("retry-after").is_empty(), "{route}");
        } else {
            answer.refused(503, expected, route);
        }
        assert!(answer.took < REFUSES_WITHIN, "{route} took {:?}", answer.took);
    }

    bring_back(platform, part).await;
    let back = Instant::now();
    // The order last: it ends the cart.
    let routes = TABLE.iter().map(|(route, _)| *route).filter(|route| *route != "order").chain(["order"]);
    for route in routes {
        let left = HEALS_WITHIN.saturating_sub(back.elapsed());
        eventually(&format!("{route} works again"), left, async || world.visit(route).await.status == usual(route)).await;
    }
    // The refused order, sent again under its key, is one order; the one from before is as it was; stock is exact.
    let orders = world.browser.get("/api/orders").await.expect(200);
    let orders: Vec<&str> = orders.as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap()).collect();
    assert!(orders.len() == 2 && orders.contains(&world.order.as_str()), "{orders:?}");
    assert_eq!(platform.stock(LATTE).await, 97);
}

async fn take_down(platform: &Platform, part: Part) {
    match (platform.mode, part) {
        (Mode::Split, Part::Store) => platform.kill_redis(),
        (Mode::Split, part) => platform.kill(name(part)),
        (Mode::Embedded, Part::Store) => platform.flip("store-down", "cart").await,
        (Mode::Embedded, part) => platform.flip("readiness-failure", name(part)).await,
    }
}

async fn bring_back(platform: &Platform, part: Part) {
    match (platform.mode, part) {
        (Mode::Split, Part::Store) => platform.restart_redis(),
        (Mode::Split, part) => platform.restart(name(part)).await,
        (Mode::Embedded, Part::Store) => platform.clear("store-down").await,
        (Mode::Embedded, _) => platform.clear("readiness-failure").await,
    }
}

fn name(part: Part) -> &'static str {
    match part {
        Part::Menu => "menu",
        Part::Cart => "cart",
        Part::Middleware => "middleware",
        Part::Order => "order",
        Part::Store => unreachable!("no service"),
    }
}

mod at_two_addresses {
    use super::*;
    use crate::harness::Options;

    on_both_platforms! {
        Options { dead_addresses: true, ..Options::default() } =>
        an_address_that_nobody_listens_at_is_passed_over,
    }

    async fn an_address_that_nobody_listens_at_is_passed_over(platform: &Platform) {
        let world = World::new(platform).await;
        let routes = TABLE.iter().map(|(route, _)| *route).filter(|route| *route != "order");
        for route in routes.cycle().take(3 * TABLE.len()).chain(["order"]) {
            assert_eq!(world.visit(route).await.status, usual(route), "{route}");
        }
    }
}
