use super::{AT_ONCE, cook, overdue};
use crate::domain::{ANSWER_WITHIN, Actor, CHARGE_WITHIN, GIVE_UP_CHARGE_AFTER, NOT_ANSWERED, NOT_CHARGED};
use crate::fakes::{Bench, STOCK, request};
use crate::place::Placed;
use crate::relay::drain;
use crate::store::{Change, Moved};
use contract::order::{Order, OrderStatus};
use contract::{OrderId, RestaurantId};
use runtime::clock::Clock;
use std::time::Duration;

const MOMENT: Duration = Duration::from_millis(1);

async fn ordered(bench: &Bench, cart: &str) -> OrderId {
    let cart = bench.world.cart(cart);
    match bench.state.place(request(&cart), None).await {
        Ok(Placed::New(order)) => order.id,
        _ => panic!("not placed"),
    }
}

async fn moved(bench: &Bench, order: &OrderId, to: OrderStatus) {
    let by = Actor::ALL.into_iter().find(|actor| actor.may_make(to)).unwrap();
    let change = Change { order: order.clone(), by, to, reason: None, at: bench.clock.now(), traceparent: None };
    assert!(matches!(bench.state.book.change(&change).await.unwrap(), Moved::Done(_)));
}

async fn found(bench: &Bench, id: &OrderId) -> Order {
    bench.state.book.find(id).await.unwrap().unwrap().order
}

#[tokio::test]
async fn a_kitchen_on_autopilot_looks_accepts_cooks_and_is_done() {
    let bench = Bench::new().await;
    let order = ordered(&bench, "c").await;
    moved(&bench, &order, OrderStatus::Paid).await;
    cook(&bench.state).await.unwrap();
    assert_eq!(found(&bench, &order).await.status, OrderStatus::Paid, "people must see it come in");
    bench.clock.advance(Duration::from_secs(3));
    cook(&bench.state).await.unwrap();
    assert_eq!(found(&bench, &order).await.status, OrderStatus::Preparing);
    cook(&bench.state).await.unwrap();
    assert_eq!(found(&bench, &order).await.status, OrderStatus::Preparing, "and it takes its time");
    bench.clock.advance(Duration::from_secs(9));
    cook(&bench.state).await.unwrap();
    assert_eq!(found(&bench, &order).await.status, OrderStatus::Ready);
    bench.clock.advance(Duration::from_secs(900));
    cook(&bench.state).await.unwrap();
    assert_eq!(found(&bench, &order).await.status, OrderStatus::Ready, "the rest is the courier's");
}

#[tokio::test]
async fn a_tick_cooks_in_transactions_of_a_bounded_size_until_all_is_done() {
    let bench = Bench::new().await;
    for n in 0..AT_ONCE * 3 / 2 {
        let order = ordered(&bench, &format!("c{n}")).await;
        moved(&bench, &order, OrderStatus::Paid).await;
    }
    bench.clock.advance(Duration::from_secs(3));
    let (seen, steps) = bench.state.book.cook(bench.clock.now(), 4).await.unwrap();
    assert_eq!((seen, steps.len()), (4, 8), "two steps each");
    cook(&bench.state).await.unwrap();
    assert!(bench.orders().await.iter().all(|order| order.status == OrderStatus::Preparing));
    assert_eq!(bench.state.book.cook(bench.clock.now(), AT_ONCE).await.unwrap(), (0, Vec::new()));
}

#[tokio::test]
async fn a_kitchen_without_autopilot_waits_for_people() {
    let bench = Bench::new().await;
    let bar = RestaurantId::from("bar");
    let order = ordered(&bench, "c").await;
    moved(&bench, &order, OrderStatus::Paid).await;
    bench.state.book.set_autopilot(&bar, false).await.unwrap();
    bench.clock.advance(Duration::from_secs(60));
    cook(&bench.state).await.unwrap();
    assert_eq!(found(&bench, &order).await.status, OrderStatus::Paid);
    bench.state.book.set_autopilot(&bar, true).await.unwrap();
    cook(&bench.state).await.unwrap();
    assert_eq!(found(&bench, &order).await.status, OrderStatus::Preparing, "switched on, it takes over what is there");
}

