//! The whole service on a bus: what it hears, sends and shows, also when it dies on the way.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod world;

use contract::client::MessageFilter;
use contract::notification::{Channel, MessageStatus, Preferences};
use contract::order::OrderStatus::{Accepted, Assigned, Delivered, Paid, Pending, PickedUp, Preparing, Ready, Rejected};
use notification::worker::KEEP_SYNTHETIC;
use std::time::Duration;
use world::{Mood, World, of_load, refunded, step};

const WAY: [contract::order::OrderStatus; 8] = [Pending, Paid, Accepted, Preparing, Ready, Assigned, PickedUp, Delivered];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_orders_way_is_told_and_shown() {
    let world = World::start().await;
    world.tell(WAY.map(|status| step(1, status)).into()).await;
    world.sent(6).await;
    let (messages, next) = world.client.messages(&MessageFilter::default(), None).await.unwrap();
    let seen: Vec<_> = messages.iter().rev().map(|message| (message.channel, message.status)).collect();
    let channels = [Channel::Email, Channel::Push, Channel::Push, Channel::Sms, Channel::Push, Channel::Email];
    assert_eq!(seen, channels.map(|channel| (channel, MessageStatus::Sent)));
    assert!(messages.iter().all(|message| message.to == "Ada" && message.sent_at.is_some()));
    assert_eq!(next, None);
    assert_eq!(world.taken().len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_comes_twice_is_told_once() {
    let world = World::start().await;
    world.tell(vec![step(1, Pending)]).await;
    world.sent(1).await;
    world.is_quiet().await;
    world.tell(vec![step(1, Pending)]).await;
    world.tell(vec![step(2, Pending)]).await;
    world.sent(2).await;
    world.is_quiet().await;
    assert_eq!(world.taken(), ["order-1/order.created/email", "order-2/order.created/email"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_is_told_to_whom_the_order_belonged() {
    let world = World::start().await;
    world.tell(vec![step(1, Rejected)]).await;
    world.sent(2).await;
    world.tell(vec![refunded(1)]).await;
    world.sent(3).await;
    let (messages, _) = world.client.messages(&MessageFilter::default(), None).await.unwrap();
    assert_eq!((messages[0].to.as_str(), messages[0].channel), ("Ada", Channel::Email));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_choose_what_they_hear_by() {
    let world = World::start().await;
    assert_eq!(world.client.preferences("session-1").await.unwrap(), Preferences::default());
    let wish = Preferences { email: false, sms: true, push: false };
    assert_eq!(world.client.set_preferences("session-1", &wish).await.unwrap(), wish);
    assert_eq!(world.client.preferences("session-1").await.unwrap(), wish);
    world.tell(WAY.map(|status| step(1, status)).into()).await;
    world.tell(vec![step(2, Pending)]).await;
    world.sent(2).await;
    world.is_quiet().await;
    assert_eq!(world.taken(), ["order-1/order.pickedUp/sms", "order-2/order.created/email"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_lead_to_the_next() {
    let world = World::start().await;
    world.tell((1..=120).map(|n| step(n, Pending)).collect()).await;
    world.sent(120).await;
    let (mut seen, mut cursor, mut pages) = (Vec::new(), None, 0);
    loop {
        let (page, next) = world.client.messages(&MessageFilter::default(), cursor.as_deref()).await.unwrap();
        seen.extend(page.into_iter().map(|message| message.order_id.to_string()));
        pages += 1;
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((seen, pages), ((1..=120).rev().map(|n| format!("order-{n}")).collect(), 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_does_not_answer_is_tried_again_until_it_does() {
    let world = World::start().await;
    world.mood(Mood::Unreachable);
    world.tell((1..=20).map(|n| step(n, Pending)).collect()).await;
    world.eventually("everything was tried", async || world.tried() >= 20).await;
    assert_eq!(world.total("sent").await, 0);
    world.mood(Mood::Open);
    world
        .eventually("everything is sent", async || {
            world.pass(Duration::from_secs(1));
            world.total("sent").await == 20
        })
        .await;
    assert_eq!(world.taken().len(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_refused_is_given_up() {
    let world = World::start().await;
    world.mood(Mood::Refusing);
    world.tell(vec![step(1, Pending)]).await;
    world.eventually("it is given up", async || world.total("failed").await == 1).await;
    assert_eq!((world.total("queued").await, world.tried()), (0, 1));
    assert_eq!(world.client.messages(&MessageFilter::default(), None).await.unwrap().0[0].status, MessageStatus::Failed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_a_dead_process_left_are_sent_by_the_next() {
    let mut world = World::start().await;
    world.mood(Mood::Mute);
    world.tell((1..=30).map(|n| step(n, Pending)).collect()).await;
    world.eventually("all are written down", async || world.total("queued").await == 30).await;
    world.restart().await;
    world.sent(30).await;
    world.is_quiet().await;
    assert_eq!(world.taken().len(), 30);
    world.restart().await;
    world.tell(vec![step(31, Pending)]).await;
    world.sent(31).await;
    assert_eq!(world.taken(), ["order-31/order.created/email"], "what was sent is not sent again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_may_be_replicas_the_next_one_waits_for_the_lease_to_end() {
    let mut world = World::at_scale().await;
    world.mood(Mood::Mute);
    world.tell((1..=30).map(|n| step(n, Pending)).collect()).await;
    world.eventually("all are written down", async || world.total("queued").await == 30).await;
    world.restart().await;
    world.pass(Duration::from_secs(6));
    world.sent(30).await;
    assert_eq!(world.taken().len(), 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_load_are_bounded() {
    let world = World::start().await;
    let more = KEEP_SYNTHETIC + 300;
    for first in (1..=more).step_by(500) {
        world.tell((first..(first + 500).min(more + 1)).map(|n| of_load(step(n, Pending))).collect()).await;
    }
    world.tell(vec![step(1_000_000, Pending)]).await;
    world.sent(i64::from(more) + 1).await;
    world
        .eventually("old ones are removed", async || {
            world.pass(Duration::from_secs(6));
            world.kept().await == i64::from(KEEP_SYNTHETIC) + 1
        })
        .await;
    assert_eq!(world.total("sent").await, i64::from(more) + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_forgets_every_message_and_the_service_goes_on() {
    let world = World::start().await;
    world.tell(vec![step(1, Delivered)]).await;
    world.sent(2).await;
    world.client.upkeep().reset().await.unwrap();
    assert_eq!(world.client.messages(&MessageFilter::default(), None).await.unwrap().0, []);
    world.tell(vec![step(2, Pending)]).await;
    world.sent(1).await;
}
