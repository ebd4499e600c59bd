//! Facts about every bus.

use super::world::{Buses, PATIENCE, SMALL, parcel};
use runtime::events::Tailed;
use runtime::events::bus::{Batch, Bus, Delivery, GroupLag, LONGEST_WAIT, Parcel, READ_LIMIT, Reader, Settled, Ticket};
use std::time::Duration;
use testkit::eventually;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

const SOON: Duration = Duration::from_millis(100);

fn nobody() -> Settled {
    mpsc::unbounded_channel().0
}

async fn publish(bus: &dyn Bus, rows: std::ops::Range<i64>) {
    let parcels: Vec<Parcel> = rows.map(parcel).collect();
    bus.publish(&parcels, &nobody()).await.unwrap();
}

fn ids(deliveries: &[Delivery]) -> Vec<String> {
    deliveries.iter().map(|delivery| delivery.message.id.clone()).collect()
}

fn published(rows: std::ops::Range<i64>) -> Vec<String> {
    rows.map(|row| format!("o{row}/0")).collect()
}

/// Reads until there are `count`.
async fn read(reader: &mut Box<dyn Reader>, count: usize) -> Vec<Delivery> {
    let end = Instant::now() + PATIENCE;
    let mut all = Vec::new();
    while all.len() < count {
        assert!(Instant::now() < end, "{} of {count} arrived", all.len());
        all.extend(reader.read(LONGEST_WAIT).await.unwrap().deliveries);
    }
    all
}

fn tickets(deliveries: &[Delivery]) -> Vec<Ticket> {
    deliveries.iter().map(|delivery| delivery.ticket).collect()
}

async fn take(reader: &mut Box<dyn Reader>, count: usize) -> Vec<String> {
    let deliveries = read(reader, count).await;
    reader.acknowledge(&tickets(&deliveries)).await.unwrap();
    ids(&deliveries)
}

pub async fn every_group_gets_every_event_in_order(buses: Buses) {
    let (mut one, mut other) = (buses.bus.reader("one"), buses.bus.reader("other"));
    buses.bus.open();
    publish(&*buses.bus, 0..600).await;
    for reader in [&mut one, &mut other] {
        let deliveries = read(reader, 600).await;
        assert_eq!(ids(&deliveries), published(0..600));
        assert!(deliveries.iter().all(|delivery| !delivery.again));
        assert!(deliveries.is_sorted_by_key(|delivery| delivery.ticket));
    }
}

pub async fn an_event_published_before_its_consumer_started_arrives(buses: Buses) {
    let mut early = buses.bus.reader("early");
    publish(&*buses.bus, 0..3).await;
    assert_eq!(take(&mut early, 3).await, published(0..3));
    let mut late = buses.bus.reader("late");
    buses.bus.open();
    publish(&*buses.bus, 3..5).await;
    assert_eq!(take(&mut late, 5).await, published(0..5));
    assert_eq!(take(&mut early, 2).await, published(3..5));
}

pub async fn an_event_that_was_not_acknowledged_comes_again(buses: Buses) {
    let mut reader = buses.bus.reader("group");
    buses.bus.open();
    publish(&*buses.bus, 0..4).await;
    let deliveries = read(&mut reader, 4).await;
    reader.acknowledge(&[deliveries[1].ticket]).await.unwrap();
    reader.close().await;
    let again = read(&mut reader, 3).await;
    assert_eq!(ids(&again), ["o0/0", "o2/0", "o3/0"]);
    assert!(again.iter().all(|delivery| delivery.again));
    assert_eq!(again[0].ticket, deliveries[0].ticket);
}

pub async fn what_was_acknowledged_does_not_come_again(buses: Buses) {
    let mut reader = buses.bus.reader("group");
    buses.bus.open();
    publish(&*buses.bus, 0..300).await;
    assert_eq!(take(&mut reader, 300).await.len(), 300);
    reader.close().await;
    publish(&*buses.bus, 300..301).await;
    let batch = first(&mut reader).await;
    assert!(batch.restarted, "a reader that comes back begins anew");
    let mut deliveries = batch.deliveries;
    if deliveries.is_empty() {
        deliveries = read(&mut reader, 1).await;
    }
    assert_eq!(ids(&deliveries), ["o300/0"]);
}