#[tokio::test]
async fn an_order_nobody_charges_is_told_every_minute_and_given_up_with_its_stock() {
    let bench = Bench::new().await;
    let order = ordered(&bench, "c").await;
    drain(&bench.state).await;
    let created = "SELECT COUNT(*) FROM event_outbox WHERE kind = 'order.created'";
    for _ in 1..10 {
        // The bus has it.
        bench.database.run("DELETE FROM event_outbox", Vec::new()).await.unwrap();
        bench.clock.advance(CHARGE_WITHIN - MOMENT);
        overdue(&bench.state).await.unwrap();
        assert_eq!(bench.database.one(created, Vec::new()).await.unwrap().int(0).unwrap(), 0);
        bench.clock.advance(MOMENT);
        overdue(&bench.state).await.unwrap();
        assert_eq!(bench.database.one(created, Vec::new()).await.unwrap().int(0).unwrap(), 1);
    }
    assert_eq!(found(&bench, &order).await.status, OrderStatus::Pending);
    bench.clock.advance(GIVE_UP_CHARGE_AFTER - 9 * CHARGE_WITHIN);
    overdue(&bench.state).await.unwrap();
    let given_up = found(&bench, &order).await;
    assert_eq!((given_up.status, given_up.reason.as_deref()), (OrderStatus::Cancelled, Some(NOT_CHARGED)));
    drain(&bench.state).await;
    assert_eq!(bench.world.left(), STOCK);
    bench.clock.advance(GIVE_UP_CHARGE_AFTER * 100);
    overdue(&bench.state).await.unwrap();
    assert_eq!(found(&bench, &order).await, given_up);
}

#[tokio::test]
async fn an_order_no_restaurant_answers_is_rejected_with_its_money_and_stock() {
    let bench = Bench::new().await;
    let order = ordered(&bench, "c").await;
    moved(&bench, &order, OrderStatus::Paid).await;
    bench.clock.advance(ANSWER_WITHIN);
    overdue(&bench.state).await.unwrap();
    let rejected = found(&bench, &order).await;
    assert_eq!((rejected.status, rejected.reason.as_deref()), (OrderStatus::Rejected, Some(NOT_ANSWERED)));
    drain(&bench.state).await;
    assert_eq!(bench.world.left(), STOCK);
    let books = bench.state.book.ledger(bench.clock.now()).await.unwrap();
    assert_eq!((books.total("paid_cents"), books.total("refund_due_cents")), (1_198, 1_198));
    assert_eq!((books.open[0].waits_for.as_str(), books.open[0].owner.as_str()), ("a refund", "payment"));
}

#[tokio::test]
async fn whoever_lets_a_deadline_pass_is_told_again_and_an_operator_has_the_order() {
    let bench = Bench::new().await;
    let order = ordered(&bench, "c").await;
    for to in [OrderStatus::Paid, OrderStatus::Accepted, OrderStatus::Preparing, OrderStatus::Ready, OrderStatus::Assigned] {
        moved(&bench, &order, to).await;
    }
    bench.database.run("DELETE FROM event_outbox", Vec::new()).await.unwrap();
    bench.clock.advance(Duration::from_secs(3_600));
    overdue(&bench.state).await.unwrap();
    let told = bench.database.all("SELECT event_id FROM event_outbox", Vec::new()).await.unwrap();
    assert_eq!(told.iter().map(|row| row.text(0).unwrap()).collect::<Vec<_>>(), [format!("{order}/order.ready")]);
    let books = bench.state.book.ledger(bench.clock.now()).await.unwrap();
    assert_eq!((books.open[0].owner.as_str(), books.total("overdue_without_owner")), ("operator", 0));
    assert_eq!(found(&bench, &order).await.status, OrderStatus::Assigned);
}

#[tokio::test]
async fn a_store_that_is_down_fails_the_tick_and_the_next_one_does_the_work() {
    let bench = Bench::new().await;
    let order = ordered(&bench, "c").await;
    moved(&bench, &order, OrderStatus::Paid).await;
    bench.clock.advance(Duration::from_secs(3));
    testkit::flip(&bench.platform, "store-down", "order");
    assert!(cook(&bench.state).await.is_err() && overdue(&bench.state).await.is_err());
    testkit::flip(&bench.platform, "store-down", "off");
    cook(&bench.state).await.unwrap();
    assert_eq!(found(&bench, &order).await.status, OrderStatus::Preparing);
}
