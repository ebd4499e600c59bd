//! Facts about couriers whom a person rides.

use crate::desk::{DOOR, Desk, RESTAURANT, WHILE, ready_at};
use contract::delivery::DeliveryStatus;
use delivery::domain::ride::{self, HAND_LIMIT};
use delivery::store::Advanced;
use std::time::Duration;

/// A courier who is ridden by hand, with an order.
async fn with_an_order(desk: &Desk) -> String {
    let id = "berlin-07";
    assert!(desk.book.set_autopilot(id, false).await.unwrap());
    let at = desk.courier(id).await.location;
    desk.arrive(&[ready_at("a", "Berlin", desk.now(), at)]).await;
    desk.tick().await;
    assert_eq!(desk.carrier("a").await.as_deref(), Some(id));
    id.to_owned()
}

pub async fn a_courier_by_hand_gets_orders_and_is_waited_for(desk: Desk) {
    let id = with_an_order(&desk).await;
    assert!(!desk.courier(&id).await.autopilot);
    for _ in 0..10 {
        assert_eq!(desk.after(WHILE).await.picked_up, 0);
    }
    assert_eq!(desk.status("a").await, DeliveryStatus::Assigned);
}

pub async fn the_person_makes_every_step(desk: Desk) {
    let id = with_an_order(&desk).await;
    let restaurant = desk.courier(&id).await.location;
    desk.clock.advance(Duration::from_secs(60));
    assert_eq!(desk.advance(&id, "a", "r1").await, Advanced::Done(DeliveryStatus::PickedUp));
    let leg = desk.find("a").await.leg.unwrap();
    assert_eq!((leg.from, leg.to, leg.departed_at), (restaurant, DOOR, desk.now()));
    desk.after(Duration::from_secs(60)).await;
    assert_eq!(desk.status("a").await, DeliveryStatus::PickedUp);
    assert_eq!(desk.advance(&id, "a", "r2").await, Advanced::Done(DeliveryStatus::Completed));
    let courier = desk.courier(&id).await;
    assert_eq!((courier.location, courier.order_id, courier.autopilot, courier.delivered_today), (DOOR, None, false, 1));
    let kinds: Vec<&str> = desk.told().await.iter().map(|event| event.fact.kind()).collect();
    assert_eq!(kinds, ["delivery.assigned", "delivery.pickedUp", "delivery.completed"]);
    // What is done stays done.
    assert_eq!(desk.advance(&id, "a", "r3").await, Advanced::Already);
}

pub async fn the_same_request_makes_one_step(desk: Desk) {
    let id = with_an_order(&desk).await;
    assert_eq!(desk.advance(&id, "a", "r1").await, Advanced::Done(DeliveryStatus::PickedUp));
    assert_eq!(desk.advance(&id, "a", "r1").await, Advanced::Already);
    assert_eq!(desk.status("a").await, DeliveryStatus::PickedUp);
    assert_eq!(desk.advance(&id, "a", "r2").await, Advanced::Done(DeliveryStatus::Completed));
    assert_eq!(desk.advance(&id, "a", "r2").await, Advanced::Already);
}

pub async fn autopilot_takes_over_what_is_five_minutes_late(desk: Desk) {
    let id = with_an_order(&desk).await;
    let arrives = desk.find("a").await.leg.unwrap().arrives_at;
    let limit = (arrives + HAND_LIMIT).since(desk.now());
    assert_eq!(desk.after(limit - Duration::from_millis(1)).await.picked_up, 0);
    assert_eq!(desk.after(Duration::from_millis(1)).await.picked_up, 1);
    assert!(desk.courier(&id).await.autopilot);
    assert_eq!(desk.after(WHILE).await.completed, 1);
}

pub async fn whoever_goes_back_to_autopilot_rides_on_at_once(desk: Desk) {
    let id = with_an_order(&desk).await;
    desk.after(WHILE).await;
    assert!(desk.book.set_autopilot(&id, true).await.unwrap());
    assert_eq!(desk.tick().await.picked_up, 1);
    assert_eq!(desk.after(WHILE).await.completed, 1);
}

pub async fn whoever_takes_over_on_the_way_is_waited_for(desk: Desk) {
    let id = desk.assigned("a").await;
    desk.clock.advance(Duration::from_millis(500));
    assert!(desk.book.set_autopilot(&id, false).await.unwrap());
    assert_eq!(desk.after(WHILE).await.picked_up, 0);
    // As if the tick had assigned it in the same moment.
    desk.database.run("UPDATE deliveries SET due_at_ms = arrives_at_ms", Vec::new()).await.unwrap();
    assert_eq!(desk.after(WHILE).await.picked_up, 0);
    assert_eq!(desk.advance(&id, "a", "").await, Advanced::Done(DeliveryStatus::PickedUp));
    assert_eq!(desk.find("a").await.expected_at, Some(desk.now() + ride::duration(RESTAURANT, DOOR)));
    assert_eq!(desk.after(HAND_LIMIT + WHILE).await.completed, 1);
}

pub async fn nobody_moves_what_another_carries(desk: Desk) {
    let id = with_an_order(&desk).await;
    assert_eq!(desk.advance("berlin-08", "a", "r").await, Advanced::NotCarried);
    assert_eq!(desk.advance(&id, "b", "r").await, Advanced::NotCarried);
    assert_eq!(desk.advance("nobody", "a", "r").await, Advanced::NotCarried);
    assert_eq!(desk.status("a").await, DeliveryStatus::Assigned);
}

pub async fn a_courier_nobody_knows_cannot_be_set(desk: Desk) {
    assert!(!desk.book.set_autopilot("nobody", false).await.unwrap());
    assert!(desk.book.courier("nobody", desk.now()).await.unwrap().is_none());
}
