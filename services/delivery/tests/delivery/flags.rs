//! Facts about couriers who stay home or ride slowly because a flag says so.

use crate::desk::{DOOR, Desk, RESTAURANT, WHILE, many, ready};
use contract::delivery::DeliveryStatus;
use contract::flags::Audience;
use delivery::domain::ride::{self, Slowness};
use delivery::domain::staff::OWN;
use std::time::Duration;
use testkit::flip;

const A_SECOND: Duration = Duration::from_secs(1);

pub async fn while_nobody_rides_orders_wait_and_afterwards_the_oldest_ride_first(desk: Desk) {
    let riding = desk.assigned("before").await;
    flip(&desk.platform, "delivery-no-couriers", "nobody-rides");
    desk.arrive(&many(3 * OWN, "Berlin", desk.now())).await;
    for _ in 0..3 {
        let ticked = desk.after(WHILE).await;
        assert_eq!((ticked.assigned.len(), ticked.joined, ticked.held), (0, 0, 3 * OWN), "nobody comes, and no freelancers either");
    }
    assert_eq!(desk.status("before").await, DeliveryStatus::Completed, "whoever was on the way delivers");
    assert_eq!(desk.courier(&riding).await.order_id, None);
    assert_eq!(desk.book.queues().await.unwrap(), [("Berlin".to_owned(), u64::from(3 * OWN))]);

    flip(&desk.platform, "delivery-no-couriers", "off");
    let ticked = desk.tick().await;
    assert_eq!((ticked.held, ticked.joined > 0), (0, true), "freelancers help with what has piled up");
    for n in 0..OWN {
        assert_eq!(desk.status(&format!("order-{n:05}")).await, DeliveryStatus::Assigned, "order {n}");
    }
    for _ in 0..10 {
        desk.after(WHILE).await;
    }
    assert_eq!(desk.book.queues().await.unwrap(), []);
    desk.check_pairs().await;
}

pub async fn while_half_stay_home_the_others_ride(desk: Desk) {
    flip(&desk.platform, "delivery-no-couriers", "half-stay-home");
    desk.arrive(&many(2 * OWN, "Berlin", desk.now())).await;
    let ticked = desk.tick().await;
    let first = ticked.assigned.len();
    assert!((10..=30).contains(&first), "{first} of {OWN} came");
    assert_eq!(ticked.held as usize, OWN as usize - first, "an order waits for each who did not, although others ride");
    let at_work = |couriers: Vec<contract::delivery::Courier>| {
        couriers.into_iter().filter(|courier| courier.order_id.is_some()).map(|courier| courier.id).collect::<Vec<_>>()
    };
    let who = at_work(desk.couriers("Berlin").await);
    desk.after(WHILE).await;
    desk.after(WHILE).await;
    desk.after(A_SECOND).await;
    assert_eq!(at_work(desk.couriers("Berlin").await), who, "the same ones as before");
    desk.check_pairs().await;
}

pub async fn only_those_whom_the_flag_reaches_wait(desk: Desk) {
    let control = desk.platform.flag_control();
    control.set("delivery-no-couriers", "nobody-rides", None, Audience::Synthetic).unwrap();
    let mut load = many(OWN + 5, "Berlin", desk.now());
    load.iter_mut().for_each(|order| order.synthetic = true);
    desk.arrive(&load).await;
    desk.arrive(&[ready("person", "Berlin", desk.now() + A_SECOND)]).await;
    let ticked = desk.after(A_SECOND).await;
    assert_eq!((ticked.assigned.len(), desk.status("person").await), (1, DeliveryStatus::Assigned), "people pass the load that waits");

    control.set("delivery-no-couriers", "nobody-rides", None, Audience::City("Tokyo".to_owned())).unwrap();
    desk.arrive(&[ready("tokyo", "Tokyo", desk.now())]).await;
    let ticked = desk.after(A_SECOND).await;
    assert_eq!((ticked.held, desk.status("tokyo").await), (1, DeliveryStatus::Queued));
    assert_eq!(ticked.assigned.len(), OWN as usize - 1, "in Berlin everybody rides");
}

pub async fn couriers_of_one_city_ride_slowly_and_others_do_not(desk: Desk) {
    flip(&desk.platform, "delivery-regional-slowdown", "berlin-5-times");
    let slow = Slowness::times(5);
    desk.arrive(&[ready("a", "Berlin", desk.now()), ready("b", "Tokyo", desk.now())]).await;
    let ticked = desk.tick().await;
    for (order, slowness) in [("a", slow), ("b", Slowness::NONE)] {
        let delivery = desk.find(order).await;
        let leg = delivery.leg.unwrap();
        assert_eq!(leg.arrives_at, desk.now() + ride::slowly(leg.from, RESTAURANT, slowness), "{order}");
        assert_eq!(delivery.expected_at, Some(leg.arrives_at + ride::slowly(RESTAURANT, DOOR, slowness)), "{order}");
    }
    assert_eq!(ticked.ways.iter().filter(|way| way.slowed).map(|way| way.city.as_str()).collect::<Vec<_>>(), ["Berlin"]);
    desk.after(5 * WHILE).await;
    let door = |slowness| desk.now() + ride::slowly(RESTAURANT, DOOR, slowness);
    assert_eq!(desk.find("a").await.leg.unwrap().arrives_at, door(slow), "to the door as well");
    assert_eq!(desk.find("b").await.leg.unwrap().arrives_at, door(Slowness::NONE));
    desk.after(5 * WHILE).await;
    assert_eq!(desk.status("a").await, DeliveryStatus::Completed);
}

pub async fn whoever_is_on_the_way_rides_on_as_usual_when_the_slowdown_is_over(desk: Desk) {
    flip(&desk.platform, "delivery-regional-slowdown", "berlin-5-times");
    let id = desk.assigned("a").await;
    let slow = desk.find("a").await.leg.unwrap();
    desk.clock.advance(slow.arrives_at.since(slow.departed_at) / 2);
    let here = desk.courier(&id).await.location;
    flip(&desk.platform, "delivery-regional-slowdown", "off");
    desk.tick().await;
    let leg = desk.find("a").await.leg.unwrap();
    assert_eq!((leg.from, leg.departed_at, leg.arrives_at), (here, desk.now(), desk.now() + ride::duration(here, RESTAURANT)));
    assert_eq!(desk.courier(&id).await.location, here, "nobody jumps");
    assert_eq!(desk.find("a").await.expected_at, Some(leg.arrives_at + ride::duration(RESTAURANT, DOOR)));
    // Once is enough.
    desk.after(Duration::from_millis(250)).await;
    assert_eq!(desk.find("a").await.leg, Some(leg));
    desk.after(WHILE).await;
    desk.after(WHILE).await;
    assert_eq!(desk.status("a").await, DeliveryStatus::Completed);
    desk.check_pairs().await;
}
