//! Who may do what. Nothing that comes from outside is believed, except a cookie of ours and the operator's token.

use crate::harness::{LATTE, Platform, on_both_platforms, placed, purchase};
use serde_json::json;

on_both_platforms! {
    headers_of_the_inside_that_come_from_outside_change_nothing,
    a_process_believes_no_identity_without_the_token_of_the_inside,
    another_sites_form_with_our_cookie_is_refused_and_changes_nothing,
    operators_calls_need_the_token_and_the_token_alone_does,
    the_consoles_link_is_exchanged_once_for_a_cookie,
    every_answer_tells_the_browser_to_be_careful,
}

async fn headers_of_the_inside_that_come_from_outside_change_nothing(platform: &Platform) {
    let ada = platform.browser();
    ada.get("/").await;
    let session = ada.cookie("feast_sid").unwrap();
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    let mut body = purchase(&cart);
    body["address"] = json!("Moon Street 1");
    let order = ada.post("/api/orders", body).await.expect(201);
    let path = format!("/api/orders/{}", order["id"].as_str().unwrap());
    let forged = |method: &str, path: &str| {
        platform
            .http
            .ask(method, path)
            .header("x-feast-session", &session)
            .header("x-feast-client", &session)
            .header("x-feast-role", "operator")
            .header("x-feast-internal", "internal-token-of-the-system-suite")
            .header("x-feast-deadline-ms", "0")
            .header("baggage", "role=operator,synthetic=true")
    };
    let seen = forged("GET", &path).send().await;
    assert!(seen.expect(200)["customerName"].is_null() && !seen.body.contains("Moon Street"));
    assert_eq!(forged("GET", "/api/orders").send().await.expect(200), json!([]));
    forged("PATCH", &path).json(&json!({"status": "rejected"})).send().await.refused(401, "UNAUTHORIZED", "a status");
    forged("PUT", "/api/flags/cart-slow").json(&json!({"variant": "300-ms"})).send().await.refused(401, "UNAUTHORIZED", "a flag");
    forged("PUT", &format!("/api/inventory/{LATTE}")).json(&json!({"stock": 1})).send().await.refused(401, "UNAUTHORIZED", "stock");
    assert_eq!(placed(&ada.get(&path).await.expect(200)), placed(&order));
    // What the outside may name is the request, so that it can be found again.
    let named = platform.http.get("/api/orders/none").header("x-request-id", "my-own-request").send().await;
    assert_eq!(named.json()["requestId"], "my-own-request");
}

async fn a_process_believes_no_identity_without_the_token_of_the_inside(platform: &Platform) {
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    let order = platform.order(&cart).send().await.expect(201);
    let path = format!("/api/orders/{}", order["id"].as_str().unwrap());
    for (name, http) in platform.doors().into_iter().filter(|(name, _)| matches!(*name, "server" | "order")) {
        for token in ["", "guess", "operator-token-of-the-system-suite"] {
            let forged =
                |method: &str, path: &str| http.ask(method, path).header("x-feast-role", "operator").header("x-feast-internal", token);
            assert_eq!(forged("GET", "/api/orders").send().await.expect(200), json!([]), "{name}");
            assert!(forged("GET", &path).send().await.expect(200)["customerName"].is_null(), "{name}");
            forged("PATCH", &path).json(&json!({"status": "rejected"})).send().await.refused(401, "UNAUTHORIZED", name);
        }
    }
    assert_ne!(platform.orders().await[0]["status"], "rejected");
}

async fn another_sites_form_with_our_cookie_is_refused_and_changes_nothing(platform: &Platform) {
    let browser = platform.browser();
    browser.form("/cart/items", &[("itemId", LATTE), ("quantity", "1")]).await.page(200);
    let (cart, session) = (browser.cookie("feast_cart").unwrap(), browser.cookie("feast_sid").unwrap());
    let cookie = format!("feast_sid={session}; feast_cart={cart}");
    let before = platform.cart(&cart).await;
    let ours = format!("http://{}", platform.http.authority());
    let ask = |method: &str, path: &str| {
        let form = !path.starts_with("/api");
        let (kind, body) = match form {
            true => ("application/x-www-form-urlencoded", format!("itemId={LATTE}&quantity=1&customerName=Ada&cartId={cart}")),
            false => ("application/json", json!({"itemId": LATTE, "quantity": 1, "customerName": "Ada", "cartId": cart}).to_string()),
        };
        platform.http.ask(method, path).header("cookie", &cookie).header("content-type", kind).body(body)
    };
    let items = format!("/api/cart/{cart}/items");
    for (method, path) in
        [("POST", items.as_str()), ("POST", "/api/orders"), ("POST", "/cart/items"), ("POST", "/orders"), ("POST", "/cart/clear")]
    {
        for foreign in [
            vec![],
            vec![("origin", "https://evil.example")],
            vec![("origin", "null")],
            vec![("sec-fetch-site", "cross-site")],
            vec![("sec-fetch-site", "same-site"), ("origin", ours.as_str())],
        ] {
            let note = format!("{method} {path} {foreign:?}");
            let ask = foreign.iter().fold(ask(method, path), |ask, (name, value)| ask.header(name, value));
            let answer = ask.send().await;
            match path.starts_with("/api") {
                true => answer.refused(403, "FORBIDDEN", &note),
                false => assert!(answer.page(403).contains("This door needs a key"), "{note}"),
            }
        }
    }
    assert_eq!(platform.cart(&cart).await, before);
    assert!(platform.orders().await.is_empty());
    ask("POST", &items).header("origin", &ours).send().await.expect(200);
    ask("POST", &items).header("sec-fetch-site", "same-origin").send().await.expect(200);
    assert_eq!(platform.http.get("/orders").header("cookie", &cookie).header("sec-fetch-site", "cross-site").send().await.status, 200);
}

