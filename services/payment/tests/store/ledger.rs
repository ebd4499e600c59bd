//! Sums that follow every row, whoever writes it.

use crate::books::{Books, after, cancelled, cents, id, ordered, ordered_at};
use contract::Timestamp;
use payment::domain::{Happened, day_number};
use runtime::args;
use std::time::Duration;
use testkit::MORNING;

const MONEY: [&str; 4] = ["charges", "charged_cents", "refunds", "refunded_cents"];

pub async fn totals_follow_what_happens(books: Books) {
    for n in 1..=4 {
        books.hear(vec![ordered(n)]).await;
    }
    assert_eq!((books.total("payments").await, books.totals(MONEY).await), (4, [0, 0, 0, 0]));
    for n in 1..=3 {
        books.answer(&id(n), Happened::Charged).await;
    }
    books.answer(&id(4), Happened::Declined("no".to_owned())).await;
    assert_eq!(books.totals(MONEY).await, [3, cents(1) + cents(2) + cents(3), 0, 0]);
    books.hear(vec![cancelled(1), cancelled(2)]).await;
    assert_eq!(books.totals(MONEY).await, [3, cents(1) + cents(2) + cents(3), 0, 0], "not given back yet");
    books.answer(&id(1), Happened::Returned).await;
    assert_eq!(books.totals(MONEY).await, [3, cents(1) + cents(2) + cents(3), 1, cents(1)]);
    // The bank denies the charge: it is taken out of the sums.
    books.answer(&id(2), Happened::NothingTaken).await;
    assert_eq!(books.totals(MONEY).await, [2, cents(1) + cents(3), 1, cents(1)]);
}

pub async fn a_row_that_was_planted_counts(books: Books) {
    books.paid(ordered(1), MORNING).await;
    let plant = "INSERT INTO payments (order_id, restaurant_id, status, amount_cents, created_ms, updated_ms) \
                 VALUES ('planted', 'cosmic-coffee', 'completed', 500, 0, 0), ('another', 'cosmic-coffee', 'refunded', 300, 0, 0)";
    books.database.run(plant, args![]).await.unwrap();
    assert_eq!((books.total("payments").await, books.totals(MONEY).await), (3, [3, cents(1) + 800, 1, 300]));
    let page = books.book.ledger(MORNING).await.unwrap();
    assert_eq!((page.recent("charged_cents"), page.recent("payments")), (cents(1), 1), "and nothing explains it");
    books.database.run("UPDATE payments SET amount_cents = 700 WHERE order_id = 'planted'", args![]).await.unwrap();
    assert_eq!(books.totals(MONEY).await, [3, cents(1) + 1_000, 1, 300]);
    books.database.run("UPDATE payments SET status = 'refunded' WHERE order_id = 'planted'", args![]).await.unwrap();
    assert_eq!(books.totals(MONEY).await, [3, cents(1) + 1_000, 2, 1_000]);
    books.database.run("DELETE FROM payments WHERE order_id IN ('planted', 'another')", args![]).await.unwrap();
    assert_eq!((books.total("payments").await, books.totals(MONEY).await), (1, [1, cents(1), 0, 0]));
}

pub async fn what_moved_within_half_a_minute_is_recent(books: Books) {
    books.paid(ordered(1), MORNING).await;
    books.paid(ordered(2), after(20_000)).await;
    books.hear(vec![cancelled(2)]).await;
    books.book.answer(&id(2), Happened::Returned, None, after(25_000)).await.unwrap();
    let recent = async |ms| {
        let page = books.book.ledger(after(ms)).await.unwrap();
        ["payments", "charges", "charged_cents", "refunds", "refunded_cents"].map(|name| page.recent(name))
    };
    assert_eq!(recent(29_000).await, [2, 2, cents(1) + cents(2), 1, cents(2)]);
    assert_eq!(recent(31_000).await, [1, 1, cents(2), 1, cents(2)]);
    assert_eq!(recent(51_000).await, [0, 0, 0, 1, cents(2)]);
    assert_eq!(recent(56_000).await, [0, 0, 0, 0, 0]);
}

pub async fn what_waits_for_the_bank_is_open_oldest_first(books: Books) {
    books.hear(vec![ordered(1)]).await;
    books.paid(ordered(2), after(1_000)).await;
    books.paid(ordered(3), after(2_000)).await;
    books.hear_at(vec![cancelled(3)], after(3_000)).await;
    books.book.put_off(&id(1), after(9_000)).await.unwrap();
    let open = books.book.ledger(after(10_000)).await.unwrap().open;
    let seen: Vec<_> = open.iter().map(|item| (item.order_id.as_str(), item.waits_for.as_str(), item.owner.as_str())).collect();
    assert_eq!(seen, [("order-0001", "a charge", "payment"), ("order-0003", "a refund", "payment")]);
    assert_eq!((open[0].since, open[0].deadline), (MORNING, MORNING + Duration::from_secs(60)));
}

pub async fn a_restaurant_is_paid_for_what_stands(books: Books) {
    for (n, restaurant) in [(1, "b"), (2, "a"), (3, "b"), (4, "b")] {
        books.paid(ordered_at(n, restaurant), MORNING).await;
    }
    books.hear(vec![ordered_at(5, "c"), cancelled(3)]).await;
    books.answer(&id(3), Happened::Returned).await;
    let lines = books.book.settlement(day_number("2025-11-20").unwrap()).await.unwrap();
    let seen: Vec<_> = lines.iter().map(|line| (line.restaurant_id.as_str(), line.charges, line.refunds, line.net.cents())).collect();
    assert_eq!(seen, [("a", 1, 0, cents(2)), ("b", 3, 1, cents(1) + cents(4))]);
    assert_eq!((lines[1].charged.cents(), lines[1].refunded.cents()), (cents(1) + cents(3) + cents(4), cents(3)));
    assert_eq!(books.book.settlement(day_number("2025-11-21").unwrap()).await.unwrap(), []);
}

pub async fn a_refund_counts_for_the_day_of_its_charge(books: Books) {
    let day = Duration::from_secs(86_400);
    books.paid(ordered(1), MORNING).await;
    books.hear(vec![cancelled(1)]).await;
    let next_morning: Timestamp = MORNING + day;
    books.book.answer(&id(1), Happened::Returned, None, next_morning).await.unwrap();
    let lines = books.book.settlement(day_number("2025-11-20").unwrap()).await.unwrap();
    assert_eq!((lines[0].refunds, lines[0].net.cents()), (1, 0));
    assert_eq!(books.book.settlement(day_number("2025-11-21").unwrap()).await.unwrap(), []);
}

pub async fn a_reset_leaves_nothing(books: Books) {
    books.paid(ordered(1), MORNING).await;
    books.hear(vec![ordered(2)]).await;
    books.book.reset().await.unwrap();
    let page = books.book.ledger(MORNING).await.unwrap();
    assert!(page.totals.len() == 7 && page.totals.values().all(|total| *total == 0), "{:?}", page.totals);
    assert!(page.open.is_empty() && page.recent.values().all(|recent| *recent == 0));
    assert_eq!(books.book.settlement(day_number("2025-11-20").unwrap()).await.unwrap(), []);
    books.paid(ordered(1), MORNING).await;
    assert_eq!(books.totals(MONEY).await, [1, cents(1), 0, 0]);
}
