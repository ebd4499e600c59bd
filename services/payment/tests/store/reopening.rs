//! What only a file can go through: the process ends and another one opens it.

use crate::books::{Books, after, cents, id, ordered};
use payment::domain::{Ask, LEASE, State};
use payment::provider::{ChargeAnswer, PaymentProvider};
use testkit::MORNING;

#[tokio::test]
async fn payments_and_sums_survive_reopening() {
    let books = Books::in_a_file().await;
    books.paid(ordered(1), MORNING).await;
    books.hear(vec![ordered(2)]).await;
    let books = books.reopened().await;
    assert_eq!(books.state(&id(1)).await, State::Completed);
    assert_eq!(books.totals(["payments", "charges", "charged_cents"]).await, [2, 1, cents(1)]);
    let left = books.book.claim(MORNING + LEASE + LEASE, after(1_000), 10).await.unwrap();
    assert_eq!((left.len(), left[0].state.wants()), (1, Some(Ask::Charge)));
}

#[tokio::test]
async fn a_bank_that_charged_before_we_died_says_so_afterwards() {
    let books = Books::in_a_file().await;
    let payment = books.hear(vec![ordered(1)]).await.remove(0);
    books.bank.charge(&payment).await.unwrap();
    let books = books.reopened().await;
    assert_eq!(books.bank.charge(&payment).await.unwrap(), ChargeAnswer::Taken);
    assert_eq!(books.totals(["bank_charged_cents", "charged_cents"]).await, [cents(1), 0]);
}
