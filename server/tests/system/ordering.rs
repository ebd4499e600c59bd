//! The ordering contract: addresses, field names and status codes that existing clients rely on.

use crate::harness::{Answer, Browser, LATTE, Platform, next, on_both_platforms, placed, purchase};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::eventually;

on_both_platforms! {
    two_lattes_go_from_the_menu_to_an_order,
    the_menu_is_the_coffee_bars_and_every_restaurant_has_its_own,
    a_price_that_a_client_sends_changes_nothing,
    a_cart_is_of_one_restaurant_and_a_line_of_at_most_ten,
    a_line_is_changed_and_removed_and_a_cart_deleted,
    the_price_that_was_quoted_is_the_price_that_is_charged,
    an_order_is_seen_whole_by_its_owner_and_the_operator_only,
    lists_are_paged_by_link,
    an_operator_moves_an_order_by_legal_steps_only,
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn cents(value: &Value) -> i64 {
    (value.as_f64().unwrap() * 100.0).round() as i64
}

/// What a line may cost: by the hour in the restaurant's city it is dearer at rush, cheaper in the afternoon.
#[track_caller]
fn assert_priced_by_the_hour(line: &Value) {
    let plain = cents(&line["basePrice"]) * line["quantity"].as_i64().unwrap();
    let allowed = [100, 110, 85].map(|percent| (plain * percent + 50) / 100);
    assert!(allowed.contains(&cents(&line["itemTotal"])), "{line}");
}

async fn two_lattes_go_from_the_menu_to_an_order(platform: &Platform) {
    let menu = platform.http.get("/api/menu").send().await.expect(200);
    let latte = menu.as_array().unwrap().iter().find(|item| item["id"] == LATTE).unwrap();
    assert_eq!((&latte["basePrice"], &latte["restaurantId"], &latte["inStock"]), (&json!(5.99), &json!("cosmic-coffee"), &json!(true)));

    let cart = platform.http.ask("POST", "/api/cart").send().await.expect(201);
    assert_eq!(keys(&cart), ["createdAt", "id", "items", "updatedAt"]);
    assert_eq!(cart["items"], json!([]));
    let id = cart["id"].as_str().unwrap();
    let cart = platform.add(id, LATTE, 2).send().await.expect(200);
    assert_eq!(keys(&cart["items"][0]), ["addedAt", "basePrice", "choice", "itemEmoji", "itemId", "itemName", "quantity"]);
    assert_eq!((&cart["items"][0]["quantity"], &cart["items"][0]["itemName"]), (&json!(2), &json!("Nebula Latte")));
    assert_eq!(platform.cart(id).await, cart);

    let quote = platform.quote(id).send().await.expect(200);
    for field in ["quoteId", "expiresAt", "lines", "fees", "discounts", "subtotal", "total"] {
        assert!(!quote[field].is_null(), "{field}: {quote}");
    }
    let answer = platform.order(id).send().await;
    let order = answer.expect(201);
    assert_eq!((&order["status"], &order["customerName"]), (&json!("pending"), &json!("Ada")));
    assert_eq!(keys(&order["items"][0])[..7], ["basePrice", "choice", "itemEmoji", "itemId", "itemName", "itemTotal", "quantity"]);
    assert_eq!(order["items"][0]["quantity"], 2);
    assert_eq!(order["items"][0]["basePrice"], 5.99);
    assert_priced_by_the_hour(&order["items"][0]);
    assert_eq!(order["totalPrice"], order["items"][0]["itemTotal"]);
    assert!(order["timestamp"].as_str().unwrap().ends_with('Z'));

    let read = platform.http.get(&format!("/api/orders/{}", order["id"].as_str().unwrap())).send().await.expect(200);
    let seen = |order: &Value| (order["items"][0]["itemTotal"].clone(), order["totalPrice"].clone());
    assert_eq!(seen(&read), seen(&order));
    eventually("the ordered cart is cleared", Duration::from_secs(3), async || {
        platform.http.get(&format!("/api/cart/{id}")).send().await.status == 404
    })
    .await;
}

async fn the_menu_is_the_coffee_bars_and_every_restaurant_has_its_own(platform: &Platform) {
    let menu = platform.http.get("/api/menu").send().await.expect(200);
    let prices: Vec<(&str, f64)> =
        menu.as_array().unwrap().iter().map(|item| (item["id"].as_str().unwrap(), item["basePrice"].as_f64().unwrap())).collect();
    for expected in [
        (LATTE, 5.99),
        ("supernova-espresso", 3.99),
        ("galaxy-mocha", 6.49),
        ("asteroid-americano", 4.49),
        ("lunar-cappuccino", 5.49),
        ("starlight-frappe", 6.99),
        ("comet-cold-brew", 5.29),
        ("rocket-fuel", 4.99),
    ] {
        assert!(prices.contains(&expected), "{expected:?}: {prices:?}");
    }
    assert_eq!(prices.len(), 8);
    let item = platform.http.get("/api/menu/galaxy-mocha").send().await.expect(200);
    for field in ["id", "name", "description", "emoji", "basePrice", "inStock", "restaurantId"] {
        assert!(!item[field].is_null(), "{field}: {item}");
    }
    platform.http.get("/api/menu/moon-cheese").send().await.refused(404, "ITEM_NOT_FOUND", "a dish");

    let restaurants = platform.http.get("/api/restaurants").send().await.expect(200);
    let restaurants = restaurants.as_array().unwrap();
    assert!(restaurants.len() >= 6);
    let mut seen = std::collections::BTreeSet::new();
    for restaurant in restaurants {
        let id = restaurant["id"].as_str().unwrap();
        assert_eq!(platform.http.get(&format!("/api/restaurants/{id}")).send().await.expect(200), *restaurant);
        let dishes = platform.http.get(&format!("/api/restaurants/{id}/menu")).send().await.expect(200);
        let dishes = dishes.as_array().unwrap();
        assert!(dishes.len() >= 8, "{id}");
        for dish in dishes {
            assert_eq!(dish["restaurantId"], id);
            assert!(seen.insert(dish["id"].as_str().unwrap().to_owned()), "{dish} is on two menus");
        }
    }
    let found = platform.http.get("/api/restaurants?city=Tokyo&cuisine=Japanese&q=ramen").send().await.expect(200);
    assert_eq!(found[0]["id"], "event-horizon-ramen");
    platform.http.get("/api/restaurants/moon").send().await.refused(404, "RESTAURANT_NOT_FOUND", "a restaurant");
    platform.http.get("/api/restaurants/moon/menu").send().await.refused(404, "RESTAURANT_NOT_FOUND", "its menu");
}

async fn a_price_that_a_client_sends_changes_nothing(platform: &Platform) {
    let id = platform.new_cart().await;
    let lie = json!({"itemId": LATTE, "quantity": 1, "basePrice": 0.01, "itemName": "Free", "itemEmoji": "🆓", "restaurantId": "mine", "total": 0});
    let cart = platform.http.post(&format!("/api/cart/{id}/items"), lie).send().await.expect(200);
    let line = &cart["items"][0];
    assert_eq!(
        (&line["basePrice"], &line["itemName"], &cart["restaurantId"]),
        (&json!(5.99), &json!("Nebula Latte"), &json!("cosmic-coffee"))
    );
    let mut lie = purchase(&id);
    for (field, value) in [("totalPrice", json!(0.01)), ("items", json!([])), ("status", json!("delivered")), ("id", json!("mine"))] {
        lie[field] = value;
    }
    let order = platform.http.post("/api/orders", lie).send().await.expect(201);
    assert_eq!((&order["status"], &order["items"][0]["basePrice"]), (&json!("pending"), &json!(5.99)));
    assert_ne!(order["id"], "mine");
    assert_priced_by_the_hour(&order["items"][0]);
}

async fn a_cart_is_of_one_restaurant_and_a_line_of_at_most_ten(platform: &Platform) {
    let id = platform.cart_with(&[(LATTE, 8)]).await;
    let before = platform.cart(&id).await;
    platform.add(&id, "singularity-tonkotsu", 1).send().await.refused(409, "CART_OTHER_RESTAURANT", "another kitchen");
    platform.add(&id, LATTE, 3).send().await.refused(409, "CART_LINE_LIMIT", "eleven");
    assert_eq!(platform.cart(&id).await, before, "a refused addition changes nothing");
    let cart = platform.add(&id, LATTE, 2).send().await.expect(200);
    assert_eq!(cart["items"][0]["quantity"], 10);
}

async fn a_line_is_changed_and_removed_and_a_cart_deleted(platform: &Platform) {
    let id = platform.cart_with(&[(LATTE, 1), ("galaxy-mocha", 1), ("rocket-fuel", 1), ("comet-cold-brew", 1)]).await;
    let line = |item: &str| format!("/api/cart/{id}/items/{item}");
    let set = |item: &str, quantity: i64| platform.http.patch(&line(item), json!({"quantity": quantity}));
    assert_eq!(set(LATTE, 7).send().await.expect(200)["items"][0]["quantity"], 7);
    assert_eq!(set("galaxy-mocha", 0).send().await.expect(200)["items"].as_array().unwrap().len(), 3);
    assert_eq!(set("rocket-fuel", -5).send().await.expect(200)["items"].as_array().unwrap().len(), 2);
    assert_eq!(platform.http.delete(&line("comet-cold-brew")).send().await.expect(200)["items"].as_array().unwrap().len(), 1);
    platform.http.delete(&line("comet-cold-brew")).send().await.refused(404, "CART_LINE_NOT_FOUND", "twice");
    set("galaxy-mocha", 1).send().await.refused(404, "CART_LINE_NOT_FOUND", "gone");
    set(LATTE, 11).send().await.refused(400, "INVALID_QUANTITY", "eleven");
    assert_eq!(platform.cart(&id).await["items"][0]["quantity"], 7);
    // Empty again, it may be of any restaurant.
    set(LATTE, 0).send().await.expect(200);
    platform.add(&id, "singularity-tonkotsu", 1).send().await.expect(200);

    let cleared = platform.http.delete(&format!("/api/cart/{id}")).send().await.expect(200);
    assert_eq!((&cleared["id"], &cleared["items"]), (&json!(id), &json!([])));
    platform.http.get(&format!("/api/cart/{id}")).send().await.refused(404, "CART_NOT_FOUND", "read");
    platform.http.delete(&format!("/api/cart/{id}")).send().await.refused(404, "CART_NOT_FOUND", "deleted twice");
}

async fn the_price_that_was_quoted_is_the_price_that_is_charged(platform: &Platform) {
    let id = platform.cart_with(&[(LATTE, 5), ("galaxy-mocha", 1)]).await;
    let quote = platform.quote(&id).send().await.expect(200);
    let with_quote = |quote: &Value| {
        let mut body = purchase(&id);
        body["quoteId"] = quote["quoteId"].clone();
        platform.http.post("/api/orders", body)
    };
    let bulk = &quote["lines"][0];
    assert!(cents(&bulk["itemTotal"]) < cents(&bulk["basePrice"]) * 5, "five of one are cheaper: {bulk}");
    platform.add(&id, LATTE, 1).send().await.expect(200);
    with_quote(&quote).send().await.refused(409, "QUOTE_MISMATCH", "the cart has changed");
    with_quote(&json!({"quoteId": "none"})).send().await.refused(409, "QUOTE_EXPIRED", "no such quote");

    let quote = platform.quote(&id).send().await.expect(200);
    let order = with_quote(&quote).send().await.expect(201);
    assert_eq!((&order["totalPrice"], &order["items"]), (&quote["total"], &quote["lines"]));
    assert_eq!(platform.orders().await.len(), 1);

    let empty = platform.new_cart().await;
    platform.quote(&empty).send().await.refused(409, "CART_EMPTY", "nothing to price");
    platform.order(&empty).send().await.refused(409, "CART_EMPTY", "nothing to order");
}

/// A browser's order, with everything that is its own business.
async fn private_order(platform: &Platform, browser: &Browser, name: &str) -> Value {
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    let body = json!({"customerName": name, "cartId": cart, "specialInstructions": "no sugar", "address": "Moon Street 1"});
    browser.post("/api/orders", body).await.expect(201)
}

async fn an_order_is_seen_whole_by_its_owner_and_the_operator_only(platform: &Platform) {
    let (ada, bob) = (platform.browser(), platform.browser());
    ada.get("/").await;
    bob.get("/").await;
    assert!(ada.cookie("feast_sid").is_some() && ada.cookie("feast_sid") != bob.cookie("feast_sid"));
    let order = private_order(platform, &ada, "Ada").await;
    private_order(platform, &bob, "Bob").await;
    let path = format!("/api/orders/{}", order["id"].as_str().unwrap());

    assert_eq!(placed(&ada.get(&path).await.expect(200)), placed(&order));
    assert_eq!(placed(&platform.http.get(&path).operator().send().await.expect(200)), placed(&order));
    for stranger in [bob.get(&path).await, platform.http.get(&path).send().await] {
        let seen = stranger.expect(200);
        let what = |order: &Value| (order["items"][0]["itemName"].clone(), order["totalPrice"].clone());
        assert_eq!(what(&seen), what(&order));
        for private in ["customerName", "address", "specialInstructions"] {
            assert!(seen[private].is_null() && !stranger.body.contains("Moon Street"), "{seen}");
        }
    }
    let listed = |answer: Answer| answer.expect(200).as_array().unwrap().iter().map(placed).collect::<Vec<_>>();
    assert_eq!(listed(ada.get("/api/orders").await), [placed(&order)]);
    assert_eq!(ada.get("/api/customers").await.expect(200), json!(["Ada"]));
    assert_eq!(listed(ada.get("/api/customers/Ada/orders").await), [placed(&order)]);
    for path in ["/api/orders", "/api/customers", "/api/customers/Ada/orders"] {
        assert_eq!(platform.http.get(path).send().await.expect(200), json!([]), "a stranger owns nothing: {path}");
    }
    assert_eq!(ada.get("/api/customers/Bob/orders").await.expect(200), json!([]));
    assert_eq!(platform.orders().await.len(), 2);
    assert_eq!(platform.http.get("/api/customers").operator().send().await.expect(200), json!(["Ada", "Bob"]));
    assert_eq!(listed(platform.http.get("/api/customers/Ada/orders").operator().send().await), [placed(&order)]);
    platform.http.get("/api/orders/none").send().await.refused(404, "ORDER_NOT_FOUND", "an order");
}

async fn pages(platform: &Platform, first: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut path) = (Vec::new(), Some(first.to_owned()));
    while let Some(here) = path {
        let answer: Answer = platform.http.get(&here).operator().send().await;
        pages.push(answer.expect(200).as_array().unwrap().clone());
        path = next(&answer);
        assert!(pages.len() < 20, "the list does not end: {here}");
    }
    pages
}

