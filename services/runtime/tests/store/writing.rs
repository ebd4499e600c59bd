//! What every database does with what it is given to write.

use crate::bench::{Bench, NOTES, NOTES_LATER, WriteNotes};
use async_trait::async_trait;
use runtime::args;
use runtime::store::StoreError;
use runtime::store::sql::{Apply, Connection, GroupCommit};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::Notify;
use tokio::task::JoinSet;

pub async fn a_job_is_answered_when_it_is_written(bench: Bench) {
    assert_eq!(bench.writer().submit("hello".to_owned()).await.unwrap(), 5);
    assert_eq!(bench.notes().await, ["hello"]);
}

pub async fn jobs_that_arrive_together_share_transactions(bench: Bench) {
    let writing = WriteNotes::default();
    let batches = writing.batches.clone();
    let writer = GroupCommit::start(&bench.database, writing);
    let mut jobs = JoinSet::new();
    for n in 0..500 {
        let writer = writer.clone();
        jobs.spawn(async move { writer.submit(n.to_string()).await.unwrap() });
    }
    jobs.join_all().await;
    assert_eq!(bench.notes().await.len(), 500);
    assert!(batches.load(Ordering::SeqCst) < 500, "{batches:?}");
}

pub async fn jobs_that_are_handed_over_in_order_are_written_in_order_whoever_waits(bench: Bench) {
    let writer = bench.writer();
    let mut waiting: Vec<_> = (0..300).map(|n| writer.enqueue(n.to_string())).collect();
    let last = waiting.pop().unwrap();
    drop(waiting);
    last.await.unwrap();
    assert_eq!(bench.notes().await, (0..300).map(|n| n.to_string()).collect::<Vec<_>>());
}

/// Waits until it is told to write.
struct Held(Arc<Notify>);

#[async_trait]
impl Apply for Held {
    type Job = String;
    type Done = usize;

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[String]) -> Result<Vec<usize>, sqlx::Error> {
        let done = WriteNotes::default().apply(transaction, jobs).await?;
        self.0.notified().await;
        self.0.notify_one();
        Ok(done)
    }
}

