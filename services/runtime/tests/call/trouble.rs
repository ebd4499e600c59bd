//! What a client makes of a service that is down, slow, or comes back.

use crate::peer::{Peer, answer, hangs_up, nobody};
use crate::{DEADLINE, call, client, remote};
use async_trait::async_trait;
use axum::body::Body;
use contract::client::Transport;
use contract::{ApiError, Code};
use http::{Request, Response};
use runtime::call::{NoResponse, ServiceClient, Target};
use runtime::clock::ManualClock;
use runtime::context::{self, RequestContext};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::Instant;

/// Failures in a row that open the breaker, and for how long: see `call/breaker.rs`.
const FAILURES_TO_OPEN: usize = 5;
const OPEN_FOR: Duration = Duration::from_millis(500);

async fn failed(client: &ServiceClient, name: &'static str) -> ApiError {
    client.call(call(name)).await.unwrap_err()
}

/// A client whose breaker is open, its clock, and where it thinks the service is. Somebody listens there now.
async fn tripped() -> (ServiceClient, ManualClock, Peer) {
    let address = nobody().await;
    let (client, clock) = client(remote(&[address]), None);
    for _ in 0..FAILURES_TO_OPEN {
        assert_eq!(failed(&client, "cart.create").await.code, Code::ServiceUnavailable);
    }
    (client, clock, fine_at(address).await)
}

async fn fine_at(address: SocketAddr) -> Peer {
    Peer::start_at(TcpListener::bind(address).await.unwrap(), Some(|| answer(200, "{}"))).await
}

