//! What only a shared database goes through: two processes tick at the same time.

use crate::desk::{Desk, WHILE, many, ready};
use delivery::domain::ride::HAND_LIMIT;
use delivery::domain::staff::OWN;
use delivery::store::{Advance, Advanced};
use std::collections::HashSet;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_that_tick_at_once_double_nothing() {
    let desk = Desk::in_postgres().await;
    let other = desk.replica().await;
    let mut orders = many(300, "Berlin", desk.now());
    orders.extend(many(200, "Tokyo", desk.now()).into_iter().map(|order| ready(&format!("t-{}", order.order_id), "Tokyo", order.at)));
    desk.arrive(&orders).await;
    let (mut assigned, mut completed) = (0, 0);
    for _ in 0..120 {
        desk.clock.advance(Duration::from_secs(1));
        let (one, two) = tokio::join!(desk.book.tick(desk.now()), other.tick(desk.now()));
        for ticked in [one.unwrap(), two.unwrap()] {
            assigned += ticked.assigned.len();
            completed += ticked.completed as usize;
        }
        desk.check_pairs().await;
        if completed == orders.len() {
            break;
        }
    }
    assert_eq!((assigned, completed), (orders.len(), orders.len()));
    let told = desk.told().await;
    let ids: HashSet<&str> = told.iter().map(|event| event.id.as_str()).collect();
    assert_eq!((told.len(), ids.len()), (3 * orders.len(), 3 * orders.len()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_by_hand_and_a_takeover_in_two_replicas_are_one_step() {
    let desk = Desk::in_postgres().await;
    let other = desk.replica().await;
    for n in 0..20 {
        let order = format!("o{n}");
        let id = desk.assigned(&order).await;
        desk.book.set_autopilot(&id, false).await.unwrap();
        desk.clock.advance(HAND_LIMIT + WHILE);
        let step = Advance { courier: id, order_id: order.as_str().into(), request: String::new(), at: desk.now() };
        let (ticked, advanced) = tokio::join!(desk.book.tick(desk.now()), other.advance(step));
        let (picked_up, advanced) = (ticked.unwrap().picked_up, advanced.unwrap());
        // The person's step may come after the takeover's, and is then the next one.
        assert!(picked_up == 1 || matches!(advanced, Advanced::Done(_)), "{picked_up} {advanced:?}");
        desk.check_pairs().await;
        desk.after(WHILE).await;
        desk.after(HAND_LIMIT + WHILE).await;
    }
    let told = desk.told().await;
    assert_eq!(told.len(), 60, "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_together_have_one_set_of_couriers() {
    let desk = Desk::in_postgres().await;
    desk.database.run("DELETE FROM couriers", Vec::new()).await.unwrap();
    desk.database.run("DELETE FROM cities", Vec::new()).await.unwrap();
    let other = desk.replica().await;
    let (one, two) = tokio::join!(desk.book.found(desk.now()), other.found(desk.now()));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    assert_eq!(desk.couriers("").await.len(), 10 * OWN as usize);
}
