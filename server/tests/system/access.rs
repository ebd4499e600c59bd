//! People with an account: their cookie, what comes along and what ends, and who sees whose orders, with every identity travelling between
//! real processes. That every route has a rule, and refuses whom it must, is walked in `server/src/access/walk.rs`.

use crate::harness::{Answer, Browser, LATTE, Mode, Platform, on_both_platforms};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::eventually;

on_both_platforms! {
    a_log_in_is_a_cookie_that_scripts_and_other_sites_do_not_get,
    what_a_guest_ordered_comes_along_when_the_guest_signs_up,
    a_log_out_ends_the_log_in_at_once_and_not_only_in_the_browser,
    a_new_password_ends_the_log_ins_elsewhere_at_once,
    a_board_is_its_restaurants_own,
    what_people_follow_live_ends_with_their_log_in_wherever_that_was_ended,
    staff_set_the_stock_of_their_own_dishes,
    passwords_are_not_tried_for_ever,
    without_the_user_service_public_pages_stay_open_and_nobody_is_logged_out,
    the_user_service_talks_to_our_own_processes_only,
    no_log_holds_a_password_or_a_token,
}

const PASSWORD: &str = "correct horse battery staple";

async fn sign_up(browser: &Browser, name: &str) -> Answer {
    browser.post("/api/users", json!({"email": format!("{name}@example.com"), "name": name, "password": PASSWORD})).await
}

async fn log_in(browser: &Browser, email: &str, password: &str) -> Answer {
    browser.post("/api/session", json!({"email": email, "password": password})).await
}

/// One of the demonstration's accounts.
async fn demo(platform: &Platform, id: &str) -> Browser {
    let browser = platform.browser();
    browser.form("/login/demo", &[("id", &format!("demo-{id}"))]).await;
    assert!(browser.cookie("feast_login").is_some(), "{id}");
    browser
}

async fn order(browser: &Browser, name: &str) -> String {
    let cart = browser.post("/api/cart", json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
    browser.post(&format!("/api/cart/{cart}/items"), json!({"itemId": LATTE, "quantity": 1})).await.expect(200);
    let order = json!({"customerName": name, "cartId": cart, "address": "Moon Street 4711"});
    browser.post("/api/orders", order).await.expect(201)["id"].as_str().unwrap().to_owned()
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap()).collect()
}

async fn a_log_in_is_a_cookie_that_scripts_and_other_sites_do_not_get(platform: &Platform) {
    let browser = platform.browser();
    browser.get("/api/profile").await.refused(401, "UNAUTHORIZED", "a guest");
    let entered = sign_up(&browser, "ada").await;
    let account = entered.expect(201);
    let set: Vec<&str> = entered.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    let cookie = set.iter().find(|set| set.starts_with("feast_login=")).unwrap();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let token = browser.cookie("feast_login").unwrap();
    assert!(token.len() == 64 && !entered.body.contains(&token) && !entered.body.contains("assword"), "{}", entered.body);
    assert_eq!(browser.get("/api/profile").await.expect(200), account);
    assert!(browser.get("/").await.page(200).contains("ada"), "the page calls people by their name");
    assert!(!platform.browser().get("/").await.page(200).contains("ada"), "and nobody by another's");
    browser.set_cookie("feast_login", &token.replace(['0', '1'], "2"));
    browser.get("/api/profile").await.refused(401, "UNAUTHORIZED", "a token of nobody's");
    let account_page = browser.get("/account").await;
    assert_eq!((account_page.status, account_page.header("location")), (303, "/login?next=%2Faccount"));
}

async fn what_a_guest_ordered_comes_along_when_the_guest_signs_up(platform: &Platform) {
    let browser = platform.browser();
    browser.get("/").await;
    let first = order(&browser, "Ada").await;
    sign_up(&browser, "ada").await.expect(201);
    let second = order(&browser, "Ada").await;
    let mut elsewhere = platform.browser();
    for round in ["another browser", "the same browser, logged in again"] {
        log_in(&elsewhere, "ada@example.com", PASSWORD).await.expect(200);
        assert_eq!(ids(&elsewhere.get("/api/orders").await.expect(200)), [second.as_str(), first.as_str()], "{round}");
        assert_eq!(elsewhere.get(&format!("/api/orders/{first}")).await.expect(200)["address"], "Moon Street 4711", "{round}");
        elsewhere.ask("DELETE", "/api/session").send().await;
        elsewhere = platform.browser();
    }
    let stranger = platform.browser();
    sign_up(&stranger, "bo").await.expect(201);
    assert_eq!(stranger.get("/api/orders").await.expect(200), json!([]));
    assert!(stranger.get(&format!("/api/orders/{first}")).await.expect(200)["address"].is_null());
}

