//! From intent to order, or to nothing.

use crate::books::{Books, at, change, id, intent, new, order};
use contract::order::{Order, OrderStatus};
use contract::{CustomerName, Money, Note, Timestamp};
use order::store::{Begun, Intent, Moved, Owner, Page, Record};
use runtime::store::StoreError;
use std::time::Duration;
use testkit::flip;
use tokio::task::JoinSet;

const LATER: Timestamp = Timestamp::from_millis(i64::MAX);

/// The same request again: only the order's id is new.
fn again(n: u32, as_order: u32) -> Intent {
    Intent { order_id: id(as_order), ..intent(n) }
}

pub async fn a_first_request_starts(books: Books) {
    assert_eq!(books.begin(&intent(1)).await, Begun::Started);
    assert_eq!(books.begin(&intent(2)).await, Begun::Started);
    assert_eq!(books.find(&id(1)).await, None, "an intent is not an order");
}

pub async fn a_request_that_is_being_worked_on_is_told_so(books: Books) {
    books.begin(&intent(1)).await;
    assert_eq!(books.begin(&again(1, 2)).await, Begun::InFlight);
}

pub async fn a_request_that_was_given_up_is_told_which_until_it_is_forgotten(books: Books) {
    books.begin(&intent(1)).await;
    books.book.abort(&id(1)).await.unwrap();
    let other_key = Intent { key: "another".to_owned(), ..again(1, 2) };
    let other_body = Intent { body_hash: "another".to_owned(), cart_id: "another".into(), ..again(1, 2) };
    for request in [again(1, 2), other_key, other_body] {
        assert_eq!(books.begin(&request).await, Begun::GivenUp(id(1)));
    }
    books.book.forget(&id(1)).await.unwrap();
    assert_eq!(books.begin(&again(1, 2)).await, Begun::Started);
}

pub async fn a_repeated_request_is_answered_with_its_order_as_it_was_accepted(books: Books) {
    let accepted = books.accepted(1, "Ada", "mine").await;
    assert_eq!(books.begin(&again(1, 2)).await, Begun::Replay(Box::new(accepted.clone())));
    books.change(1, OrderStatus::Paid, at(9)).await;
    assert_eq!(books.begin(&again(1, 3)).await, Begun::Replay(Box::new(accepted)), "it is the answer, not the order");
    assert_eq!((books.find(&id(2)).await, books.find(&id(3)).await), (None, None));
}

pub async fn another_body_under_the_same_key_is_noticed(books: Books) {
    let other = Intent { body_hash: "another".to_owned(), cart_id: "another".into(), ..again(1, 2) };
    books.begin(&intent(1)).await;
    assert_eq!(books.begin(&other).await, Begun::OtherBody, "in flight");
    books.commit(&order(1, "Ada"), "mine").await;
    assert_eq!(books.begin(&other).await, Begun::OtherBody, "answered");
}

pub async fn another_key_for_a_cart_that_is_being_ordered_is_told_so(books: Books) {
    books.begin(&intent(1)).await;
    assert_eq!(books.begin(&Intent { key: "another".to_owned(), ..again(1, 2) }).await, Begun::InFlight);
}

pub async fn another_key_for_an_ordered_cart_is_told_its_order(books: Books) {
    books.accepted(1, "Ada", "mine").await;
    let other = Intent { key: "another".to_owned(), scope: "somebody".to_owned(), body_hash: "another".to_owned(), ..again(1, 2) };
    assert_eq!(books.begin(&other).await, Begun::CartOrdered(id(1)));
}

pub async fn keys_of_two_clients_do_not_meet(books: Books) {
    books.begin(&intent(1)).await;
    let other = Intent { scope: "session-b".to_owned(), key: intent(1).key, ..intent(2) };
    assert_eq!(books.begin(&other).await, Begun::Started);
}

pub async fn of_sixteen_equal_requests_one_starts(books: Books) {
    let mut beginning = JoinSet::new();
    for n in 1..=16 {
        let book = books.book.clone();
        beginning.spawn(async move { book.begin(&again(1, n)).await.unwrap() });
    }
    let answers = beginning.join_all().await;
    assert_eq!(answers.iter().filter(|begun| **begun == Begun::Started).count(), 1);
    assert_eq!(answers.iter().filter(|begun| **begun == Begun::InFlight).count(), 15);
}