async fn operators_calls_need_the_token_and_the_token_alone_does(platform: &Platform) {
    let calls = [
        ("GET", "/api/flags", json!(null)),
        ("GET", "/api/flags/definitions", json!(null)),
        ("PUT", "/api/flags/cart-slow", json!({"variant": "300-ms"})),
        ("DELETE", "/api/flags/cart-slow", json!(null)),
        ("DELETE", "/api/flags", json!(null)),
        ("GET", "/api/inventory", json!(null)),
        ("PUT", "/api/inventory/nebula-latte", json!({"stock": 60})),
    ];
    for (method, path, body) in calls {
        let ask = |authorization: &str| {
            let ask = platform.http.ask(method, path);
            let ask = if body.is_null() { ask } else { ask.json(&body) };
            if authorization.is_empty() { ask } else { ask.header("authorization", authorization) }
        };
        for wrong in ["", "Bearer ", "Bearer guess", "Basic b3BlcmF0b3I6", "operator-token-of-the-system-suite"] {
            ask(wrong).send().await.refused(401, "UNAUTHORIZED", &format!("{method} {path} {wrong:?}"));
        }
        assert_eq!(ask("").operator().send().await.status, 200, "{method} {path}");
    }
    platform.http.get("/api/flags?token=operator-token-of-the-system-suite").send().await.refused(401, "UNAUTHORIZED", "in the address");
    platform.browser().get("/console/flags").await.page(401);
    assert_eq!(platform.browser().form("/console/flags/cart-slow", &[("variant", "300-ms")]).await.status, 401);
    assert_eq!(platform.browser().form("/console/all-clear", &[]).await.status, 401);
}

async fn the_consoles_link_is_exchanged_once_for_a_cookie(platform: &Platform) {
    let stranger = platform.browser();
    stranger.get("/console?token=guess").await;
    assert!(stranger.cookie("feast_operator").is_none());
    stranger.get("/console/flags").await.page(401);

    let operator = platform.browser();
    let answer = operator.get("/console?token=operator-token-of-the-system-suite").await;
    assert_eq!((answer.status, answer.header("location")), (303, "/console/overview"), "the token leaves the address");
    let set: Vec<&str> = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    let cookie = set.iter().find(|set| set.starts_with("feast_operator=")).unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains("operator-token"), "{cookie}");
    assert!(operator.get("/console/flags").await.page(200).contains("cart-chaos-errors"));
    let flipped = operator.form("/console/flags/menu-item-failure", &[("variant", LATTE), ("audience", "everyone")]).await;
    flipped.page(200);
    operator.form("/console/all-clear", &[]).await.page(200);
    assert_eq!(operator.get("/api/flags").await.status, 200);
    operator.set_cookie("feast_operator", "guess");
    operator.get("/console/flags").await.page(401);
}

async fn every_answer_tells_the_browser_to_be_careful(platform: &Platform) {
    let browser = platform.browser();
    browser.form("/cart/items", &[("itemId", LATTE), ("quantity", "1")]).await.page(200);
    let pages =
        ["/", "/restaurants/cosmic-coffee", "/items/nebula-latte", "/cart", "/checkout", "/orders", "/about", "/nothing", "/orders/none"];
    for path in pages.into_iter().chain(["/console/flags", "/api/menu", "/api/cart/none", "/health", "/pkg/none"]) {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'") && !policy.contains('*'), "{path}: {policy}");
        for (header, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(header), value, "{path}");
        }
        assert!(answer.header("permissions-policy").contains("geolocation=()"), "{path}");
        if answer.header("content-type").starts_with("text/html") {
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            for inline in ["<style", " style=\"", " onclick=", " onload=", "javascript:"] {
                assert!(!answer.body.contains(inline), "{path} has {inline}, which the policy forbids");
            }
            for script in answer.body.split("<script").skip(1) {
                assert!(script.split('>').next().unwrap().contains("src="), "{path} has a script of its own: {script:.80}");
            }
        }
    }
    let first = platform.http.get("/").send().await;
    let session = first.header("set-cookie");
    assert!(session.starts_with("feast_sid=") && session.contains("HttpOnly") && session.contains("SameSite=Lax"), "{session}");
    // Cross-origin reading is off: nobody else is told that he may.
    let foreign = platform.http.get("/api/menu").header("origin", "https://evil.example").send().await;
    assert_eq!(foreign.header("access-control-allow-origin"), "");
}
