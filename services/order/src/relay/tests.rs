use super::{BATCH, drain};
use crate::fakes::{Bench, Fault, request};
use crate::place::Placed;
use contract::pricing::ReservationState;
use contract::{CartId, Code, OrderId};
use runtime::clock::Clock;
use std::time::Duration;
use testkit::flip;

/// Longer than the first back-off, whatever it is.
const LATER: Duration = Duration::from_secs(1);

async fn ordered(bench: &Bench, cart: &str) -> (OrderId, CartId) {
    let cart = bench.world.cart(cart);
    match bench.state.place(request(&cart), None).await {
        Ok(Placed::New(order)) => (order.id, cart),
        _ => panic!("not placed"),
    }
}

#[tokio::test]
async fn an_accepted_order_keeps_its_stock_and_its_cart_goes() {
    let bench = Bench::new().await;
    let (order, cart) = ordered(&bench, "c").await;
    assert!(bench.world.has_cart(&cart), "ordering does not wait for it");
    drain(&bench.state).await;
    assert_eq!((bench.world.reservation(&order), bench.world.has_cart(&cart)), (Some(ReservationState::Confirmed), false));
    assert!(bench.due().await.is_empty());
}

#[tokio::test]
async fn an_empty_outbox_asks_nobody() {
    let bench = Bench::new().await;
    assert!(!drain(&bench.state).await);
    assert_eq!((bench.world.count("middleware.confirm"), bench.world.count("cart.delete")), (0, 0));
}

#[tokio::test]
async fn many_orders_are_confirmed_by_one_call() {
    let bench = Bench::new().await;
    for n in 0..20 {
        ordered(&bench, &format!("c{n}")).await;
    }
    drain(&bench.state).await;
    assert_eq!((bench.world.count("middleware.confirm"), bench.world.count("cart.delete")), (1, 20));
    assert!(bench.due().await.is_empty());
}

#[tokio::test]
async fn a_full_batch_says_that_there_may_be_more() {
    let bench = Bench::new().await;
    // Two tasks an order: one batch and a half.
    for n in 0..BATCH * 3 / 4 {
        ordered(&bench, &format!("c{n}")).await;
    }
    assert!(drain(&bench.state).await);
    assert_eq!(bench.due().await.len() as u32, BATCH / 2);
    assert!(!drain(&bench.state).await);
    assert!(bench.due().await.is_empty());
}

#[tokio::test]
async fn both_are_tried_again_with_back_off_until_they_answer() {
    for fault in [Fault::Refused, Fault::Answers(Code::StoreUnavailable), Fault::LostReply] {
        let bench = Bench::new().await;
        let (order, cart) = ordered(&bench, "c").await;
        bench.world.fault("middleware.confirm", fault);
        bench.world.fault("cart.delete", fault);
        for attempt in 1..=3 {
            assert!(!drain(&bench.state).await, "a failed batch does not ask for more at once");
            assert!(bench.due().await.is_empty(), "{fault:?}: it waits");
            let before = bench.world.count("middleware.confirm");
            drain(&bench.state).await;
            assert_eq!(bench.world.count("middleware.confirm"), before, "{fault:?}: and asks nobody meanwhile");
            bench.clock.advance(LATER);
            assert!(bench.due().await.iter().all(|row| row.attempts == attempt), "{fault:?}");
        }
        bench.world.heal();
        drain(&bench.state).await;
        assert_eq!((bench.world.reservation(&order), bench.world.has_cart(&cart)), (Some(ReservationState::Confirmed), false));
        bench.clock.advance(LATER * 3600);
        assert!(bench.due().await.is_empty(), "{fault:?}");
    }
}

#[tokio::test]
async fn carts_that_cannot_be_removed_do_not_keep_stock_from_being_confirmed() {
    let bench = Bench::new().await;
    let (order, cart) = ordered(&bench, "c").await;
    bench.world.fault("cart.delete", Fault::Refused);
    drain(&bench.state).await;
    assert_eq!((bench.world.reservation(&order), bench.world.has_cart(&cart)), (Some(ReservationState::Confirmed), true));
    bench.world.heal();
    bench.clock.advance(LATER);
    assert_eq!(bench.due().await.len(), 1);
    drain(&bench.state).await;
    assert!(!bench.world.has_cart(&cart));
    assert_eq!(bench.world.count("middleware.confirm"), 1);
}

#[tokio::test]
async fn stock_that_cannot_be_confirmed_does_not_keep_carts_from_being_removed() {
    let bench = Bench::new().await;
    let (order, cart) = ordered(&bench, "c").await;
    bench.world.fault("middleware.confirm", Fault::Refused);
    drain(&bench.state).await;
    assert_eq!((bench.world.reservation(&order), bench.world.has_cart(&cart)), (Some(ReservationState::Reserved), false));
}

#[tokio::test]
async fn a_cart_that_is_gone_already_is_as_good_as_removed() {
    let bench = Bench::new().await;
    let (_, cart) = ordered(&bench, "c").await;
    bench.state.carts.delete(&cart).await.unwrap();
    drain(&bench.state).await;
    bench.clock.advance(LATER);
    assert!(bench.due().await.is_empty());
}

#[tokio::test]
async fn delivering_twice_is_as_good_as_once() {
    let bench = Bench::new().await;
    let (order, cart) = ordered(&bench, "c").await;
    let left = bench.world.left();
    // The outbox goes down after the deliveries and before they are noted.
    let platform = bench.platform.clone();
    bench.world.when("cart.delete", move || async move { flip(&platform, "store-down", "order") });
    assert!(!drain(&bench.state).await);
    flip(&bench.platform, "store-down", "off");
    assert_eq!(bench.due().await.len(), 2);
    drain(&bench.state).await;
    assert_eq!((bench.world.count("middleware.confirm"), bench.world.count("cart.delete")), (2, 2));
    assert_eq!((bench.world.reservation(&order), bench.world.has_cart(&cart)), (Some(ReservationState::Confirmed), false));
    assert_eq!(bench.world.left(), left);
    assert!(bench.due().await.is_empty());
}

#[tokio::test]
async fn an_outbox_that_cannot_be_read_is_read_later() {
    let bench = Bench::new().await;
    ordered(&bench, "c").await;
    flip(&bench.platform, "store-down", "order");
    assert!(!drain(&bench.state).await);
    flip(&bench.platform, "store-down", "off");
    let now = bench.clock.now();
    assert_eq!(bench.state.book.due(now, 10).await.unwrap().len(), 2);
    drain(&bench.state).await;
    assert!(bench.due().await.is_empty());
}