pub async fn of_sixteen_requests_for_one_cart_one_starts(books: Books) {
    let mut beginning = JoinSet::new();
    for n in 1..=16 {
        let book = books.book.clone();
        beginning.spawn(async move { book.begin(&Intent { cart_id: "the-cart".into(), ..intent(n) }).await.unwrap() });
    }
    let answers = beginning.join_all().await;
    assert_eq!(answers.iter().filter(|begun| **begun == Begun::Started).count(), 1);
    assert_eq!(answers.iter().filter(|begun| **begun == Begun::InFlight).count(), 15);
}

pub async fn a_committed_order_is_found_with_its_owner(books: Books) {
    let accepted = books.accepted(1, "Ada", "mine").await;
    let record = Record { order: accepted, owner: Some("mine".to_owned()) };
    assert_eq!(books.book.find(&id(1)).await.unwrap(), Some(record));
}

pub async fn an_order_that_never_was_is_not_found(books: Books) {
    assert_eq!(books.find(&id(1)).await, None);
    assert_eq!(books.find(&"' OR 1=1 --".into()).await, None);
}

pub async fn a_commit_without_an_intent_stores_nothing(books: Books) {
    assert!(!books.commit(&order(1, "Ada"), "mine").await);
    assert_eq!((books.find(&id(1)).await, books.tasks().await), (None, 0));
}

pub async fn a_commit_after_its_abort_stores_nothing(books: Books) {
    books.begin(&intent(1)).await;
    assert!(books.book.abort(&id(1)).await.unwrap());
    assert!(!books.commit(&order(1, "Ada"), "mine").await);
    books.book.forget(&id(1)).await.unwrap();
    assert!(!books.commit(&order(1, "Ada"), "mine").await, "nor when even the abort is forgotten");
    assert_eq!((books.find(&id(1)).await, books.tasks().await), (None, 0));
}

pub async fn an_abort_after_its_commit_changes_nothing(books: Books) {
    let accepted = books.accepted(1, "Ada", "mine").await;
    assert!(!books.book.abort(&id(1)).await.unwrap());
    assert_eq!(books.find(&id(1)).await, Some(accepted.clone()));
    assert_eq!(books.begin(&again(1, 2)).await, Begun::Replay(Box::new(accepted)));
}

pub async fn an_order_is_committed_once(books: Books) {
    let accepted = books.accepted(1, "Ada", "mine").await;
    assert!(!books.commit(&accepted, "mine").await);
    assert_eq!((books.find(&id(1)).await, books.tasks().await), (Some(accepted), 2));

    books.begin(&intent(2)).await;
    let (one, other) = (books.book.clone(), books.book.clone());
    let twice = new(&order(2, "Bo"), "mine");
    let (first, second) = tokio::join!(one.commit(&twice), other.commit(&twice));
    assert_ne!(first.unwrap(), second.unwrap(), "also when both arrive at once");
    assert_eq!(books.tasks().await, 4);
}

pub async fn of_a_commit_and_an_abort_that_meet_one_wins(books: Books) {
    let mut meeting = JoinSet::new();
    for n in 1..=32 {
        books.begin(&intent(n)).await;
        let (one, other) = (books.book.clone(), books.book.clone());
        meeting.spawn(async move {
            let order = new(&order(n, "Ada"), "mine");
            let number = id(n);
            let (committed, aborted) = if n % 2 == 0 {
                tokio::join!(one.commit(&order), other.abort(&number))
            } else {
                let (aborted, committed) = tokio::join!(other.abort(&number), one.commit(&order));
                (committed, aborted)
            };
            (n, committed.unwrap(), aborted.unwrap())
        });
    }
    for (n, committed, aborted) in meeting.join_all().await {
        assert_ne!(committed, aborted, "order {n}");
        assert_eq!(books.find(&id(n)).await.is_some(), committed, "order {n}");
    }
}

pub async fn an_abort_may_be_repeated(books: Books) {
    books.begin(&intent(1)).await;
    assert!(books.book.abort(&id(1)).await.unwrap());
    assert!(books.book.abort(&id(1)).await.unwrap());
    assert!(!books.book.abort(&id(2)).await.unwrap(), "nothing is known of it");
}

