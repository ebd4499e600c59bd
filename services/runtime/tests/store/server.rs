//! What only PostgreSQL goes through: a server that ends, refuses or is shared.

use crate::bench::{NOTES, WriteNotes, notes};
use async_trait::async_trait;
use runtime::args;
use runtime::health::Probe;
use runtime::store::StoreError;
use runtime::store::sql::{Apply, Connection, Database, GroupCommit, Schema};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use testkit::PostgresServer;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

#[tokio::test]
async fn a_shared_database_says_what_it_is() {
    let url = testkit::postgres_database().await;
    let database = Database::open(&url.replace("postgres://", "postgresql://"), "order", &NOTES).await.unwrap();
    assert_eq!((database.backend(), database.is_shared(), database.name()), ("postgresql", true, "postgresql"));
    database.check().await.unwrap();
}

#[tokio::test]
async fn services_of_one_database_have_tables_of_their_own() {
    let url = testkit::postgres_database().await;
    // Both are words of SQL.
    let (one, other) = (Database::open(&url, "order", &NOTES).await.unwrap(), Database::open(&url, "user", &NOTES).await.unwrap());
    GroupCommit::start(&one, WriteNotes::default()).submit("mine".to_owned()).await.unwrap();
    assert_eq!((notes(&one).await.len(), notes(&other).await.len()), (1, 0));
    let schemas = "SELECT schemaname FROM pg_tables WHERE tablename = 'notes' ORDER BY schemaname";
    let rows = one.all(schemas, args![]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.text(0).unwrap()).collect::<Vec<_>>(), ["order", "user"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_together_make_one_schema() {
    let url = testkit::postgres_database().await;
    let mut starting = JoinSet::new();
    for _ in 0..8 {
        let url = url.clone();
        starting.spawn(async move { Database::open(&url, "order", &NOTES).await.unwrap() });
    }
    let replicas = starting.join_all().await;
    GroupCommit::start(&replicas[0], WriteNotes::default()).submit("shared".to_owned()).await.unwrap();
    for replica in &replicas {
        assert_eq!(notes(replica).await, ["shared"]);
    }
}

#[tokio::test]
async fn a_role_that_may_not_make_schemas_uses_the_one_that_is_there() {
    let url = testkit::postgres_database().await;
    let owner = Database::open(&url, "test", &NOTES).await.unwrap();
    let role = format!("clerk_{}", url.rsplit('/').next().unwrap());
    for statement in ["CREATE ROLE {role} LOGIN", "CREATE SCHEMA \"order\" AUTHORIZATION {role}"] {
        owner.run(statement.replace("{role}", &role).leak(), args![]).await.unwrap();
    }
    let as_clerk = url.replacen("postgres@", &format!("{role}@"), 1);
    let clerk = Database::open(&as_clerk, "order", &NOTES).await.unwrap();
    clerk.run("INSERT INTO notes (text) VALUES ($1)", args!["mine"]).await.unwrap();
    let refused = Database::open(&as_clerk, "user", &NOTES).await.err().unwrap().to_string();
    assert!(refused.contains("DATABASE_URL") && refused.contains("permission denied"), "{refused}");
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_one_sentence_without_the_password() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = testkit::postgres_database().await;
    let wrong = [
        format!("postgres://feast:hush@{nobody}/feast"),
        "postgres://feast:hush@127.0.0.1:no-port/feast".to_owned(),
        url.replace("/test_", "/no_such_").replacen("postgres@", "postgres:hush@", 1),
    ];
    for url in wrong {
        let error = Database::open(&url, "order", &NOTES).await.err().unwrap().to_string();
        assert!(error.contains("DATABASE_URL"), "{error}");
        assert!(!error.contains("hush") && !error.contains('\n'), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_killed_is_used_again_and_has_what_was_answered() {
    let mut server = PostgresServer::start();
    let url = server.database().await;
    let database = Database::open(&url, "order", &NOTES).await.unwrap();
    let writer = GroupCommit::start(&database, WriteNotes::default());
    writer.submit("before".to_owned()).await.unwrap();
    assert_eq!(notes(&database).await, ["before"]);

    server.kill();
    let started = Instant::now();
    let waiting: Vec<_> = (0..20).map(|n| writer.enqueue(format!("lost {n}"))).collect();
    for job in waiting {
        assert!(matches!(job.await, Err(StoreError::Unavailable(_))));
    }
    assert!(database.all("SELECT text FROM notes", args![]).await.is_err());
    assert!(database.check().await.is_err());
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());

    server.restart();
    writer.submit("after".to_owned()).await.unwrap();
    assert_eq!(notes(&database).await, ["before", "after"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_between_two_writes_is_not_noticed() {
    let mut server = PostgresServer::start();
    let url = server.database().await;
    let database = Database::open(&url, "order", &NOTES).await.unwrap();
    let writer = GroupCommit::start(&database, WriteNotes::default());
    writer.submit("before".to_owned()).await.unwrap();
    server.kill();
    server.restart();
    writer.submit("after".to_owned()).await.unwrap();
    testkit::eventually("readers are connected again", Duration::from_secs(10), async || {
        database.all("SELECT text FROM notes", args![]).await.is_ok_and(|rows| rows.len() == 2)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_waits_for_a_server_that_is_starting() {
    let mut server = PostgresServer::start();
    let url = server.database().await;
    server.kill();
    let opening = tokio::spawn(async move { Database::open(&url, "order", &NOTES).await.map(drop) });
    let restarting = tokio::task::spawn_blocking(move || {
        server.restart();
        server
    });
    let _server = restarting.await.unwrap();
    opening.await.unwrap().unwrap();
}

const PAIR: Schema = Schema {
    sqlite: &[],
    postgres: &[(1, "pair", "CREATE TABLE pair (id BIGINT PRIMARY KEY, number BIGINT NOT NULL); INSERT INTO pair VALUES (1, 0), (2, 0)")],
};

/// Changes two rows in an order of its own, and waits in between for whoever does it the other way round.
struct Crossing {
    order: [i64; 2],
    meet: Arc<Barrier>,
    attempts: Arc<AtomicUsize>,
}

#[async_trait]
impl Apply for Crossing {
    type Job = ();
    type Done = ();

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[()]) -> Result<Vec<()>, sqlx::Error> {
        let first = self.attempts.fetch_add(1, Ordering::SeqCst) < 2;
        for (n, id) in self.order.into_iter().enumerate() {
            if n == 1 && first {
                self.meet.wait().await;
            }
            transaction.run("UPDATE pair SET number = number + 1 WHERE id = $1", args![id]).await?;
        }
        Ok(vec![(); jobs.len()])
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_stop_each_other_both_get_their_way() {
    let url = testkit::postgres_database().await;
    let (one, other) = (Database::open(&url, "test", &PAIR).await.unwrap(), Database::open(&url, "test", &PAIR).await.unwrap());
    let (meet, attempts) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let crossing = |order| Crossing { order, meet: meet.clone(), attempts: attempts.clone() };
    let writers = (GroupCommit::start(&one, crossing([1, 2])), GroupCommit::start(&other, crossing([2, 1])));
    let (first, second) = tokio::join!(writers.0.submit(()), writers.1.submit(()));
    first.unwrap();
    second.unwrap();
    assert_eq!(attempts.load(Ordering::SeqCst), 3, "one of them was tried again");
    let rows = one.all("SELECT number FROM pair", args![]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.int(0).unwrap()).collect::<Vec<_>>(), [2, 2]);
}
