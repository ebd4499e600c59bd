//! The books beside the orders they are about.

use crate::books::{Books, at, change, id};
use contract::Timestamp;
use contract::order::OrderStatus::{self, Cancelled, Delivered, Paid, PaymentFailed, Rejected};
use order::store::Owner;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinSet;

/// Long after everything.
const QUIET: Duration = Duration::from_secs(3_000);

/// The books, counted afresh from what customers see.
async fn counted(books: &Books) -> BTreeMap<String, i64> {
    let page = order::store::Page { after: None, limit: 10_000 };
    let mut totals: BTreeMap<&str, i64> = BTreeMap::new();
    for order in books.book.list(&Owner::Everybody, None, &page).await.unwrap() {
        let units: i64 = order.items.iter().map(|line| i64::from(line.quantity)).sum();
        let paid = order.history.iter().any(|step| step.status == Paid);
        let mut add = |name, amount: i64| *totals.entry(name).or_default() += amount;
        add("orders", 1);
        add("requests_done", 1);
        add("sold_units", units);
        add("released_units", if matches!(order.status, Cancelled | Rejected | PaymentFailed) { units } else { 0 });
        add("paid", i64::from(paid));
        add("paid_cents", if paid { order.total_price.cents() } else { 0 });
        let refund = paid && matches!(order.status, Cancelled | Rejected);
        add("refund_due_cents", if refund { order.total_price.cents() } else { 0 });
        add("delivered", i64::from(order.status == Delivered));
        add("overdue_without_owner", 0);
    }
    totals.into_iter().map(|(name, total)| (name.to_owned(), total)).collect()
}

pub async fn the_books_say_what_a_count_of_all_orders_says(books: Books) {
    let mut ordering = JoinSet::new();
    let books = std::sync::Arc::new(books);
    for (n, status) in (1..).zip(OrderStatus::ALL.into_iter().cycle().take(44)) {
        let books = books.clone();
        ordering.spawn(async move {
            books.at(n, status).await;
            // Cancelled after it was paid, too.
            if n % 4 == 0 && status == Paid {
                books.change(n, Cancelled, at(n)).await;
            }
        });
    }
    ordering.join_all().await;
    assert_eq!(books.book.ledger(at(60)).await.unwrap().totals, counted(&books).await);
    books.book.forget_answers(Timestamp::from_millis(i64::MAX)).await.unwrap();
    assert_eq!(books.book.ledger(at(60)).await.unwrap().total("requests_done"), 44, "forgotten answers still count");
}

pub async fn what_moved_of_late_is_recent_for_half_a_minute(books: Books) {
    books.at(1, Paid).await;
    books.change(1, Cancelled, at(20)).await;
    let page = books.book.ledger(at(20)).await.unwrap();
    let moved = ["orders", "sold_units", "paid", "paid_cents", "refund_due_cents", "released_units"];
    assert_eq!(moved.map(|name| page.recent(name)), [1, 2, 1, 1_198, 1_198, 2]);
    assert_eq!(page.recent("delivered"), 0);
    let page = books.book.ledger(at(1) + Duration::from_millis(30_001)).await.unwrap();
    assert_eq!((page.recent("orders"), page.recent("paid"), page.recent("released_units")), (0, 1, 2));
    books.book.forget_recent(at(1_000)).await.unwrap();
    assert!(books.book.ledger(at(20)).await.unwrap().recent.is_empty());
}

