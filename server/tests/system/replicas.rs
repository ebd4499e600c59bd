//! Two web replicas, one console, eight services and a Redis. Whatever a customer does at one replica holds at the other; what has one
//! owner stays at the console.

use crate::harness::{Browser, Http, LATTE, Mode, OPERATOR_TOKEN, Options, Platform, REPLICAS, clean_command, purchase, run};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testkit::eventually;

/// Longest anything may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// A replica believes for five seconds what the user service told it.
const LOGGED_OUT_WITHIN: Duration = Duration::from_secs(8);

/// Runs a test on its own platform, with a client of each replica.
fn replicated(options: Options, test: impl AsyncFnOnce(&Platform, [Http; 2])) {
    run(Mode::Split, Options { replicas: true, ..options }, async |platform| {
        let replicas = REPLICAS.map(|name| platform.door(name));
        test(platform, replicas).await;
    });
}

async fn cart_with(http: &Http, quantity: u32) -> String {
    let cart = http.ask("POST", "/api/cart").send().await.expect(201)["id"].as_str().unwrap().to_owned();
    add(http, &cart, quantity).await;
    cart
}

async fn add(http: &Http, cart: &str, quantity: u32) -> Value {
    http.post(&format!("/api/cart/{cart}/items"), json!({"itemId": LATTE, "quantity": quantity})).send().await.expect(200)
}

