//! What any account book keeps of log-ins.

use crate::books::{Books, account};
use contract::Timestamp;
use std::time::Duration;
use testkit::MORNING;
use user::demo;

const LONG_AGO: Timestamp = Timestamp::from_millis(0);
const HOUR: Duration = Duration::from_secs(3_600);

pub async fn a_log_in_leads_to_its_account(books: Books) {
    let (ada, bo) = (books.with("ada").await, books.with("bo").await);
    assert!(books.open(&ada, "one", MORNING).await && books.open(&ada, "two", MORNING).await && books.open(&bo, "three", MORNING).await);
    let session = books.book.session("one", LONG_AGO).await.unwrap().unwrap();
    assert_eq!((session.account, session.last_seen), (ada.clone(), MORNING));
    assert_eq!(books.whose("two", LONG_AGO).await, Some(ada.id));
    assert_eq!(books.whose("three", LONG_AGO).await, Some(bo.id));
    assert_eq!(books.whose("four", LONG_AGO).await, None);
}

pub async fn a_log_in_of_nobody_is_not_opened(books: Books) {
    assert!(!books.open(&account("nobody"), "one", MORNING).await);
    assert_eq!(books.whose("one", LONG_AGO).await, None);
}

pub async fn a_log_in_that_ended_leads_nowhere(books: Books) {
    let ada = books.with("ada").await;
    books.open(&ada, "one", MORNING).await;
    books.open(&ada, "two", MORNING).await;
    for _ in 0..2 {
        books.book.end("one").await.unwrap();
        assert_eq!(books.whose("one", LONG_AGO).await, None);
    }
    assert!(books.whose("two", LONG_AGO).await.is_some());
}

pub async fn a_log_in_that_was_not_seen_for_long_counts_no_more(books: Books) {
    let ada = books.with("ada").await;
    books.open(&ada, "one", MORNING).await;
    assert_eq!(books.whose("one", MORNING).await, None);
    assert!(books.whose("one", Timestamp::from_millis(MORNING.millis() - 1)).await.is_some());
}

pub async fn a_use_prolongs_a_log_in_and_never_shortens_it(books: Books) {
    let ada = books.with("ada").await;
    books.open(&ada, "one", MORNING).await;
    books.book.touch("one", MORNING + HOUR).await.unwrap();
    books.book.touch("one", MORNING).await.unwrap();
    assert_eq!(books.book.session("one", MORNING).await.unwrap().unwrap().last_seen, MORNING + HOUR);
    books.book.touch("none", MORNING).await.unwrap();
}

pub async fn a_new_password_ends_all_log_ins_but_one(books: Books) {
    let (ada, bo) = (books.with("ada").await, books.with("bo").await);
    for token in ["one", "two", "three"] {
        books.open(&ada, token, MORNING).await;
    }
    books.open(&bo, "other", MORNING).await;
    assert!(books.book.set_password(&ada.id, "ada", "new", Some("two")).await.unwrap());
    let mut left = Vec::new();
    for token in ["one", "two", "three", "other"] {
        left.extend(books.whose(token, LONG_AGO).await.map(|_| token));
    }
    assert_eq!(left, ["two", "other"]);
    assert!(books.book.set_password(&ada.id, "new", "newer", None).await.unwrap());
    assert_eq!(books.whose("two", LONG_AGO).await, None);
}

pub async fn a_password_changes_once_for_each_old_one(books: Books) {
    let ada = books.with("ada").await;
    books.open(&ada, "one", MORNING).await;
    assert!(!books.book.set_password(&ada.id, "another", "new", None).await.unwrap());
    assert!(books.whose("one", LONG_AGO).await.is_some(), "nothing changed");
    let changing = (0..8).map(|n| {
        let (book, id) = (books.book.clone(), ada.id.clone());
        tokio::spawn(async move { book.set_password(&id, "ada", &format!("new-{n}"), None).await.unwrap() })
    });
    let changed = futures::future::join_all(changing).await.into_iter().filter(|changed| *changed.as_ref().unwrap()).count();
    assert_eq!(changed, 1);
}

pub async fn old_log_ins_are_forgotten_and_recent_ones_stay(books: Books) {
    let ada = books.with("ada").await;
    books.open(&ada, "old", MORNING).await;
    books.open(&ada, "new", MORNING + HOUR).await;
    assert_eq!(books.book.forget_sessions(MORNING).await.unwrap(), 1);
    assert_eq!(books.book.forget_sessions(MORNING).await.unwrap(), 0);
    assert_eq!(books.whose("old", LONG_AGO).await, None);
    assert!(books.whose("new", LONG_AGO).await.is_some());
}

pub async fn log_ins_go_with_their_account(books: Books) {
    let ada = books.with("ada").await;
    books.open(&ada, "one", MORNING).await;
    books.book.reset(&demo::accounts(MORNING).unwrap(), demo::PASSWORD_HASH).await.unwrap();
    assert!(books.with("ada").await.id == ada.id && books.whose("one", LONG_AGO).await.is_none());
}

pub async fn accounts_and_log_ins_survive_a_restart(books: Books) {
    let ada = books.with("ada").await;
    books.open(&ada, "one", MORNING).await;
    let again = books.replica().await;
    assert_eq!(again.session("one", LONG_AGO).await.unwrap().unwrap().account, ada);
}

pub async fn a_replica_knows_what_another_wrote(books: Books) {
    let other = books.replica().await;
    let ada = books.with("ada").await;
    books.open(&ada, "one", MORNING).await;
    assert_eq!(other.session("one", LONG_AGO).await.unwrap().unwrap().account, ada);
    other.end("one").await.unwrap();
    assert_eq!(books.whose("one", LONG_AGO).await, None);
}
