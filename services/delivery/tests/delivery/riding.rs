//! Facts about what happens on the way.

use crate::desk::{DOOR, Desk, RESTAURANT, WHILE, fact, ready};
use contract::delivery::{DeliveryStatus, Leg};
use contract::geo::Location;
use delivery::domain::ride;
use std::time::Duration;

const A_MOMENT: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_secs(86_400);

pub async fn a_ride_goes_to_the_restaurant_and_then_to_the_door(desk: Desk) {
    let start = desk.now();
    let id = desk.assigned("a").await;
    let home = desk.courier(&id).await.location;
    let delivery = desk.find("a").await;
    let leg = delivery.leg.unwrap();
    assert_eq!(leg, Leg { from: home, to: RESTAURANT, departed_at: start, arrives_at: start + ride::duration(home, RESTAURANT) });
    assert_eq!(delivery.expected_at, Some(leg.arrives_at + ride::duration(RESTAURANT, DOOR)));

    let there = desk.now();
    let ticked = desk.after(leg.arrives_at.since(there)).await;
    assert_eq!((ticked.picked_up, ticked.completed), (1, 0));
    let delivery = desk.find("a").await;
    assert_eq!((delivery.status, delivery.updated_at), (DeliveryStatus::PickedUp, desk.now()));
    let leg = delivery.leg.unwrap();
    assert_eq!((leg.from, leg.to, leg.departed_at), (RESTAURANT, DOOR, desk.now()));
    assert_eq!(delivery.expected_at, Some(leg.arrives_at));

    let ticked = desk.after(ride::duration(RESTAURANT, DOOR)).await;
    assert_eq!((ticked.picked_up, ticked.completed), (0, 1));
    let delivery = desk.find("a").await;
    assert_eq!((delivery.status, delivery.leg, delivery.expected_at), (DeliveryStatus::Completed, None, Some(desk.now())));
    assert_eq!(delivery.courier.unwrap().id, id);
}

pub async fn every_step_is_told_once_with_all_that_others_need(desk: Desk) {
    let mut order = ready("a", "Berlin", desk.now());
    order.synthetic = true;
    desk.arrive(&[order.clone()]).await;
    desk.tick().await;
    desk.tick().await;
    desk.after(WHILE).await;
    desk.after(WHILE).await;
    desk.after(WHILE).await;
    let told = desk.told().await;
    let kinds: Vec<&str> = told.iter().map(|event| event.fact.kind()).collect();
    assert_eq!(kinds, ["delivery.assigned", "delivery.pickedUp", "delivery.completed"]);
    let courier = desk.find("a").await.courier.unwrap();
    for event in &told {
        assert_eq!((&event.order_id, &event.restaurant_id, &event.city), (&order.order_id, &order.restaurant_id, &order.city));
        assert_eq!((&event.session, &event.traceparent, event.synthetic), (&order.session, &order.traceparent, true));
        assert_eq!((&fact(event).courier_id, &fact(event).courier_name), (&courier.id, &courier.name));
        assert!(fact(event).arrives_at.unwrap() >= event.at);
    }
    // Pick-up happened when somebody looked, and the door is expected from there.
    assert_eq!(fact(&told[1]).arrives_at, Some(told[1].at + ride::duration(RESTAURANT, DOOR)));
    assert_eq!(fact(&told[2]).arrives_at, Some(told[2].at));
}

pub async fn nothing_moves_before_it_is_due(desk: Desk) {
    desk.assigned("a").await;
    let way = desk.find("a").await.leg.unwrap().arrives_at.since(desk.now());
    assert_eq!(desk.after(way - A_MOMENT).await.picked_up, 0);
    assert_eq!(desk.status("a").await, DeliveryStatus::Assigned);
    assert_eq!(desk.after(A_MOMENT).await.picked_up, 1);
    assert_eq!(desk.after(ride::duration(RESTAURANT, DOOR) - A_MOMENT).await.completed, 0);
    assert_eq!(desk.after(A_MOMENT).await.completed, 1);
}

pub async fn a_courier_is_where_the_way_has_brought_them(desk: Desk) {
    let id = desk.assigned("a").await;
    desk.after(WHILE).await;
    let way = ride::duration(RESTAURANT, DOOR);
    assert_eq!(desk.courier(&id).await.location, RESTAURANT);
    desk.clock.advance(way / 2);
    assert_eq!(desk.courier(&id).await.location, Location { x: 5_000, y: 6_200 });
    assert_eq!(desk.find("a").await.leg.unwrap().at(desk.now()), Location { x: 5_000, y: 6_200 });
    desk.clock.advance(WHILE);
    assert_eq!(desk.courier(&id).await.location, DOOR);
}

pub async fn a_courier_is_free_where_the_customer_is(desk: Desk) {
    let id = desk.assigned("a").await;
    desk.after(WHILE).await;
    desk.after(WHILE).await;
    let courier = desk.courier(&id).await;
    assert_eq!((courier.location, courier.order_id, courier.delivered_today), (DOOR, None, 1));
    // The nearest to that door now.
    desk.arrive(&[crate::desk::ready_at("b", "Berlin", desk.now(), DOOR)]).await;
    desk.tick().await;
    assert_eq!(desk.carrier("b").await, Some(id));
}

pub async fn deliveries_of_yesterday_are_not_of_today(desk: Desk) {
    let id = desk.assigned("a").await;
    desk.after(WHILE).await;
    desk.after(WHILE).await;
    desk.clock.advance(DAY);
    assert_eq!(desk.courier(&id).await.delivered_today, 0);
    desk.arrive(&[crate::desk::ready_at("b", "Berlin", desk.now(), DOOR)]).await;
    desk.tick().await;
    desk.after(WHILE).await;
    assert_eq!(desk.courier(&id).await.delivered_today, 0);
    desk.after(WHILE).await;
    assert_eq!(desk.courier(&id).await.delivered_today, 1);
}

pub async fn a_tick_without_work_changes_nothing(desk: Desk) {
    let before = desk.couriers("").await;
    assert_eq!(desk.tick().await, delivery::store::Ticked::default());
    assert_eq!(desk.after(DAY).await, delivery::store::Ticked::default());
    assert_eq!(desk.couriers("").await, before);
    assert_eq!(desk.told().await, []);
}

pub async fn text_of_any_script_is_kept(desk: Desk) {
    let mut order = ready("a", "Ærøskøbing 'x' \"y\" \\", desk.now());
    let contract::event::Fact::OrderReady(fact) = &mut order.fact else { panic!() };
    fact.customer_name = "Zoë 🚀 'O''Neil' 東京 \" \\ {}".to_owned();
    fact.restaurant_name = "Καφενείο".to_owned();
    let expected = fact.clone();
    desk.arrive(&[order.clone()]).await;
    desk.tick().await;
    let delivery = desk.find("a").await;
    assert_eq!((delivery.customer_name, delivery.restaurant_name), (expected.customer_name, expected.restaurant_name));
    assert_eq!((delivery.status, &delivery.city), (DeliveryStatus::Assigned, &order.city));
    assert_eq!(desk.told().await[0].city, order.city);
}
