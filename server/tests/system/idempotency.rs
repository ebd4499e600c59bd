//! One cart makes one order, however often and however it is sent.

use crate::harness::{Answer, LATTE, Platform, on_both_platforms, purchase};
use futures::future::join_all;
use serde_json::json;
use std::time::Duration;
use testkit::eventually;

on_both_platforms! {
    a_cart_sent_four_times_at_once_makes_one_order,
    a_repeated_key_answers_the_same_order_and_another_body_is_refused,
    a_request_whose_twin_is_being_worked_on_is_told_to_come_back,
    an_order_whose_customer_hung_up_is_brought_to_its_end,
}

/// Rounds of the race.
const ROUNDS: usize = 8;

async fn a_cart_sent_four_times_at_once_makes_one_order(platform: &Platform) {
    type Key = fn(usize, usize) -> Option<String>;
    let same: Key = |round, _| Some(format!("same-{round}"));
    let different: Key = |round, n| Some(format!("different-{round}-{n}"));
    let mut expected = 0;
    for key in [same, different, |_, _| None] {
        for round in 0..ROUNDS {
            let cart = platform.cart_with(&[(LATTE, 1)]).await;
            let answers = join_all((0..4).map(|n| {
                let order = platform.order(&cart);
                match key(round, n) {
                    Some(key) => order.key(&key).send(),
                    None => order.send(),
                }
            }))
            .await;
            assert_one_order(&answers, key(0, 0) == key(0, 1));
            expected += 1;
        }
    }
    assert_eq!(platform.orders().await.len(), expected);
}

/// All successes are the same order; whoever got none was told why.
fn assert_one_order(answers: &[Answer], one_key: bool) {
    let (made, others): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert!(!made.is_empty() && (one_key || made.len() == 1), "{answers:?}");
    assert!(made.iter().all(|answer| answer.json()["id"] == made[0].json()["id"]), "{answers:?}");
    for answer in others {
        let code = answer.code();
        let told = code == "IDEMPOTENCY_IN_FLIGHT" || !one_key && code == "CART_ALREADY_ORDERED";
        assert!(answer.status == 409 && told, "{answer:?}");
    }
}

async fn a_repeated_key_answers_the_same_order_and_another_body_is_refused(platform: &Platform) {
    platform.set_stock(LATTE, 100).await;
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    let first = platform.order(&cart).key("k-1").send().await;
    assert_eq!(first.header("idempotent-replayed"), "");
    for _ in 0..3 {
        let again = platform.order(&cart).key("k-1").send().await;
        assert_eq!((again.expect(201), again.header("idempotent-replayed")), (first.expect(201), "true"));
    }
    let mut other = purchase(&cart);
    other["customerName"] = json!("Bob");
    platform.http.post("/api/orders", other).key("k-1").send().await.refused(422, "IDEMPOTENCY_MISMATCH", "another name");
    let other = platform.cart_with(&[(LATTE, 1)]).await;
    platform.order(&other).key("k-1").send().await.refused(422, "IDEMPOTENCY_MISMATCH", "another cart");
    platform.order(&cart).key("k-2").send().await.refused(409, "CART_ALREADY_ORDERED", "another key");
    // A key is its sender's own: another session's request under it is another request.
    let browser = platform.browser();
    browser.get("/").await;
    let theirs = browser.send(browser.ask("POST", "/api/orders").json(&purchase(&other)).key("k-1")).await.expect(201);
    assert_ne!(theirs["id"], first.json()["id"]);
    for wrong in ["", &"k".repeat(201)] {
        platform.order(&other).key(wrong).send().await.refused(400, "INVALID_BODY", wrong);
    }
    assert_eq!((platform.orders().await.len(), platform.stock(LATTE).await), (2, 98));
}

async fn a_request_whose_twin_is_being_worked_on_is_told_to_come_back(platform: &Platform) {
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    // Both have begun long before either is done.
    platform.flip("store-slow", "order-300-ms").await;
    let (one, other) = futures::join!(platform.order(&cart).key("twin").send(), platform.order(&cart).key("twin").send());
    platform.clear("store-slow").await;
    let (done, told) = if one.status == 201 { (one, other) } else { (other, one) };
    told.refused(409, "IDEMPOTENCY_IN_FLIGHT", "the twin");
    assert_eq!(told.header("retry-after"), "1");
    assert_eq!(platform.order(&cart).key("twin").send().await.expect(201), done.expect(201));
}

async fn an_order_whose_customer_hung_up_is_brought_to_its_end(platform: &Platform) {
    platform.set_stock(LATTE, 100).await;
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    platform.flip("store-slow", "order-300-ms").await;
    let hanging_up = async {
        eventually("stock is taken", Duration::from_secs(5), async || platform.stock(LATTE).await == 99).await;
    };
    tokio::select! {
        answer = platform.order(&cart).key("hasty").send() => panic!("the order was quicker: {answer:?}"),
        () = hanging_up => {}
    }
    eventually("the order stands", Duration::from_secs(3), async || platform.orders().await.len() == 1).await;
    platform.clear("store-slow").await;
    let found = platform.order(&cart).key("hasty").send().await;
    assert_eq!((found.expect(201)["id"].clone(), found.header("idempotent-replayed")), (platform.orders().await[0]["id"].clone(), "true"));
    assert_eq!((platform.orders().await.len(), platform.stock(LATTE).await), (1, 99));
}
