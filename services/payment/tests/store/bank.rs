//! The simulated bank keeps its word, whatever happens to us.

use crate::books::{Books, cents, ordered, ordered_by};
use payment::domain::Payment;
use payment::provider::{ChargeAnswer, PaymentProvider, RefundAnswer};
use std::time::Duration;
use testkit::flip;
use tokio::task::JoinSet;
use tokio::time::Instant;

async fn payment(books: &Books, n: u32, method: &str) -> Payment {
    books.hear(vec![ordered_by(n, method)]).await.remove(0)
}

async fn at_the_bank(books: &Books) -> [i64; 2] {
    books.totals(["bank_charged_cents", "bank_refunded_cents"]).await
}

pub async fn a_key_is_charged_once_however_often_it_is_asked(books: Books) {
    let payment = payment(&books, 1, "card").await;
    let mut asking = JoinSet::new();
    for _ in 0..32 {
        let (bank, payment) = (books.bank.clone(), payment.clone());
        asking.spawn(async move { bank.charge(&payment).await.unwrap() });
    }
    assert!(asking.join_all().await.iter().all(|answer| *answer == ChargeAnswer::Taken));
    assert_eq!(at_the_bank(&books).await, [cents(1), 0]);
}

pub async fn what_was_taken_is_given_back_once(books: Books) {
    let payment = payment(&books, 1, "wallet").await;
    books.bank.charge(&payment).await.unwrap();
    for _ in 0..3 {
        assert_eq!(books.bank.refund(&payment).await.unwrap(), RefundAnswer::Returned);
    }
    assert_eq!(at_the_bank(&books).await, [cents(1), cents(1)]);
    assert_eq!(books.bank.charge(&payment).await.unwrap(), ChargeAnswer::Taken, "it was, once");
    assert_eq!(at_the_bank(&books).await, [cents(1), cents(1)]);
}

pub async fn a_refund_that_comes_first_closes_the_key(books: Books) {
    let payment = payment(&books, 1, "card").await;
    assert_eq!(books.bank.refund(&payment).await.unwrap(), RefundAnswer::NothingTaken);
    assert_eq!(books.bank.charge(&payment).await.unwrap(), ChargeAnswer::Closed);
    assert_eq!(at_the_bank(&books).await, [0, 0]);
}

pub async fn test_cards_are_declined_for_good(books: Books) {
    for (n, method, why) in [(1, "card-declined", "declined"), (2, "card-insufficient", "not enough money")] {
        let payment = payment(&books, n, method).await;
        for _ in 0..2 {
            let ChargeAnswer::Declined(reason) = books.bank.charge(&payment).await.unwrap() else { panic!("{method}") };
            assert!(reason.contains(why), "{reason}");
        }
        assert_eq!(books.bank.refund(&payment).await.unwrap(), RefundAnswer::NothingTaken);
    }
    let slow = payment(&books, 3, "card-slow").await;
    let started = Instant::now();
    assert_eq!(books.bank.charge(&slow).await.unwrap(), ChargeAnswer::Taken);
    assert!(started.elapsed() >= Duration::from_secs(5));
    assert_eq!(at_the_bank(&books).await, [cents(3), 0]);
}

pub async fn of_a_charge_and_a_refund_that_meet_nothing_is_left(books: Books) {
    let mut asking = JoinSet::new();
    for n in 1..=40 {
        let payment = payment(&books, n, "card").await;
        let (charging, refunding) = ((books.bank.clone(), payment.clone()), (books.bank.clone(), payment));
        asking.spawn(async move { charging.0.charge(&charging.1).await.map(drop) });
        asking.spawn(async move { refunding.0.refund(&refunding.1).await.map(drop) });
    }
    assert!(asking.join_all().await.iter().all(Result::is_ok));
    let [charged, refunded] = at_the_bank(&books).await;
    assert_eq!(charged, refunded);
}

pub async fn the_bank_counts_its_own_money(books: Books) {
    let open = books.hear((1..=50).map(ordered).collect()).await;
    let mut asking = JoinSet::new();
    for payment in open.clone() {
        let bank = books.bank.clone();
        asking.spawn(async move { bank.charge(&payment).await.unwrap() });
    }
    asking.join_all().await;
    books.bank.refund(&open[0]).await.unwrap();
    let sum: i64 = (1..=50).map(cents).sum();
    assert_eq!(at_the_bank(&books).await, [sum, cents(1)]);
    assert_eq!(books.totals(["charged_cents", "refunded_cents"]).await, [0, 0], "ours know nothing of it yet");
    let page = books.book.ledger(testkit::MORNING).await.unwrap();
    assert_eq!((page.recent("bank_charged_cents"), page.recent("bank_refunded_cents")), (sum, cents(1)));
}

pub async fn a_bank_whose_books_are_down_does_not_answer(books: Books) {
    let payment = payment(&books, 1, "card").await;
    flip(&books.platform, "store-down", "all");
    assert!(books.bank.charge(&payment).await.is_err());
    flip(&books.platform, "store-down", "off");
    assert_eq!(at_the_bank(&books).await, [0, 0]);
    assert_eq!(books.bank.charge(&payment).await.unwrap(), ChargeAnswer::Taken);
}
