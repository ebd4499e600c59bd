//! What accepted orders still have to tell others.

use crate::books::{Books, at, id, intent, order};
use contract::{OrderId, Timestamp};
use order::store::{Outgoing, Task};
use std::time::Duration;

const LATER: Timestamp = Timestamp::from_millis(i64::MAX);

async fn due(books: &Books, now: Timestamp) -> Vec<Outgoing> {
    books.book.due(now, 100).await.unwrap()
}

pub async fn an_accepted_order_has_its_stock_to_confirm_and_its_cart_to_clear(books: Books) {
    books.accepted(1, "Ada", "mine").await;
    books.begin(&intent(2)).await;
    books.begin(&intent(3)).await;
    books.book.abort(&id(3)).await.unwrap();
    books.commit(&order(3, "Bo"), "mine").await;
    let tasks: Vec<(OrderId, Task, i64)> = due(&books, LATER).await.into_iter().map(|row| (row.order_id, row.task, row.attempts)).collect();
    assert_eq!(tasks, [(id(1), Task::ConfirmStock, 0), (id(1), Task::ClearCart("cart-1".into()), 0)]);
}

pub async fn a_task_is_due_from_its_moment_on(books: Books) {
    books.accepted(1, "Ada", "mine").await;
    assert_eq!(due(&books, Timestamp::from_millis(at(1).millis() - 1)).await, []);
    assert_eq!(due(&books, at(1)).await.len(), 2);
}

pub async fn a_delivered_task_is_gone(books: Books) {
    books.accepted(1, "Ada", "mine").await;
    let tasks = due(&books, LATER).await;
    books.book.settle(vec![tasks[0].id], Vec::new(), at(2)).await.unwrap();
    assert_eq!(due(&books, LATER).await, [tasks[1].clone()]);
    books.book.settle(vec![tasks[1].id], Vec::new(), at(2)).await.unwrap();
    assert_eq!(due(&books, LATER).await, []);
}

pub async fn a_task_that_failed_is_put_off_longer_each_time_but_not_for_ever(books: Books) {
    books.accepted(1, "Ada", "mine").await;
    let mut now = at(1);
    for (attempt, wait_ms) in (1..).zip([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]) {
        let tasks = due(&books, now).await;
        assert_eq!(tasks.len(), 2, "attempt {attempt}");
        books.book.settle(Vec::new(), tasks, now).await.unwrap();
        let wait = Duration::from_millis(wait_ms);
        assert_eq!(due(&books, now + (wait - Duration::from_millis(1))).await, [], "attempt {attempt}");
        now = now + wait;
        assert!(due(&books, now).await.iter().all(|row| row.attempts == attempt), "attempt {attempt}");
    }
}

pub async fn the_task_that_waits_longest_comes_first(books: Books) {
    for n in [3, 1, 2] {
        books.accepted(n, "Ada", "mine").await;
    }
    let first: Vec<OrderId> = books.book.due(LATER, 4).await.unwrap().into_iter().map(|row| row.order_id).collect();
    assert_eq!(first, [1, 1, 2, 2].map(id));
    let put_off = books.book.due(LATER, 2).await.unwrap();
    books.book.settle(Vec::new(), put_off, at(10)).await.unwrap();
    let next: Vec<OrderId> = due(&books, LATER).await.into_iter().map(|row| row.order_id).collect();
    assert_eq!(next, [2, 2, 3, 3, 1, 1].map(id), "one that failed does not stand in the way of the others");
}

pub async fn settling_what_is_settled_is_no_error(books: Books) {
    books.accepted(1, "Ada", "mine").await;
    let tasks = due(&books, LATER).await;
    let ids: Vec<i64> = tasks.iter().map(|row| row.id).collect();
    for _ in 0..2 {
        books.book.settle(ids.clone(), Vec::new(), at(2)).await.unwrap();
    }
    books.book.settle(vec![4_711], tasks, at(2)).await.unwrap();
    books.book.settle(Vec::new(), Vec::new(), at(2)).await.unwrap();
    assert_eq!(due(&books, LATER).await, []);
}
