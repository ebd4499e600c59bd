//! A database, its schema and its writer.

use async_trait::async_trait;
use runtime::store::StoreError;
use runtime::store::sqlite::{Apply, Database, GroupCommit, Migrations};
use sqlx::SqliteConnection;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use tokio::task::JoinSet;

const NOTES: &Migrations = &[(1, "notes", "CREATE TABLE notes (text TEXT NOT NULL CHECK (text <> 'poison')) STRICT")];
const NOTES_LATER: &Migrations = &[NOTES[0], (2, "authors", "ALTER TABLE notes ADD COLUMN author TEXT")];
const SONGS: &Migrations = &[(1, "songs", "CREATE TABLE songs (title TEXT NOT NULL) STRICT")];

/// Writes one row a job, and counts its transactions.
#[derive(Default)]
struct WriteNotes {
    batches: Arc<AtomicUsize>,
}

#[async_trait]
impl Apply for WriteNotes {
    type Job = String;
    type Done = usize;

    async fn apply(&self, transaction: &mut SqliteConnection, jobs: &[String]) -> Result<Vec<usize>, sqlx::Error> {
        self.batches.fetch_add(1, Ordering::SeqCst);
        for job in jobs {
            sqlx::query("INSERT INTO notes (text) VALUES ($1)").bind(job).execute(&mut *transaction).await?;
        }
        Ok(jobs.iter().map(String::len).collect())
    }
}

async fn opened(folder: &TempDir, migrations: &'static Migrations) -> Database {
    Database::open(&folder.path().join("deep/er/file.db"), migrations).await.unwrap()
}

async fn notes(database: &Database) -> Vec<String> {
    sqlx::query_scalar("SELECT text FROM notes ORDER BY rowid").fetch_all(database.readers()).await.unwrap()
}

#[tokio::test]
async fn a_file_is_made_with_its_folders_and_keeps_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let database = opened(&folder, NOTES).await;
    let writer = GroupCommit::start(&database, WriteNotes::default());
    assert_eq!(writer.submit("hello".to_owned()).await.unwrap(), 5);
    drop((writer, database));
    assert_eq!(notes(&opened(&folder, NOTES).await).await, ["hello"]);
}

#[tokio::test]
async fn a_later_schema_is_added_to_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    GroupCommit::start(&opened(&folder, NOTES).await, WriteNotes::default()).submit("kept".to_owned()).await.unwrap();
    let database = opened(&folder, NOTES_LATER).await;
    sqlx::query("UPDATE notes SET author = 'Ada'").execute(database.readers()).await.unwrap();
    assert_eq!(notes(&database).await, ["kept"]);
}

#[tokio::test]
async fn services_may_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (opened(&folder, NOTES).await, opened(&folder, SONGS).await);
    GroupCommit::start(&one, WriteNotes::default()).submit("a note".to_owned()).await.unwrap();
    sqlx::query("INSERT INTO songs (title) VALUES ('a song')").execute(other.readers()).await.unwrap();
    assert_eq!(notes(&opened(&folder, NOTES).await).await, ["a note"]);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named_with_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.db");
    std::fs::write(&path, "this is not a database, and long enough to be looked at as one").unwrap();
    let error = Database::open(&path, NOTES).await.err().unwrap().to_string();
    assert!(error.contains("DATA_DIR or DATABASE_URL") && error.contains("file.db"), "{error}");
    let error = Database::open(&path.join("below/a/file.db"), NOTES).await.err().unwrap().to_string();
    assert!(error.contains("DATA_DIR or DATABASE_URL"), "{error}");
}

#[tokio::test]
async fn databases_in_memory_do_not_meet() {
    let (one, other) = (Database::in_memory("notes", NOTES).await.unwrap(), Database::in_memory("notes", NOTES).await.unwrap());
    GroupCommit::start(&one, WriteNotes::default()).submit("mine".to_owned()).await.unwrap();
    assert_eq!((notes(&one).await.len(), notes(&other).await.len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_arrive_together_share_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let database = opened(&folder, NOTES).await;
    let writing = WriteNotes::default();
    let batches = writing.batches.clone();
    let writer = GroupCommit::start(&database, writing);
    let mut jobs = JoinSet::new();
    for n in 0..500 {
        let writer = writer.clone();
        jobs.spawn(async move { writer.submit(n.to_string()).await.unwrap() });
    }
    jobs.join_all().await;
    assert_eq!(notes(&database).await.len(), 500);
    assert!(batches.load(Ordering::SeqCst) < 500, "{batches:?}");
}

#[tokio::test]
async fn jobs_that_are_handed_over_in_order_are_written_in_order_whoever_waits() {
    let database = Database::in_memory("notes", NOTES).await.unwrap();
    let writer = GroupCommit::start(&database, WriteNotes::default());
    let mut waiting: Vec<_> = (0..300).map(|n| writer.enqueue(n.to_string())).collect();
    let last = waiting.pop().unwrap();
    drop(waiting);
    last.await.unwrap();
    assert_eq!(notes(&database).await, (0..300).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_queue_that_is_full_is_an_error_at_once() {
    let database = Database::in_memory("notes", NOTES).await.unwrap();
    let writer = GroupCommit::start(&database, WriteNotes::default());
    // On one thread, nothing is written before somebody waits.
    let waiting: Vec<_> = (0..10_000).map(|n| writer.enqueue(n.to_string())).collect();
    let (mut written, mut refused) = (0, 0);
    for job in waiting {
        match job.await {
            Ok(_) => written += 1,
            Err(StoreError::Unavailable(_)) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(written + refused, 10_000);
    assert!(refused > 0);
    assert_eq!(notes(&database).await.len(), written, "what was refused is not there, and all else is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_fails_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    for database in [opened(&folder, NOTES).await, Database::in_memory("notes", NOTES).await.unwrap()] {
        let writer = GroupCommit::start(&database, WriteNotes::default());
        let waiting: Vec<_> =
            (0..100).map(|n| if n % 10 == 7 { "poison".to_owned() } else { n.to_string() }).map(|job| writer.enqueue(job)).collect();
        for (n, job) in waiting.into_iter().enumerate() {
            assert_eq!(job.await.is_ok(), n % 10 != 7, "job {n}");
        }
        assert_eq!(notes(&database).await.len(), 90);
        assert!(matches!(writer.submit("poison".to_owned()).await, Err(StoreError::Unavailable(_))));
        writer.submit("after".to_owned()).await.unwrap();
    }
}

#[tokio::test]
async fn a_writer_ends_with_what_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let database = opened(&folder, NOTES).await;
    let writer = GroupCommit::start(&database, WriteNotes::default());
    let last = writer.enqueue("last words".to_owned());
    drop(writer);
    last.await.unwrap();
    assert_eq!(notes(&database).await, ["last words"]);
}
