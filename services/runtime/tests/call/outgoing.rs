//! What leaves a client.

use crate::peer::{Peer, answer};
use crate::{call, client, remote};
use axum::body::Body;
use bytes::Bytes;
use contract::client::{Call, Transport};
use http::{Method, Request};
use runtime::call::policy;
use runtime::context::{self, RequestContext, Role};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

async fn fine() -> Peer {
    Peer::start(|| answer(200, "{}")).await
}

#[tokio::test]
async fn a_call_arrives_as_it_was_meant() {
    let peer = fine().await;
    let (client, _) = client(remote(&[peer.address]), None);
    let path = "/cart/%F0%9F%9B%92/items?x=1&y=%2F".to_owned();
    let body = Bytes::from_static("{\"itemId\":\"café\"}".as_bytes());
    let reply =
        client.call(Call { name: "cart.add_item", method: Method::POST, path, body, idempotency_key: Some("key-1".to_owned()) }).await;
    assert_eq!(reply.unwrap().status, 200);
    let asked = &peer.asked()[0];
    assert_eq!((&asked.method, asked.path.as_str()), (&Method::POST, "/cart/%F0%9F%9B%92/items?x=1&y=%2F"));
    assert_eq!(asked.body, "{\"itemId\":\"café\"}");
    assert_eq!(asked.header("idempotency-key"), Some("key-1"));
    assert_eq!((asked.header("content-type"), asked.header("accept")), (Some("application/json"), Some("application/json")));
    assert_eq!(asked.header("host"), Some(peer.address.to_string().as_str()));
}

#[tokio::test]
async fn a_reply_comes_back_whole_whatever_its_status() {
    let peer = Peer::start(|| {
        let mut response = answer(429, "{\"code\":\"RATE_LIMITED\"}");
        response.headers_mut().insert("retry-after", "7".parse().unwrap());
        response.headers_mut().insert("link", "</api/orders?cursor=a>; rel=\"next\"".parse().unwrap());
        response
    })
    .await;
    let (client, _) = client(remote(&[peer.address]), None);
    let reply = client.call(call("cart.get")).await.unwrap();
    assert_eq!((reply.status, reply.retry_after_s), (429, Some(7)));
    assert_eq!(&reply.body[..], b"{\"code\":\"RATE_LIMITED\"}");
    assert_eq!(reply.link.as_deref(), Some("</api/orders?cursor=a>; rel=\"next\""));
}

#[tokio::test]
async fn whoever_asks_is_known_on_the_other_side() {
    let peer = fine().await;
    let (client, _) = client(remote(&[peer.address]), Some("secret"));
    let context = Arc::new(RequestContext {
        service: "order",
        request_id: "request-1".into(),
        session: Some("session-1".into()),
        client: Some("client-1".into()),
        role: Role::Operator,
        synthetic: true,
        restaurant: Some("cosmic-coffee".into()),
        city: Some("Berlin".into()),
        deadline: None,
        ..RequestContext::default()
    });
    context::scope(context, client.call(call("cart.get"))).await.unwrap();
    let asked = &peer.asked()[0];
    for (name, value) in [
        ("x-feast-internal", "secret"),
        ("x-request-id", "request-1"),
        ("x-feast-session", "session-1"),
        ("x-feast-client", "client-1"),
        ("x-feast-role", "operator"),
        ("baggage", "synthetic=true,restaurant=cosmic-coffee,city=Berlin"),
    ] {
        assert_eq!(asked.header(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn a_customer_without_a_session_is_nobody_on_the_other_side() {
    let peer = fine().await;
    let (client, _) = client(remote(&[peer.address]), None);
    client.call(call("cart.get")).await.unwrap();
    for name in ["x-feast-internal", "x-feast-session", "x-feast-client", "x-feast-role", "baggage"] {
        assert_eq!(peer.asked()[0].header(name), None, "{name}");
    }
}

#[tokio::test]
async fn what_a_passed_on_request_says_of_itself_is_replaced() {
    let peer = fine().await;
    let (client, _) = client(remote(&[peer.address]), Some("secret"));
    let names = ["x-feast-internal", "x-feast-session", "x-feast-client", "x-feast-role", "x-feast-deadline-ms"];
    let forged = names.iter().fold(Request::get("/cart/c"), |request, name| request.header(*name, "999999"));
    client.send(policy("gateway.proxy"), forged.body(Body::empty()).unwrap()).await.unwrap();
    let asked = &peer.asked()[0];
    assert_eq!(asked.header("x-feast-internal"), Some("secret"));
    assert!(names[1..].iter().all(|name| asked.header(name) != Some("999999")), "{asked:?}");
}

#[tokio::test]
async fn the_time_that_is_left_travels_along_and_shrinks() {
    let peer = fine().await;
    let (client, _) = client(remote(&[peer.address]), None);
    let left = |asked: usize| peer.asked()[asked].header("x-feast-deadline-ms").unwrap().parse::<u64>().unwrap();
    client.call(call("cart.get")).await.unwrap();
    assert_eq!(left(0), policy("cart.get").timeout_ms, "nobody is in a hurry");

    let hurry = |deadline| Arc::new(RequestContext { deadline: Some(deadline), ..RequestContext::default() });
    let deadline = Instant::now() + Duration::from_millis(1_500);
    context::scope(hurry(deadline), async {
        client.call(call("cart.get")).await.unwrap();
        let first = left(1);
        assert!(first <= 1_500, "{first}");
        while Instant::now() + Duration::from_millis(first) < deadline + Duration::from_millis(5) {
            tokio::task::yield_now().await;
        }
        client.call(call("cart.get")).await.unwrap();
        assert!(left(2) < first, "{} then {}", first, left(2));
    })
    .await;

    let far = Instant::now() + Duration::from_secs(3_600);
    context::scope(hurry(far), client.call(call("cart.get"))).await.unwrap();
    assert_eq!(left(3), policy("cart.get").timeout_ms, "the rule for the call still counts");
}

#[tokio::test]
async fn the_trace_goes_on_on_the_other_side() {
    let peer = fine().await;
    let (client, _) = client(remote(&[peer.address]), None);
    let span = tracing::info_span!("handler");
    let trace = runtime::telemetry::propagation::trace_id(&span).unwrap();
    client.call(call("cart.get")).instrument(span).await.unwrap();
    let parent = peer.asked()[0].header("traceparent").unwrap().to_owned();
    assert_eq!(parent.split('-').nth(1), Some(trace.as_str()), "{parent}");
}