#[tokio::test]
async fn a_refused_connection_is_an_unavailable_service_at_once() {
    let (client, _) = client(remote(&[nobody().await]), None);
    let asked = Instant::now();
    let error = failed(&client, "cart.get").await;
    assert_eq!((error.code, error.status), (Code::ServiceUnavailable, 503));
    assert!(error.retry_after_s.is_some());
    assert!(error.message.contains("cart"), "{}", error.message);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_connection_that_breaks_is_an_unavailable_service() {
    let (address, _) = hangs_up("").await;
    let (client, _) = client(remote(&[address]), None);
    assert_eq!(failed(&client, "cart.create").await.code, Code::ServiceUnavailable);
}

#[tokio::test]
async fn a_reply_that_ends_too_early_is_an_unavailable_service() {
    let (address, _) = hangs_up("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":").await;
    let (client, _) = client(remote(&[address]), None);
    assert_eq!(failed(&client, "cart.create").await.code, Code::ServiceUnavailable);
}

#[tokio::test]
async fn a_reply_that_is_not_http_is_an_unavailable_service() {
    let (address, _) = hangs_up("SSH-2.0-OpenSSH_9.6\r\n\r\n").await;
    let (client, _) = client(remote(&[address]), None);
    assert_eq!(failed(&client, "cart.create").await.code, Code::ServiceUnavailable);
}

#[tokio::test]
async fn a_reply_larger_than_any_of_ours_is_not_kept() {
    let peer = Peer::start(|| Response::new(Body::from(vec![b'x'; 5 * 1024 * 1024]))).await;
    let (client, _) = client(remote(&[peer.address]), None);
    assert_eq!(failed(&client, "cart.create").await.code, Code::Internal);
}

#[tokio::test]
async fn a_service_that_is_silent_is_given_up_when_the_callers_time_is_over() {
    let peer = Peer::silent().await;
    let (client, _) = client(remote(&[peer.address]), None);
    let deadline = Instant::now() + Duration::from_millis(200);
    let hurry = Arc::new(RequestContext { deadline: Some(deadline), ..RequestContext::default() });
    let error = context::scope(hurry, failed(&client, "cart.get")).await;
    assert_eq!((error.code, error.status), (Code::Timeout, 504));
    assert!(Instant::now() >= deadline && Instant::now() < deadline + DEADLINE);
    assert_eq!(peer.count(), 1, "nobody waits for a second answer");
}

#[tokio::test]
async fn an_open_breaker_asks_nobody() {
    let (client, _, peer) = tripped().await;
    for _ in 0..10 {
        assert_eq!(failed(&client, "cart.create").await.code, Code::ServiceUnavailable);
    }
    assert_eq!(peer.count(), 0);
}

#[tokio::test]
async fn a_breaker_closes_when_the_service_is_back() {
    let (client, clock, peer) = tripped().await;
    clock.advance(OPEN_FOR);
    for _ in 0..10 {
        assert_eq!(client.call(call("cart.create")).await.unwrap().status, 200);
    }
    assert_eq!(peer.count(), 10);
}

#[tokio::test]
async fn a_breaker_stays_open_when_its_trial_fails() {
    let (client, clock, peer) = tripped().await;
    let address = peer.address;
    drop(peer);
    crate::peer::gone(address).await;
    clock.advance(OPEN_FOR);
    assert_eq!(failed(&client, "cart.create").await.code, Code::ServiceUnavailable);
    let peer = fine_at(address).await;
    assert_eq!(failed(&client, "cart.create").await.code, Code::ServiceUnavailable);
    assert_eq!(peer.count(), 0, "open again");
    clock.advance(OPEN_FOR);
    assert_eq!(client.call(call("cart.create")).await.unwrap().status, 200);
}

#[tokio::test]
async fn errors_that_the_service_answers_do_not_open_the_breaker() {
    let peer = Peer::start(|| answer(500, "{}")).await;
    let (client, _) = client(remote(&[peer.address]), None);
    for _ in 0..FAILURES_TO_OPEN * 4 {
        assert_eq!(client.call(call("cart.create")).await.unwrap().status, 500);
    }
    assert_eq!(peer.count(), FAILURES_TO_OPEN * 4);
}

#[tokio::test]
async fn several_addresses_are_used_in_turn() {
    let (one, other) = (Peer::start(|| answer(200, "{}")).await, Peer::start(|| answer(200, "{}")).await);
    let (client, _) = client(remote(&[one.address, other.address]), None);
    for _ in 0..10 {
        client.call(call("cart.create")).await.unwrap();
    }
    assert_eq!((one.count(), other.count()), (5, 5));
}

#[tokio::test]
async fn a_second_address_stands_in_for_one_that_is_down() {
    let peer = Peer::start(|| answer(200, "{}")).await;
    for addresses in [[nobody().await, peer.address], [peer.address, nobody().await]] {
        let (client, _) = client(remote(&addresses), None);
        for _ in 0..20 {
            assert_eq!(client.call(call("cart.get")).await.unwrap().status, 200);
        }
    }
    assert_eq!(peer.count(), 40);
}

#[tokio::test]
async fn a_service_that_was_restarted_is_used_again_by_the_next_call() {
    let peer = Peer::start(|| answer(200, "{}")).await;
    let address = peer.address;
    let (client, _) = client(remote(&[address]), None);
    client.call(call("cart.get")).await.unwrap();
    drop(peer);
    crate::peer::gone(address).await;
    assert_eq!(failed(&client, "cart.create").await.code, Code::ServiceUnavailable);
    let peer = fine_at(address).await;
    assert_eq!(client.call(call("cart.get")).await.unwrap().status, 200);
    assert_eq!(peer.count(), 1);
}

/// Never answers, without a socket. Counts who waits.
#[derive(Clone, Default)]
struct Silence(Arc<AtomicUsize>);

#[async_trait]
impl Target for Silence {
    async fn send(&self, _: Request<Body>) -> Result<Response<Body>, NoResponse> {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn more_calls_in_flight_than_allowed_are_refused_at_once() {
    let silence = Silence::default();
    let (client, _) = client(silence.clone(), None);
    let client = Arc::new(client);
    let waiting: Vec<_> = (0..1_024)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { failed(&client, "order.place").await.code })
        })
        .collect();
    while silence.0.load(Ordering::SeqCst) < waiting.len() {
        tokio::task::yield_now().await;
    }
    let asked = Instant::now();
    assert_eq!(failed(&client, "order.place").await.code, Code::Overloaded);
    assert_eq!(asked.elapsed(), Duration::ZERO);
    for call in waiting {
        assert_eq!(call.await.unwrap(), Code::Timeout);
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_is_given_up_after_the_time_its_rule_allows() {
    for policy in runtime::call::POLICIES {
        let (client, _) = client(Silence::default(), None);
        let asked = Instant::now();
        assert_eq!(failed(&client, policy.name).await.code, Code::Timeout, "{}", policy.name);
        let waited = asked.elapsed();
        assert!(waited >= policy.timeout() && waited < policy.timeout() + Duration::from_millis(10), "{}: {waited:?}", policy.name);
    }
}
