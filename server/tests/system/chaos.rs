//! `cart-chaos-errors`, measured: the chosen share fails, after the chosen delay, and nothing else is touched.

use crate::harness::{Answer, Ask, Platform, on_both_platforms};
use futures::stream::{self, StreamExt};
use serde_json::json;
use std::time::Duration;
use testkit::eventually;

on_both_platforms! {
    every_second_addition_fails_at_once_and_neighbours_never,
    fifteen_percent_of_additions_fail_after_two_seconds_and_the_others_are_as_fast_as_ever,
    five_percent_of_synthetic_additions_fail_and_nobody_elses,
    a_fault_ends_by_itself_when_its_time_is_over,
}

const FLAG: &str = "cart-chaos-errors";
const ADDITIONS: usize = 1_000;
const AT_ONCE: usize = 64;

/// Additions that fit into one cart: five of each of eight drinks.
const PER_CART: usize = 40;

/// `n` additions, each to a line that has room for it.
async fn additions(platform: &Platform, n: usize, mark: fn(Ask) -> Ask) -> Vec<Answer> {
    let menu = platform.http.get("/api/menu").send().await.expect(200);
    let dishes: Vec<&str> = menu.as_array().unwrap().iter().map(|dish| dish["id"].as_str().unwrap()).collect();
    let mut carts = Vec::new();
    for _ in 0..n.div_ceil(PER_CART) {
        carts.push(platform.new_cart().await);
    }
    let asks = (0..n).map(|at| mark(platform.add(&carts[at / PER_CART], dishes[at % dishes.len()], 1)).send());
    stream::iter(asks).buffer_unordered(AT_ONCE).collect().await
}

fn from_customers(ask: Ask) -> Ask {
    ask
}

/// Checks every failure and the share of them; answers those that went well.
#[track_caller]
fn assert_share(answers: Vec<Answer>, percent: f64, delay: Duration) -> Vec<Answer> {
    let n = answers.len() as f64;
    let (well, failed): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    for answer in &failed {
        answer.refused(503, "FEATURE_FLAG_CHAOS", "injected");
        assert!(answer.took >= delay, "{:?} is less than the delay", answer.took);
    }
    let (expected, seen) = (percent / 100.0, failed.len() as f64 / n);
    let standard_error = (expected * (1.0 - expected) / n).sqrt();
    assert!((seen - expected).abs() <= 3.0 * standard_error, "{seen} of {n} failed, expected {expected} ± {standard_error}");
    well
}

fn median(answers: &[Answer]) -> Duration {
    let mut times: Vec<Duration> = answers.iter().map(|answer| answer.took).collect();
    times.sort_unstable();
    times[times.len() / 2]
}

async fn every_second_addition_fails_at_once_and_neighbours_never(platform: &Platform) {
    let cart = platform.cart_with(&[("rocket-fuel", 1)]).await;
    platform.flip(FLAG, "50-percent").await;
    let neighbours = async {
        for _ in 0..50 {
            platform.cart(&cart).await;
            platform.http.ask("POST", "/api/cart").send().await.expect(201);
            platform.http.patch(&format!("/api/cart/{cart}/items/rocket-fuel"), json!({"quantity": 2})).send().await.expect(200);
            platform.http.get("/api/menu").send().await.expect(200);
            platform.quote(&cart).send().await.expect(200);
        }
    };
    let (answers, ()) = futures::join!(additions(platform, ADDITIONS, from_customers), neighbours);
    assert_share(answers, 50.0, Duration::ZERO);
    platform.clear(FLAG).await;
    assert_share(additions(platform, 100, from_customers).await, 0.0, Duration::ZERO);
}

async fn fifteen_percent_of_additions_fail_after_two_seconds_and_the_others_are_as_fast_as_ever(platform: &Platform) {
    platform.flip(FLAG, "15-percent-after-2s").await;
    let well = assert_share(additions(platform, ADDITIONS, from_customers).await, 15.0, Duration::from_secs(2));
    assert!(median(&well) < Duration::from_millis(200), "successes take {:?}", median(&well));
}

async fn five_percent_of_synthetic_additions_fail_and_nobody_elses(platform: &Platform) {
    platform.flip_as(FLAG, json!({"variant": "5-percent", "audience": {"kind": "synthetic"}})).await;
    assert_share(additions(platform, ADDITIONS, Ask::synthetic).await, 5.0, Duration::ZERO);
    // At five percent, this many of a reached audience would hardly go well by chance.
    assert_share(additions(platform, 400, from_customers).await, 0.0, Duration::ZERO);
    assert_share(additions(platform, 100, |ask| ask.header("baggage", "synthetic=true")).await, 0.0, Duration::ZERO);
}

async fn a_fault_ends_by_itself_when_its_time_is_over(platform: &Platform) {
    let variant = async || {
        let flags = platform.http.get("/api/flags").operator().send().await.expect(200);
        flags.as_array().unwrap().iter().find(|flag| flag["key"] == FLAG).unwrap()["variant"].clone()
    };
    platform.flip_as(FLAG, json!({"variant": "50-percent", "ttlSeconds": 1})).await;
    assert_eq!(variant().await, "50-percent");
    assert!(additions(platform, 40, from_customers).await.iter().any(|answer| answer.status == 503));
    eventually("the flip is over", Duration::from_secs(3), async || variant().await == "off").await;
    eventually("additions go well", Duration::from_secs(1), async || {
        additions(platform, 40, from_customers).await.iter().all(|answer| answer.status == 200)
    })
    .await;
    assert_share(additions(platform, 200, from_customers).await, 0.0, Duration::ZERO);
}
