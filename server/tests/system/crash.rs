//! `kill -9` at the worst moments: what was accepted stands, what was not leaves no trace.

use crate::harness::{LATTE, Mode, Platform, on_both_platforms, placed};
use futures::stream::{FuturesUnordered, StreamExt};
use serde_json::Value;
use std::time::Duration;
use testkit::eventually;

on_both_platforms! {
    a_crash_between_reservation_and_commit_leaves_no_stock_missing_and_no_order,
    every_order_that_was_accepted_is_read_back_after_a_crash,
    an_order_that_a_hanging_middleware_answers_too_late_takes_no_stock,
    a_process_that_is_asked_to_stop_answers_what_is_in_flight_and_ends_well,
}

const HEALS_WITHIN: Duration = Duration::from_secs(2);

async fn a_crash_between_reservation_and_commit_leaves_no_stock_missing_and_no_order(platform: &Platform) {
    platform.set_stock(LATTE, 100).await;
    let cart = platform.cart_with(&[(LATTE, 3)]).await;
    // Each write of the order book waits first: the commit comes a good while after the reservation.
    platform.flip("store-slow", "order-300-ms").await;
    let crash = async {
        eventually("stock is taken", Duration::from_secs(5), async || platform.stock(LATTE).await == 97).await;
        platform.kill("order");
    };
    let (answer, ()) = futures::join!(platform.order(&cart).key("crash").try_send(), crash);
    if let Ok(answer) = answer {
        answer.refused(503, "SERVICE_UNAVAILABLE", "through the gateway");
    }
    if !platform.running_services().is_empty() {
        platform.clear("store-slow").await;
    }
    platform.restart("order").await;
    eventually("the stock is back", HEALS_WITHIN, async || platform.stock(LATTE).await == 100).await;
    assert!(platform.orders().await.is_empty());
    assert!(platform.log_of("order").contains("Gave up unfinished order"), "the order was there, and was given up");

    // A cart in memory went with its process; the customer fills another, and the key is free.
    let still_there = platform.http.get(&format!("/api/cart/{cart}")).send().await.status == 200;
    let cart = if still_there { cart } else { platform.cart_with(&[(LATTE, 3)]).await };
    eventually("the same key orders", HEALS_WITHIN, async || platform.order(&cart).key("crash").send().await.status == 201).await;
    assert_eq!((platform.orders().await.len(), platform.stock(LATTE).await), (1, 97));
}

const CUSTOMERS: u32 = 60;
const ACCEPTED_BEFORE_CRASH: usize = 20;

/// The call-policy table gives it three seconds.
const LONGER_THAN_A_RESERVATION_MAY_TAKE: Duration = Duration::from_millis(3_500);

async fn every_order_that_was_accepted_is_read_back_after_a_crash(platform: &Platform) {
    platform.set_stock(LATTE, 1_000).await;
    let mut accepted = Vec::new();
    for service in ["order", "middleware", "cart"] {
        accepted.extend(orders_during_a_crash(platform, service).await);
        eventually("orders are read again", HEALS_WITHIN, async || platform.http.get("/api/orders").operator().send().await.status == 200)
            .await;
        let stored: Vec<Value> = platform.orders().await.iter().map(placed).collect();
        for order in &accepted {
            assert!(stored.contains(&placed(order)), "{order} was accepted before {service} crashed, and is lost");
            let id = order["id"].as_str().unwrap();
            let read = platform.http.get(&format!("/api/orders/{id}")).operator().send().await.expect(200);
            assert_eq!(placed(&read), placed(order));
        }
        // Those whose answer never came may stand too, each once; stock knows exactly which do.
        eventually(&format!("stock is what was sold ({service})"), HEALS_WITHIN, async || {
            let sold: i64 = platform.orders().await.iter().map(|order| order["items"][0]["quantity"].as_i64().unwrap()).sum();
            platform.stock(LATTE).await == 1_000 - sold
        })
        .await;
    }
}

/// Kills a service in the middle of many orders and starts it again; answers the orders that were accepted.
async fn orders_during_a_crash(platform: &Platform, service: &str) -> Vec<Value> {
    let mut carts = Vec::new();
    for n in 0..CUSTOMERS {
        carts.push(platform.cart_with(&[(LATTE, 1 + n % 3)]).await);
    }
    let mut orders: FuturesUnordered<_> = carts.iter().map(|cart| platform.order(cart).try_send()).collect();
    let mut accepted = Vec::new();
    while let Some(answer) = orders.next().await {
        match answer {
            Ok(answer) if answer.status == 201 => accepted.push(answer.json()),
            Ok(answer) => answer.refused(503, "SERVICE_UNAVAILABLE", service),
            Err(_) => assert_eq!(platform.mode, Mode::Embedded, "only a gateway that is killed answers nothing"),
        }
        if accepted.len() == ACCEPTED_BEFORE_CRASH {
            platform.kill(service);
        }
    }
    assert!(accepted.len() >= ACCEPTED_BEFORE_CRASH, "{}", accepted.len());
    platform.restart(service).await;
    accepted
}

async fn an_order_that_a_hanging_middleware_answers_too_late_takes_no_stock(platform: &Platform) {
    platform.set_stock(LATTE, 100).await;
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    platform.hang("middleware");
    let (answer, ()) = futures::join!(platform.order(&cart).key("hang").send(), async {
        tokio::time::sleep(LONGER_THAN_A_RESERVATION_MAY_TAKE).await;
        platform.go_on("middleware");
    });
    match platform.mode {
        // The one process did nothing at all for a while: what was on its way then is done now, or given up for being late.
        Mode::Embedded => assert!(matches!(answer.status, 201 | 504), "{}", answer.status),
        Mode::Split => answer.refused(504, "TIMEOUT", "the reservation"),
    }
    eventually("the same order goes through", HEALS_WITHIN, async || platform.order(&cart).key("hang").send().await.status == 201).await;
    eventually("stock is what was sold", HEALS_WITHIN, async || platform.stock(LATTE).await == 99).await;
    assert_eq!(platform.orders().await.len(), 1);
}

async fn a_process_that_is_asked_to_stop_answers_what_is_in_flight_and_ends_well(platform: &Platform) {
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    platform.flip("store-slow", "order-300-ms").await;
    let ordering = platform.order(&cart).send();
    let stopping = async {
        eventually("stock is taken", Duration::from_secs(5), async || {
            platform.stocks().await.as_array().unwrap().iter().any(|level| level["itemId"] == LATTE)
        })
        .await;
        platform.stop(Duration::from_secs(12)).await
    };
    let (order, ends) = futures::join!(ordering, stopping);
    order.expect(201);
    for (name, status) in ends {
        assert!(status.success(), "{name}: {status}");
    }
}
