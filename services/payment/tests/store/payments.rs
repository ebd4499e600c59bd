//! What is written about payments, and what is told.

use crate::books::{Books, after, cancelled, cents, id, ordered, ordered_by, rejected};
use contract::Money;
use contract::event::{Fact, PaymentFact};
use payment::domain::{Ask, Happened, LEASE, Payment, State};
use payment::store::Answered;
use runtime::store::StoreError;
use std::sync::Arc;
use testkit::{MORNING, flip};
use tokio::task::JoinSet;

fn orders(payments: &[Payment]) -> Vec<String> {
    payments.iter().map(|payment| payment.order_id.to_string()).collect()
}

pub async fn an_order_that_is_placed_waits_for_the_bank(books: Books) {
    let open = books.hear(vec![ordered_by(1, "wallet"), ordered_by(2, "a note from my mother")]).await;
    assert_eq!(open, [books.find(&id(1)).await, books.find(&id(2)).await]);
    assert_eq!((open[0].state.wants(), open[0].amount.cents(), open[0].method.as_str()), (Some(Ask::Charge), cents(1), "wallet"));
    assert_eq!((open[0].city.as_str(), open[0].session.as_deref(), open[1].method.as_str()), ("Berlin", Some("session-a"), "card"));
    assert_eq!(books.told().await, []);
}

pub async fn an_order_that_never_was_has_no_payment(books: Books) {
    assert_eq!(books.book.find(&id(1)).await.unwrap(), None);
}

pub async fn hearing_the_same_again_changes_nothing(books: Books) {
    books.hear(vec![ordered(1), ordered(1)]).await;
    books.answer(&id(1), Happened::Charged).await;
    let before = books.find(&id(1)).await;
    assert_eq!(books.hear(vec![ordered(1)]).await, []);
    assert_eq!(books.find(&id(1)).await, before);
}

pub async fn an_order_that_ended_before_it_began_is_never_charged(books: Books) {
    assert_eq!(books.hear(vec![cancelled(1)]).await, []);
    assert_eq!(books.hear(vec![ordered(1)]).await, []);
    assert_eq!(books.state(&id(1)).await, State::Void);
    assert_eq!(books.book.claim(after(1_000_000), MORNING, 10).await.unwrap(), []);
}

pub async fn an_order_that_ends_in_the_same_batch_is_called_off(books: Books) {
    let open = books.hear(vec![ordered(1), ordered(2), rejected(1, "The oven is cold.")]).await;
    assert_eq!(orders(&open), ["order-0001", "order-0002"]);
    assert_eq!((open[0].state.wants(), open[0].reason.as_deref()), (Some(Ask::Refund), Some("The oven is cold.")));
}

pub async fn the_banks_answer_stays_and_is_told(books: Books) {
    books.hear(vec![ordered(1), ordered(2)]).await;
    let charged = books.answer(&id(1), Happened::Charged).await;
    assert_eq!(charged, Answered { became: Some(State::Completed), next: None });
    books.answer(&id(2), Happened::Declined("Your bank declined the card.".to_owned())).await;
    assert_eq!((books.state(&id(1)).await, books.state(&id(2)).await), (State::Completed, State::Failed));

    let told = books.told().await;
    let amount = |n| Money::from_cents(cents(n));
    let reason = Some("Your bank declined the card.".to_owned());
    assert_eq!(told[0].fact, Fact::PaymentCompleted(PaymentFact { amount: amount(1), reason: None }));
    assert_eq!(told[1].fact, Fact::PaymentFailed(PaymentFact { amount: amount(2), reason }));
    assert_eq!((told[0].session.as_deref(), told[0].city.as_str(), told.len()), (Some("session-a"), "Berlin", 2));
}

pub async fn an_answer_that_comes_twice_is_told_once(books: Books) {
    books.hear(vec![ordered(1)]).await;
    let mut answering = JoinSet::new();
    for _ in 0..16 {
        let book = books.book.clone();
        answering.spawn(async move { book.answer(&id(1), Happened::Charged, None, MORNING).await.unwrap() });
    }
    let answers = answering.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.became.is_some()).count(), 1);
    assert_eq!(books.told().await.len(), 1);
    assert_eq!(books.totals(["charges", "charged_cents"]).await, [1, cents(1)]);
}

pub async fn an_answer_about_nothing_changes_nothing(books: Books) {
    assert_eq!(books.answer(&id(1), Happened::Charged).await, Answered::default());
    books.book.put_off(&id(1), MORNING).await.unwrap();
    assert_eq!(books.book.find(&id(1)).await.unwrap(), None);
    assert_eq!(books.told().await, []);
}