async fn a_log_out_ends_the_log_in_at_once_and_not_only_in_the_browser(platform: &Platform) {
    let browser = platform.browser();
    sign_up(&browser, "ada").await.expect(201);
    browser.get("/api/profile").await.expect(200);
    let token = browser.cookie("feast_login").unwrap();
    let left = browser.send(browser.ask("DELETE", "/api/session")).await;
    assert_eq!((left.status, browser.cookie("feast_login")), (204, None));
    browser.set_cookie("feast_login", &token);
    browser.get("/api/profile").await.refused(401, "UNAUTHORIZED", "a copy of the cookie");
    // Leaving twice is no mistake.
    assert_eq!(browser.send(browser.ask("DELETE", "/api/session")).await.status, 204);
}

async fn a_new_password_ends_the_log_ins_elsewhere_at_once(platform: &Platform) {
    let (here, elsewhere) = (platform.browser(), platform.browser());
    sign_up(&here, "ada").await.expect(201);
    log_in(&elsewhere, "ada@example.com", PASSWORD).await.expect(200);
    elsewhere.get("/api/profile").await.expect(200);
    let change = |current: &str| json!({"current": current, "new": "another good password"});
    here.post("/api/profile/password", change("wrong")).await.refused(401, "WRONG_PASSWORD", "the old one must fit");
    assert_eq!(here.post("/api/profile/password", change(PASSWORD)).await.status, 204);
    here.get("/api/profile").await.expect(200);
    elsewhere.get("/api/profile").await.refused(401, "UNAUTHORIZED", "elsewhere");
    log_in(&elsewhere, "ada@example.com", PASSWORD).await.refused(401, "WRONG_PASSWORD", "the old password");
    log_in(&elsewhere, "ada@example.com", "another good password").await.expect(200);
}

/// Within this time streams end that should. A sign of life comes later than that.
const SOON: Duration = Duration::from_secs(12);

async fn ends(stream: reqwest::Response) {
    tokio::time::timeout(SOON, stream.bytes()).await.expect("the stream goes on").expect("the stream broke");
}

