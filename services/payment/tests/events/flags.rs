//! The bank is slow, declines or is away because a flag says so; afterwards all adds up.

use crate::world::{PATIENCE, World, cancelled, ordered, ordered_by};
use contract::event::Fact;
use contract::payment::PaymentStatus;
use std::time::Duration;
use testkit::flip;
use tokio::time::Instant;

/// What forty orders cost, the n-th 1 000 cents and n.
fn sum(orders: impl Iterator<Item = u32>) -> i64 {
    orders.map(|n| 1_000 + i64::from(n)).sum()
}

async fn adds_up(world: &World) {
    let [charged, refunded, at_the_bank, back] = world.money().await;
    assert_eq!((charged, refunded), (at_the_bank, back), "our books and the bank's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_bank_declines_orders_fail_with_a_reason_and_cost_nothing() {
    for world in [World::start().await, World::at_scale().await] {
        flip(&world.platform, "payment-failure", "all");
        world.tell((1..=20).map(ordered).collect()).await;
        for n in 1..=20 {
            let told = world.hears(&format!("order-{n}"), "payment.failed").await;
            assert!(matches!(&told.fact, Fact::PaymentFailed(fact) if fact.reason.as_deref() == Some("Your bank declined the card.")));
        }
        assert_eq!(world.money().await, [0, 0, 0, 0]);
        flip(&world.platform, "payment-failure", "off");
        world.tell(vec![ordered(21)]).await;
        world.hears("order-21", "payment.completed").await;
        world.is_quiet().await;
        assert_eq!(world.money().await, [1_021, 0, 1_021, 0]);
        let payment = world.client.get(&"order-1".into()).await.unwrap();
        assert_eq!((payment.status, payment.method.as_str()), (PaymentStatus::Failed, "card"), "and it says how it was to be paid");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_is_declined_and_the_others_are_paid() {
    let world = World::start().await;
    flip(&world.platform, "payment-failure", "50-percent");
    world.tell((1..=100).map(ordered).collect()).await;
    world.is_quiet().await;
    let paid = world.total("charges").await;
    assert!((20..=80).contains(&paid), "{paid} of 100 are paid");
    adds_up(&world).await;
    // A refund is a refund, whatever the bank thinks of charges.
    world.tell((1..=100).map(cancelled).collect()).await;
    world.is_quiet().await;
    let [charged, refunded, ..] = world.money().await;
    assert_eq!(charged, refunded);
    adds_up(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_bank_took_before_is_not_declined_when_it_is_asked_again() {
    let mut world = World::start().await;
    world.mood(crate::world::Mood::Mute);
    world.tell(vec![ordered(1)]).await;
    world.eventually("the bank has the money", async || world.money().await == [0, 0, 1_001, 0]).await;
    world.restart_with(|platform| flip(platform, "payment-failure", "all")).await;
    world.hears("order-1", "payment.completed").await;
    assert_eq!(world.money().await, [1_001, 0, 1_001, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bank_that_cannot_be_reached_loses_nothing() {
    for world in [World::start().await, World::at_scale().await] {
        flip(&world.platform, "payment-unreachable", "all");
        world.tell((1..=30).map(ordered).collect()).await;
        world.eventually("all are written down", async || world.total("payments").await == 30).await;
        world.tell((1..=5).map(cancelled).collect()).await;
        let called_off = async || world.status("order-5").await == Some(PaymentStatus::Refunding);
        world.eventually("the cancelled are called off", called_off).await;
        assert_eq!((world.asked(), world.money().await), (0, [0, 0, 0, 0]), "nothing arrives there");
        flip(&world.platform, "payment-unreachable", "off");
        world
            .eventually("all are settled", async || {
                world.pass(Duration::from_secs(1));
                world.client.ledger().await.unwrap().open.is_empty()
            })
            .await;
        for n in 6..=30 {
            world.hears(&format!("order-{n}"), "payment.completed").await;
        }
        assert_eq!(world.money().await, [sum(6..=30), 0, sum(6..=30), 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_bank_holds_up_neither_the_next_order_nor_the_news() {
    let world = World::start().await;
    flip(&world.platform, "payment-slow", "1-s");
    let began = Instant::now();
    world.tell((1..=200).map(ordered).collect()).await;
    world.eventually("all are heard", async || world.total("payments").await == 200).await;
    for n in 1..=200 {
        world.hears(&format!("order-{n}"), "payment.completed").await;
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(1), "{took:?}");
    // One after the other they would have taken two hundred seconds.
    assert!(took < PATIENCE, "{took:?}");
    assert_eq!(world.money().await, [sum(1..=200), 0, sum(1..=200), 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_slow_bank_goes_on_when_the_flag_is_off() {
    let world = World::start().await;
    flip(&world.platform, "payment-slow", "10-s");
    let began = Instant::now();
    world.tell(vec![ordered(1), ordered_by(2, "wallet"), ordered(3)]).await;
    world.eventually("all are heard", async || world.total("payments").await == 3).await;
    // Cancelled while it waits, it is never charged.
    world.tell(vec![cancelled(3)]).await;
    world.eventually("it is called off", async || world.status("order-3").await == Some(PaymentStatus::Refunding)).await;
    assert_eq!(world.asked(), 0);
    flip(&world.platform, "payment-slow", "off");
    world.hears("order-1", "payment.completed").await;
    world.hears("order-2", "payment.completed").await;
    world.eventually("it is void", async || world.status("order-3").await == Some(PaymentStatus::Void)).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(world.money().await, [2_003, 0, 2_003, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_does_not_wait_for_a_slow_bank_and_nothing_is_charged_behind_it() {
    let world = World::start().await;
    flip(&world.platform, "payment-slow", "1-s");
    world.tell(vec![ordered(1), ordered(2)]).await;
    world.eventually("both are heard", async || world.total("payments").await == 2).await;
    world.client.upkeep().reset().await.unwrap();
    world.tell(vec![ordered(3)]).await;
    world.hears("order-3", "payment.completed").await;
    world.is_quiet().await;
    assert_eq!((world.asked(), world.money().await), (1, [1_003, 0, 1_003, 0]));
}
