//! What only a store of its own can go through: it dies, comes back, or holds what is not ours.

use crate::carts::dish;
use cart::{CartStore, Lifespan, NAME, Outcome, RedisCarts, TTL, domain};
use contract::{CartId, Quantity};
use fred::prelude::*;
use runtime::store::StoreError;
use runtime::store::redis::Redis;
use std::time::{Duration, Instant};
use testkit::{MORNING, RedisServer, eventually};

/// A dead Redis is known to be dead after this long.
const KNOWN_DEAD: Duration = Duration::from_secs(3);

/// A Redis that is back is in use again after this long.
const HEALED: Duration = Duration::from_secs(2);

fn lifespan() -> Lifespan {
    Lifespan::new(runtime::chaos::Chaos::none())
}

async fn started() -> (RedisServer, RedisCarts) {
    let server = RedisServer::start();
    let carts = RedisCarts::new(server.connect().await, testkit::platform().0.guard(NAME, "carts", "redis"), lifespan());
    (server, carts)
}

async fn with_a_latte(carts: &RedisCarts, id: &str) -> CartId {
    let cart = domain::empty(id.into(), MORNING);
    carts.create(&cart).await.unwrap();
    let outcome = carts.change(&cart.id, &|cart| domain::add(cart, &dish("latte"), Quantity::new(2)?, None, MORNING)).await.unwrap();
    assert!(matches!(outcome, Outcome::Changed(_)), "{outcome:?}");
    cart.id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_killed_is_an_error_soon_and_heals_with_every_cart() {
    let (mut server, carts) = started().await;
    let id = with_a_latte(&carts, "c").await;
    server.written().await;

    server.kill();
    let asked = Instant::now();
    let new = domain::empty("d".into(), MORNING);
    let (read, written) = tokio::join!(carts.get(&id), carts.create(&new));
    for error in [read.unwrap_err(), written.unwrap_err()] {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    }
    assert!(asked.elapsed() < KNOWN_DEAD, "{:?}", asked.elapsed());

    server.restart();
    eventually("carts are read again", HEALED, || async {
        carts.get(&id).await.is_ok_and(|cart| cart.is_some_and(|cart| cart.count() == 2))
    })
    .await;
    // The new process has never seen the scripts: they are loaded again by whoever needs them.
    let outcome = carts.change(&id, &|cart| domain::set_quantity(cart, &"latte".into(), 5, MORNING)).await.unwrap();
    assert!(matches!(outcome, Outcome::Changed(cart) if cart.count() == 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_starts_before_its_redis_waits_for_it() {
    let (mut server, carts) = started().await;
    with_a_latte(&carts, "c").await;
    server.written().await;
    server.kill();
    let url = server.url();
    let connecting = tokio::spawn(async move { Redis::connect(&url).await });
    tokio::task::yield_now().await;
    server.restart();
    let redis = connecting.await.unwrap().unwrap();
    let carts = RedisCarts::new(redis, testkit::platform().0.guard(NAME, "carts", "redis"), lifespan());
    assert_eq!(carts.get(&"c".into()).await.unwrap().unwrap().count(), 2);
}

#[tokio::test]
async fn a_redis_that_has_forgotten_the_scripts_is_taught_them_again() {
    let (server, carts) = started().await;
    let id = with_a_latte(&carts, "c").await;
    let redis = server.connect().await;
    redis.pool().next().script_flush(false).await.unwrap();
    assert_eq!(carts.get(&id).await.unwrap().unwrap().count(), 2);
    redis.pool().next().script_flush(false).await.unwrap();
    let outcome = carts.change(&id, &|cart| domain::set_quantity(cart, &"latte".into(), 3, MORNING)).await.unwrap();
    assert!(matches!(outcome, Outcome::Changed(cart) if cart.count() == 3));
}

#[tokio::test]
async fn a_cart_lives_under_its_documented_key_for_an_hour() {
    let (server, carts) = started().await;
    with_a_latte(&carts, "c").await;
    let left_s: i64 = server.connect().await.pool().ttl("cart:c").await.unwrap();
    assert!(left_s > 0 && left_s.unsigned_abs() <= TTL.as_secs(), "{left_s}");
}

#[tokio::test]
async fn a_cart_that_cannot_be_read_is_an_error_and_not_a_missing_cart() {
    let (server, carts) = started().await;
    server.connect().await.pool().set::<(), _, _>("cart:c", "{not ours", None, None, false).await.unwrap();
    let id = CartId::new("c");
    assert!(matches!(carts.get(&id).await, Err(StoreError::Corrupt(_))));
    assert!(matches!(carts.change(&id, &|_| Ok(())).await, Err(StoreError::Corrupt(_))));
}
