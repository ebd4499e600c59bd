//! How often a call is sent, counted where it arrives.

use crate::peer::{Peer, answer, hangs_up};
use crate::{call, client, remote};
use contract::Code;
use contract::client::Transport;
use runtime::call::POLICIES;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_broken_connection_is_tried_again_only_when_that_is_harmless() {
    for policy in POLICIES {
        let (address, count) = hangs_up("").await;
        let (client, _) = client(remote(&[address]), None);
        assert_eq!(client.call(call(policy.name)).await.unwrap_err().code, Code::ServiceUnavailable);
        let expected = if policy.idempotent { policy.attempts } else { 1 };
        assert_eq!(count.load(Ordering::SeqCst), expected as usize, "{}", policy.name);
    }
}

#[tokio::test]
async fn calls_that_add_or_order_are_never_sent_twice() {
    for name in ["cart.create", "cart.add_item", "order.place", "order.set_status", "gateway.proxy", "a call without a rule"] {
        let (address, count) = hangs_up("").await;
        let (client, _) = client(remote(&[address]), None);
        client.call(call(name)).await.unwrap_err();
        assert_eq!(count.load(Ordering::SeqCst), 1, "{name}");
    }
}

#[tokio::test]
async fn a_second_try_that_is_answered_is_the_answer() {
    let (broken, count) = hangs_up("").await;
    let peer = Peer::start(|| answer(200, "{}")).await;
    let (client, _) = client(remote(&[broken, peer.address]), None);
    assert_eq!(client.call(call("middleware.reserve")).await.unwrap().status, 200);
    assert_eq!((count.load(Ordering::SeqCst), peer.count()), (1, 1));
}

#[tokio::test]
async fn a_proxy_that_found_nobody_is_asked_again_and_an_answered_error_is_not() {
    let proxy = Peer::start(|| answer(502, "")).await;
    let (asking, _) = client(remote(&[proxy.address]), None);
    assert_eq!(asking.call(call("cart.get")).await.unwrap().status, 502);
    assert_eq!(proxy.count(), 2);
    assert_eq!(asking.call(call("cart.add_item")).await.unwrap().status, 502);
    assert_eq!(proxy.count(), 3);

    let down = Peer::start(|| answer(503, "{}")).await;
    let (asking, _) = client(remote(&[down.address]), None);
    assert_eq!(asking.call(call("cart.get")).await.unwrap().status, 503);
    assert_eq!(down.count(), 1, "it said when to come back");
}
