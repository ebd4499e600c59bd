use super::*;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use runtime::chaos::{self as layer, ClientFault};
use serde_json::json;
use tokio::time::Instant;

const ADD: &str = "/cart/c1/items";

async fn fine() -> &'static str {
    "fine"
}

/// A cart service in shape, with the layer around it as every service has it.
fn cart(control: &FlagControl) -> Router {
    Router::new()
        .route("/cart", post(fine))
        .route("/cart/{id}", get(fine).delete(fine))
        .route("/cart/{id}/items", post(fine).get(fine))
        .route("/cart/{id}/items/{itemId}", delete(fine))
        .layer(from_fn_with_state(chaos(control, "cart"), layer::inbound))
}

fn menu(control: &FlagControl) -> Router {
    Router::new()
        .route("/api/menu", get(fine))
        .route("/api/menu/{item}", get(fine))
        .layer(from_fn_with_state(chaos(control, "menu"), layer::inbound))
}

async fn status(router: &Router, method: &str, path: &str) -> u16 {
    send(router, request(method, path, "")).await.status().as_u16()
}

#[tokio::test]
async fn the_injected_rate_is_the_chosen_one() {
    const DRAWS: u32 = 2_000;
    for (variant, share) in [("5-percent", 0.05), ("50-percent", 0.5)] {
        let (control, _) = control();
        let cart = cart(&control);
        flip(&control, "cart-chaos-errors", variant);
        let mut failed = 0;
        for _ in 0..DRAWS {
            match status(&cart, "POST", ADD).await {
                200 => {}
                503 => failed += 1,
                other => panic!("{other}"),
            }
        }
        let error = (share * (1.0 - share) / f64::from(DRAWS)).sqrt();
        let rate = f64::from(failed) / f64::from(DRAWS);
        assert!((rate - share).abs() <= 3.0 * error, "{variant}: {rate}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_failure_takes_its_delay_and_no_success_is_slowed() {
    let (control, _) = control();
    let cart = cart(&control);
    flip(&control, "cart-chaos-errors", "15-percent-after-2s");
    let (mut failed, mut succeeded) = (0, 0);
    for _ in 0..200 {
        let started = Instant::now();
        match status(&cart, "POST", ADD).await {
            503 => {
                failed += 1;
                assert!(started.elapsed() >= Duration::from_secs(2));
            }
            _ => {
                succeeded += 1;
                assert_eq!(started.elapsed(), Duration::ZERO);
            }
        }
    }
    assert!(failed > 0 && succeeded > 0);
}

#[tokio::test]
async fn a_failure_says_what_it_is_and_when_to_try_again() {
    let (control, _) = control();
    define(&control, "cart-chaos-errors", &json!({"enabled": true, "errorRate": 100}));
    let failed = send(&cart(&control), request("POST", ADD, "")).await;
    assert_eq!(failed.status(), 503);
    assert!(failed.headers().contains_key("retry-after"));
    let error = failed.extensions().get::<contract::ApiError>().unwrap();
    assert_eq!(error.flag.as_deref(), Some("cart-chaos-errors"));
    assert_eq!(json(failed).await["code"], "FEATURE_FLAG_CHAOS");
}

#[tokio::test]
async fn neighbouring_routes_and_services_are_untouched() {
    let (control, _) = control();
    let cart = cart(&control);
    define(&control, "cart-chaos-errors", &json!({"enabled": true, "errorRate": 100}));
    assert_eq!(status(&cart, "POST", ADD).await, 503);
    for (method, path) in
        [("POST", "/cart"), ("GET", "/cart/c1"), ("DELETE", "/cart/c1"), ("GET", ADD), ("DELETE", "/cart/c1/items/nebula-latte")]
    {
        assert_eq!(status(&cart, method, path).await, 200, "{method} {path}");
    }
    let other =
        Router::new().route("/cart/{id}/items", post(fine)).layer(from_fn_with_state(super::chaos(&control, "order"), layer::inbound));
    assert_eq!(status(&other, "POST", ADD).await, 200);
}

#[tokio::test]
async fn a_fault_ends_without_a_restart() {
    let (control, _) = control();
    let cart = cart(&control);
    assert_eq!(status(&cart, "POST", ADD).await, 200);
    define(&control, "cart-chaos-errors", &json!({"enabled": true, "errorRate": 100}));
    assert_eq!(status(&cart, "POST", ADD).await, 503);
    define(&control, "cart-chaos-errors", &json!({"enabled": true, "errorRate": 0}));
    assert_eq!(status(&cart, "POST", ADD).await, 200);
}

#[tokio::test]
async fn callers_without_a_session_are_told_apart_by_their_cart() {
    let (control, _) = control();
    let cart = cart(&control);
    define(&control, "cart-chaos-errors", &json!({"enabled": true, "errorRate": 100}));
    control.set("cart-chaos-errors", "off", None, Audience::Percent(50)).unwrap();
    let mut failed = 0;
    for n in 0..200 {
        let path = format!("/cart/cart-{n}/items");
        let first = status(&cart, "POST", &path).await;
        assert_eq!(status(&cart, "POST", &path).await, first, "the same cart always sees the same");
        failed += u32::from(first == 503);
    }
    assert!((60..140).contains(&failed), "{failed}");
}

#[tokio::test]
async fn only_the_chosen_item_fails() {
    let (control, _) = control();
    let menu = menu(&control);
    flip(&control, "menu-item-failure", "nebula-latte");
    let failed = send(&menu, request("GET", "/api/menu/nebula-latte", "")).await;
    assert_eq!(failed.status(), 500);
    assert_eq!(json(failed).await["code"], "FEATURE_FLAG_CHAOS");
    for path in ["/api/menu", "/api/menu/galaxy-mocha", "/api/menu/nebula-latte-2"] {
        assert_eq!(status(&menu, "GET", path).await, 200, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_cart_is_slow_on_every_route_and_fails_on_none() {
    let (control, _) = control();
    let cart = cart(&control);
    flip(&control, "cart-slow", "300-ms");
    for (method, path) in [("POST", "/cart"), ("GET", "/cart/c1"), ("POST", ADD)] {
        let started = Instant::now();
        assert_eq!(status(&cart, method, path).await, 200);
        assert!((300..310).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    }
    flip(&control, "cart-slow", "long-tail");
    let mut slowest = 0;
    for _ in 0..500 {
        let started = Instant::now();
        assert_eq!(status(&cart, "GET", "/cart/c1").await, 200);
        slowest += u32::from(started.elapsed() >= Duration::from_millis(1_550));
    }
    assert!((25..80).contains(&slowest), "about a tenth: {slowest}");
}

#[tokio::test]
async fn the_order_service_cannot_reach_middleware_and_everybody_else_can() {
    let (control, _) = control();
    let (order, server) = (chaos(&control, "order"), chaos(&control, "server"));
    assert_eq!(order.client_fault("middleware.reserve").await, None);
    flip(&control, "middleware-unreachable", "all");
    assert_eq!(order.client_fault("middleware.reserve").await, Some(ClientFault::Refuse));
    assert_eq!(order.client_fault("menu.items").await, None);
    assert_eq!(server.client_fault("middleware.inventory").await, None);
}

#[tokio::test]
async fn the_reply_to_an_order_is_lost() {
    let (control, _) = control();
    let server = chaos(&control, "server");
    flip(&control, "order-lost-reply", "all");
    assert_eq!(server.client_fault("order.place").await, Some(ClientFault::DropReply));
    assert_eq!(server.client_fault("order.get").await, None);
    flip(&control, "order-lost-reply", "20-percent");
    let mut lost = 0;
    for _ in 0..1_000 {
        lost += u32::from(server.client_fault("order.place").await.is_some());
    }
    assert!((160..240).contains(&lost), "{lost}");
}

#[tokio::test(start_paused = true)]
async fn one_services_store_is_down_or_slow_and_the_others_are_not() {
    let (control, _) = control();
    let (cart, order) = (chaos(&control, "cart"), chaos(&control, "order"));
    flip(&control, "store-down", "cart");
    let fault = cart.store("cart", "carts", "get").await.unwrap_err();
    assert_eq!(fault.flag, "store-down");
    let error = contract::ApiError::from(fault);
    assert_eq!((error.code, error.flag.as_deref()), (contract::Code::StoreUnavailable, Some("store-down")));
    assert!(order.store("order", "orders", "get").await.is_ok());
    control.clear_all().unwrap();
    flip(&control, "store-slow", "all-300-ms");
    for (chaos, service) in [(&cart, "cart"), (&order, "order")] {
        let started = Instant::now();
        assert!(chaos.store(service, "things", "get").await.is_ok());
        assert!(started.elapsed() >= Duration::from_millis(300));
    }
    control.clear_all().unwrap();
    let started = Instant::now();
    assert!(cart.store("cart", "carts", "get").await.is_ok());
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn one_service_is_not_ready() {
    let (control, _) = control();
    let gateway = chaos(&control, "server");
    flip(&control, "readiness-failure", "order");
    assert!(!gateway.readiness("order").await);
    assert!(gateway.readiness("cart").await);
    control.clear_all().unwrap();
    assert!(gateway.readiness("order").await);
}

#[tokio::test]
async fn the_domain_asks_for_its_own_flags() {
    let (control, _) = control();
    let middleware = chaos(&control, "middleware");
    assert_eq!(middleware.domain("inventory-shortage").await, None);
    flip(&control, "inventory-shortage", "sold-out");
    assert_eq!(middleware.domain("inventory-shortage").await.unwrap().value["itemId"], "nebula-latte");
}

#[tokio::test]
async fn a_variant_that_cannot_be_read_does_nothing() {
    let (control, _) = control();
    define(&control, "cart-chaos-errors", &json!({"enabled": true, "errorRate": "many"}));
    assert_eq!(status(&cart(&control), "POST", ADD).await, 200);
}

#[tokio::test(start_paused = true)]
async fn pages_are_slow_and_data_is_not() {
    let (control, _) = control();
    let server = Router::new()
        .route("/", get(fine).post(fine))
        .route("/api/menu", get(fine))
        .layer(from_fn_with_state(chaos(&control, "server"), layer::inbound));
    let took = async |method: &str, path: &str, accept: &'static str| {
        let mut asked = request(method, path, "");
        asked.headers_mut().insert("accept", http::HeaderValue::from_static(accept));
        let started = Instant::now();
        assert_eq!(send(&server, asked).await.status(), 200);
        started.elapsed()
    };
    const PAGE: &str = "text/html,application/xhtml+xml";
    flip(&control, "ssr-slow", "500-ms");
    assert!(took("GET", "/", PAGE).await >= Duration::from_millis(500));
    for (method, path, accept) in [("GET", "/api/menu", "application/json"), ("GET", "/", "*/*"), ("POST", "/", PAGE)] {
        assert_eq!(took(method, path, accept).await, Duration::ZERO, "{method} {path} {accept}");
    }
    control.clear_all().unwrap();
    assert_eq!(took("GET", "/", PAGE).await, Duration::ZERO);
}

/// The switch is of a whole process, so this test runs itself once more in a process of its own.
#[tokio::test]
async fn without_the_layer_flags_can_be_flipped_and_do_nothing() {
    const SWITCH: (&str, &str) = ("FEAST_SELF_TEST", "without-chaos");
    if std::env::var(SWITCH.0).is_ok_and(|value| value == SWITCH.1) {
        let (control, _) = control();
        let cart = cart(&control);
        define(&control, "cart-chaos-errors", &json!({"enabled": true, "errorRate": 100}));
        assert_eq!(status(&cart, "POST", ADD).await, 200);
        assert_eq!(variant(&flags(&control, "cart"), "cart-chaos-errors").await.as_deref(), Some("on"));
        return;
    }
    let name = "chaos::without_the_layer_flags_can_be_flipped_and_do_nothing";
    let itself = std::process::Command::new(std::env::current_exe().unwrap()).args(["--exact", name]).env(SWITCH.0, SWITCH.1).output();
    let said = itself.unwrap();
    assert!(said.status.success() && String::from_utf8_lossy(&said.stdout).contains("1 passed"), "{said:?}");
}
