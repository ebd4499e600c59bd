//! Answers that begin and do not end, and callers who have no time for them.

use crate::{call, client, remote};
use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use contract::client::Transport;
use contract::{ApiError, Code};
use futures::StreamExt;
use futures::stream;
use http::{Request, Response};
use http_body_util::BodyExt;
use runtime::call::{NoResponse, STREAM_IDLE, ServiceClient, Target, policy};
use runtime::context::{self, RequestContext};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// Failures in a row that open the breaker: see `call/breaker.rs`.
const FAILURES_TO_OPEN: usize = 5;

/// Answers with a body of the test's, and counts how often.
#[derive(Clone)]
struct Answers(Arc<AtomicUsize>, fn() -> Body);

impl Answers {
    fn with(body: fn() -> Body) -> Self {
        Self(Arc::default(), body)
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Target for Answers {
    async fn send(&self, _: Request<Body>) -> Result<Response<Body>, NoResponse> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Response::new(self.1()))
    }
}

type Piece = Result<Bytes, std::io::Error>;

/// A piece, and then nothing, without an end.
fn stalling() -> Body {
    let first = stream::iter([Piece::Ok(Bytes::from_static(b"{\"id\":"))]);
    Body::from_stream(first.chain(stream::pending()))
}

/// A sign of life every quarter of a minute, for five minutes.
fn lively() -> Body {
    Body::from_stream(stream::iter(0..20).then(async |_| {
        sleep(Duration::from_secs(15)).await;
        Piece::Ok(Bytes::from_static(b":\n\n"))
    }))
}

fn enormous() -> Body {
    Body::from(vec![b' '; 5 * 1024 * 1024])
}

async fn failed(client: &ServiceClient, name: &'static str) -> ApiError {
    client.call(call(name)).await.unwrap_err()
}

/// Asks on behalf of somebody who waits only so long.
async fn in_a_hurry(client: &ServiceClient, within: Duration) -> ApiError {
    let context = RequestContext { deadline: Some(Instant::now() + within), ..RequestContext::default() };
    context::scope(Arc::new(context), failed(client, "cart.create")).await
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_ends_is_given_up_after_the_calls_time() {
    for name in ["cart.get", "middleware.confirm", "upkeep.reset"] {
        let (client, _) = client(Answers::with(stalling), None);
        let asked = Instant::now();
        assert_eq!(failed(&client, name).await.code, Code::Timeout);
        let (waited, allowed) = (asked.elapsed(), policy(name).timeout());
        assert!(waited >= allowed && waited < allowed + Duration::from_millis(10), "{name}: {waited:?}");
    }
}

#[tokio::test]
async fn an_answer_that_stalls_on_its_way_over_a_socket_is_given_up_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            // An answer to a question that was not asked is none.
            let asked = connection.read(&mut [0; 4_096]).await.unwrap();
            assert!(asked > 0);
            connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":").await.unwrap();
            open.push(connection);
        }
    });
    let (client, _) = client(remote(&[address]), None);
    let outcome = tokio::time::timeout(crate::DEADLINE, in_a_hurry(&client, Duration::from_millis(200))).await;
    assert_eq!(outcome.expect("somebody waits without end").code, Code::Timeout);
}

#[tokio::test(start_paused = true)]
async fn answers_that_never_end_open_the_breaker() {
    let answers = Answers::with(stalling);
    let (client, _) = client(answers.clone(), None);
    for _ in 0..FAILURES_TO_OPEN {
        assert_eq!(failed(&client, "cart.create").await.code, Code::Timeout);
    }
    assert_eq!(failed(&client, "cart.create").await.code, Code::ServiceUnavailable);
    assert_eq!(answers.count(), FAILURES_TO_OPEN, "nobody is asked any more");
}

#[tokio::test(start_paused = true)]
async fn callers_in_a_hurry_do_not_open_the_breaker() {
    let answers = Answers::with(stalling);
    let (client, _) = client(answers.clone(), None);
    for asked in 1..=FAILURES_TO_OPEN * 4 {
        assert_eq!(in_a_hurry(&client, Duration::from_millis(100)).await.code, Code::Timeout);
        assert_eq!(answers.count(), asked);
    }
    // Those who wait as long as the rule allows do.
    for _ in 0..FAILURES_TO_OPEN {
        in_a_hurry(&client, Duration::from_secs(3_600)).await;
    }
    assert_eq!(in_a_hurry(&client, Duration::from_millis(100)).await.code, Code::ServiceUnavailable);
}

#[tokio::test(start_paused = true)]
async fn what_is_passed_on_may_take_as_long_as_it_keeps_coming() {
    let (client, _) = client(Answers::with(lively), None);
    let asked = Instant::now();
    let response = client.send(policy("gateway.proxy"), Request::get("/x").body(Body::empty()).unwrap()).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body.len(), 20 * 3);
    assert!(asked.elapsed() >= Duration::from_secs(300), "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_is_passed_on_breaks_off_when_nothing_comes_any_more() {
    let (client, _) = client(Answers::with(stalling), None);
    let response = client.send(policy("gateway.proxy"), Request::get("/x").body(Body::empty()).unwrap()).await.unwrap();
    let asked = Instant::now();
    let mut body = response.into_body().into_data_stream();
    assert_eq!(body.next().await.unwrap().unwrap(), "{\"id\":");
    assert!(body.next().await.unwrap().is_err());
    assert!(asked.elapsed() >= STREAM_IDLE && asked.elapsed() < STREAM_IDLE * 2, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_our_mistake_and_asked_for_once() {
    let answers = Answers::with(enormous);
    let (client, _) = client(answers.clone(), None);
    for asked in 1..=FAILURES_TO_OPEN * 2 {
        assert_eq!(failed(&client, "cart.get").await.status, 500);
        assert_eq!(answers.count(), asked);
    }
}