async fn lists_are_paged_by_link(platform: &Platform) {
    let browser = platform.browser();
    browser.get("/").await;
    let names = ["Ada", "Bob", "Čeněk & Co", "داود", "Eve"];
    let mut placed = Vec::new();
    for name in names {
        placed.push(private_order(platform, &browser, name).await["id"].clone());
    }
    placed.reverse();
    let orders = pages(platform, "/api/orders?limit=2").await;
    assert_eq!(orders.iter().map(Vec::len).filter(|n| *n > 0).collect::<Vec<_>>(), [2, 2, 1]);
    let ids: Vec<Value> = orders.concat().iter().map(|order| order["id"].clone()).collect();
    assert_eq!(ids, placed, "newest first, each once");
    let mut sorted = names.map(Value::from).to_vec();
    sorted.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    assert_eq!(pages(platform, "/api/customers?limit=2").await.concat(), sorted);
    let of_one = pages(platform, "/api/customers/%C4%8Cen%C4%9Bk%20%26%20Co/orders?limit=1").await;
    assert_eq!(of_one.concat().len(), 1);
    for wrong in ["limit=many", "limit=-1", "limit=1.5"] {
        platform.http.get(&format!("/api/orders?{wrong}")).operator().send().await.refused(400, "INVALID_QUERY", wrong);
    }
}

