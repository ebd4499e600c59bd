//! What follows from a step: what others are told, what goes back, what the clock does.

use crate::books::{Books, at, change, id};
use contract::Timestamp;
use contract::event::{Event, Fact};
use contract::order::OrderStatus::{self, Accepted, Cancelled, Delivered, Paid, PaymentFailed, Preparing, Ready, Rejected};
use order::domain::Actor;
use order::store::{Change, Moved, Task};
use std::time::Duration;
use tokio::task::JoinSet;

const LATER: Timestamp = Timestamp::from_millis(i64::MAX);

async fn told(books: &Books) -> Vec<Event> {
    let documents = books.look("SELECT document FROM event_outbox ORDER BY id").await;
    documents.iter().map(|document| serde_json::from_str(document).unwrap()).collect()
}

async fn kinds(books: &Books) -> Vec<String> {
    told(books).await.iter().map(|event| event.fact.kind().to_owned()).collect()
}

/// Orders whose stock is to be given back.
async fn releases(books: &Books) -> usize {
    books.book.due(LATER, 1_000).await.unwrap().iter().filter(|row| row.task == Task::ReleaseStock).count()
}

pub async fn every_step_is_told_and_a_refused_one_is_not(books: Books) {
    books.at(1, Delivered).await;
    books.change(1, Cancelled, at(9)).await;
    let way = ["created", "paid", "accepted", "preparing", "ready", "assigned", "pickedUp", "delivered"];
    assert_eq!(kinds(&books).await, way.map(|step| format!("order.{step}")));
    let events = told(&books).await;
    assert_eq!((events[0].id.as_str(), events[0].session.as_deref()), ("order-0001/order.created", Some("a-browser")));
    assert!(events.windows(2).all(|pair| pair[0].at < pair[1].at));
    for event in &events {
        let (_, fact) = event.fact.order().unwrap();
        assert_eq!((fact.total.cents(), fact.units, fact.customer_name.as_str(), fact.refund), (1_198, 2, "Ada", false));
        let early = matches!(event.fact, Fact::OrderCreated(_) | Fact::OrderPaid(_));
        assert_eq!(fact.lines.len(), usize::from(early), "{}", event.fact.kind());
    }
}

pub async fn an_intent_that_is_not_committed_is_not_told(books: Books) {
    books.begin(&crate::books::intent(1)).await;
    books.book.abort(&id(1)).await.unwrap();
    books.commit(&crate::books::order(1, "Ada"), "mine").await;
    assert!(told(&books).await.is_empty());
}

pub async fn what_ends_without_food_gives_its_stock_back_once_and_says_whether_money_goes_back(books: Books) {
    let ends = [(Cancelled, false, false), (Cancelled, true, true), (Rejected, true, true), (PaymentFailed, false, false)];
    for (n, (end, paid, refund)) in (1..).zip(ends) {
        books.accepted(n, "Ada", "mine").await;
        if paid {
            books.change(n, Paid, at(n)).await;
        }
        for _ in 0..2 {
            books.change(n, end, at(n)).await;
        }
        assert_eq!(releases(&books).await as u32, n, "{end:?}");
        let events = told(&books).await;
        assert_eq!(events.last().unwrap().fact.order().unwrap().1.refund, refund, "{end:?}");
    }
    books.at(9, Delivered).await;
    assert_eq!(releases(&books).await, 4);
}

pub async fn a_reason_is_kept_and_told(books: Books) {
    books.at(1, Paid).await;
    let why = Some("We ran out of oat milk.".to_owned());
    let reject = Change { reason: why.clone(), ..change(1, Rejected, at(5)) };
    assert!(matches!(books.book.change(&reject).await.unwrap(), Moved::Done(record) if record.order.reason == why));
    assert_eq!(books.find(&id(1)).await.unwrap().reason, why);
    assert_eq!(told(&books).await.last().unwrap().fact.order().unwrap().1.reason, why);
}

pub async fn a_move_is_told_in_the_trace_of_whoever_made_it(books: Books) {
    books.accepted(1, "Ada", "mine").await;
    let trace = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    books.book.change(&Change { traceparent: trace.clone(), ..change(1, Paid, at(2)) }).await.unwrap();
    assert_eq!(told(&books).await.last().unwrap().traceparent, trace);
}

pub async fn who_may_not_make_a_move_does_not(books: Books) {
    for (n, status) in (1..).zip(OrderStatus::ALL) {
        let before = books.at(n, status).await;
        for by in Actor::ALL {
            for to in OrderStatus::ALL.into_iter().filter(|to| status.may_become(*to) && !by.may_make(*to)) {
                let moved = books.book.change(&Change { by, ..change(n, to, at(99)) }).await.unwrap();
                assert_eq!(moved, Moved::NotTheirs, "{by:?}: {status:?} to {to:?}");
            }
        }
        assert_eq!(books.find(&id(n)).await, Some(before));
    }
}