pub async fn an_order_that_ended_while_the_bank_was_asked_gets_its_money_back(books: Books) {
    books.hear(vec![ordered(1)]).await;
    books.hear(vec![cancelled(1)]).await;
    let answered = books.answer(&id(1), Happened::Charged).await;
    assert_eq!(answered.became, Some(State::Refunding));
    assert_eq!(answered.next.unwrap().state.wants(), Some(Ask::Refund));
    books.answer(&id(1), Happened::Returned).await;
    let told: Vec<&str> = books.told().await.iter().map(|event| event.fact.kind()).collect();
    assert_eq!((books.state(&id(1)).await, told), (State::Refunded, vec!["payment.refunded"]));
}

pub async fn what_is_due_is_taken_up_by_one(books: Books) {
    for n in 1..=20 {
        books.hear(vec![ordered(n)]).await;
    }
    assert_eq!(books.book.claim(MORNING + LEASE, MORNING, 100).await.unwrap(), [], "whoever wrote it down has it");
    let later = after(6_000);
    let books = Arc::new(books);
    let mut claiming = JoinSet::new();
    for _ in 0..8 {
        let books = books.clone();
        claiming.spawn(async move { orders(&books.book.claim(later, later, 5).await.unwrap()) });
    }
    let mut taken: Vec<String> = claiming.join_all().await.into_iter().flatten().collect();
    // On a database that others write, too, some may have looked the other way; nobody takes what another has.
    taken.extend(orders(&books.book.claim(later, later, 100).await.unwrap()));
    taken.sort();
    assert_eq!(taken, (1..=20).map(|n| id(n).to_string()).collect::<Vec<_>>());
    assert_eq!(books.book.claim(later, later, 100).await.unwrap(), []);
    assert_eq!(books.book.claim(after(12_000), after(12_000), 100).await.unwrap().len(), 20, "until it is silent for too long");
}

pub async fn what_was_put_off_is_due_later_each_time(books: Books) {
    books.hear(vec![ordered(1)]).await;
    let mut now = MORNING;
    for pause_ms in [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000] {
        books.book.put_off(&id(1), now).await.unwrap();
        let due = now + std::time::Duration::from_millis(pause_ms);
        assert_eq!(books.book.claim(due, due, 10).await.unwrap(), [], "{pause_ms} ms");
        now = due + std::time::Duration::from_millis(1);
        assert_eq!(orders(&books.book.claim(now, now, 10).await.unwrap()), ["order-0001"], "{pause_ms} ms");
    }
    assert_eq!(books.find(&id(1)).await.updated_at, MORNING, "it has waited since then");
}

pub async fn what_is_done_is_not_due(books: Books) {
    books.hear(vec![ordered(1), ordered(2)]).await;
    books.answer(&id(1), Happened::Charged).await;
    books.book.put_off(&id(1), MORNING).await.unwrap();
    assert_eq!(orders(&books.book.claim(after(1_000_000), MORNING, 10).await.unwrap()), ["order-0002"]);
}

pub async fn three_hundred_answers_at_once_are_all_written(books: Books) {
    books.hear((1..=300).map(ordered).collect()).await;
    let mut answering = JoinSet::new();
    for n in 1..=300 {
        let book = books.book.clone();
        answering.spawn(async move { book.answer(&id(n), Happened::Charged, None, MORNING).await.unwrap() });
    }
    answering.join_all().await;
    let sum: i64 = (1..=300).map(cents).sum();
    assert_eq!(books.totals(["payments", "charges", "charged_cents", "refunds"]).await, [300, 300, sum, 0]);
    assert_eq!(books.told().await.len(), 300);
}

pub async fn text_of_any_script_is_kept(books: Books) {
    let why = "مغلق 👩‍🚀 '; DROP TABLE payments; -- \"Żółć\"";
    books.hear(vec![ordered(1), rejected(1, why)]).await;
    assert_eq!(books.find(&id(1)).await.reason.as_deref(), Some(why));
}

pub async fn a_store_that_is_down_is_unavailable_and_changes_nothing(books: Books) {
    books.hear(vec![ordered(1)]).await;
    let before = books.find(&id(1)).await;
    flip(&books.platform, "store-down", "all");
    assert!(matches!(books.book.find(&id(1)).await, Err(StoreError::Unavailable(_))));
    let answer = books.book.answer(&id(1), Happened::Charged, None, MORNING).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))));
    assert!(matches!(books.book.claim(after(60_000), MORNING, 10).await, Err(StoreError::Unavailable(_))));
    flip(&books.platform, "store-down", "off");
    assert_eq!(books.find(&id(1)).await, before);
}
