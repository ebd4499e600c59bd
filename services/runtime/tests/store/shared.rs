//! What replicas share through a real Redis.

use runtime::store::Shared;
use runtime::store::redis::Redis;
use std::time::Duration;
use testkit::{RedisServer, eventually};

const PATIENCE: Duration = Duration::from_secs(10);

/// Two replicas on one Redis.
async fn two(server: &RedisServer) -> [Shared; 2] {
    let one = async || Shared::new(Redis::connect(&server.url()).await.unwrap(), testkit::guard());
    [one().await, one().await]
}

#[tokio::test]
async fn a_mark_that_one_raises_the_other_sees_until_it_is_lowered_or_its_time_is_over() {
    let server = RedisServer::start();
    let [a, b] = two(&server).await;
    assert!(!b.is_up("closed").await.unwrap());
    a.raise("closed", Duration::from_secs(60)).await.unwrap();
    assert!(b.is_up("closed").await.unwrap() && a.is_up("closed").await.unwrap());
    b.lower("closed").await.unwrap();
    assert!(!a.is_up("closed").await.unwrap());
    a.raise("closed", Duration::from_millis(20)).await.unwrap();
    eventually("it ends by itself", PATIENCE, async || !b.is_up("closed").await.unwrap()).await;
}

#[tokio::test]
async fn a_client_has_one_allowance_at_both_and_another_client_its_own() {
    let server = RedisServer::start();
    let [a, b] = two(&server).await;
    let (every, burst) = (Duration::from_secs(3_600), 3);
    let mut admitted = Vec::new();
    for shared in [&a, &b, &a, &b, &a] {
        admitted.push(shared.admits("ada", every, burst).await.unwrap());
    }
    assert_eq!(admitted, [true, true, true, false, false]);
    assert!(b.admits("bo", every, burst).await.unwrap());
}

#[tokio::test]
async fn an_allowance_comes_back_with_time() {
    let server = RedisServer::start();
    let [a, b] = two(&server).await;
    let every = Duration::from_millis(30);
    assert!(a.admits("ada", every, 1).await.unwrap());
    eventually("there is room again", PATIENCE, async || b.admits("ada", every, 1).await.unwrap()).await;
}

#[tokio::test]
async fn without_redis_it_is_an_error_and_no_answer() {
    let mut server = RedisServer::start();
    let [a, _] = two(&server).await;
    server.kill();
    eventually("its end is noticed", PATIENCE, async || a.admits("ada", Duration::from_secs(1), 1).await.is_err()).await;
    assert!(a.is_up("closed").await.is_err());
}
