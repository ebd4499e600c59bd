//! Facts about events that arrive.

use super::world::{PATIENCE, Recorder, World, completed, event};
use contract::event::Event;
use runtime::events::bus::Parcel;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use testkit::eventually;

pub async fn what_a_transaction_tells_arrives_at_every_handler(world: World) {
    let order = world.teller("order").await;
    let (menu, payment) = (world.listener("menu").await, world.listener("payment").await);
    world.platform.open_bus();
    order.tell(vec![event("a", 1), event("b", 1)]).await;
    order.tell(vec![event("a", 2)]).await;
    for service in [&menu, &payment] {
        assert_eq!(service.sees(3).await, ["a/1", "b/1", "a/2"]);
        eventually("it is announced after the commit", PATIENCE, async || service.recorder.applied.load(Ordering::SeqCst) == 3).await;
    }
}

pub async fn what_a_failed_transaction_tells_arrives_nowhere(world: World) {
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    world.platform.open_bus();
    order.tell_in_vain(vec![event("never", 1)]).await;
    order.tell(vec![event("a", 1)]).await;
    assert_eq!(menu.sees(1).await, ["a/1"]);
}

pub async fn an_event_emitted_twice_is_applied_once(world: World) {
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    world.platform.open_bus();
    order.tell(vec![event("a", 1), event("a", 1)]).await;
    order.tell(vec![event("a", 1)]).await;
    menu.sees(1).await;
    eventually("the outbox is empty", PATIENCE, async || order.outbox().await == 0).await;
    // Told once more, long after.
    order.tell(vec![event("a", 1)]).await;
    // And twice within one batch of the bus.
    let message = super::world::parcel(7).message;
    let twice = [Parcel { row: -1, message: message.clone() }, Parcel { row: -2, message }];
    world.platform.bus().await.unwrap().publish(&twice, &tokio::sync::mpsc::unbounded_channel().0).await.unwrap();
    order.tell(vec![event("b", 1)]).await;
    let mut seen = menu.sees(3).await;
    seen.sort();
    assert_eq!(seen, ["a/1", "b/1", "o7/0"]);
    assert_eq!(menu.number("SELECT COUNT(*) FROM event_inbox").await, 3);
}

pub async fn events_of_one_order_keep_their_order(world: World) {
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    world.platform.open_bus();
    // One in the middle has to be tried again.
    menu.recorder.poison.lock().unwrap().insert("o3/5".to_owned(), 2);
    for step in 0..20 {
        order.tell((0..10).map(|n| event(&format!("o{n}"), step)).collect()).await;
    }
    let seen = menu.sees(200).await;
    for n in 0..10 {
        let steps: Vec<&str> = seen.iter().filter_map(|id| id.strip_prefix(&format!("o{n}/"))).collect();
        assert_eq!(steps, (0..20).map(|step| step.to_string()).collect::<Vec<_>>(), "order {n}");
    }
}

pub async fn a_handler_hears_of_its_kinds_alone(world: World) {
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    let everything = Recorder::default();
    everything.everything.store(true, Ordering::SeqCst);
    let audit = world.listening("notification", everything).await;
    world.platform.open_bus();
    order.tell(vec![completed("a"), event("a", 1), completed("b")]).await;
    assert_eq!(audit.sees(3).await, ["a/delivery.completed", "a/1", "b/delivery.completed"]);
    assert_eq!(menu.sees(1).await, ["a/1"]);
    eventually("nothing hangs", PATIENCE, async || {
        let lag = menu.events.lag().await.unwrap();
        lag.waiting + lag.pending == 0
    })
    .await;
}

pub async fn an_event_may_cause_another_one(world: World) {
    let order = world.teller("order").await;
    let telling = Recorder::default();
    telling.tells.store(true, Ordering::SeqCst);
    let delivery = world.listening("delivery", telling).await;
    let everything = Recorder::default();
    everything.everything.store(true, Ordering::SeqCst);
    let audit = world.listening("notification", everything).await;
    world.platform.open_bus();
    order.tell(vec![event("a", 1)]).await;
    assert_eq!(audit.sees(2).await, ["a/1", "a/delivery.completed"]);
    eventually("both outboxes are empty", PATIENCE, async || order.outbox().await + delivery.outbox().await == 0).await;
}

pub async fn a_service_that_was_down_catches_up(mut world: World) {
    let order = world.teller("order").await;
    let _menu = world.listener("menu").await;
    world.platform.open_bus();
    order.tell(vec![event("a", 1)]).await;
    _menu.sees(1).await;
    eventually("the outbox is empty", PATIENCE, async || order.outbox().await == 0).await;
    world.restart().await;
    let order = world.teller("order").await;
    order.tell(vec![event("a", 2)]).await;
    let menu = world.listener("menu").await;
    world.platform.open_bus();
    assert_eq!(menu.sees(2).await, ["a/1", "a/2"]);
}

pub async fn an_outbox_row_survives_a_restart_until_every_group_acknowledged(mut world: World) {
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    let broken = Recorder::default();
    broken.broken.store(true, Ordering::SeqCst);
    let payment = world.listening("payment", broken).await;
    world.platform.open_bus();
    order.tell((0..50).map(|n| event(&format!("o{n}"), 1)).collect()).await;
    menu.sees(50).await;
    eventually("payment tries", PATIENCE, async || payment.recorder.tries.load(Ordering::SeqCst) > 1).await;
    if world.settings.redis_url.is_none() {
        assert_eq!(order.outbox().await, 50, "one group has not acknowledged");
    }
    assert!(payment.seen().await.is_empty(), "what fails has no effect");
    drop((order, menu, payment));
    world.restart().await;
    let (order, menu, payment) = (world.teller("order").await, world.listener("menu").await, world.listener("payment").await);
    world.platform.open_bus();
    assert_eq!(payment.sees(50).await, (0..50).map(|n| format!("o{n}/1")).collect::<Vec<_>>());
    eventually("the outbox is empty", PATIENCE, async || order.outbox().await == 0).await;
    menu.sees(50).await;
}

pub async fn the_outbox_is_empty_when_everything_arrived(world: World) {
    let order = world.teller("order").await;
    let services = [world.listener("menu").await, world.listener("payment").await, world.listener("delivery").await];
    world.platform.open_bus();
    for n in 0..20 {
        order.tell((0..30).map(|step| event(&format!("o{n}"), step)).collect()).await;
    }
    for service in &services {
        service.sees(600).await;
    }
    eventually("the outbox is empty", PATIENCE, async || order.outbox().await == 0).await;
}

pub async fn a_thousand_orders_arrive_in_few_transactions(world: World) {
    let order = Arc::new(world.teller("order").await);
    let menu = world.listener("menu").await;
    world.platform.open_bus();
    let events: Vec<Event> = (0..1_000).map(|n| event(&format!("o{n}"), 1)).collect();
    order.tell(events).await;
    menu.sees(1_000).await;
    let batches = menu.recorder.batches.load(Ordering::SeqCst);
    assert!(batches <= 100, "{batches} transactions");
}