async fn an_operator_moves_an_order_by_legal_steps_only(platform: &Platform) {
    platform.http.put("/api/restaurants/cosmic-coffee/autopilot", json!({"on": false})).operator().send().await;
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    let order = platform.order(&cart).send().await.expect(201);
    let path = format!("/api/orders/{}", order["id"].as_str().unwrap());
    let set = |status: &str| platform.http.patch(&path, json!({"status": status}));
    let status = async || platform.http.get(&path).send().await.expect(200)["status"].clone();

    set("accepted").send().await.refused(401, "UNAUTHORIZED", "a stranger");
    set("eaten").operator().send().await.refused(400, "INVALID_BODY", "no such status");
    platform.http.patch("/api/orders/none", json!({"status": "accepted"})).operator().send().await.refused(404, "ORDER_NOT_FOUND", "none");
    eventually("it is paid", Duration::from_secs(5), async || status().await == "paid").await;
    set("ready").operator().send().await.refused(409, "ILLEGAL_TRANSITION", "too far");
    for next in ["accepted", "preparing", "ready"] {
        assert_eq!(set(next).operator().send().await.expect(200)["status"], next);
        set("accepted").operator().send().await.refused(409, "ILLEGAL_TRANSITION", "back again");
    }
    eventually("it is on its way", Duration::from_secs(20), async || status().await != "ready").await;
    set("cancelled").operator().send().await.refused(409, "ILLEGAL_TRANSITION", "after it was accepted");
    let after = platform.http.get(&path).operator().send().await.expect(200);
    assert_eq!(after["items"], order["items"]);
    let steps: Vec<&str> = after["history"].as_array().unwrap().iter().map(|step| step["status"].as_str().unwrap()).collect();
    assert_eq!(steps[..5], ["pending", "paid", "accepted", "preparing", "ready"]);
}
