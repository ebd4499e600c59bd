//! A stand-in for the platform, small enough to lie on purpose: the tests here ask whether the load generator notices.

use crate::cli::{Args, Plan};
use crate::journeys;
use crate::ledger::{self, Balance};
use crate::limits::Limits;
use crate::readback::{Reconciliation, check_all};
use crate::report::Orders;
use crate::run::{Run, locked};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::Parser;
use goose::config::GooseConfiguration;
use goose::goose::GooseUser;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What the stand-in does to every third order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    None,
    /// Stores it and answers 500.
    LoseReply,
    /// Answers 201 and stores nothing.
    Forget,
    /// Stores it twice.
    Double,
    /// Stores another total than it answers.
    OtherTotal,
    /// Charges more than was quoted.
    OtherPrice,
    /// 503 at first, as a fault that passes; the repetition succeeds.
    Flaky,
    /// Keeps it under another session.
    WrongOwner,
}

pub struct Platform {
    lie: Lie,
    carts: BTreeMap<String, Vec<(String, u32)>>,
    /// Session and order, oldest first.
    orders: Vec<(String, Value)>,
    by_key: BTreeMap<String, Value>,
    attempts: BTreeMap<String, u32>,
    unmarked: u32,
    made: u32,
}

pub type Shared = Arc<Mutex<Platform>>;

const NOW: &str = "2026-11-20T09:30:00.000Z";
const PAGE: usize = 3;

fn item(id: &str) -> Value {
    json!({"id": id, "name": id, "description": "", "emoji": "☕", "basePrice": 5.0, "inStock": true, "restaurantId": "bar"})
}

fn session(headers: &HeaderMap) -> String {
    let cookie = headers.get(header::COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    cookie.split("feast_sid=").nth(1).unwrap_or_default().to_owned()
}

fn cart_json(id: &str, lines: &[(String, u32)]) -> Value {
    let line = |(item, quantity): &(String, u32)| json!({"itemId": item, "itemName": item, "itemEmoji": "☕", "quantity": quantity, "basePrice": 5.0, "addedAt": NOW});
    json!({"id": id, "items": lines.iter().map(line).collect::<Vec<_>>(), "createdAt": NOW, "updatedAt": NOW})
}

fn order_lines(lines: &[(String, u32)]) -> (Vec<Value>, f64) {
    let line = |(item, quantity): &(String, u32)| json!({"itemId": item, "itemName": item, "itemEmoji": "☕", "quantity": quantity, "basePrice": 5.0, "itemTotal": 5.0 * f64::from(*quantity)});
    (lines.iter().map(line).collect(), lines.iter().map(|(_, quantity)| 5.0 * f64::from(*quantity)).sum())
}

async fn restaurants(headers: HeaderMap) -> Response {
    let bar = json!([{"id": "bar", "name": "Bar", "tagline": "", "description": "", "emoji": "☕", "cuisine": "coffee",
        "city": "Berlin", "timeZone": "Europe/Berlin", "hues": [1, 2], "itemCount": 3}]);
    if !session(&headers).is_empty() {
        return Json(bar).into_response();
    }
    // The session begins with the first answer.
    let cookie = format!("feast_sid={}; Path=/; HttpOnly", uuid::Uuid::new_v4().simple());
    ([(header::SET_COOKIE, cookie)], Json(bar)).into_response()
}

async fn add(State(shared): State<Shared>, Path(id): Path<String>, Json(body): Json<Value>) -> Json<Value> {
    let mut platform = locked(&shared);
    let lines = platform.carts.entry(id.clone()).or_default();
    lines.push((body["itemId"].as_str().unwrap().to_owned(), body["quantity"].as_u64().unwrap() as u32));
    Json(cart_json(&id, lines))
}

async fn change(State(shared): State<Shared>, Path((id, item)): Path<(String, String)>, Json(body): Json<Value>) -> Json<Value> {
    let mut platform = locked(&shared);
    let lines = platform.carts.entry(id.clone()).or_default();
    match body["quantity"].as_u64().unwrap() as u32 {
        0 => lines.retain(|line| line.0 != item),
        quantity => lines.iter_mut().filter(|line| line.0 == item).for_each(|line| line.1 = quantity),
    }
    Json(cart_json(&id, lines))
}

async fn quote(State(shared): State<Shared>, Json(body): Json<Value>) -> Json<Value> {
    let cart = body["cartId"].as_str().unwrap();
    let (lines, total) = order_lines(&locked(&shared).carts[cart]);
    Json(json!({"quoteId": "q", "cartId": cart, "restaurantId": "bar", "lines": lines, "fees": [], "discounts": [],
        "subtotal": total, "total": total, "expiresAt": NOW}))
}

async fn place(State(shared): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let mut platform = locked(&shared);
    let marked = headers.get("baggage").is_some_and(|value| value == "synthetic=true")
        && headers.contains_key("x-feast-synthetic")
        && headers.contains_key("traceparent")
        && headers.contains_key(header::ORIGIN);
    platform.unmarked += u32::from(!marked);
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let attempt = platform.attempts.entry(key.clone()).and_modify(|n| *n += 1).or_insert(1).to_owned();
    if let Some(stored) = platform.by_key.get(&key) {
        return (StatusCode::CREATED, Json(stored.clone())).into_response();
    }
    platform.made += u32::from(attempt == 1);
    let lie = if platform.made % 3 == 0 { platform.lie } else { Lie::None };
    if lie == Lie::Flaky && attempt == 1 {
        let error = json!({"error": "x", "code": "SERVICE_UNAVAILABLE", "requestId": "r"});
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "0")], Json(error)).into_response();
    }
    let (lines, total) = order_lines(&platform.carts[body["cartId"].as_str().unwrap()]);
    let total = if lie == Lie::OtherPrice { total + 1.0 } else { total };
    let mut order = json!({"id": format!("o{}", platform.orders.len()), "customerName": body["customerName"], "restaurantId": "bar",
        "restaurantName": "Bar", "items": lines, "totalPrice": total, "status": "pending", "timestamp": NOW, "updatedAt": NOW,
        "specialInstructions": body["specialInstructions"]});
    let answered = order.clone();
    let owner = if lie == Lie::WrongOwner { "nobody".to_owned() } else { session(&headers) };
    if lie == Lie::OtherTotal {
        order["totalPrice"] = json!(total + 1.0);
    }
    if lie != Lie::Forget {
        platform.orders.push((owner.clone(), order.clone()));
    }
    if lie == Lie::Double {
        order["id"] = json!(format!("o{}", platform.orders.len()));
        platform.orders.push((owner, order));
    }
    platform.by_key.insert(key, answered.clone());
    if lie == Lie::LoseReply {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    (StatusCode::CREATED, Json(answered)).into_response()
}

