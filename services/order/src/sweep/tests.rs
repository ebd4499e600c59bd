use super::{REMEMBER, STALE_AFTER, forget, sweep};
use crate::fakes::{Bench, Fault, STOCK, request};
use crate::store::{Begun, Intent, NewOrder, Whose};
use contract::pricing::{ReservationRequest, ReservationState};
use contract::{Money, OrderId};
use runtime::clock::Clock;
use std::time::Duration;
use testkit::flip;

const MOMENT: Duration = Duration::from_millis(1);

/// A process that died between reservation and commit.
async fn crashed(bench: &Bench, n: u32) -> OrderId {
    let id = OrderId::new(format!("crashed-{n}"));
    let intent = Intent {
        order_id: id.clone(),
        scope: "direct".to_owned(),
        key: format!("cart:{n}"),
        cart_id: bench.world.cart(&format!("cart-{n}")),
        body_hash: String::new(),
        at: bench.clock.now(),
    };
    assert_eq!(bench.state.book.begin(&intent).await.unwrap(), Begun::Started);
    let line = contract::pricing::LineRequest { item_id: "latte".into(), quantity: 2, base_price: Money::from_cents(599) };
    let reservation = ReservationRequest {
        order_id: id.clone(),
        lines: vec![line],
        time_zone: "UTC".to_owned(),
        quote_id: None,
        restaurant_id: None,
        promotion: None,
        way: None,
    };
    bench.state.middleware.reserve(&reservation).await.unwrap();
    id
}

#[tokio::test]
async fn stock_behind_a_crash_is_back_after_the_sweep() {
    let bench = Bench::new().await;
    let id = crashed(&bench, 1).await;
    assert_eq!(bench.world.left(), STOCK - 2);
    bench.clock.advance(STALE_AFTER + MOMENT);
    sweep(&bench.state, None).await.unwrap();
    assert_eq!((bench.world.left(), bench.world.reservation(&id)), (STOCK, Some(ReservationState::Released)));
    assert!(bench.unfinished().await.is_empty());
}

#[tokio::test]
async fn an_order_that_somebody_may_still_be_working_on_is_left_alone() {
    let bench = Bench::new().await;
    let id = crashed(&bench, 1).await;
    bench.clock.advance(STALE_AFTER);
    sweep(&bench.state, None).await.unwrap();
    assert_eq!((bench.world.left(), bench.unfinished().await), (STOCK - 2, vec![id]));
}

#[tokio::test]
async fn what_the_process_before_left_behind_is_given_up_at_once_when_the_book_is_ours_alone() {
    let bench = Bench::new().await;
    crashed(&bench, 1).await;
    bench.clock.advance(MOMENT);
    let started_at = bench.clock.now();
    let ours = crashed(&bench, 2).await;
    sweep(&bench.state, Some(started_at)).await.unwrap();
    assert_eq!((bench.world.left(), bench.unfinished().await), (STOCK - 2, vec![ours]));
}

#[tokio::test]
async fn an_order_that_stands_is_never_swept() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    let placed = bench.state.place(request(&cart), None).await;
    assert!(placed.is_ok());
    bench.clock.advance(STALE_AFTER * 100);
    sweep(&bench.state, Some(bench.clock.now())).await.unwrap();
    assert_eq!((bench.orders().await.len(), bench.world.left()), (1, STOCK - 2));
    assert_eq!(bench.world.count("middleware.release"), 0);
}

#[tokio::test]
async fn a_commit_that_comes_after_the_sweep_fails() {
    let bench = Bench::new().await;
    let id = crashed(&bench, 1).await;
    bench.clock.advance(STALE_AFTER + MOMENT);
    sweep(&bench.state, None).await.unwrap();
    // Any order will do: what counts is the intent, and that is gone.
    let cart = bench.world.cart("another");
    let crate::place::Placed::New(order) = bench.state.place(request(&cart), None).await.unwrap() else { panic!("replayed") };
    let late = NewOrder { order: contract::order::Order { id: id.clone(), ..order }, cart_id: "cart-1".into(), whose: Whose::default() };
    assert!(!bench.state.book.commit(&late).await.unwrap());
    assert_eq!(bench.state.book.find(&id).await.unwrap(), None);
}

#[tokio::test]
async fn what_cannot_be_released_is_tried_again_until_the_middleware_is_back() {
    let bench = Bench::new().await;
    for n in 0..10 {
        crashed(&bench, n).await;
    }
    bench.clock.advance(STALE_AFTER + MOMENT);
    bench.world.fault("middleware.release", Fault::Refused);
    sweep(&bench.state, None).await.unwrap();
    assert_eq!((bench.unfinished().await.len(), bench.world.left()), (10, STOCK - 20));
    assert!(bench.world.count("middleware.release") < 10, "one that is down is not asked for every order");
    bench.world.heal();
    sweep(&bench.state, None).await.unwrap();
    assert_eq!((bench.unfinished().await.len(), bench.world.left()), (0, STOCK));
}

#[tokio::test]
async fn a_release_whose_answer_was_lost_gives_back_once() {
    let bench = Bench::new().await;
    crashed(&bench, 1).await;
    bench.clock.advance(STALE_AFTER + MOMENT);
    bench.world.fault("middleware.release", Fault::LostReply);
    sweep(&bench.state, None).await.unwrap();
    assert_eq!((bench.unfinished().await.len(), bench.world.left()), (1, STOCK));
    bench.world.heal();
    sweep(&bench.state, None).await.unwrap();
    assert_eq!((bench.unfinished().await.len(), bench.world.left()), (0, STOCK));
}

#[tokio::test]
async fn a_store_that_is_down_is_swept_when_it_is_back() {
    let bench = Bench::new().await;
    crashed(&bench, 1).await;
    bench.clock.advance(STALE_AFTER + MOMENT);
    flip(&bench.platform, "store-down", "order");
    assert!(sweep(&bench.state, None).await.is_err());
    assert_eq!(bench.world.left(), STOCK - 2);
    flip(&bench.platform, "store-down", "off");
    sweep(&bench.state, None).await.unwrap();
    assert_eq!((bench.unfinished().await.len(), bench.world.left()), (0, STOCK));
}

#[tokio::test]
async fn answers_are_forgotten_after_a_day_and_orders_are_not() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    let replayed = async || match bench.state.place(request(&cart), Some("key".to_owned())).await {
        Ok(crate::place::Placed::Replayed(_)) => true,
        Ok(crate::place::Placed::New(_)) => false,
        Err(error) => panic!("{error}"),
    };
    assert!(!replayed().await);
    bench.clock.advance(REMEMBER);
    forget(&bench.state).await.unwrap();
    assert!(replayed().await);
    bench.clock.advance(MOMENT);
    forget(&bench.state).await.unwrap();
    assert!(!replayed().await, "a day later it is another order");
    assert_eq!(bench.orders().await.len(), 2);
}