pub async fn many_moves_at_once_are_all_made_and_told_once(books: Books) {
    for n in 1..=60 {
        books.accepted(n, "Ada", "mine").await;
    }
    let mut moving = JoinSet::new();
    for n in 1..=180 {
        let book = books.book.clone();
        // Each three times.
        moving.spawn(async move { book.change(&change((n - 1) % 60 + 1, Paid, at(100))).await.unwrap() });
    }
    let answers = moving.join_all().await;
    assert_eq!(answers.iter().filter(|moved| matches!(moved, Moved::Done(_))).count(), 60);
    assert_eq!(answers.iter().filter(|moved| **moved == Moved::Illegal(Paid)).count(), 120);
    assert_eq!(told(&books).await.len(), 120);
}

pub async fn kitchens_cook_what_is_due_and_nothing_else(books: Books) {
    let start = at(1);
    books.at(1, Paid).await;
    assert!(books.book.cook(start, 10).await.unwrap().1.is_empty());
    let (_, steps) = books.book.cook(start + Duration::from_secs(10), 10).await.unwrap();
    assert_eq!(steps, [(id(1), Accepted), (id(1), Preparing)]);
    let (_, steps) = books.book.cook(start + Duration::from_secs(30), 10).await.unwrap();
    assert_eq!(steps, [(id(1), Ready)]);
    assert!(books.book.cook(start + Duration::from_secs(3_000), 10).await.unwrap().1.is_empty());
    let end = ["order.accepted", "order.preparing", "order.ready"];
    assert_eq!(kinds(&books).await[2..], end);
}

pub async fn a_kitchen_whose_autopilot_is_off_is_passed_over_and_nobody_behind_it_waits(books: Books) {
    let (bar, later) = ("cosmic-coffee".into(), at(100));
    for n in 1..=3 {
        books.at(n, Paid).await;
    }
    books.book.set_autopilot(&bar, false).await.unwrap();
    assert!(!books.book.board(&bar).await.unwrap().autopilot);
    books.begin(&crate::books::intent(4)).await;
    let elsewhere = contract::order::Order { restaurant_id: "diner".into(), ..crate::books::order(4, "Bo") };
    books.commit(&elsewhere, "mine").await;
    books.change(4, Paid, at(5)).await;
    assert_eq!(books.book.cook(later, 1).await.unwrap().1.len(), 2, "the other restaurant's");
    assert!(books.book.cook(later, 10).await.unwrap().1.iter().all(|(order, _)| *order == id(4)));
    books.book.set_autopilot(&bar, true).await.unwrap();
    assert_eq!(books.book.cook(later, 10).await.unwrap().1.iter().filter(|(order, _)| *order != id(4)).count(), 6);
}

pub async fn the_sweep_takes_what_is_overdue_longest_and_no_more_than_it_may(books: Books) {
    for n in 1..=5 {
        books.accepted(n, "Ada", "mine").await;
    }
    let minute = Duration::from_secs(60);
    assert_eq!(books.book.sweep(at(0) + minute, 10).await.unwrap().0, 0);
    assert_eq!(books.book.sweep(at(2) + minute, 10).await.unwrap(), (2, Vec::new()));
    assert_eq!(books.book.sweep(at(5) + minute, 2).await.unwrap().0, 2);
    assert_eq!(books.book.sweep(at(5) + minute, 2).await.unwrap().0, 1);
    // An event that still waits in the outbox is not there twice.
    assert_eq!(told(&books).await.len(), 5);
    let (seen, steps) = books.book.sweep(at(5) + 10 * minute, 10).await.unwrap();
    assert_eq!((seen, steps), (5, (1..=5).map(|n| (id(n), Cancelled)).collect()));
}

pub async fn what_is_due_and_what_is_overdue_survive_reopening(books: Books) {
    books.at(1, Paid).await;
    books.accepted(2, "Bo", "mine").await;
    books.book.set_autopilot(&"diner".into(), false).await.unwrap();
    let books = books.reopened().await;
    assert_eq!(books.book.cook(at(60), 10).await.unwrap().1.len(), 2);
    assert_eq!(books.book.sweep(at(2) + Duration::from_secs(60), 10).await.unwrap().0, 1);
    assert!(!books.book.board(&"diner".into()).await.unwrap().autopilot);
}
