use super::Listener;
use crate::fakes::{Bench, request};
use crate::place::Placed;
use async_trait::async_trait;
use contract::event::{DeliveryFact, Event, Fact, PaymentFact};
use contract::order::{Order, OrderStatus};
use contract::pricing::ReservationState;
use contract::{Money, OrderId};
use runtime::clock::Clock;
use runtime::events::{Events, Handler, append};
use runtime::store::sql::{Apply, Connection, Database, GroupCommit, Schema};
use std::sync::Arc;
use std::time::Duration;
use testkit::eventually;

const SOON: Duration = Duration::from_secs(10);

/// Applies a batch as the consumer does.
struct Round(Arc<Listener>);

#[async_trait]
impl Apply for Round {
    type Job = Vec<Event>;
    type Done = ();
    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Vec<Event>]) -> Result<Vec<()>, sqlx::Error> {
        for events in jobs {
            self.0.apply(transaction, events).await.map_err(|error| sqlx::Error::Protocol(error.to_string()))?;
        }
        Ok(vec![(); jobs.len()])
    }
}

impl Bench {
    fn listener(&self) -> Arc<Listener> {
        let state = &self.state;
        Arc::new(Listener::new(state.clock.clone(), self.platform.chance.clone(), state.metrics.clone(), state.wake.clone()))
    }

    async fn hear(&self, events: Vec<Event>) {
        let listener = self.listener();
        GroupCommit::start(&self.database, Round(listener.clone())).submit(events.clone()).await.unwrap();
        listener.applied(&events);
        assert!(listener.made.lock().unwrap().is_empty());
    }

    async fn ordered(&self, cart: &str) -> Order {
        let cart = self.world.cart(cart);
        match self.state.place(request(&cart), None).await {
            Ok(Placed::New(order)) => order,
            _ => panic!("not placed"),
        }
    }

    async fn found(&self, id: &OrderId) -> Order {
        self.state.book.find(id).await.unwrap().unwrap().order
    }

    /// Kinds of the events that wait in the outbox, in order.
    async fn told(&self) -> Vec<String> {
        let rows = self.database.all("SELECT kind FROM event_outbox ORDER BY id", Vec::new()).await.unwrap();
        rows.iter().map(|row| row.text(0).unwrap()).collect()
    }
}

fn money(reason: Option<&str>) -> PaymentFact {
    PaymentFact { amount: Money::from_cents(1_198), reason: reason.map(str::to_owned) }
}

fn courier() -> DeliveryFact {
    DeliveryFact { courier_id: "c".to_owned(), courier_name: "Kim".to_owned(), arrives_at: None }
}

fn news(bench: &Bench, order: &OrderId, fact: Fact) -> Event {
    Event::new(order.clone(), "bar".into(), "Berlin", bench.clock.now(), fact)
}

#[tokio::test]
async fn a_charge_makes_the_order_paid_and_the_others_hear_of_it() {
    let bench = Bench::new().await;
    let order = bench.ordered("c").await;
    bench.hear(vec![news(&bench, &order.id, Fact::PaymentCompleted(money(None)))]).await;
    assert_eq!(bench.found(&order.id).await.status, OrderStatus::Paid);
    assert_eq!(bench.told().await, ["order.created", "order.paid"]);
}

#[tokio::test]
async fn an_order_whose_payment_failed_says_why_and_gives_its_stock_back() {
    let bench = Bench::new().await;
    let order = bench.ordered("c").await;
    bench.hear(vec![news(&bench, &order.id, Fact::PaymentFailed(money(Some("The card was declined."))))]).await;
    let failed = bench.found(&order.id).await;
    assert_eq!((failed.status, failed.reason.as_deref()), (OrderStatus::PaymentFailed, Some("The card was declined.")));
    crate::relay::drain(&bench.state).await;
    assert_eq!((bench.world.left(), bench.world.reservation(&order.id)), (crate::fakes::STOCK, Some(ReservationState::Released)));
}

#[tokio::test]
async fn a_whole_delivery_in_one_batch_leaves_every_step_in_the_history() {
    let bench = Bench::new().await;
    let order = bench.ordered("c").await;
    bench.hear(vec![news(&bench, &order.id, Fact::PaymentCompleted(money(None)))]).await;
    for _ in 0..2 {
        bench.clock.advance(Duration::from_secs(10));
        crate::jobs::cook(&bench.state).await.unwrap();
    }
    let facts = [Fact::DeliveryAssigned(courier()), Fact::DeliveryPickedUp(courier()), Fact::DeliveryCompleted(courier())];
    bench.hear(facts.into_iter().map(|fact| news(&bench, &order.id, fact)).collect()).await;
    let steps: Vec<&str> = bench.found(&order.id).await.history.iter().map(|step| step.status.as_str()).collect();
    let way = ["pending", "paid", "accepted", "preparing", "ready", "assigned", "pickedUp", "delivered"];
    assert_eq!(steps, way);
    let told: Vec<String> = way.iter().map(|status| format!("order.{}", status.replace("pending", "created"))).collect();
    assert_eq!(bench.told().await, told);
}

