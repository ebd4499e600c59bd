//! Facts about queues, and who takes what from them.

use crate::desk::{Desk, RESTAURANT, SEED, WHILE, many, ready, ready_at};
use contract::OrderId;
use contract::delivery::DeliveryStatus;
use contract::geo::Location;
use delivery::domain::roster::{CITIES, own, slug};
use delivery::domain::staff::{LEAVE_AFTER, MOST, OWN, USUAL};
use std::collections::HashSet;
use std::time::Duration;

pub async fn every_city_of_the_platform_begins_with_forty_free_couriers(desk: Desk) {
    // The second start finds them.
    desk.book.found(desk.now()).await.unwrap();
    for city in CITIES {
        let couriers = desk.couriers(city).await;
        assert_eq!(couriers.len(), OWN as usize, "{city}");
        assert!(couriers.iter().all(|courier| courier.order_id.is_none() && courier.autopilot && courier.city == city));
        assert!(couriers.is_sorted_by_key(|courier| courier.name.clone()), "{city}");
    }
    assert_eq!(desk.couriers("").await.len(), OWN as usize * CITIES.len());
    assert_eq!(desk.couriers("Atlantis").await, []);
    let (first, seeded) = (desk.courier("berlin-01").await, own("berlin", SEED));
    assert_eq!((first.name, first.location), (seeded[0].name.clone(), seeded[0].at));
}

pub async fn a_city_nobody_knew_gets_its_couriers_with_its_first_order(desk: Desk) {
    desk.arrive(&[ready("a", "Oslo", desk.now()), ready("b", "東京", desk.now())]).await;
    desk.arrive(&[ready("c", "Oslo", desk.now())]).await;
    assert_eq!(desk.couriers("Oslo").await.len(), OWN as usize);
    assert_eq!(desk.tick().await.assigned.len(), 3);
    assert!(desk.carrier("a").await.unwrap().starts_with("oslo-"));
    assert!(desk.carrier("b").await.unwrap().starts_with(&slug("東京")));
}

pub async fn an_order_that_is_ready_waits_and_is_expected(desk: Desk) {
    desk.arrive(&[ready("a", "Berlin", desk.now())]).await;
    let record = desk.book.find(&OrderId::new("a"), desk.now()).await.unwrap().unwrap();
    assert_eq!(record.owner.as_deref(), Some("session-a"));
    let delivery = record.delivery;
    assert_eq!((delivery.status, &delivery.courier, delivery.leg), (DeliveryStatus::Queued, &None, None));
    let wait = delivery.expected_at.unwrap().since(desk.now());
    assert!(wait > Duration::ZERO && wait < WHILE, "{wait:?}");
    assert!(desk.book.find(&OrderId::new("b"), desk.now()).await.unwrap().is_none());
    assert_eq!(desk.book.queues().await.unwrap(), [("Berlin".to_owned(), 1)]);
}

pub async fn the_nearest_free_courier_of_the_city_rides(desk: Desk) {
    let mut left = desk.couriers("Berlin").await;
    // One standing exactly at the restaurant, in another city, does not come.
    let elsewhere = desk.couriers("Tokyo").await[0].location;
    for order in ["a", "b", "c"] {
        desk.arrive(&[ready_at(order, "Berlin", desk.now(), elsewhere)]).await;
        desk.tick().await;
        let nearest = left.iter().map(|courier| courier.location.distance_m(elsewhere)).min().unwrap();
        let carrier = desk.carrier(order).await.unwrap();
        let (at, _) = left.iter().enumerate().find(|(_, courier)| courier.id == carrier).unwrap();
        assert_eq!(left.remove(at).location.distance_m(elsewhere), nearest, "{carrier}");
        assert_eq!(desk.courier(&carrier).await.order_id, Some(OrderId::new(order)));
    }
}

pub async fn the_oldest_orders_ride_first_and_nobody_carries_two(desk: Desk) {
    let mut orders = many(OWN + 10, "Berlin", desk.now());
    orders.reverse();
    desk.arrive(&orders).await;
    desk.clock.advance(Duration::from_secs(1));
    let ticked = desk.tick().await;
    assert_eq!((ticked.assigned.len(), ticked.joined), (OWN as usize, 0));
    assert_eq!(ticked.assigned[0], Duration::from_secs(1));
    for n in 0..OWN + 10 {
        let expected = if n < OWN { DeliveryStatus::Assigned } else { DeliveryStatus::Queued };
        assert_eq!(desk.status(&format!("order-{n:05}")).await, expected, "order {n}");
    }
    desk.check_pairs().await;
    // Until somebody is free.
    assert_eq!(desk.tick().await.assigned.len(), 0);
    assert_eq!(desk.after(WHILE).await.picked_up, OWN);
    let ticked = desk.after(WHILE).await;
    assert_eq!((ticked.completed, ticked.assigned.len()), (OWN, 10));
    desk.check_pairs().await;
}