/// What a page that follows an order is sent, until this is in it.
async fn follows(http: &Http, order: &str, until: &str) -> String {
    let path = format!("{}/events/orders/{order}", http.base());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut answer = client.get(&path).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream", "{path}");
    let mut sent = String::new();
    let reading = async {
        while !sent.contains(until) {
            let chunk = answer.chunk().await.unwrap().unwrap_or_else(|| panic!("the stream ended without {until}: {sent}"));
            sent.push_str(&String::from_utf8_lossy(&chunk));
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("{path} never said {until}"));
    sent
}

#[test]
fn a_log_in_at_one_replica_is_known_at_the_other_and_so_is_its_end() {
    replicated(Options::default(), async |_, [a, b]| {
        let at_a = Browser::new(&a);
        let account = json!({"email": "ada@example.com", "name": "Ada", "password": "correct horse"});
        assert_eq!(at_a.post("/api/users", account).await.status, 201);
        let at_b = at_a.moved(&b);
        assert_eq!(at_b.get("/api/profile").await.expect(200)["name"], "Ada");
        assert!(at_b.get("/account").await.page(200).contains("Ada"));

        let gone = at_a.send(at_a.ask("DELETE", "/api/session")).await;
        assert_eq!(gone.status, 204);
        eventually("the log-in has ended at the other replica", LOGGED_OUT_WITHIN, async || at_b.get("/api/profile").await.status == 401)
            .await;
    });
}

#[test]
fn a_cart_made_at_one_is_ordered_at_the_other_once_and_followed_live_at_either() {
    replicated(Options::default(), async |_, [a, b]| {
        let at_a = Browser::new(&a);
        at_a.form("/cart/items", &[("itemId", LATTE), ("quantity", "1")]).await.page(200);
        let cart = at_a.cookie("feast_cart").unwrap();
        let at_b = at_a.moved(&b);
        assert!(at_b.get("/cart").await.page(200).contains("Nebula Latte"));
        assert_eq!(add(&b, &cart, 2).await["items"][0]["quantity"], 3);

        let ordered = async |browser: &Browser| {
            let ask = browser.ask("POST", "/api/orders").json(&purchase(&cart)).key("one-dinner");
            browser.send(ask).await.expect(201)["id"].as_str().unwrap().to_owned()
        };
        let order = ordered(&at_b).await;
        assert_eq!(ordered(&at_a).await, order, "the same request again, at the other replica");
        assert_eq!(
            at_a.get(&format!("/api/orders/{order}")).await.expect(200)["customerName"],
            "Ada",
            "the session is the owner everywhere"
        );

        for http in [&a, &b] {
            let sent = follows(http, &order, "\"status\":\"accepted\"").await;
            assert!(sent.starts_with("event: order\n"), "{sent}");
        }
    });
}

#[test]
fn a_flip_at_the_console_acts_at_both_replicas_and_for_one_browser_at_either() {
    replicated(Options::default(), async |platform, [a, b]| {
        let (mine, others) = (Browser::new(&a), Browser::new(&a));
        mine.get("/").await;
        others.get("/").await;
        // Within a second everybody has heard of it: `flip` waits for no longer.
        platform.flip("rate-limit-tight", "every-second").await;
        for http in [&a, &b] {
            let refused = async || http.get("/api/menu").send().await.status == 429;
            eventually("the limit is tight", PATIENCE, refused).await;
        }
        platform.clear("rate-limit-tight").await;

        let session = mine.cookie("feast_sid").unwrap();
        platform.flip_as("rate-limit-tight", json!({"variant": "every-second", "audience": {"kind": "session", "value": session}})).await;
        for http in [&a, &b] {
            let (mine, others) = (mine.moved(http), others.moved(http));
            eventually("my browser is refused", PATIENCE, async || mine.get("/cart").await.status == 429).await;
            for _ in 0..6 {
                others.get("/cart").await.page(200);
            }
        }
        platform.clear("rate-limit-tight").await;
        assert_eq!(a.get("/api/menu").send().await.status, 200);
    });
}

#[test]
fn a_client_has_the_same_room_however_many_replicas_there_are() {
    replicated(Options { rate_limit: Some(2), ..Options::default() }, async |_, [a, b]| {
        let started = Instant::now();
        let mut admitted = 0_u64;
        for _ in 0..8 {
            for http in [&a, &b] {
                admitted += u64::from(http.get("/api/menu").send().await.status == 200);
            }
        }
        // Two at once, and two for each second that has passed.
        let allowed = 2 + (started.elapsed().as_millis() as u64 * 2).div_ceil(1_000);
        assert!((2..=allowed).contains(&admitted), "{admitted} of 16 within {:?}", started.elapsed());
    });
}

#[test]
fn what_has_one_owner_is_answered_by_the_console_only() {
    replicated(Options::default(), async |platform, [a, _]| {
        let calls = [
            ("GET", "/api/flags"),
            ("PUT", "/api/flags/cart-slow"),
            ("DELETE", "/api/flags"),
            ("GET", "/api/flags/definitions"),
            ("GET", "/api/ledger"),
            ("GET", "/api/inventory"),
            ("PUT", "/api/inventory/nebula-latte"),
            ("GET", "/api/traces/4bf92f3577b34da6a3ce929d0e0e4736"),
            ("POST", "/api/reset"),
            ("POST", "/api/load/report"),
            ("GET", "/events/console"),
            ("POST", "/v1/traces"),
            ("POST", "/ofrep/v1/evaluate/flags"),
        ];
        for (method, path) in calls {
            for token in [None, Some(OPERATOR_TOKEN)] {
                let ask = a.ask(method, path);
                let ask = match token {
                    Some(token) => ask.header("authorization", &format!("Bearer {token}")),
                    None => ask,
                };
                ask.send().await.refused(404, "NOT_THE_CONSOLE", &format!("{method} {path}"));
            }
        }
        let browser = Browser::new(&a);
        for path in ["/console", "/console/flags", "/console/traces/1", &format!("/console?token={OPERATOR_TOKEN}")] {
            assert!(browser.get(path).await.page(404).contains("The bridge is on another ship"), "{path}");
        }
        assert!(browser.cookie("feast_operator").is_none());
        assert_eq!(browser.form("/console/all-clear", &[]).await.status, 404);
        a.get("/api/nothing").send().await.refused(404, "NOT_FOUND", "what nobody has is not the console's");

        // The console answers all of it, and the shop too.
        assert_eq!(platform.http.get("/api/ledger").operator().send().await.expect(200)["balanced"], true);
        platform.browser().get("/").await.page(200);
    });
}

#[test]
fn no_replica_takes_orders_while_the_console_resets() {
    replicated(Options::default(), async |platform, [a, b]| {
        let carts = [cart_with(&a, 1).await, cart_with(&b, 1).await];
        // As the console leaves it in Redis while it works.
        platform.redis_set("mark:closed", "1").await;
        for (http, cart) in [&a, &b].into_iter().zip(&carts) {
            let refused = http.post("/api/orders", purchase(cart)).send().await;
            refused.refused(503, "SERVICE_UNAVAILABLE", "a reset is under way");
        }
        assert_eq!(platform.http.post("/api/reset", json!({})).operator().send().await.expect(200)["reset"], true);
        let cart = cart_with(&a, 1).await;
        b.post("/api/orders", purchase(&cart)).send().await.expect(201);
    });
}

#[test]
fn a_replica_that_is_killed_loses_nothing_and_the_other_goes_on() {
    replicated(Options::default(), async |platform, [a, b]| {
        platform.set_stock(LATTE, 200).await;
        let mut accepted = Vec::new();
        for _ in 0..5 {
            let cart = cart_with(&a, 1).await;
            accepted.push(a.post("/api/orders", purchase(&cart)).send().await.expect(201)["id"].as_str().unwrap().to_owned());
        }
        let open = cart_with(&a, 2).await;
        platform.kill(REPLICAS[0]);
        assert!(a.get("/").try_send().await.is_err(), "it is gone");

        for order in &accepted {
            b.get(&format!("/api/orders/{order}")).send().await.expect(200);
            follows(&b, order, "\"status\":\"accepted\"").await;
        }
        accepted.push(b.post("/api/orders", purchase(&open)).send().await.expect(201)["id"].as_str().unwrap().to_owned());
        assert_eq!(platform.orders().await.len(), accepted.len());
        eventually("the books balance", PATIENCE, async || {
            platform.http.get("/api/ledger").operator().send().await.expect(200)["balanced"] == true
        })
        .await;

        platform.restart(REPLICAS[0]).await;
        for order in &accepted {
            a.get(&format!("/api/orders/{order}")).send().await.expect(200);
        }
    });
}

#[test]
fn the_console_shows_what_each_replica_and_its_browsers_did() {
    replicated(Options::default(), async |platform, [a, b]| {
        let ids = ["4bf92f3577b34da6a3ce929d0e0e4736", "5bf92f3577b34da6a3ce929d0e0e4736"];
        for (http, id) in [&a, &b].into_iter().zip(ids) {
            let context = format!("00-{id}-00f067aa0ba902b7-01");
            http.get("/api/menu").header("traceparent", &context).send().await.expect(200);
            let call = json!({"trace": context, "method": "GET", "path": "/api/menu", "startedAt": 1000.0, "tookMs": 20.0, "status": 200});
            let told = http.post("/api/beacon", json!({"page": "/", "sentAt": 1050.0, "calls": [call]})).send().await;
            assert_eq!(told.status, 204, "{}", told.body);
        }
        for id in ids {
            eventually("browser, replica and service are one trace", PATIENCE, async || {
                let answer = platform.http.get(&format!("/api/traces/{id}")).operator().send().await;
                let spans = if answer.status == 200 { answer.json()["spans"].as_array().cloned().unwrap() } else { Vec::new() };
                ["browser", "server", "menu"].iter().all(|service| spans.iter().any(|span| span["service"] == *service))
            })
            .await;
        }
        let error = json!({"page": "/", "sentAt": 5.0, "errors": [{"at": 5.0, "message": "TypeError: no moon", "source": "boot.js:3"}]});
        assert_eq!(a.post("/api/beacon", error).send().await.status, 204);
        eventually("a browser's error is a line in the console", PATIENCE, async || {
            let lines = platform.http.get("/api/logs?service=browser&text=moon").operator().send().await.expect(200);
            lines["lines"].as_array().is_some_and(|lines| !lines.is_empty())
        })
        .await;
    });
}

/// Exit code 64, and one sentence that begins with the setting's name.
#[track_caller]
fn refused(settings: &[(&str, &str)], setting: &str) {
    let output = clean_command("server").envs(settings.iter().copied()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{settings:?}: {said}");
    assert!(said.starts_with(&format!("server: {setting}")) && said.trim().lines().count() == 1, "{settings:?}: {said}");
}

#[test]
fn a_role_that_cannot_be_is_one_sentence_and_exit_code_64() {
    const SERVICES: [&str; 8] =
        ["MENU_URL", "MIDDLEWARE_URL", "CART_URL", "ORDER_URL", "USER_URL", "PAYMENT_URL", "DELIVERY_URL", "NOTIFICATION_URL"];
    let nowhere = "http://127.0.0.1:1";
    let addresses: Vec<(&str, &str)> = SERVICES.iter().map(|name| (*name, nowhere)).collect();
    for role in ["web", "console"] {
        refused(&[("ROLE", role)], "MENU_URL, MIDDLEWARE_URL");
        refused(&[&[("ROLE", role)], addresses.as_slice()].concat(), "REDIS_URL is not set");
        refused(&[&[("ROLE", role), ("REDIS_URL", "redis://127.0.0.1:1")], &addresses[1..]].concat(), "MENU_URL is not set");
    }
    let web = [&[("ROLE", "web"), ("REDIS_URL", "redis://127.0.0.1:1")], addresses.as_slice()].concat();
    for (name, value) in [("OPERATOR_TOKEN", "s3cret"), ("FLAGS_SYNC_ADDR", "127.0.0.1:8015"), ("FLAGS_SOURCE", "embedded")] {
        refused(&[web.as_slice(), &[(name, value)]].concat(), name);
    }
    let unknown = clean_command("server").env("ROLE", "kitchen").output().unwrap();
    let said = String::from_utf8(unknown.stderr).unwrap();
    assert_eq!(unknown.status.code(), Some(64));
    assert!(["all", "web", "console"].iter().all(|role| said.contains(role)), "{said}");
}