pub async fn a_discarded_intent_leaves_key_and_cart_free(books: Books) {
    books.begin(&intent(1)).await;
    assert!(books.book.discard(&id(1)).await.unwrap());
    assert!(!books.book.discard(&id(1)).await.unwrap());
    assert!(!books.commit(&order(1, "Ada"), "mine").await);
    assert_eq!(books.begin(&again(1, 2)).await, Begun::Started);
}

pub async fn only_an_intent_can_be_discarded(books: Books) {
    let accepted = books.accepted(1, "Ada", "mine").await;
    books.begin(&intent(2)).await;
    books.book.abort(&id(2)).await.unwrap();
    assert!(!books.book.discard(&id(1)).await.unwrap());
    assert!(!books.book.discard(&id(2)).await.unwrap());
    assert_eq!(books.begin(&again(1, 3)).await, Begun::Replay(Box::new(accepted)));
    assert_eq!(books.begin(&again(2, 4)).await, Begun::GivenUp(id(2)));
}

pub async fn a_forgotten_abort_leaves_key_and_cart_free(books: Books) {
    books.begin(&intent(1)).await;
    books.book.abort(&id(1)).await.unwrap();
    books.book.forget(&id(1)).await.unwrap();
    assert!(!books.book.abort(&id(1)).await.unwrap());
    assert_eq!(books.begin(&again(1, 2)).await, Begun::Started);
}

pub async fn only_an_abort_can_be_forgotten(books: Books) {
    let accepted = books.accepted(1, "Ada", "mine").await;
    books.begin(&intent(2)).await;
    for n in [1, 2, 3] {
        books.book.forget(&id(n)).await.unwrap();
    }
    assert_eq!(books.begin(&again(1, 4)).await, Begun::Replay(Box::new(accepted)));
    assert_eq!(books.begin(&again(2, 5)).await, Begun::InFlight);
}

pub async fn old_intents_are_stale_and_whatever_was_given_up(books: Books) {
    books.begin(&intent(1)).await;
    books.begin(&intent(2)).await;
    books.book.abort(&id(2)).await.unwrap();
    books.accepted(3, "Ada", "mine").await;
    books.begin(&intent(4)).await;
    books.book.discard(&id(4)).await.unwrap();
    books.begin(&intent(10)).await;
    assert_eq!(books.stale(at(1)).await, [id(2)]);
    assert_eq!(books.stale(at(10)).await, [id(1), id(2)]);
    assert_eq!(books.stale(LATER).await, [id(1), id(2), id(10)]);
}

pub async fn the_oldest_intents_are_stale_first(books: Books) {
    for n in [3, 1, 2] {
        books.begin(&intent(n)).await;
    }
    assert_eq!(books.book.stale(LATER, 2).await.unwrap(), [id(1), id(2)]);
}

pub async fn forgotten_answers_keep_their_orders(books: Books) {
    let accepted = books.accepted(1, "Ada", "mine").await;
    books.book.forget_answers(at(2)).await.unwrap();
    assert_eq!(books.find(&id(1)).await, Some(accepted));
    assert_eq!(books.tasks().await, 2);
    assert_eq!(books.begin(&again(1, 2)).await, Begun::Started, "the key is free again");
}

pub async fn recent_answers_and_intents_are_not_forgotten(books: Books) {
    let accepted = books.accepted(3, "Ada", "mine").await;
    books.begin(&intent(1)).await;
    books.begin(&intent(2)).await;
    books.book.abort(&id(2)).await.unwrap();
    books.book.forget_answers(at(3)).await.unwrap();
    assert_eq!(books.begin(&again(3, 4)).await, Begun::Replay(Box::new(accepted)));
    assert_eq!(books.stale(LATER).await, [id(1), id(2)]);
}

pub async fn two_hundred_concurrent_orders_are_all_stored(books: Books) {
    let mut ordering = JoinSet::new();
    for n in 1..=200 {
        let book = books.book.clone();
        ordering.spawn(async move {
            assert_eq!(book.begin(&intent(n)).await.unwrap(), Begun::Started);
            assert!(book.commit(&new(&order(n, "Ada"), "mine")).await.unwrap());
        });
    }
    ordering.join_all().await;
    let expected: Vec<_> = (1..=200).rev().map(id).collect();
    assert_eq!(books.page(&Owner::Everybody, None, None, 1_000).await, expected);
    assert_eq!(books.tasks().await, 400);
    assert_eq!(books.stale(LATER).await, []);
}

