//! A kitchen's board, whose orders are whose, and a fresh start.

use crate::books::{Books, at, id, intent, order, session};
use contract::OrderId;
use contract::order::Order;
use contract::order::OrderStatus::{self, Accepted, Assigned, Cancelled, Delivered, Paid, PickedUp, Preparing, Ready};
use order::store::Owner;
use std::time::Duration;

fn ids(orders: &[Order]) -> Vec<OrderId> {
    orders.iter().map(|order| order.id.clone()).collect()
}

pub async fn a_board_has_every_order_in_its_column_oldest_first(books: Books) {
    for (n, status) in (1..).zip([Ready, Paid, Preparing, Accepted, Paid, Assigned, Delivered, PickedUp, Cancelled, OrderStatus::Pending]) {
        books.at(n, status).await;
    }
    let board = books.book.board(&"cosmic-coffee".into()).await.unwrap();
    assert_eq!(ids(&board.new), [2, 5].map(id));
    assert_eq!(ids(&board.cooking), [3, 4].map(id));
    assert_eq!(ids(&board.ready), [1, 6].map(id));
    assert_eq!(ids(&board.handed_over), [8, 7].map(id), "newest first");
    assert!(board.autopilot);
    assert_eq!(board.new[0].customer_name.as_ref().unwrap().as_str(), "Ada");
    let other = books.book.board(&"diner".into()).await.unwrap();
    assert_eq!((other.new.len(), other.handed_over.len()), (0, 0));
}

pub async fn a_board_is_bounded_and_shows_the_newest(books: Books) {
    for n in 1..=60 {
        books.at(n, Paid).await;
    }
    for n in 61..=80 {
        books.at(n, Delivered).await;
    }
    let board = books.book.board(&"cosmic-coffee".into()).await.unwrap();
    assert_eq!(ids(&board.new), (11..=60).map(id).collect::<Vec<_>>());
    assert_eq!(ids(&board.handed_over), (69..=80).rev().map(id).collect::<Vec<_>>());
}

pub async fn claimed_orders_change_hands_and_others_do_not(books: Books) {
    for (n, whose) in [(1, "s:guest"), (2, "s:other"), (3, "s:guest"), (4, "u:ada")] {
        books.accepted(n, "Ada", whose).await;
    }
    for _ in 0..2 {
        books.book.claim("s:guest", "u:ada", "ada").await.unwrap();
    }
    assert_eq!(books.page(&session("u:ada"), None, None, 10).await, [4, 3, 1].map(id));
    assert_eq!(books.page(&session("s:guest"), None, None, 10).await, []);
    assert_eq!(books.page(&session("s:other"), None, None, 10).await, [2].map(id));
    books.change(1, Paid, at(9)).await;
    let told = books.look("SELECT document FROM event_outbox WHERE kind = 'order.paid'").await;
    assert!(told[0].contains("\"user\":\"ada\""), "{}", told[0]);
}

pub async fn a_fresh_start_leaves_nothing_and_everything_works_again(books: Books) {
    books.at(1, Delivered).await;
    books.at(2, Cancelled).await;
    books.begin(&intent(3)).await;
    books.book.set_autopilot(&"cosmic-coffee".into(), false).await.unwrap();
    books.book.reset().await.unwrap();
    assert_eq!(books.page(&Owner::Everybody, None, None, 10).await, []);
    assert_eq!((books.tasks().await, books.look("SELECT event_id FROM event_outbox").await.len()), (0, 0));
    let page = books.book.ledger(at(9)).await.unwrap();
    assert!(page.totals.values().all(|total| *total == 0), "{:?}", page.totals);
    assert!(page.recent.is_empty() && page.open.is_empty());
    assert!(!books.commit(&order(3, "Ada"), "mine").await, "what was under way fails");
    books.at(1, Paid).await;
    let board = books.book.board(&"cosmic-coffee".into()).await.unwrap();
    assert_eq!((board.new.len(), board.autopilot), (1, true));
    assert_eq!(books.book.ledger(at(1) + Duration::from_secs(60)).await.unwrap().total("paid"), 1);
}
