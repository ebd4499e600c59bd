//! A book of an earlier version is opened by this one, and a large one costs what a small one costs.

use crate::books::{Books, at, book, id, order};
use order::NAME;
use order::store::{Owner, Page, SCHEMA};
use runtime::args;
use runtime::store::sql::{Database, Schema};
use std::time::Duration;

/// As the tables were first.
const FIRST: Schema = Schema { sqlite: SCHEMA.sqlite.split_at(1).0, postgres: SCHEMA.postgres.split_at(1).0 };

async fn grows(url: &str) {
    let old = Database::open(url, NAME, &FIRST).await.unwrap();
    for (n, status) in [(1, "pending"), (2, "delivered")] {
        let document = serde_json::to_string(&order(n, "Ada")).unwrap();
        let sql = "INSERT INTO orders (id, session_id, customer_name, restaurant_id, status, total_cents, created_at_ms, updated_at_ms, document) \
                   VALUES ($1, 'guest', 'Ada', 'cosmic-coffee', $2, 1198, $3, $4, $5)";
        old.run(sql, args![id(n).as_str(), status, at(n), at(n + 10), document]).await.unwrap();
    }
    drop(old);

    let (platform, _) = testkit::platform();
    let database = Database::open(url, NAME, &SCHEMA).await.unwrap();
    let book = book(&platform, &database);
    let page = Page { after: None, limit: 10 };
    let mine = book.list(&Owner::One("s:guest".to_owned()), None, &page).await.unwrap();
    assert_eq!(mine.iter().map(|order| (order.id.clone(), order.history.len())).collect::<Vec<_>>(), [(id(2), 2), (id(1), 1)]);
    let ledger = book.ledger(at(20)).await.unwrap();
    assert_eq!((ledger.total("orders"), ledger.total("requests_done"), ledger.total("sold_units")), (2, 2, 4));
    assert_eq!((ledger.open.len(), ledger.open[0].owner.as_str()), (1, "payment"));
    // Payment hears of it within a minute.
    assert_eq!(book.sweep(at(1) + Duration::from_secs(60), 10).await.unwrap().0, 1);
    let told = database.one("SELECT document FROM event_outbox", args![]).await.unwrap().text(0).unwrap();
    assert!(told.contains("order.created"), "{told}");
}

#[tokio::test]
async fn a_file_of_an_earlier_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    grows(&format!("sqlite:{}", folder.path().join("order.db").display())).await;
}

#[tokio::test]
async fn a_postgresql_of_an_earlier_version_is_brought_up_to_date() {
    grows(&testkit::postgres_database().await).await;
}

/// A question as SQLite and as PostgreSQL explain how they would answer it, and the index it must be answered by.
macro_rules! question {
    ($sql:literal, $index:literal) => {
        (concat!("EXPLAIN QUERY PLAN ", $sql), concat!("EXPLAIN ", $sql), $index)
    };
}

const QUESTIONS: [(&str, &str, &str); 9] = [
    question!("SELECT document FROM orders WHERE id < '~' AND owner_id = 'a' ORDER BY id DESC LIMIT 50", "orders_by_owner"),
    question!(
        "SELECT document FROM orders WHERE id < '~' AND owner_id = 'a' AND customer_name = 'b' ORDER BY id DESC LIMIT 50",
        "orders_by_owner_and_name"
    ),
    question!("SELECT document FROM orders WHERE id < '~' AND customer_name = 'b' ORDER BY id DESC LIMIT 50", "orders_by_name"),
    question!("SELECT document FROM orders WHERE restaurant_id = 'r' AND status = 'paid' ORDER BY id DESC LIMIT 50", "orders_by_board"),
    question!(
        "SELECT document FROM orders WHERE due_at_ms <= 1 AND restaurant_id NOT IN (SELECT restaurant_id FROM kitchens WHERE autopilot = 0) ORDER BY due_at_ms LIMIT 500",
        "orders_by_due"
    ),
    question!("SELECT document FROM orders WHERE deadline_ms <= 1 ORDER BY deadline_ms LIMIT 200", "orders_by_deadline"),
    question!(
        "SELECT COUNT(*) FROM orders WHERE holder IS NULL AND status NOT IN ('delivered', 'cancelled', 'rejected', 'paymentFailed') AND COALESCE(deadline_ms, updated_at_ms) <= 1",
        "orders_without_holder"
    ),
    question!("SELECT MIN(customer_name) FROM orders WHERE owner_id = 'a' AND customer_name > 'b'", "orders_by_owner_and_name"),
    question!("SELECT MIN(customer_name) FROM orders WHERE customer_name > 'b'", "orders_by_name"),
];

async fn asks_an_index(books: Books) {
    // Enough that reading all of it is not the cheapest, and then the statistics of it.
    let many = if books.book.is_shared() {
        "INSERT INTO orders (id, owner_id, customer_name, restaurant_id, status, total_cents, created_at_ms, updated_at_ms, document) \
         SELECT 'order-' || lpad(n::text, 8, '0'), 'owner-' || (n % 1000), 'name-' || (n % 3000), 'restaurant-' || (n % 30), 'delivered', 1, n, n, '{}' \
         FROM generate_series(1, 20000) AS n"
    } else {
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000) \
         INSERT INTO orders (id, owner_id, customer_name, restaurant_id, status, total_cents, created_at_ms, updated_at_ms, document) \
         SELECT printf('order-%08d', n), 'owner-' || (n % 1000), 'name-' || (n % 3000), 'restaurant-' || (n % 30), 'delivered', 1, n, n, '{}' FROM numbers"
    };
    books.database.run(many, args![]).await.unwrap();
    if books.book.is_shared() {
        books.database.run("ANALYZE orders", args![]).await.unwrap();
    }
    for (sqlite, postgres, index) in QUESTIONS {
        let (sql, column) = if books.book.is_shared() { (postgres, 0) } else { (sqlite, 3) };
        let plan: Vec<String> = books.database.all(sql, args![]).await.unwrap().iter().map(|row| row.text(column).unwrap()).collect();
        let plan = plan.join("\n");
        assert!(plan.contains(index), "{sql}: {plan}");
        assert!(!plan.contains("Seq Scan on orders"), "{sql}: {plan}");
        assert!(!plan.contains("TEMP B-TREE FOR ORDER BY"), "{sql}: {plan}");
    }
    assert_eq!(
        books.book.customers(&Owner::Everybody, Some("name-2998"), 10).await.unwrap(),
        ["name-2999", "name-3", "name-30", "name-300", "name-301", "name-302", "name-303", "name-304", "name-305", "name-306"]
    );
}

#[tokio::test]
async fn every_question_of_a_large_file_is_answered_by_an_index() {
    asks_an_index(Books::in_a_file().await).await;
}

#[tokio::test]
async fn every_question_of_a_large_postgresql_is_answered_by_an_index() {
    asks_an_index(Books::in_postgres().await).await;
}
