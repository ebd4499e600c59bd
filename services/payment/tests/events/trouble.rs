//! The bank is away, or we are.

use crate::world::{Mood, World, cancelled, ordered};
use contract::payment::PaymentStatus;
use payment::worker::AT_THE_BANK;
use std::time::Duration;
use testkit::flip;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bank_that_does_not_answer_is_asked_again_until_it_does() {
    let world = World::start().await;
    world.mood(Mood::Unreachable);
    world.tell((1..=20).map(ordered).collect()).await;
    world.eventually("everybody was asked about", async || world.asked() >= 20).await;
    assert_eq!(world.money().await, [0, 0, 0, 0]);
    world.mood(Mood::Open);
    world.pass(Duration::from_secs(10));
    for n in 1..=20 {
        world.hears(&format!("order-{n}"), "payment.completed").await;
    }
    let sum: i64 = (1..=20).map(|n| 1_000 + n).sum();
    assert_eq!(world.money().await, [sum, 0, sum, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_cancelled_while_the_bank_is_away_is_never_charged() {
    let world = World::start().await;
    world.mood(Mood::Unreachable);
    world.tell(vec![ordered(1)]).await;
    world.eventually("the bank was asked", async || world.asked() >= 1).await;
    world.tell(vec![cancelled(1)]).await;
    world.eventually("it is called off", async || world.status("order-1").await == Some(PaymentStatus::Refunding)).await;
    world.mood(Mood::Open);
    world
        .eventually("it is void", async || {
            world.pass(Duration::from_secs(1));
            world.status("order-1").await == Some(PaymentStatus::Void)
        })
        .await;
    assert_eq!(world.money().await, [0, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_charge_whose_answer_we_did_not_live_to_hear_is_made_once() {
    let mut world = World::start().await;
    world.mood(Mood::Mute);
    world.tell((1..=5).map(ordered).collect()).await;
    let sum: i64 = (1..=5).map(|n| 1_000 + n).sum();
    world.eventually("the bank has the money", async || world.money().await == [0, 0, sum, 0]).await;
    world.restart().await;
    for n in 1..=5 {
        world.hears(&format!("order-{n}"), "payment.completed").await;
    }
    assert_eq!(world.money().await, [sum, 0, sum, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_whose_answer_we_did_not_live_to_hear_is_made_once() {
    let mut world = World::start().await;
    world.tell(vec![ordered(1)]).await;
    world.hears("order-1", "payment.completed").await;
    world.mood(Mood::Mute);
    world.tell(vec![cancelled(1)]).await;
    world.eventually("the bank gave it back", async || world.money().await == [1_001, 0, 1_001, 1_001]).await;
    world.restart().await;
    world.hears("order-1", "payment.refunded").await;
    assert_eq!(world.money().await, [1_001, 1_001, 1_001, 1_001]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_down_and_never_asked_is_asked_after_a_restart() {
    let mut world = World::start().await;
    world.mood(Mood::Unreachable);
    world.tell((1..=30).map(ordered).collect()).await;
    world.eventually("all are written down", async || world.total("payments").await == 30).await;
    world.restart().await;
    for n in 1..=30 {
        world.pass(Duration::from_secs(1));
        world.hears(&format!("order-{n}"), "payment.completed").await;
    }
    let sum: i64 = (1..=30).map(|n| 1_000 + n).sum();
    assert_eq!(world.money().await, [sum, 0, sum, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_when_all_is_done_changes_nothing() {
    let mut world = World::start().await;
    world.tell(vec![ordered(1), ordered(2)]).await;
    world.is_quiet().await;
    world.restart().await;
    world.tell(vec![ordered(3)]).await;
    world.hears("order-3", "payment.completed").await;
    world.is_quiet().await;
    assert_eq!(world.money().await, [3_006, 0, 3_006, 0]);
    assert_eq!(world.asked(), 1, "the bank is not asked about what is settled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn books_that_are_down_for_a_while_lose_no_payment() {
    let world = World::start().await;
    world.mood(Mood::Late);
    world.tell((1..=10).map(ordered).collect()).await;
    let sum: i64 = (1..=10).map(|n| 1_000 + n).sum();
    world.eventually("the bank has the money", async || world.money().await == [0, 0, sum, 0]).await;
    flip(&world.platform, "store-down", "all");
    world.mood(Mood::Open);
    world.eventually("all answers came", async || world.answered() == 10).await;
    flip(&world.platform, "store-down", "off");
    world
        .eventually("all are paid", async || {
            world.pass(Duration::from_secs(1));
            world.total("charges").await == 10
        })
        .await;
    let sum: i64 = (1..=10).map(|n| 1_000 + n).sum();
    assert_eq!(world.money().await, [sum, 0, sum, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_may_be_replicas_the_next_one_waits_for_the_lease_to_end() {
    let mut world = World::at_scale().await;
    world.tell((1..=50).map(ordered).collect()).await;
    for n in 1..=50 {
        world.hears(&format!("order-{n}"), "payment.completed").await;
    }
    world.mood(Mood::Mute);
    world.tell(vec![ordered(51), cancelled(1)]).await;
    let sum: i64 = (1..=50).map(|n| 1_000 + n).sum();
    world.eventually("the bank did both", async || world.money().await == [sum, 0, sum + 1_051, 1_001]).await;
    world.restart().await;
    world.pass(Duration::from_secs(6));
    world.hears("order-51", "payment.completed").await;
    world.hears("order-1", "payment.refunded").await;
    assert_eq!(world.money().await, [sum + 1_051, 1_001, sum + 1_051, 1_001]);
}

/// More than may be at the bank at once, so that some wait for a place there.
const CROWD: u32 = 1_100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_waits_for_nobody_at_the_bank_and_nobody_it_forgot_goes_there() {
    let world = World::start().await;
    world.mood(Mood::Late);
    world.tell((1..=CROWD).map(ordered).collect()).await;
    world.eventually("the bank is full", async || world.asked() == AT_THE_BANK).await;
    // Longer than any reset may take, the bank says nothing.
    world.client.upkeep().reset().await.unwrap();
    assert_eq!(world.money().await, [0, 0, 0, 0]);
    world.mood(Mood::Open);
    world.tell(vec![ordered(CROWD + 1)]).await;
    let new = format!("order-{}", CROWD + 1);
    world.eventually("the new order is paid", async || world.status(&new).await == Some(PaymentStatus::Completed)).await;
    world.is_quiet().await;
    assert_eq!((world.money().await, world.asked()), ([2_101, 0, 2_101, 0], AT_THE_BANK + 1));
}
