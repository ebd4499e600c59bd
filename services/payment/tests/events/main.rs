//! The whole service on a bus: what it hears, asks the bank and tells, also when it dies on the way.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod flags;
mod trouble;
mod world;

use contract::Code;
use contract::event::Fact;
use contract::payment::PaymentStatus;
use world::{World, cancelled, ordered, ordered_by, rejected};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_placed_is_paid() {
    let world = World::start().await;
    world.tell(vec![ordered(1)]).await;
    let told = world.hears("order-1", "payment.completed").await;
    assert!(matches!(&told.fact, Fact::PaymentCompleted(fact) if fact.amount.cents() == 1_001), "{told:?}");
    assert_eq!((told.session.as_deref(), told.city.as_str(), told.synthetic), (Some("session-1"), "Berlin", true));
    let payment = world.client.get(&"order-1".into()).await.unwrap();
    assert_eq!((payment.status, payment.amount.cents(), payment.method.as_str()), (PaymentStatus::Completed, 1_001, "card"));
    assert_eq!(world.client.get(&"order-2".into()).await.unwrap_err().code, Code::PaymentNotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_that_is_declined_fails_with_its_reason() {
    let world = World::start().await;
    world.tell(vec![ordered_by(1, "card-insufficient")]).await;
    let told = world.hears("order-1", "payment.failed").await;
    assert!(matches!(&told.fact, Fact::PaymentFailed(fact) if fact.reason.is_some()), "{told:?}");
    assert_eq!(world.money().await, [0, 0, 0, 0]);
    // It has ended; cancelling it takes nothing and tells nothing.
    world.tell(vec![cancelled(1)]).await;
    world.is_quiet().await;
    assert_eq!(world.client.get(&"order-1".into()).await.unwrap().status, PaymentStatus::Failed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_rejected_after_it_was_paid_is_refunded() {
    let world = World::start().await;
    world.tell(vec![ordered(1)]).await;
    world.hears("order-1", "payment.completed").await;
    world.tell(vec![rejected(1)]).await;
    world.hears("order-1", "payment.refunded").await;
    assert_eq!(world.money().await, [1_001, 1_001, 1_001, 1_001]);
    assert_eq!(world.client.get(&"order-1".into()).await.unwrap().status, PaymentStatus::Refunded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_cancelled_before_it_is_placed_costs_nothing() {
    let world = World::start().await;
    world.tell(vec![cancelled(1)]).await;
    world.tell(vec![ordered(1), ordered(2)]).await;
    world.hears("order-2", "payment.completed").await;
    world.is_quiet().await;
    assert_eq!(world.client.get(&"order-1".into()).await.unwrap().status, PaymentStatus::Void);
    assert_eq!(world.money().await, [1_002, 0, 1_002, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_that_are_cancelled_at_once_cost_nothing_in_the_end() {
    let world = World::start().await;
    for n in 1..=40 {
        world.tell(vec![ordered(n)]).await;
        world.tell(vec![cancelled(n)]).await;
    }
    world.is_quiet().await;
    let [charged, refunded, at_the_bank, back] = world.money().await;
    assert_eq!((charged, refunded), (at_the_bank, back));
    assert_eq!(charged, refunded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_comes_twice_changes_nothing() {
    let world = World::start().await;
    world.tell(vec![ordered(1)]).await;
    world.hears("order-1", "payment.completed").await;
    world.is_quiet().await;
    world.tell(vec![ordered(1)]).await;
    world.tell(vec![ordered(2)]).await;
    world.hears("order-2", "payment.completed").await;
    world.is_quiet().await;
    assert_eq!(world.money().await, [2_003, 0, 2_003, 0]);
    assert_eq!(world.asked(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_card_holds_nobody_else_up() {
    let world = World::start().await;
    world.tell(vec![ordered_by(1, "card-slow")]).await;
    world.tell((2..=200).map(ordered).collect()).await;
    for n in 2..=200 {
        world.hears(&format!("order-{n}"), "payment.completed").await;
    }
    assert_eq!(world.client.get(&"order-1".into()).await.unwrap().status, PaymentStatus::Charging);
    let open = world.client.ledger().await.unwrap().open;
    assert_eq!((open.len(), open[0].order_id.as_str(), open[0].owner.as_str()), (1, "order-1", "payment"));
    world.hears("order-1", "payment.completed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restaurants_are_paid_by_the_day() {
    let world = World::start().await;
    world.tell(vec![ordered(1), ordered(2)]).await;
    world.is_quiet().await;
    let settlement = world.client.settlement("2025-11-20").await.unwrap();
    assert_eq!((settlement.day.as_str(), settlement.net.cents(), settlement.lines.len()), ("2025-11-20", 2_003, 1));
    assert_eq!((settlement.lines[0].restaurant_id.as_str(), settlement.lines[0].charges), ("cosmic-coffee", 2));
    assert!(world.client.settlement("2025-11-19").await.unwrap().lines.is_empty());
    assert_eq!(world.client.settlement("yesterday").await.unwrap_err().code, Code::InvalidQuery);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_forgets_everything_and_the_service_goes_on() {
    let world = World::start().await;
    world.tell(vec![ordered(1)]).await;
    world.is_quiet().await;
    world.client.upkeep().reset().await.unwrap();
    assert_eq!(world.money().await, [0, 0, 0, 0]);
    assert_eq!(world.client.get(&"order-1".into()).await.unwrap_err().code, Code::PaymentNotFound);
    world.tell(vec![ordered(2)]).await;
    world.hears("order-2", "payment.completed").await;
    assert_eq!(world.money().await, [1_002, 0, 1_002, 0]);
}
