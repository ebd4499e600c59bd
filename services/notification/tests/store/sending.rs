//! A message's way from queued to its end, and the sums.

use crate::books::{Books, after, step};
use contract::notification::MessageStatus;
use contract::order::OrderStatus::{Delivered, Pending};
use notification::domain::LEASE;
use notification::store::{Letter, Outcome};
use runtime::args;
use std::sync::Arc;
use std::time::Duration;
use testkit::MORNING;
use tokio::task::JoinSet;

fn places(letters: &[Letter]) -> Vec<i64> {
    letters.iter().map(|letter| letter.seq).collect()
}

pub async fn a_message_is_sent_once(books: Books) {
    let letters = books.hear(vec![step(1, Pending)]).await;
    books.settle(&letters, Outcome::Sent).await;
    let message = books.all().await.remove(0);
    assert_eq!((message.status, message.sent_at), (MessageStatus::Sent, Some(MORNING)));
    books.book.settle(vec![(letters[0].seq, Outcome::Sent), (letters[0].seq, Outcome::Failed)], after(5_000)).await.unwrap();
    assert_eq!(books.all().await, [message]);
    assert_eq!(books.totals().await, [1, 1, 0]);
    assert_eq!(books.book.claim(after(1_000_000), MORNING, 10).await.unwrap(), []);
}

pub async fn a_message_that_was_put_off_is_due_later(books: Books) {
    let letters = books.hear(vec![step(1, Pending)]).await;
    books.settle(&letters, Outcome::PutOff(after(2_000))).await;
    assert_eq!(books.book.claim(after(2_000), after(2_000), 10).await.unwrap(), []);
    let again = books.book.claim(after(2_001), after(2_001), 10).await.unwrap();
    assert_eq!((places(&again), again[0].attempts), (places(&letters), 1));
    assert_eq!(again[0].message, letters[0].message);
}

pub async fn what_is_due_is_taken_up_by_one(books: Books) {
    let mut written = Vec::new();
    for n in 1..=20 {
        written.extend(places(&books.hear(vec![step(n, Pending)]).await));
    }
    assert_eq!(books.book.claim(MORNING + LEASE, MORNING, 100).await.unwrap(), [], "whoever wrote it down has it");
    let later = after(6_000);
    let books = Arc::new(books);
    let mut claiming = JoinSet::new();
    for _ in 0..8 {
        let books = books.clone();
        claiming.spawn(async move { places(&books.book.claim(later, later, 5).await.unwrap()) });
    }
    let mut taken: Vec<i64> = claiming.join_all().await.into_iter().flatten().collect();
    // On a database that others write, too, some may have looked the other way; nobody takes what another has.
    taken.extend(places(&books.book.claim(later, later, 100).await.unwrap()));
    taken.sort_unstable();
    assert_eq!(taken, written);
    assert_eq!(books.book.claim(later, later, 100).await.unwrap(), []);
    assert_eq!(books.book.claim(after(12_000), after(12_000), 100).await.unwrap().len(), 20, "until it is silent for too long");
}

pub async fn a_message_that_failed_is_not_tried_again(books: Books) {
    let letters = books.hear(vec![step(1, Pending)]).await;
    books.settle(&letters, Outcome::Failed).await;
    assert_eq!(books.all().await[0].status, MessageStatus::Failed);
    assert_eq!(books.book.claim(after(1_000_000), MORNING, 10).await.unwrap(), []);
}

pub async fn totals_follow_what_happens(books: Books) {
    let letters = books.hear((1..=4).map(|n| step(n, Pending)).collect()).await;
    assert_eq!(books.totals().await, [4, 0, 0]);
    books.settle(&letters[..2], Outcome::Sent).await;
    books.settle(&letters[2..3], Outcome::PutOff(after(1))).await;
    assert_eq!(books.totals().await, [4, 2, 0]);
    books.settle(&letters[3..], Outcome::Failed).await;
    assert_eq!(books.totals().await, [3, 2, 1], "what failed is not to be sent any more");
    books.settle(&letters[2..3], Outcome::Sent).await;
    assert_eq!(books.totals().await, [3, 3, 1]);
}

pub async fn a_row_that_was_planted_counts(books: Books) {
    let plant = "INSERT INTO messages (id, order_id, channel, recipient, subject, body, status, due_ms, created_ms) VALUES \
                 ('p/1', 'p', 'sms', 'Eve', 's', 'b', 'queued', 9000000000000, 0), ('p/2', 'p', 'sms', 'Eve', 's', 'b', 'sent', 0, 0), \
                 ('p/3', 'p', 'sms', 'Eve', 's', 'b', 'failed', 0, 0)";
    books.database.run(plant, args![]).await.unwrap();
    assert_eq!(books.totals().await, [2, 1, 1]);
    let page = books.book.ledger(MORNING).await.unwrap();
    assert_eq!((page.recent("queued"), page.recent("sent")), (0, 0), "and nothing explains it");
    books.database.run("UPDATE messages SET status = 'queued', due_ms = 9000000000000 WHERE id = 'p/3'", args![]).await.unwrap();
    assert_eq!(books.totals().await, [3, 1, 0]);
}

pub async fn what_moved_within_half_a_minute_is_recent(books: Books) {
    let letters = books.hear(vec![step(1, Pending)]).await;
    books.book.settle(vec![(letters[0].seq, Outcome::Sent)], after(20_000)).await.unwrap();
    books.hear_at(vec![step(2, Delivered)], after(25_000)).await;
    let recent = async |ms| {
        let page = books.book.ledger(after(ms)).await.unwrap();
        [page.recent("queued"), page.recent("sent")]
    };
    assert_eq!(recent(29_000).await, [3, 1]);
    assert_eq!(recent(31_000).await, [2, 1]);
    assert_eq!(recent(51_000).await, [2, 0]);
    assert_eq!(recent(56_000).await, [0, 0]);
}

pub async fn what_waits_is_open_oldest_first(books: Books) {
    books.hear(vec![step(1, Pending)]).await;
    let letters = books.hear_at(vec![step(2, Delivered)], after(1_000)).await;
    books.settle(&letters[..1], Outcome::Sent).await;
    let open = books.book.ledger(after(2_000)).await.unwrap().open;
    let seen: Vec<_> = open.iter().map(|item| (item.order_id.as_str(), item.waits_for.as_str(), item.owner.as_str())).collect();
    assert_eq!(seen, [("order-1", "an e-mail", "notification"), ("order-2", "an e-mail", "notification")]);
    assert_eq!((open[0].since, open[0].deadline), (MORNING, MORNING + Duration::from_secs(60)));
}
