//! What only a shared database goes through: two processes write to it at the same time.

use crate::books::{Books, at, change, id, intent, new, order};
use contract::order::OrderStatus;
use order::store::{Begun, Intent, Moved, OrderBook};
use std::sync::Arc;
use tokio::task::JoinSet;

async fn two() -> (Books, [Arc<dyn OrderBook>; 2]) {
    let books = Books::in_postgres().await;
    let pair = [books.book.clone(), books.replica().await];
    (books, pair)
}

#[tokio::test]
async fn a_shared_book_says_so() {
    assert!(Books::in_postgres().await.book.is_shared());
    assert!(!Books::in_a_file().await.book.is_shared());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_equal_requests_to_two_replicas_one_starts() {
    let (_books, pair) = two().await;
    let mut asking = JoinSet::new();
    for n in 0..64 {
        let book = pair[n as usize % 2].clone();
        // Each key is asked for by both, with an order id of its own.
        let intent = Intent { order_id: id(100 + n), ..intent(n / 4) };
        asking.spawn(async move { book.begin(&intent).await.unwrap() });
    }
    let begun = asking.join_all().await;
    assert_eq!(begun.iter().filter(|begun| **begun == Begun::Started).count(), 16);
    assert!(begun.iter().all(|begun| matches!(begun, Begun::Started | Begun::InFlight)), "{begun:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_commit_and_an_abort_in_two_replicas_one_wins() {
    let (books, [one, other]) = two().await;
    for n in 0..20 {
        books.begin(&intent(n)).await;
        let (order, id) = (new(&order(n, "Ada"), "mine"), id(n));
        let (committed, aborted) = tokio::join!(one.commit(&order), other.abort(&id));
        assert_ne!(committed.unwrap(), aborted.unwrap(), "order {n}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_moves_that_exclude_each_other_in_two_replicas_one_is_made() {
    let (books, [one, other]) = two().await;
    for n in 0..20 {
        books.accepted(n, "Ada", "mine").await;
        books.change(n, OrderStatus::Paid, at(n)).await;
        let (accept, reject) = (change(n, OrderStatus::Accepted, at(n)), change(n, OrderStatus::Rejected, at(n)));
        let (accepted, rejected) = tokio::join!(one.change(&accept), other.change(&reject));
        let made = [accepted.unwrap(), rejected.unwrap()].iter().filter(|moved| matches!(moved, Moved::Done(_))).count();
        assert_eq!(made, 1, "order {n}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_that_cook_and_sweep_at_once_do_each_thing_once() {
    let (books, [one, other]) = two().await;
    for n in 1..=40 {
        books.at(n, OrderStatus::Paid).await;
    }
    for n in 41..=80 {
        books.accepted(n, "Ada", "mine").await;
    }
    let later = at(700);
    let (cooked, also, swept, too) =
        tokio::join!(one.cook(later, 500), other.cook(later, 500), one.sweep(later, 500), other.sweep(later, 500));
    let cooked = cooked.unwrap().1.len() + also.unwrap().1.len();
    let (swept, too) = (swept.unwrap().1, too.unwrap().1);
    // Who was rejected before it was cooked is not cooked, and nobody is both.
    let rejected = swept.iter().chain(&too).filter(|(_, status)| *status == OrderStatus::Rejected).count();
    let cancelled = swept.iter().chain(&too).filter(|(_, status)| *status == OrderStatus::Cancelled).count();
    assert_eq!(cooked + 2 * rejected, 80);
    assert_eq!(cancelled, 40);
    let told = books.look("SELECT event_id FROM event_outbox").await;
    assert_eq!(told.len(), 80 + 40 + cooked + rejected + cancelled);
}
