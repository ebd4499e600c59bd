//! An order's way from pending to its end.

use crate::books::{Books, at, change, id, session, way_to};
use contract::order::OrderStatus::{Accepted, Assigned, Delivered, Paid, PaymentFailed, PickedUp, Preparing, Ready};
use contract::order::{OrderStatus, Step};
use order::store::{Moved, Page};
use tokio::task::JoinSet;

const WAY: [OrderStatus; 7] = [Paid, Accepted, Preparing, Ready, Assigned, PickedUp, Delivered];

pub async fn an_order_moves_along_its_way(books: Books) {
    let mut order = books.accepted(1, "Ada", "mine").await;
    for (n, status) in (2..).zip(WAY) {
        order.status = status;
        order.updated_at = at(n);
        order.history.push(Step { status, at: at(n) });
        let moved = books.change(1, status, at(n)).await;
        assert!(matches!(&moved, Moved::Done(record) if record.order == order), "{moved:?}");
        assert_eq!(books.find(&id(1)).await, Some(order.clone()));
        let page = Page { after: None, limit: 1 };
        assert_eq!(books.book.list(&session("mine"), None, &page).await.unwrap(), [order.clone()]);
    }
}

pub async fn a_move_that_is_not_allowed_changes_nothing(books: Books) {
    for (n, from) in (1..).zip(OrderStatus::ALL) {
        books.accepted(n, "Ada", "mine").await;
        for step in way_to(from) {
            assert!(matches!(books.change(n, step, at(n)).await, Moved::Done(_)), "{step:?}");
        }
        let before = books.find(&id(n)).await.unwrap();
        assert_eq!(before.status, from);
        for to in OrderStatus::ALL.into_iter().filter(|to| !from.may_become(*to)) {
            assert_eq!(books.change(n, to, at(999)).await, Moved::Illegal(from), "{from:?} to {to:?}");
        }
        assert_eq!(books.find(&id(n)).await, Some(before));
    }
}

pub async fn an_order_that_never_was_does_not_move(books: Books) {
    assert_eq!(books.change(1, Paid, at(1)).await, Moved::Missing);
    assert_eq!(books.find(&id(1)).await, None);
}

pub async fn of_sixteen_moves_that_exclude_each_other_one_is_made(books: Books) {
    books.accepted(1, "Ada", "mine").await;
    let mut moving = JoinSet::new();
    for n in 0..16 {
        let book = books.book.clone();
        let status = if n % 2 == 0 { Paid } else { PaymentFailed };
        moving.spawn(async move { book.change(&change(1, status, at(2))).await.unwrap() });
    }
    let answers = moving.join_all().await;
    let made: Vec<OrderStatus> = answers
        .iter()
        .filter_map(|moved| match moved {
            Moved::Done(record) => Some(record.order.status),
            _ => None,
        })
        .collect();
    assert_eq!(made.len(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|moved| **moved == Moved::Illegal(made[0])).count(), 15);
    assert_eq!(books.find(&id(1)).await.unwrap().status, made[0]);
}