pub async fn an_order_that_arrives_twice_is_one_delivery(desk: Desk) {
    let order = ready("a", "Berlin", desk.now());
    desk.arrive(&[order.clone(), order.clone()]).await;
    let carrier = {
        desk.tick().await;
        desk.carrier("a").await
    };
    desk.arrive(&[order]).await;
    assert!(desk.tick().await.assigned.is_empty());
    assert_eq!((desk.status("a").await, desk.carrier("a").await), (DeliveryStatus::Assigned, carrier));
    assert_eq!(desk.number("SELECT COUNT(*) FROM deliveries").await, 1);
}

pub async fn whoever_waits_behind_others_is_expected_later(desk: Desk) {
    desk.arrive(&many(3 * OWN, "Berlin", desk.now())).await;
    let expected = async |n: u32| desk.find(&format!("order-{n:05}")).await.expected_at.unwrap();
    let (first, next, last) = (expected(0).await, expected(OWN + 5).await, expected(3 * OWN - 1).await);
    assert!(first < next && next < last, "{first} {next} {last}");
    assert!(last.since(first) >= USUAL, "{first} {last}");
}

pub async fn a_long_queue_calls_freelancers_who_leave_when_it_is_gone(desk: Desk) {
    desk.arrive(&many(5 * OWN, "Berlin", desk.now())).await;
    let ticked = desk.tick().await;
    assert!(ticked.joined > 0, "{ticked:?}");
    assert_eq!(ticked.assigned.len() as u32, OWN + ticked.joined);
    let joined = desk.couriers("Berlin").await.len() as u32 - OWN;
    assert_eq!(joined, ticked.joined);
    assert_eq!(desk.couriers("Tokyo").await.len(), OWN as usize, "nobody joins where nobody waits");
    for _ in 0..8 {
        desk.after(WHILE / 2).await;
    }
    assert_eq!(desk.number("SELECT COUNT(*) FROM deliveries WHERE status = 'completed'").await, i64::from(5 * OWN));
    desk.after(LEAVE_AFTER).await;
    assert_eq!(desk.couriers("Berlin").await.len(), OWN as usize);
    // Whoever joins next is somebody else.
    desk.arrive(&[ready("z", "Berlin", desk.now())]).await;
    desk.tick().await;
    assert_eq!(desk.number("SELECT joined FROM cities WHERE city = 'Berlin'").await, i64::from(joined));
}

pub async fn a_courier_who_left_is_still_named_by_the_delivery(desk: Desk) {
    desk.arrive(&many(5 * OWN, "Berlin", desk.now())).await;
    desk.tick().await;
    let row = desk.database.one("SELECT order_id FROM couriers WHERE freelancer = 1 ORDER BY id LIMIT 1", Vec::new()).await.unwrap();
    let order = row.text(0).unwrap();
    let carrier = desk.find(&order).await.courier.unwrap();
    for _ in 0..12 {
        desk.after(WHILE / 2).await;
    }
    assert!(desk.book.courier(&carrier.id, desk.now()).await.unwrap().is_none());
    let delivery = desk.find(&order).await;
    assert_eq!((delivery.status, delivery.courier), (DeliveryStatus::Completed, Some(carrier)));
}

pub async fn thousands_that_wait_are_all_delivered_once(desk: Desk) {
    const ORDERS: u32 = 3_000;
    let place = |n: u32| Location { x: 1_000 + (n as i32 * 37) % 8_000, y: 1_000 + (n as i32 * 101) % 8_000 };
    let mut orders: Vec<_> = (0..ORDERS).map(|n| ready_at(&format!("o{n:05}"), "Berlin", desk.now(), place(n))).collect();
    orders.extend((0..100).map(|n| ready_at(&format!("t{n:05}"), "Tokyo", desk.now(), RESTAURANT)));
    for some in orders.chunks(250) {
        desk.arrive(some).await;
    }
    let mut completed = 0;
    for second in 0.. {
        completed += desk.after(Duration::from_secs(1)).await.completed;
        desk.check_pairs().await;
        if completed == ORDERS + 100 {
            break;
        }
        assert!(second < 120, "{completed} after {second} s");
    }
    assert!(desk.couriers("Berlin").await.len() <= MOST as usize);
    let told = desk.told().await;
    let ids: HashSet<&str> = told.iter().map(|event| event.id.as_str()).collect();
    assert_eq!((told.len(), ids.len()), (3 * orders.len(), 3 * orders.len()));
}
