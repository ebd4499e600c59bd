//! Facts about Redis, PostgreSQL and replicas going away.

use super::world::{PATIENCE, Recorder, Service, World, event, parcel};
use fred::interfaces::{ClientLike, StreamsInterface};
use runtime::events::Bus;
use runtime::events::bus::{Delivery, LONGEST_WAIT, Limits, Reader, RedisBus};
use std::time::Duration;
use testkit::{PostgresServer, RedisServer, eventually};
use tokio::sync::mpsc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bus_that_is_down_loses_nothing() {
    let mut world = World::split().await;
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    order.tell(vec![event("a", 0)]).await;
    menu.sees(1).await;
    let redis = world.redis.as_mut().unwrap();
    redis.kill();
    for step in 1..20 {
        order.tell(vec![event("a", step)]).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(order.outbox().await, 19);
    redis.restart();
    let seen = menu.sees(20).await;
    assert_eq!(seen, (0..20).map(|step| format!("a/{step}")).collect::<Vec<_>>());
    eventually("the outbox is empty", PATIENCE, async || order.outbox().await == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bus_that_stands_still_for_seconds_loses_nothing() {
    let world = World::split().await;
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    let redis = world.platform.redis().await.unwrap().unwrap();
    let mut told = 0;
    for _ in 0..2 {
        let pause: String = redis.pool().next().custom(fred::cmd!("CLIENT"), vec!["PAUSE", "2500"]).await.unwrap();
        assert_eq!(pause, "OK");
        for _ in 0..20 {
            order.tell(vec![event("a", told)]).await;
            told += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        eventually("Redis goes on", PATIENCE, async || redis.pool().next().ping::<()>(None).await.is_ok()).await;
    }
    let seen = menu.sees(told as usize).await;
    assert_eq!(seen, (0..told).map(|step| format!("a/{step}")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_forgot_everything_is_used_again() {
    let world = World::split().await;
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    order.tell(vec![event("a", 0)]).await;
    menu.sees(1).await;
    let redis = world.platform.redis().await.unwrap().unwrap();
    redis.pool().next().flushall::<()>(false).await.unwrap();
    order.tell(vec![event("a", 1)]).await;
    menu.sees(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_held_comes_to_the_next_in_order() {
    let server = RedisServer::start();
    let bus = RedisBus::new(server.connect().await);
    let mut killed = bus.reader("group");
    let settled = mpsc::unbounded_channel().0;
    bus.publish(&[parcel(0), parcel(1)], &settled).await.unwrap();
    let mut held = 0;
    while held < 2 {
        held += killed.read(LONGEST_WAIT).await.unwrap().deliveries.len();
    }
    // It never says goodbye.
    std::mem::forget(killed);
    bus.publish(&[parcel(2)], &settled).await.unwrap();
    let mut heir = bus.reader("group");
    let mut seen = Vec::new();
    eventually("the heir reads", PATIENCE, async || {
        seen.extend(heir.read(LONGEST_WAIT).await.unwrap().deliveries.into_iter().map(|delivery| delivery.message.id.clone()));
        seen.len() == 3
    })
    .await;
    assert_eq!(seen, ["o0/0", "o1/0", "o2/0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stream_stays_bounded() {
    let server = RedisServer::start();
    let redis = server.connect().await;
    let limits = Limits { kept: 1_000, behind: 500, remembered: Duration::from_secs(600) };
    let bus = RedisBus::with_limits(redis.clone(), limits);
    publish(&bus, 0..5_000).await;
    let length: u64 = redis.pool().next().xlen("events").await.unwrap();
    assert!((1_000..1_200).contains(&length), "{length}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_every_group_has_acknowledged_goes_and_nothing_else() {
    let server = RedisServer::start();
    let redis = server.connect().await;
    let bus = RedisBus::with_limits(redis.clone(), Limits { remembered: Duration::ZERO, ..Limits::default() });
    let (mut fast, mut slow) = (bus.reader("fast"), bus.reader("slow"));
    publish(&bus, 0..1_000).await;
    let read = async |reader: &mut Box<dyn Reader>, count: usize| {
        let mut all = Vec::new();
        while all.len() < count {
            all.extend(reader.read(LONGEST_WAIT).await.unwrap().deliveries);
        }
        all
    };
    let tickets = |deliveries: &[Delivery]| deliveries.iter().map(|delivery| delivery.ticket).collect::<Vec<_>>();
    let (of_fast, of_slow) = (read(&mut fast, 1_000).await, read(&mut slow, 1_000).await);
    fast.acknowledge(&tickets(&of_fast)).await.unwrap();
    // The oldest but one is not acknowledged.
    slow.acknowledge(&tickets(&of_slow[..1])).await.unwrap();
    slow.acknowledge(&tickets(&of_slow[2..])).await.unwrap();
    publish(&bus, 1_000..6_000).await;
    let length: u64 = redis.pool().next().xlen("events").await.unwrap();
    assert!((5_999..=6_000).contains(&length), "{length}");
    slow.acknowledge(&tickets(&of_slow[1..2])).await.unwrap();
    publish(&bus, 6_000..11_000).await;
    let length: u64 = redis.pool().next().xlen("events").await.unwrap();
    assert!((10_000..10_200).contains(&length), "{length}");
    assert_eq!(read(&mut slow, 10_000).await.len(), 10_000);
}

async fn publish(bus: &RedisBus, rows: std::ops::Range<i64>) {
    let settled = mpsc::unbounded_channel().0;
    let parcels: Vec<_> = rows.map(parcel).collect();
    for parcels in parcels.chunks(100) {
        bus.publish(parcels, &settled).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_is_killed_and_comes_back_loses_and_doubles_nothing() {
    let mut postgres = PostgresServer::start();
    let world = World::on(&postgres.url());
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    for step in 0..10 {
        order.tell((0..50).map(|n| event(&format!("o{n}"), step)).collect()).await;
    }
    postgres.kill();
    tokio::time::sleep(Duration::from_millis(500)).await;
    postgres.restart();
    eventually("all arrive", PATIENCE, async || {
        let count = menu.database.one("SELECT COUNT(*) FROM seen", Vec::new()).await;
        count.is_ok_and(|row| row.int(0).unwrap() >= 500)
    })
    .await;
    let seen = menu.sees(500).await;
    assert_in_order(&seen, 50, 10);
    assert_eq!(menu.parked().await, 0);
    eventually("the outbox is empty", PATIENCE, async || order.outbox().await == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_apply_each_event_once_and_in_order_while_they_come_and_go() {
    let world = World::at_scale().await;
    let order = world.teller("order").await;
    let first = world.replica();
    let here = Service::start(&first, "menu").await.listening(Recorder::default());
    let (second, third) = (world.replica(), world.replica());
    let there = Service::start(&second, "menu").await.listening(Recorder::default());
    // The outbox has two relays, too.
    let _also = Service::start(&third, "order").await;
    for step in 0..30 {
        order.tell((0..20).map(|n| event(&format!("o{n}"), step)).collect()).await;
        if step == 10 {
            eventually("something arrives", PATIENCE, async || !here.seen().await.is_empty()).await;
            assert!(first.finish(PATIENCE).await);
        }
    }
    let seen = there.sees(600).await;
    assert_in_order(&seen, 20, 30);
    eventually("the outbox is empty", PATIENCE, async || order.outbox().await == 0).await;
    assert!(there.recorder.tries.load(std::sync::atomic::Ordering::SeqCst) > 0, "the second one took over");
}

fn assert_in_order(seen: &[String], orders: u32, steps: u32) {
    for n in 0..orders {
        let of_order: Vec<&str> = seen.iter().filter_map(|id| id.strip_prefix(&format!("o{n}/"))).collect();
        assert_eq!(of_order, (0..steps).map(|step| step.to_string()).collect::<Vec<_>>(), "order {n}");
    }
}