async fn what_people_follow_live_ends_with_their_log_in_wherever_that_was_ended(platform: &Platform) {
    let (staff, courier, operator, other) = (
        demo(platform, "cosmic-coffee").await,
        demo(platform, "kim").await,
        demo(platform, "olive").await,
        demo(platform, "dim-sun").await,
    );
    let followed = order(&courier, "Kim").await;
    let open = async |browser: &Browser, path: &str| {
        let stream = browser.ask("GET", path).open().await;
        assert_eq!(stream.status(), 200, "{path}");
        stream
    };
    let mut others = open(&other, "/events/restaurants/dim-sun").await;
    for (browser, path) in [
        (&staff, "/events/restaurants/cosmic-coffee".to_owned()),
        (&courier, format!("/events/orders/{followed}")),
        (&operator, "/events/console".to_owned()),
    ] {
        let stream = open(browser, &path).await;
        match platform.doors().into_iter().find(|(name, _)| *name == "user") {
            // Behind the gateway's back, as another gateway would.
            Some((_, user)) => {
                let end = user.post("/internal/sessions/end", json!({"token": browser.cookie("feast_login").unwrap()}));
                let end = end.header("x-feast-internal", "internal-token-of-the-system-suite").header("x-feast-client", "elsewhere");
                assert_eq!(end.send().await.status, 204);
            }
            None => assert_eq!(browser.ask("DELETE", "/api/session").send().await.status, 204),
        }
        ends(stream).await;
    }
    // Whoever is still logged in follows on.
    let customer = platform.browser();
    let cart = customer.post("/api/cart", json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
    customer.post(&format!("/api/cart/{cart}/items"), json!({"itemId": "siu-mai-sunspots", "quantity": 1})).await.expect(200);
    let placed = customer.post("/api/orders", json!({"customerName": "Ada", "cartId": cart})).await.expect(201);
    let id = placed["id"].as_str().unwrap();
    let mut heard = String::new();
    while !heard.contains(id) {
        heard.push_str(&String::from_utf8_lossy(&others.chunk().await.unwrap().expect("the stream ended")));
    }
}

async fn a_board_is_its_restaurants_own(platform: &Platform) {
    let (staff, other) = (demo(platform, "cosmic-coffee").await, demo(platform, "dim-sun").await);
    let autopilot = staff.ask("PUT", "/api/restaurants/cosmic-coffee/autopilot").json(&json!({"on": false}));
    assert!(staff.send(autopilot).await.status < 300);
    let guest = platform.browser();
    guest.get("/").await;
    let order = order(&guest, "Ada").await;
    let board = "/api/restaurants/cosmic-coffee/orders";
    eventually("the board shows the order", Duration::from_secs(10), async || {
        ids(&staff.get(board).await.expect(200)["new"]) == [order.as_str()]
    })
    .await;
    let path = format!("/api/orders/{order}");
    let accept = |browser: &Browser| browser.ask("PATCH", &path).json(&json!({"status": "accepted"}));
    guest.get(board).await.refused(401, "UNAUTHORIZED", "a guest");
    other.get(board).await.refused(403, "FORBIDDEN", "another restaurant");
    other.get("/events/restaurants/cosmic-coffee").await.refused(403, "FORBIDDEN", "another restaurant's stream");
    accept(&guest).send().await.refused(401, "UNAUTHORIZED", "the customer");
    accept(&other).send().await.refused(403, "FORBIDDEN", "another restaurant");
    assert!(other.get(&path).await.expect(200)["customerName"].is_null());
    assert_eq!(staff.get(&path).await.expect(200)["status"], "paid");
    assert_eq!(accept(&staff).send().await.expect(200)["status"], "accepted");
}

async fn staff_set_the_stock_of_their_own_dishes(platform: &Platform) {
    let (staff, other) = (demo(platform, "cosmic-coffee").await, demo(platform, "dim-sun").await);
    let set = |browser: &Browser, path: &str| browser.ask("PUT", path).json(&json!({"stock": 7}));
    let own = format!("/api/restaurants/cosmic-coffee/items/{LATTE}/stock");
    assert_eq!(set(&staff, &own).send().await.expect(200), json!({"itemId": LATTE, "currentStock": 7}));
    set(&other, &own).send().await.refused(403, "FORBIDDEN", "another restaurant");
    let smuggled = format!("/api/restaurants/dim-sun/items/{LATTE}/stock");
    set(&other, &smuggled).send().await.refused(404, "ITEM_NOT_FOUND", "another restaurant's dish");
    set(&staff, &format!("/api/inventory/{LATTE}")).send().await.refused(401, "UNAUTHORIZED", "the whole inventory");
    assert_eq!(platform.stock(LATTE).await, 7);
}

async fn passwords_are_not_tried_for_ever(platform: &Platform) {
    let mut refused = None;
    for n in 0..11 {
        // A fresh cookie each time is no way around it.
        let guess = log_in(&platform.browser(), "ada@example.com", &format!("guess number {n}")).await;
        match guess.status {
            429 => refused = Some(guess),
            _ => guess.refused(401, "WRONG_PASSWORD", "a guess"),
        }
    }
    refused.unwrap().refused(429, "RATE_LIMITED", "the eleventh");
}

async fn without_the_user_service_public_pages_stay_open_and_nobody_is_logged_out(platform: &Platform) {
    if platform.mode == Mode::Embedded {
        // It goes with everything else there; `walk.rs` has no such case either.
        return;
    }
    let ada = demo(platform, "ada").await;
    let operator = platform.browser();
    operator.get("/console?token=operator-token-of-the-system-suite").await;
    platform.kill("user");
    // What was learned a moment ago may still be believed.
    eventually("nobody can tell who Ada is", Duration::from_secs(10), async || ada.get("/api/orders").await.status == 503).await;
    for page in ["/", "/restaurants/cosmic-coffee", "/cart", "/about"] {
        ada.get(page).await.page(200);
    }
    ada.get("/orders").await.page(503);
    ada.get("/api/profile").await.refused(503, "SERVICE_UNAVAILABLE", "the profile");
    platform.browser().get("/api/orders").await.expect(200);
    operator.get("/console/flags").await.page(200);
    assert!(ada.cookie("feast_login").is_some());
    platform.restart("user").await;
    eventually("Ada is known again", Duration::from_secs(10), async || ada.get("/api/profile").await.status == 200).await;
}

async fn the_user_service_talks_to_our_own_processes_only(platform: &Platform) {
    let doors = platform.doors();
    let (name, user) = doors.iter().find(|(name, _)| *name == if platform.mode == Mode::Split { "user" } else { "server" }).unwrap();
    for token in ["", "guess", "operator-token-of-the-system-suite"] {
        for (method, path) in [("POST", "/internal/demo/demo-olive"), ("GET", "/internal/demo"), ("GET", "/internal/accounts/demo-ada")] {
            let forged = user.ask(method, path).header("x-feast-client", "me").header("x-feast-role", "operator");
            let answer = forged.header("x-feast-internal", token).send().await;
            assert!(matches!(answer.status, 403 | 404) && !answer.body.contains("demo.feast"), "{name} {path}: {}", answer.body);
        }
    }
}

async fn no_log_holds_a_password_or_a_token(platform: &Platform) {
    let browser = platform.browser();
    sign_up(&browser, "ada").await.expect(201);
    let token = browser.cookie("feast_login").unwrap();
    log_in(&browser, "ada@example.com", "a wrong guess of hers").await.refused(401, "WRONG_PASSWORD", "a guess");
    browser.post("/api/session", json!({"email": "ada@example.com", "password": 987_654_321})).await.refused(
        400,
        "INVALID_BODY",
        "no text",
    );
    browser.get("/api/profile").await.expect(200);
    for service in ["server", "user"] {
        let log = platform.log_of(service);
        for secret in [PASSWORD, token.as_str(), "a wrong guess of hers", "ada@example.com", "987654321"] {
            assert!(!log.contains(secret), "the log of {service} holds {secret}");
        }
    }
}