pub async fn an_order_that_cannot_be_written_fails_alone(books: Books) {
    // Less than nothing is what the schema refuses.
    let price = |n| Order { total_price: Money::from_cents(if n % 10 == 0 { -1 } else { 1 }), ..order(n, "Ada") };
    let mut ordering = JoinSet::new();
    for n in 1..=50 {
        books.begin(&intent(n)).await;
    }
    for n in 1..=50 {
        let book = books.book.clone();
        ordering.spawn(async move { (n, book.commit(&new(&price(n), "mine")).await) });
    }
    for (n, committed) in ordering.join_all().await {
        assert_eq!(matches!(committed, Ok(true)), n % 10 != 0, "order {n}: {committed:?}");
        assert_eq!(books.find(&id(n)).await.is_some(), n % 10 != 0, "order {n}");
    }
    assert_eq!(books.stale(LATER).await, [10, 20, 30, 40, 50].map(id), "whose intents are as they were");
}

pub async fn text_of_any_script_is_kept(books: Books) {
    let names = ["مريم", "Robert'); DROP TABLE orders;--", "👩‍🚀 Zoë", "<b>Bo</b> & \"Co\"", "\u{202e}oirartsnoc la"];
    for (n, name) in (1..).zip(names) {
        let note = Some(Note::parse("ohne Zucker\n'; -- 🍯 {\"a\": \\u0000}").unwrap());
        let order = Order { special_instructions: note.clone(), address: note, ..order(n, name) };
        books.begin(&intent(n)).await;
        books.book.commit(&new(&order, name)).await.unwrap();
        let found = books.book.find(&id(n)).await.unwrap();
        assert_eq!(found, Some(Record { order, owner: Some(name.to_owned()) }));
    }
    assert_eq!(books.book.customers(&Owner::Everybody, None, 10).await.unwrap().len(), names.len());
    assert_eq!(CustomerName::parse(names[0]).ok(), books.find(&id(1)).await.unwrap().customer_name);
}

pub async fn a_store_that_is_down_is_unavailable_and_changes_nothing(books: Books) {
    books.accepted(1, "Ada", "mine").await;
    books.begin(&intent(2)).await;
    flip(&books.platform, "store-down", "order");
    let book = &books.book;
    let page = Page { after: None, limit: 1 };
    let down = |what: &str, error: Option<StoreError>| assert!(matches!(error, Some(StoreError::Unavailable(_))), "{what}: {error:?}");
    down("begin", book.begin(&intent(3)).await.err());
    down("commit", book.commit(&new(&order(2, "Bo"), "mine")).await.err());
    down("discard", book.discard(&id(2)).await.err());
    down("abort", book.abort(&id(2)).await.err());
    down("forget", book.forget(&id(2)).await.err());
    down("stale", book.stale(LATER, 1).await.err());
    down("forget_answers", book.forget_answers(LATER).await.err());
    down("find", book.find(&id(1)).await.err());
    down("list", book.list(&Owner::Everybody, None, &page).await.err());
    down("customers", book.customers(&Owner::Everybody, None, 1).await.err());
    down("change", book.change(&change(1, OrderStatus::Paid, LATER)).await.err());
    down("cook", book.cook(LATER, 1).await.err());
    down("sweep", book.sweep(LATER, 1).await.err());
    down("board", book.board(&"cosmic-coffee".into()).await.err());
    down("set_autopilot", book.set_autopilot(&"cosmic-coffee".into(), false).await.err());
    down("claim", book.claim("mine", "yours", "you").await.err());
    down("ledger", book.ledger(LATER).await.err());
    down("forget_recent", book.forget_recent(LATER).await.err());
    down("reset", book.reset().await.err());
    down("due", book.due(LATER, 1).await.err());
    down("settle", book.settle(vec![1, 2], Vec::new(), LATER).await.err());
    flip(&books.platform, "store-down", "off");
    assert_eq!(books.stale(LATER).await, [id(2)]);
    assert_eq!(books.tasks().await, 2);
    let moved = books.change(1, OrderStatus::Paid, at(1) + Duration::from_secs(1)).await;
    assert!(matches!(moved, Moved::Done(_)), "{moved:?}");
    assert_eq!(books.begin(&intent(3)).await, Begun::Started);
}
