//! What memory cannot go through: the process ends and another one opens what it left.

use crate::books::{Books, at, id, intent, order};
use contract::Timestamp;
use contract::order::OrderStatus;
use order::store::{Begun, Intent};

const LATER: Timestamp = Timestamp::from_millis(i64::MAX);

pub async fn accepted_orders_and_their_answers_and_tasks_survive_reopening(books: Books) {
    let accepted = books.accepted(1, "Ada", "mine").await;
    books.change(1, OrderStatus::Paid, at(2)).await;
    let tasks = books.book.due(LATER, 10).await.unwrap();
    books.book.settle(vec![tasks[0].id], vec![tasks[1].clone()], at(3)).await.unwrap();

    let books = books.reopened().await;
    assert_eq!(books.find(&id(1)).await.unwrap().status, OrderStatus::Paid);
    assert_eq!(books.begin(&Intent { order_id: id(2), ..intent(1) }).await, Begun::Replay(Box::new(accepted)));
    let left = books.book.due(LATER, 10).await.unwrap();
    assert_eq!(left.iter().map(|row| (row.id, row.attempts)).collect::<Vec<_>>(), [(tasks[1].id, 1)]);
}

pub async fn intents_that_a_process_left_behind_are_stale_in_the_next_one(books: Books) {
    books.begin(&intent(1)).await;
    books.begin(&intent(2)).await;
    books.book.abort(&id(2)).await.unwrap();

    let books = books.reopened().await;
    assert_eq!(books.stale(LATER).await, [id(1), id(2)]);
    assert!(!books.commit(&order(2, "Ada"), "mine").await, "an abort is for ever");
    assert!(books.commit(&order(1, "Ada"), "mine").await);
}

pub async fn a_database_that_is_opened_twice_is_one_book(one: Books) {
    let accepted = one.accepted(1, "Ada", "mine").await;
    let other = one.reopened().await;
    assert_eq!(other.find(&id(1)).await, Some(accepted));
    let next = other.accepted(2, "Bo", "mine").await;
    let third = other.reopened().await;
    assert_eq!(third.find(&id(2)).await, Some(next));
}