/// The first read that finds the reader active.
async fn first(reader: &mut Box<dyn Reader>) -> Batch {
    let end = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < end, "the reader never became active");
        let batch = reader.read(SOON).await.unwrap();
        if batch.restarted {
            return batch;
        }
    }
}

pub async fn what_a_dead_consumer_held_is_taken_over_first(buses: Buses) {
    let mut dead = buses.bus.reader("group");
    let mut heir = buses.bus.reader("group");
    buses.bus.open();
    publish(&*buses.bus, 0..3).await;
    assert_eq!(read(&mut dead, 3).await.len(), 3);
    publish(&*buses.bus, 3..5).await;
    drop(dead);
    assert_eq!(take(&mut heir, 5).await, published(0..5));
}

pub async fn of_two_readers_of_a_group_one_reads(buses: Buses) {
    let (mut one, mut other) = (buses.bus.reader("group"), buses.bus.reader("group"));
    buses.bus.open();
    publish(&*buses.bus, 0..1).await;
    assert_eq!(take(&mut one, 1).await.len(), 1);
    publish(&*buses.bus, 1..3).await;
    assert!(other.read(SOON).await.unwrap().deliveries.is_empty(), "somebody else reads");
    assert_eq!(take(&mut one, 2).await, published(1..3));
    one.close().await;
    publish(&*buses.bus, 3..4).await;
    assert_eq!(take(&mut other, 1).await, published(3..4));
}

pub async fn a_read_is_bounded(buses: Buses) {
    let mut reader = buses.bus.reader("group");
    buses.bus.open();
    publish(&*buses.bus, 0..1_000).await;
    let mut all = Vec::new();
    while all.len() < 1_000 {
        let deliveries = reader.read(LONGEST_WAIT).await.unwrap().deliveries;
        assert!(deliveries.len() <= READ_LIMIT, "{}", deliveries.len());
        all.extend(deliveries);
    }
    // The same holds for what comes again.
    reader.close().await;
    all.clear();
    while all.len() < 1_000 {
        let deliveries = reader.read(LONGEST_WAIT).await.unwrap().deliveries;
        assert!(deliveries.len() <= READ_LIMIT, "{}", deliveries.len());
        all.extend(deliveries);
    }
    assert_eq!(ids(&all), published(0..1_000));
}

pub async fn a_reader_hears_of_an_event_while_it_waits(buses: Buses) {
    let mut reader = buses.bus.reader("group");
    buses.bus.open();
    first(&mut reader).await;
    let waiting = tokio::spawn(async move { read(&mut reader, 1).await });
    publish(&*buses.bus, 0..1).await;
    let deliveries = timeout(PATIENCE, waiting).await.unwrap().unwrap();
    assert_eq!(ids(&deliveries), published(0..1));
}

pub async fn a_publisher_waits_for_the_slowest_group_and_nothing_is_lost(buses: Buses) {
    let (mut fast, mut slow) = (buses.small.reader("fast"), buses.small.reader("slow"));
    // On Redis a group is there from its first read.
    first(&mut fast).await;
    first(&mut slow).await;
    buses.small.open();
    let bus = buses.small.clone();
    let publishing = tokio::spawn(async move {
        for at in 0..40 {
            publish(&*bus, at * 50..(at + 1) * 50).await;
        }
    });
    let mut ahead = take(&mut fast, 300).await;
    eventually("the publisher is held up", PATIENCE, async || {
        let held = lag(&*buses.small, "slow").await.waiting;
        assert!(held <= SMALL, "{held} events are kept");
        held >= 300
    })
    .await;
    assert!(!publishing.is_finished());
    let (mut behind, reading) = (Vec::new(), async {
        let mut behind = Vec::new();
        while behind.len() < 2_000 {
            behind.extend(take(&mut slow, 1).await);
        }
        behind
    });
    let (rest, seen) = tokio::join!(
        async {
            while ahead.len() < 2_000 {
                ahead.extend(take(&mut fast, 1).await);
            }
            ahead
        },
        reading
    );
    behind.extend(seen);
    publishing.await.unwrap();
    assert_eq!(rest, published(0..2_000));
    assert_eq!(behind, published(0..2_000));
}

async fn lag(bus: &dyn Bus, group: &str) -> GroupLag {
    bus.lag().await.unwrap().into_iter().find(|lag| lag.group == group).unwrap()
}