pub async fn a_queue_that_is_full_is_an_error_at_once(bench: Bench) {
    let go = Arc::new(Notify::new());
    let writer = GroupCommit::start(&bench.database, Held(go.clone()));
    let waiting: Vec<_> = (0..6_000).map(|n| writer.enqueue(n.to_string())).collect();
    go.notify_one();
    let (mut written, mut refused) = (0, 0);
    for job in waiting {
        match job.await {
            Ok(_) => written += 1,
            Err(StoreError::Unavailable(_)) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(written + refused, 6_000);
    assert!(refused > 0);
    assert_eq!(bench.notes().await.len(), written, "what was refused is not there, and all else is");
}

pub async fn a_job_that_fails_fails_alone(bench: Bench) {
    let writer = bench.writer();
    let waiting: Vec<_> =
        (0..100).map(|n| if n % 10 == 7 { "poison".to_owned() } else { n.to_string() }).map(|job| writer.enqueue(job)).collect();
    for (n, job) in waiting.into_iter().enumerate() {
        assert_eq!(job.await.is_ok(), n % 10 != 7, "job {n}");
    }
    assert_eq!(bench.notes().await.len(), 90);
    assert!(matches!(writer.submit("poison".to_owned()).await, Err(StoreError::Unavailable(_))));
    writer.submit("after".to_owned()).await.unwrap();
}

/// Writes, and panics after the job that says so.
struct Nervous;

#[async_trait]
impl Apply for Nervous {
    type Job = String;
    type Done = usize;

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[String]) -> Result<Vec<usize>, sqlx::Error> {
        let done = WriteNotes::default().apply(transaction, jobs).await?;
        assert!(!jobs.iter().any(|job| job == "panic"), "as told");
        Ok(done)
    }
}

pub async fn a_job_that_panics_fails_alone_and_the_writer_goes_on(bench: Bench) {
    let writer = GroupCommit::start(&bench.database, Nervous);
    let waiting = ["one", "panic", "two"].map(|job| writer.enqueue(job.to_owned()));
    let written: Vec<bool> = futures::future::join_all(waiting).await.iter().map(Result::is_ok).collect();
    assert_eq!(written, [true, false, true]);
    writer.submit("three".to_owned()).await.unwrap();
    assert_eq!(bench.notes().await, ["one", "two", "three"]);
}

pub async fn a_writer_ends_with_what_it_was_given(bench: Bench) {
    let writer = bench.writer();
    let last = writer.enqueue("last words".to_owned());
    drop(writer);
    last.await.unwrap();
    assert_eq!(bench.notes().await, ["last words"]);
}

pub async fn writers_of_one_database_do_not_disturb_each_other(bench: Bench) {
    let mut jobs = JoinSet::new();
    for n in 0..4 {
        let writer = bench.writer();
        for m in 0..50 {
            let writer = writer.clone();
            jobs.spawn(async move { writer.submit(format!("{n}/{m}")).await.unwrap() });
        }
    }
    jobs.join_all().await;
    assert_eq!(bench.notes().await.len(), 200);
}

pub async fn readers_do_not_see_what_is_not_committed_or_wait_for_it(bench: Bench) {
    bench.writer().submit("before".to_owned()).await.unwrap();
    let go = Arc::new(Notify::new());
    let writer = GroupCommit::start(&bench.database, Held(go.clone()));
    let waiting = writer.enqueue("held".to_owned());
    let one = bench.database.one("SELECT COUNT(*) FROM notes WHERE text = $1", args!["before"]).await.unwrap();
    assert_eq!(one.int(0).unwrap(), 1);
    go.notify_one();
    waiting.await.unwrap();
    assert_eq!(bench.notes().await, ["before", "held"]);
}

pub async fn a_single_statement_is_written_beside_the_writers(bench: Bench) {
    let writer = bench.writer();
    let mut jobs = JoinSet::new();
    for n in 0..50 {
        let (writer, database) = (writer.clone(), bench.database.clone());
        jobs.spawn(async move {
            writer.submit(n.to_string()).await.unwrap();
            assert_eq!(database.run("UPDATE notes SET text = text || '!' WHERE text = $1", args![n.to_string()]).await.unwrap(), 1);
        });
    }
    jobs.join_all().await;
    assert!(bench.notes().await.iter().all(|note| note.ends_with('!')));
    assert!(bench.database.run("INSERT INTO notes (text) VALUES ($1)", args!["poison"]).await.is_err());
    assert_eq!(bench.database.run("DELETE FROM notes", args![]).await.unwrap(), 50);
}

pub async fn databases_do_not_meet(bench: Bench) {
    let other = bench.another().await;
    bench.writer().submit("mine".to_owned()).await.unwrap();
    assert_eq!((bench.notes().await.len(), other.notes().await.len()), (1, 0));
}

pub async fn what_was_written_is_there_for_the_next_process(bench: Bench) {
    bench.writer().submit("kept".to_owned()).await.unwrap();
    assert_eq!(bench.reopened(&NOTES).await.notes().await, ["kept"]);
}

pub async fn a_later_schema_is_added_to_what_is_there(bench: Bench) {
    bench.writer().submit("kept".to_owned()).await.unwrap();
    let bench = bench.reopened(&NOTES_LATER).await;
    assert_eq!(bench.database.run("UPDATE notes SET author = $1", args!["Ada"]).await.unwrap(), 1);
    assert_eq!(bench.notes().await, ["kept"]);
}

/// Empties both tables, and fails afterwards when it is told to.
struct Clear {
    fails: bool,
}

#[async_trait]
impl Apply for Clear {
    type Job = ();
    type Done = ();

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[()]) -> Result<Vec<()>, sqlx::Error> {
        transaction.clear(&["notes", "heard"]).await?;
        if self.fails { Err(sqlx::Error::Protocol("after all".to_owned())) } else { Ok(vec![(); jobs.len()]) }
    }
}

pub async fn tables_are_emptied_as_a_whole_and_their_triggers_run_for_what_comes_after(bench: Bench) {
    let database = &bench.database;
    database.run("CREATE TABLE heard (what TEXT NOT NULL)", args![]).await.unwrap();
    if database.is_shared() {
        let hear = "CREATE FUNCTION hear() RETURNS trigger LANGUAGE plpgsql AS \
            $$ BEGIN INSERT INTO heard (what) VALUES (OLD.text); RETURN NULL; END $$";
        database.run(hear, args![]).await.unwrap();
        database.run("CREATE TRIGGER hears AFTER DELETE ON notes FOR EACH ROW EXECUTE FUNCTION hear()", args![]).await.unwrap();
    } else {
        let hear = "CREATE TRIGGER hears AFTER DELETE ON notes BEGIN INSERT INTO heard (what) VALUES (OLD.text); END";
        database.run(hear, args![]).await.unwrap();
    }
    let heard = async || database.one("SELECT COUNT(*) FROM heard", args![]).await.unwrap().int(0).unwrap();
    let writer = bench.writer();
    writer.submit("one".to_owned()).await.unwrap();
    assert!(GroupCommit::start(database, Clear { fails: true }).submit(()).await.is_err());
    assert_eq!(bench.notes().await, ["one"]);
    database.run("DELETE FROM notes", args![]).await.unwrap();
    assert_eq!(heard().await, 1, "it hears of rows");
    for text in ["two", "three"] {
        writer.submit(text.to_owned()).await.unwrap();
    }
    GroupCommit::start(database, Clear { fails: false }).submit(()).await.unwrap();
    assert_eq!((bench.notes().await, heard().await), (Vec::new(), 0));
    writer.submit("four".to_owned()).await.unwrap();
    database.run("DELETE FROM notes", args![]).await.unwrap();
    assert_eq!(heard().await, 1, "and goes on hearing");
}
