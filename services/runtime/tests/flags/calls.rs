//! What flags make of calls between services, through the client that makes all of them.

use super::*;
use async_trait::async_trait;
use contract::client::{Call, Transport};
use runtime::call::{ClientParts, NoResponse, ServiceClient, Target};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::time::Instant;

/// Counts what reaches it, and answers 200 or nothing.
#[derive(Clone, Default)]
struct Peer {
    asked: Arc<AtomicUsize>,
    down: bool,
}

#[async_trait]
impl Target for Peer {
    async fn send(&self, _: Request<Body>) -> Result<Response<Body>, NoResponse> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.down { Err(NoResponse::Unreachable) } else { Ok(Response::new(Body::from("{}"))) }
    }
}

fn client(control: &FlagControl, clock: &ManualClock, peer: Peer) -> ServiceClient {
    let parts = ClientParts {
        caller: "order",
        service: "middleware",
        token: None,
        clock: Arc::new(clock.clone()),
        chaos: chaos(control, "order"),
        meter: meter(),
    };
    ServiceClient::new(Box::new(peer), parts)
}

async fn call(client: &ServiceClient, name: &'static str) -> Result<(), contract::Code> {
    let call = Call { name, method: http::Method::GET, path: "/x".to_owned(), body: bytes::Bytes::new(), idempotency_key: None };
    client.call(call).await.map(drop).map_err(|error| error.code)
}

#[tokio::test]
async fn without_the_breaker_every_call_to_a_dead_service_goes_out_and_with_it_only_five() {
    let (control, clock) = control();
    for (variant, reached) in [("on", 5), ("off", 20), ("after-50-failures", 20)] {
        control.set("circuit-breaker", variant, None, Audience::Everyone).unwrap();
        let peer = Peer { down: true, ..Peer::default() };
        let client = client(&control, &clock, peer.clone());
        for _ in 0..20 {
            assert_eq!(call(&client, "cart.create").await, Err(contract::Code::ServiceUnavailable));
        }
        assert_eq!(peer.asked.load(Ordering::SeqCst), reached, "{variant}");
    }
}

#[tokio::test]
async fn the_breaker_is_back_as_soon_as_the_flag_is() {
    let (control, clock) = control();
    let peer = Peer { down: true, ..Peer::default() };
    let client = client(&control, &clock, peer.clone());
    flip(&control, "circuit-breaker", "off");
    for _ in 0..20 {
        call(&client, "cart.create").await.unwrap_err();
    }
    control.clear_all().unwrap();
    for _ in 0..20 {
        call(&client, "cart.create").await.unwrap_err();
    }
    assert_eq!(peer.asked.load(Ordering::SeqCst), 20);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_hangs_costs_the_time_out_until_the_breaker_opens() {
    let (control, clock) = control();
    let peer = Peer::default();
    let client = client(&control, &clock, peer.clone());
    flip(&control, "middleware-unreachable", "hangs");
    for n in 0..10 {
        let started = Instant::now();
        let failed = call(&client, "middleware.quote").await.unwrap_err();
        if n < 5 {
            assert_eq!(failed, contract::Code::Timeout);
            assert!(started.elapsed() >= Duration::from_secs(2), "{:?}", started.elapsed());
        } else {
            assert_eq!(failed, contract::Code::ServiceUnavailable);
            assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
        }
    }
    assert_eq!(peer.asked.load(Ordering::SeqCst), 0, "nothing was sent");
    control.clear_all().unwrap();
    clock.advance(Duration::from_secs(1));
    assert_eq!(call(&client, "middleware.quote").await, Ok(()));
}

#[tokio::test]
async fn a_service_that_is_not_ready_is_not_called_but_asked_whether_it_is() {
    let (control, clock) = control();
    let peer = Peer::default();
    let client = client(&control, &clock, peer.clone());
    flip(&control, "readiness-failure", "middleware");
    assert_eq!(call(&client, "middleware.quote").await, Err(contract::Code::ServiceUnavailable));
    assert_eq!(peer.asked.load(Ordering::SeqCst), 0);
    assert_eq!(call(&client, "health.ready").await, Ok(()));
    control.clear_all().unwrap();
    assert_eq!(call(&client, "middleware.quote").await, Ok(()));
}