pub async fn rows_are_settled_when_they_are_of_no_more_use(buses: Buses) {
    let (mut one, mut other) = (buses.bus.reader("one"), buses.bus.reader("other"));
    let (settled, mut rows) = mpsc::unbounded_channel();
    let parcels: Vec<Parcel> = (0..10).map(parcel).collect();
    buses.bus.publish(&parcels, &settled).await.unwrap();
    take(&mut one, 10).await;
    take(&mut other, 10).await;
    if buses.bus.backend() == "memory" {
        assert!(rows.is_empty(), "another group may still join");
    }
    buses.bus.open();
    let mut done = Vec::new();
    while done.len() < 10 {
        done.push(timeout(PATIENCE, rows.recv()).await.unwrap().unwrap());
    }
    done.sort_unstable();
    assert_eq!(done, (0..10).collect::<Vec<i64>>());
    assert!(rows.is_empty(), "each is settled once");
    if buses.bus.backend() == "memory" {
        // From here on it waits for the last group, and no longer.
        buses.bus.publish(&[parcel(10), parcel(11)], &settled).await.unwrap();
        let first = read(&mut one, 2).await;
        one.acknowledge(&tickets(&first)).await.unwrap();
        let second = read(&mut other, 2).await;
        other.acknowledge(&[second[1].ticket]).await.unwrap();
        assert_eq!(rows.try_recv(), Ok(11));
        assert!(rows.is_empty());
        other.acknowledge(&[second[0].ticket]).await.unwrap();
        assert_eq!(rows.try_recv(), Ok(10));
    }
}

pub async fn a_tail_sees_what_is_published_from_now_on(buses: Buses) {
    let mut reader = buses.bus.reader("group");
    buses.bus.open();
    publish(&*buses.bus, 0..2).await;
    let (mut one, mut other) = (buses.bus.tail(), buses.bus.tail());
    // On Redis a tail has begun when it has seen something.
    let probing = async {
        for row in 1_000.. {
            publish(&*buses.bus, row..row + 1).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = probing => {}
        seen = async { (one.next().await, other.next().await) } => match seen {
            (Some(Tailed::Event(one)), Some(Tailed::Event(other))) => {
                assert_eq!(one.id, other.id);
                assert!(one.id.as_str() >= "o1000/0", "{} is older than the tail", one.id);
            }
            seen => panic!("{seen:?}"),
        }
    }
    publish(&*buses.bus, 2..3).await;
    loop {
        match timeout(PATIENCE, one.next()).await.unwrap() {
            Some(Tailed::Event(event)) if event.id == "o2/0" => break,
            Some(Tailed::Event(_)) => {}
            seen => panic!("{seen:?}"),
        }
    }
    // The group sees all of them all the same.
    assert_eq!(take(&mut reader, 3).await[..2], published(0..2)[..]);
}

pub async fn a_tail_that_is_too_slow_is_told_what_it_missed(buses: Buses) {
    let mut reader = buses.bus.reader("group");
    buses.bus.open();
    let mut tail = buses.bus.tail();
    let mut next = 0;
    eventually("the tail has begun", PATIENCE, async || {
        publish(&*buses.bus, next..next + 1).await;
        next += 1;
        timeout(SOON, tail.next()).await.is_ok()
    })
    .await;
    publish(&*buses.bus, next..next + 3_000).await;
    assert_eq!(take(&mut reader, next as usize + 3_000).await.len(), next as usize + 3_000);
    eventually("something was missed", PATIENCE, async || matches!(tail.next().await, Some(Tailed::Missed(missed)) if missed > 0)).await;
    assert!(matches!(tail.next().await, Some(Tailed::Event(_))), "it goes on");
}

pub async fn how_far_a_group_is_behind_is_known(buses: Buses) {
    let mut reader = buses.bus.reader("group");
    first(&mut reader).await;
    buses.bus.open();
    publish(&*buses.bus, 0..10).await;
    assert_eq!(lag(&*buses.bus, "group").await, GroupLag { group: "group".to_owned(), waiting: 10, pending: 0 });
    let deliveries = read(&mut reader, 10).await;
    reader.acknowledge(&tickets(&deliveries[..4])).await.unwrap();
    assert_eq!(lag(&*buses.bus, "group").await, GroupLag { group: "group".to_owned(), waiting: 0, pending: 6 });
}