pub async fn rows_that_are_planted_by_hand_count(books: Books) {
    let plant = async |sql: &'static str| books.database.run(sql, Vec::new()).await.unwrap();
    let total = async |name: &str| books.book.ledger(at(60) + QUIET).await.unwrap().total(name);
    books.at(1, OrderStatus::Pending).await;
    plant(
        "INSERT INTO orders (id, customer_name, restaurant_id, status, total_cents, created_at_ms, updated_at_ms, document, units) \
         VALUES ('planted', 'Eve', 'bar', 'delivered', 700, 1, 1, '{}', 3)",
    )
    .await;
    assert_eq!((total("orders").await, total("requests_done").await), (2, 1), "an order without a request");
    assert_eq!((total("sold_units").await, total("delivered").await), (5, 1));
    plant("UPDATE orders SET paid_at_ms = 1 WHERE id = 'planted'").await;
    assert_eq!((total("paid").await, total("paid_cents").await), (1, 700));
    plant("UPDATE orders SET total_cents = 900, units = 4 WHERE id = 'planted'").await;
    assert_eq!((total("paid_cents").await, total("sold_units").await), (900, 6));
    plant("UPDATE orders SET status = 'rejected' WHERE id = 'planted'").await;
    assert_eq!((total("delivered").await, total("refund_due_cents").await, total("released_units").await), (0, 900, 4));
    plant("DELETE FROM orders WHERE id = 'planted'").await;
    let sums = ["orders", "paid", "paid_cents", "refund_due_cents", "released_units", "sold_units"];
    for (name, value) in sums.into_iter().zip([1, 0, 0, 0, 0, 2]) {
        assert_eq!(total(name).await, value, "{name}");
    }
    plant("DELETE FROM orders").await;
    assert_eq!((total("orders").await, total("requests_done").await), (0, 1), "a lost order");
}

pub async fn what_is_open_says_who_has_it(books: Books) {
    let expected = [
        (OrderStatus::Pending, Some(("a charge", "payment"))),
        (Paid, Some(("the restaurant's answer", "restaurant"))),
        (OrderStatus::Accepted, Some(("the kitchen", "restaurant"))),
        (OrderStatus::Preparing, Some(("the kitchen", "restaurant"))),
        (OrderStatus::Ready, Some(("a courier", "delivery"))),
        (OrderStatus::Assigned, Some(("the courier's arrival", "delivery"))),
        (OrderStatus::PickedUp, Some(("the delivery", "delivery"))),
        (Delivered, None),
        (Cancelled, None),
        (Rejected, Some(("a refund", "payment"))),
        (PaymentFailed, None),
    ];
    for (n, (status, _)) in (1..).zip(expected) {
        books.at(n, status).await;
    }
    let page = books.book.ledger(at(20)).await.unwrap();
    for (n, (status, waits)) in (1..).zip(expected) {
        let item = page.open.iter().find(|item| item.order_id == id(n));
        assert_eq!(item.map(|item| (item.waits_for.as_str(), item.owner.as_str())), waits, "{status:?}");
        assert!(item.is_none_or(|item| item.since < item.deadline));
    }
}

pub async fn no_more_is_listed_as_open_than_anybody_reads(books: Books) {
    for n in 1..=60 {
        books.accepted(n, "Ada", "mine").await;
    }
    let page = books.book.ledger(at(60)).await.unwrap();
    assert_eq!((page.open.len(), &page.open[0].order_id), (50, &id(1)));
}

pub async fn an_overdue_order_that_nobody_has_is_counted(books: Books) {
    let orphans = async |now| books.book.ledger(now).await.unwrap().total("overdue_without_owner");
    books.accepted(1, "Ada", "mine").await;
    books.accepted(2, "Ada", "mine").await;
    books.at(3, Delivered).await;
    assert_eq!(orphans(at(60)).await, 0);
    books.database.run("UPDATE orders SET holder = NULL, deadline_ms = NULL WHERE id = 'order-0001'", Vec::new()).await.unwrap();
    assert_eq!(orphans(at(60)).await, 1);
    let page = books.book.ledger(at(60)).await.unwrap();
    assert_eq!((&page.open[0].order_id, page.open[0].owner.as_str()), (&id(1), ""));
    // Somebody has the other one, but has slept for a minute over its deadline.
    assert_eq!(orphans(at(2) + Duration::from_secs(119)).await, 1);
    assert_eq!(orphans(at(2) + Duration::from_secs(120)).await, 2);
    books.book.sweep(at(2) + Duration::from_secs(120), 10).await.unwrap();
    assert_eq!(orphans(at(2) + Duration::from_secs(120)).await, 1);
    books.book.change(&change(1, PaymentFailed, at(200))).await.unwrap();
    assert_eq!(orphans(at(2) + Duration::from_secs(120)).await, 0);
}
