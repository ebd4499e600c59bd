//! Whose orders there are, page by page.

use crate::books::{Books, id, session};
use contract::OrderId;
use order::store::Owner;
use tokio::task::JoinSet;

pub async fn a_session_sees_its_own_orders_newest_first(books: Books) {
    for (n, whose) in [(1, "mine"), (2, "yours"), (3, "mine"), (4, "mine")] {
        books.accepted(n, "Ada", whose).await;
    }
    assert_eq!(books.page(&session("mine"), None, None, 10).await, [4, 3, 1].map(id));
    assert_eq!(books.page(&session("mine"), None, None, 2).await, [4, 3].map(id));
    assert_eq!(books.page(&session("mine"), None, Some(&id(3)), 2).await, [1].map(id));
}

pub async fn a_stranger_sees_nothing_and_an_operator_everything(books: Books) {
    books.accepted(1, "Ada", "mine").await;
    books.accepted(2, "Bo", "yours").await;
    for stranger in ["", "nobody", "' OR '1'='1", "%"] {
        assert_eq!(books.page(&session(stranger), None, None, 10).await, []);
        assert_eq!(books.page(&session(stranger), Some("Ada"), None, 10).await, []);
        assert!(books.book.customers(&session(stranger), None, 10).await.unwrap().is_empty(), "{stranger:?}");
    }
    assert_eq!(books.page(&Owner::Everybody, None, None, 10).await, [2, 1].map(id));
}

pub async fn pages_have_no_gaps_and_no_repeats_while_orders_arrive(books: Books) {
    for n in 1..=20 {
        books.accepted(n, "Ada", if n % 2 == 0 { "mine" } else { "yours" }).await;
    }
    let mut arriving = 21..;
    for owner in [Owner::Everybody, session("mine")] {
        let there = books.page(&owner, None, None, 100).await;
        let (mut seen, mut after) = (Vec::<OrderId>::new(), None);
        loop {
            let page = books.page(&owner, None, after.as_ref(), 3).await;
            let Some(last) = page.last().cloned() else { break };
            seen.extend(page);
            after = Some(last);
            books.accepted(arriving.next().unwrap(), "Ada", "mine").await;
        }
        assert_eq!(seen, there);
    }
}

pub async fn orders_of_a_name_are_those_of_that_name_alone(books: Books) {
    let names = ["Ada", "ada", "Ada ", "%", "_da", "' OR 1=1 --", "Ada\u{301}", "مريم", "👩‍🚀"];
    let mut n = 0;
    for round in ["mine", "yours"] {
        for name in names {
            n += 1;
            books.accepted(n, name, round).await;
        }
    }
    let count = u32::try_from(names.len()).unwrap();
    // "Ada " is trimmed to "Ada": the same person.
    assert_eq!(books.page(&session("mine"), Some("Ada"), None, 10).await, [3, 1].map(id));
    assert_eq!(books.page(&Owner::Everybody, Some("Ada"), None, 10).await, [count + 3, count + 1, 3, 1].map(id));
    for (at, name) in (1..).zip(names).filter(|(_, name)| name.trim() != "Ada") {
        assert_eq!(books.page(&session("mine"), Some(name), None, 10).await, [id(at)], "{name}");
        assert_eq!(books.page(&Owner::Everybody, Some(name), Some(&id(count + at)), 10).await, [id(at)], "{name}");
    }
    assert_eq!(books.page(&Owner::Everybody, Some("Nobody"), None, 10).await, []);
}

pub async fn names_are_listed_once_and_sorted(books: Books) {
    for (n, (name, whose)) in (1..).zip([("Cy", "mine"), ("Ada", "mine"), ("Bo", "yours"), ("Ada", "yours"), ("Ada", "mine")]) {
        books.accepted(n, name, whose).await;
    }
    assert_eq!(books.book.customers(&Owner::Everybody, None, 10).await.unwrap(), ["Ada", "Bo", "Cy"]);
    assert_eq!(books.book.customers(&session("mine"), None, 10).await.unwrap(), ["Ada", "Cy"]);
}

pub async fn names_are_paged_without_gaps(books: Books) {
    let mut names = ["Zoë", "'; --", "مريم", "Ada", "ada", "Bo", "👩‍🚀", "%", "Żółć", "Cy"];
    for (n, name) in (1..).zip(names) {
        books.accepted(n, name, "mine").await;
    }
    names.sort_unstable();
    for owner in [Owner::Everybody, session("mine")] {
        let (mut seen, mut after) = (Vec::<String>::new(), None);
        loop {
            let page = books.book.customers(&owner, after.as_deref(), 3).await.unwrap();
            let Some(last) = page.last().cloned() else { break };
            seen.extend(page);
            after = Some(last);
        }
        assert_eq!(seen, names);
    }
}

pub async fn lists_are_read_while_orders_are_written(books: Books) {
    let mut busy = JoinSet::new();
    let books = std::sync::Arc::new(books);
    for writer in 0..4 {
        let books = books.clone();
        busy.spawn(async move {
            for n in 1..=25 {
                books.accepted(writer * 25 + n, "Ada", "mine").await;
            }
        });
    }
    for _ in 0..8 {
        let books = books.clone();
        busy.spawn(async move {
            for _ in 0..25 {
                books.page(&session("mine"), Some("Ada"), None, 50).await;
                books.book.customers(&Owner::Everybody, None, 10).await.unwrap();
                books.find(&id(1)).await;
            }
        });
    }
    busy.join_all().await;
    assert_eq!(books.page(&session("mine"), None, None, 1_000).await.len(), 100);
}