#[tokio::test]
async fn news_that_come_late_twice_or_for_nobody_change_nothing() {
    let bench = Bench::new().await;
    let (order, other) = (bench.ordered("c").await, OrderId::from("nobody"));
    let facts = [Fact::DeliveryCompleted(courier()), Fact::PaymentCompleted(money(None)), Fact::PaymentCompleted(money(None))];
    let mut events: Vec<Event> = facts.into_iter().map(|fact| news(&bench, &order.id, fact)).collect();
    events.push(news(&bench, &other, Fact::PaymentCompleted(money(None))));
    events.push(news(&bench, &order.id, Fact::PaymentFailed(money(None))));
    bench.hear(events).await;
    let paid = bench.found(&order.id).await;
    assert_eq!((paid.status, paid.history.len()), (OrderStatus::Paid, 2));
    assert_eq!(bench.told().await, ["order.created", "order.paid"]);
}

#[tokio::test]
async fn a_charge_for_an_order_that_was_cancelled_meanwhile_changes_nothing_here() {
    let bench = Bench::new().await;
    let order = bench.ordered("c").await;
    let cancel = crate::store::Change {
        order: order.id.clone(),
        by: crate::domain::Actor::Customer,
        to: OrderStatus::Cancelled,
        reason: None,
        at: bench.clock.now(),
        traceparent: None,
    };
    bench.state.book.change(&cancel).await.unwrap();
    bench.hear(vec![news(&bench, &order.id, Fact::PaymentCompleted(money(None)))]).await;
    assert_eq!(bench.found(&order.id).await.status, OrderStatus::Cancelled);
    assert_eq!(bench.told().await, ["order.created", "order.cancelled"]);
    let ledger = bench.state.book.ledger(bench.clock.now()).await.unwrap();
    assert_eq!((ledger.total("paid_cents"), ledger.total("refund_due_cents")), (0, 0), "payment gives back what it took too late");
}

#[tokio::test]
async fn a_batch_of_many_orders_moves_all_of_them() {
    let bench = Bench::new().await;
    let mut events = Vec::new();
    for n in 0..100 {
        let order = bench.ordered(&format!("c{n}")).await;
        events.push(news(&bench, &order.id, Fact::PaymentCompleted(money(None))));
    }
    bench.hear(events).await;
    assert!(bench.orders().await.iter().all(|order| order.status == OrderStatus::Paid));
    assert_eq!(bench.state.book.ledger(bench.clock.now()).await.unwrap().total("paid"), 100);
}

/// Writes events as another service does.
struct Telling;

#[async_trait]
impl Apply for Telling {
    type Job = Event;
    type Done = ();
    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Event]) -> Result<Vec<()>, sqlx::Error> {
        append(transaction, jobs).await?;
        Ok(vec![(); jobs.len()])
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_payment_tells_on_the_bus_moves_the_order_and_is_told_on() {
    let bench = Bench::new().await;
    let ours = Events::start(&bench.platform, crate::NAME, &bench.database).await.unwrap();
    let mut tail = ours.tail();
    ours.consume(bench.listener());
    let order = bench.ordered("c").await;

    let theirs = Database::in_memory("payment", &Schema { sqlite: &[], postgres: &[] }).await.unwrap();
    let payment = Events::start(&bench.platform, "payment", &theirs).await.unwrap();
    GroupCommit::start(&theirs, Telling).submit(news(&bench, &order.id, Fact::PaymentCompleted(money(None)))).await.unwrap();
    payment.wake();
    eventually("the order is paid", SOON, || async { bench.found(&order.id).await.status == OrderStatus::Paid }).await;
    let heard = async {
        loop {
            if let Some(runtime::events::Tailed::Event(event)) = tail.next().await
                && event.fact.kind() == "order.paid"
            {
                return event;
            }
        }
    };
    let event = tokio::time::timeout(SOON, heard).await.unwrap();
    assert_eq!(event.id, format!("{}/order.paid", order.id));
}