async fn one_order(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    match locked(&shared).orders.iter().find(|(_, order)| order["id"] == json!(id)) {
        Some((_, order)) => Json(order.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Newest first, three to a page.
async fn orders(State(shared): State<Shared>, headers: HeaderMap, uri: axum::http::Uri) -> Response {
    let start: usize = uri.query().and_then(|query| query.strip_prefix("cursor=")).map_or(0, |cursor| cursor.parse().unwrap());
    let platform = locked(&shared);
    let own: Vec<&Value> = platform.orders.iter().rev().filter(|(owner, _)| *owner == session(&headers)).map(|(_, order)| order).collect();
    let page: Vec<&Value> = own.iter().skip(start).take(PAGE).copied().collect();
    let mut response = Json(page).into_response();
    if own.len() > start + PAGE {
        let link = format!("</api/orders?cursor={}>; rel=\"next\"", start + PAGE);
        response.headers_mut().insert(header::LINK, link.parse().unwrap());
    }
    response
}

pub fn router(lie: Lie) -> (Router, Shared) {
    let shared = Arc::new(Mutex::new(Platform {
        lie,
        carts: BTreeMap::new(),
        orders: Vec::new(),
        by_key: BTreeMap::new(),
        attempts: BTreeMap::new(),
        unmarked: 0,
        made: 0,
    }));
    let new_cart = || async {
        let id = uuid::Uuid::new_v4().to_string();
        (StatusCode::CREATED, Json(cart_json(&id, &[])))
    };
    let cart = |State(shared): State<Shared>, Path(id): Path<String>| async move {
        let lines = locked(&shared).carts.get(&id).cloned().unwrap_or_default();
        Json(cart_json(&id, &lines))
    };
    let router = Router::new()
        .route("/api/restaurants", get(restaurants))
        .route("/api/restaurants/{id}/menu", get(|| async { Json(vec![item("latte"), item("mocha"), item("tea")]) }))
        .route("/api/menu/{id}", get(|Path(id): Path<String>| async move { Json(item(&id)) }))
        .route("/api/cart", post(new_cart))
        .route("/api/cart/{id}", get(cart))
        .route("/api/cart/{id}/items", post(add))
        .route("/api/cart/{id}/items/{item}", axum::routing::patch(change))
        .route("/api/quotes", post(quote))
        .route("/api/orders", get(orders).post(place))
        .route("/api/orders/{id}", get(one_order))
        .route("/api/customers", get(|| async { Json(json!([])) }))
        .route("/api/customers/{name}/orders", get(|| async { Json(json!([])) }))
        .route("/api/ledger", get(ledger_of))
        .with_state(shared.clone());
    (router, shared)
}

/// Balanced, unless orders are made up.
async fn ledger_of(State(shared): State<Shared>) -> Json<Value> {
    let balanced = locked(&shared).lie != Lie::Double;
    let check = json!({"name": "orders", "says": "orders = answers", "left": 2, "right": 1, "inFlight": 0, "holds": balanced});
    Json(json!({"balanced": balanced, "settled": balanced, "checks": [check], "open": [], "at": NOW}))
}

/// What a run is told by the ledger, with an operator's token or without.
async fn balance(lie: Lie, token: Option<&str>) -> Balance {
    let (host, _, server) = serve(lie).await;
    let plan = Plan::new(&Args::parse_from(["loadgen", "--host", &host]));
    let limits = Limits { p95_ms: 1000, errors_percent: 5.0 };
    let run = Run::new(11, plan, limits, host, token.map(str::to_owned)).unwrap();
    let balance = ledger::wait(&run, std::time::Duration::ZERO).await;
    server.abort();
    balance
}

#[tokio::test]
async fn a_ledger_that_does_not_balance_fails_a_run_and_says_which_check() {
    let honest = balance(Lie::None, Some("t")).await;
    assert!(honest.holds() && honest.balanced && honest.broken.is_empty(), "{honest:?}");
    let broken = balance(Lie::Double, Some("t")).await;
    assert!(!broken.holds() && broken.broken == ["orders (orders = answers): 2 and 1, 0 in flight"], "{broken:?}");
}

#[tokio::test]
async fn without_an_operators_token_the_ledger_is_not_asked_and_nothing_fails() {
    let balance = balance(Lie::Double, None).await;
    assert!(balance.holds() && !balance.asked && !balance.balanced, "{balance:?}");
}

struct Outcome {
    run: Arc<Run>,
    check: Reconciliation,
    orders: Orders,
    unmarked: u32,
}

/// Serves the stand-in until its task is aborted.
async fn serve(lie: Lie) -> (String, Shared, tokio::task::JoinHandle<std::io::Result<()>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    let (router, shared) = router(lie);
    (host, shared, tokio::spawn(async move { axum::serve(listener, router).await }))
}

/// One user takes sixty rounds, without goose's clock around it.
async fn sixty_rounds(lie: Lie) -> Outcome {
    let (host, shared, server) = serve(lie).await;
    // A trickle takes turns instead of thinking; at this rate the turns are short.
    let args = Args::parse_from(["loadgen", "--preset", "trickle", "--host", &host]);
    let plan = Plan { requests_per_minute: Some(6_000_000), ..Plan::new(&args) };
    let run = Arc::new(Run::new(11, plan, Limits { p95_ms: 1000, errors_percent: 5.0 }, host.clone(), None).unwrap());
    let configuration = GooseConfiguration::parse_args_default(&["--host", host.as_str()]).unwrap();
    let mut user = GooseUser::single(host.parse().unwrap(), &configuration).unwrap();
    let shopper = run.admit(user.client.clone());
    for _ in 0..60 {
        journeys::round(Some(&mut user), &run, &shopper).await;
    }
    if lie == Lie::Forget {
        // A session that is closed before the end is compared all the same.
        run.close(&shopper).await;
        assert!(locked(&run.shoppers).is_empty());
    }
    let check = check_all(&run).await;
    let orders = crate::report::Report::new(
        &run,
        std::time::SystemTime::now(),
        std::time::Duration::from_secs(1),
        check.clone(),
        Balance::default(),
    )
    .await
    .orders;
    server.abort();
    let unmarked = locked(&shared).unmarked;
    Outcome { run, check, orders, unmarked }
}

fn errors(outcome: &Outcome) -> BTreeMap<String, u64> {
    outcome.run.measure.summary().total.errors_by_code
}

#[tokio::test]
async fn an_honest_platform_is_found_honest() {
    let outcome = sixty_rounds(Lie::None).await;
    assert!(outcome.check.clean, "{:?}", outcome.check);
    assert!(errors(&outcome).is_empty(), "{:?}", errors(&outcome));
    assert!(outcome.orders.accepted > 20 && outcome.orders.accepted == outcome.orders.intended, "{:?}", outcome.orders);
    assert_eq!(outcome.check.orders_read, outcome.orders.accepted);
    assert_eq!(outcome.unmarked, 0, "every order is marked, traced and carries the shop's origin");
    let journeys = locked(&outcome.run.journeys).clone();
    let purchases = journeys["purchase"];
    assert_eq!(purchases.abandoned, purchases.started / 10);
    assert_eq!(purchases.started, purchases.completed + purchases.abandoned);
    assert!((40..=55).contains(&journeys["browse"].started), "{journeys:?}");
    assert!((10..=26).contains(&journeys["history"].started), "{journeys:?}");
    let named: Vec<String> = outcome.run.measure.summary().by_name.into_iter().map(|row| row.name).collect();
    assert!(named.iter().all(|name| !name.contains("load-")), "no name holds an id: {named:?}");
}

#[tokio::test]
async fn a_forgotten_order_is_lost() {
    let outcome = sixty_rounds(Lie::Forget).await;
    assert!(outcome.check.findings.lost.len() > 5 && !outcome.check.clean, "{:?}", outcome.check);
}

#[tokio::test]
async fn an_order_stored_twice_is_doubled() {
    let outcome = sixty_rounds(Lie::Double).await;
    assert!(outcome.check.findings.doubled.len() > 5 && !outcome.check.clean, "{:?}", outcome.check);
}

#[tokio::test]
async fn an_order_stored_with_another_total_is_wrong() {
    let outcome = sixty_rounds(Lie::OtherTotal).await;
    assert!(outcome.check.findings.wrong.len() > 5 && !outcome.check.clean, "{:?}", outcome.check);
}

#[tokio::test]
async fn an_order_of_another_session_is_lost_to_its_owner() {
    let outcome = sixty_rounds(Lie::WrongOwner).await;
    let lost = &outcome.check.findings.lost;
    assert!(lost.len() > 5 && lost.iter().all(|finding| finding.detail.contains("does not list it")), "{lost:?}");
    assert!(errors(&outcome).contains_key("200 wrong: the newest order is not on the first page"), "{:?}", errors(&outcome));
}

#[tokio::test]
async fn another_price_than_quoted_is_an_error_though_the_status_is_201() {
    let outcome = sixty_rounds(Lie::OtherPrice).await;
    assert!(errors(&outcome)["201 wrong: the price differs from what was quoted"] > 1);
    assert!(outcome.check.clean, "the server kept what it answered: {:?}", outcome.check);
}

#[tokio::test]
async fn a_passing_fault_is_retried_with_the_same_key() {
    let outcome = sixty_rounds(Lie::Flaky).await;
    assert!(errors(&outcome)["503 SERVICE_UNAVAILABLE"] > 5, "each failed try is an error");
    assert_eq!(outcome.orders.accepted, outcome.orders.intended);
    assert!(outcome.check.clean, "{:?}", outcome.check);
}

#[tokio::test]
async fn an_order_whose_reply_was_lost_is_found() {
    let outcome = sixty_rounds(Lie::LoseReply).await;
    assert!(outcome.check.findings.open_made.len() > 5, "{:?}", outcome.check);
    assert!(outcome.check.clean, "{:?}", outcome.check);
    assert_eq!(outcome.orders.intended, outcome.orders.accepted + outcome.orders.refused_count());
}

#[tokio::test]
async fn a_short_run_ends_by_itself_and_leaves_its_reports() {
    let (host, _, server) = serve(Lie::None).await;
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("load");
    let args = Args::parse_from(["loadgen", "--host", &host, "--users", "3", "--duration", "3s", "--report-dir", folder.to_str().unwrap()]);
    let report = crate::carry_out(args).await.unwrap();
    server.abort();
    assert!(report.passed && report.users == 3 && report.orders.intended == report.orders.accepted, "{:?}", report.limits);
    let json: Value = serde_json::from_slice(&std::fs::read(folder.join("report.json")).unwrap()).unwrap();
    assert_eq!(json["runId"], json!(report.run_id));
    assert_eq!(json["requests"]["total"]["count"], json!(report.requests.total.count));
    assert_eq!(json["reconciliation"]["lost"], json!([]));
    let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.contains("passed") && page.contains("GET /api/restaurants/{id}/menu") && page.contains("graphs.html"));
    assert!(folder.join("graphs.html").exists());
}
