//! SQLite as a service's own store: one file, one writer with group commit, a few readers.
//!
//! WAL with `synchronous = NORMAL`: what is committed survives `kill -9` of the process.

use super::StoreError;
use crate::boot::BootError;
use crate::health::Probe;
use async_trait::async_trait;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Readers beside the writer.
const READERS: u32 = 4;

/// Most jobs in one transaction. Latency of a commit stays in the low milliseconds.
const MAX_BATCH: usize = 256;

/// Jobs that may wait for the writer; beyond, callers wait to hand theirs over.
const QUEUE: usize = 4_096;

/// A service's schema: (version, name, SQL) in order. A version that was released never changes, nor does its name.
pub type Migrations = [(i64, &'static str, &'static str)];

fn migrator(migrations: &'static Migrations) -> Migrator {
    let steps = migrations
        .iter()
        .map(|(version, name, sql)| Migration::new(*version, (*name).into(), MigrationType::Simple, sqlx::SqlStr::from_static(sql), false));
    let mut migrator = Migrator::with_migrations(steps.collect());
    // By the name of its first step, so that services which share a file keep their own count.
    let schema = migrations.first().map_or("none", |(_, name, _)| *name);
    migrator.dangerous_set_table_name(format!("migrations_{schema}"));
    migrator
}

/// A database file with its schema in place.
#[derive(Clone)]
pub struct Database {
    options: SqliteConnectOptions,
    readers: SqlitePool,
    /// Held by every handle; the checkpoints end with the last one.
    open: Arc<()>,
}

impl Database {
    /// Opens (and makes, when it is not there) the file and brings its schema up to date.
    ///
    /// # Errors
    /// One sentence that names the setting at fault.
    pub async fn open(path: &Path, migrations: &'static Migrations) -> Result<Self, BootError> {
        let fault = |what: String| BootError::Config(format!("DATA_DIR or DATABASE_URL: {} {what}", path.display()));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| fault(format!("cannot be created: {error}")))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            // No commit waits for the disk: a task of its own moves the log into the file.
            .pragma("wal_autocheckpoint", "0");
        let database = Self::connect(options, migrations).await.map_err(|error| fault(format!("cannot be used: {error}")))?;
        tokio::spawn(checkpoint(database.options.clone(), Arc::downgrade(&database.open)));
        Ok(database)
    }

    /// A database that ends with the process.
    ///
    /// # Errors
    /// The schema cannot be made.
    pub async fn in_memory(name: &str, migrations: &'static Migrations) -> Result<Self, BootError> {
        // All connections of the process see the one named database; readers do not wait for the writer's table locks.
        let name = format!("file:{name}-{}?mode=memory&cache=shared", uuid::Uuid::new_v4().simple());
        let options = SqliteConnectOptions::new().filename(name).shared_cache(true).in_memory(true).pragma("read_uncommitted", "1");
        Self::connect(options, migrations).await.map_err(|error| BootError::Config(format!("DATABASE_URL: {error}")))
    }

    async fn connect(options: SqliteConnectOptions, migrations: &'static Migrations) -> Result<Self, sqlx::Error> {
        let options =
            options.disable_statement_logging().foreign_keys(true).busy_timeout(Duration::from_secs(5)).pragma("temp_store", "memory");
        // One connection makes file and schema before any other looks at them: the change to WAL does not wait for locks.
        let mut first = SqliteConnection::connect_with(&options).await?;
        migrator(migrations).run(&mut first).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(2))
            .connect_with(options.clone())
            .await?;
        // What is in memory lives as long as somebody is connected.
        first.close().await?;
        Ok(Self { options, readers, open: Arc::new(()) })
    }

    /// For reads. Writes go through a [`GroupCommit`].
    pub fn readers(&self) -> &SqlitePool {
        &self.readers
    }
}

/// How often the log is moved into the file. At full load it grows by some megabytes in between.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);

/// Moves what is committed from the log into the file, beside the writer and without making it wait.
async fn checkpoint(options: SqliteConnectOptions, open: Weak<()>) {
    let mut connection: Option<SqliteConnection> = None;
    loop {
        tokio::time::sleep(CHECKPOINT_EVERY).await;
        if open.strong_count() == 0 {
            return;
        }
        let mut connected = match connection.take() {
            Some(connected) => connected,
            None => match SqliteConnection::connect_with(&options).await {
                Ok(connected) => connected,
                Err(error) => {
                    tracing::warn!(%error, "The database file cannot be opened for a checkpoint");
                    continue;
                }
            },
        };
        match sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut connected).await {
            Ok(_) => connection = Some(connected),
            Err(error) => tracing::warn!(%error, "The log could not be moved into the database file; it grows until it can"),
        }
    }
}

#[async_trait]
impl Probe for Database {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    async fn check(&self) -> Result<(), String> {
        sqlx::query("SELECT 1").execute(&self.readers).await.map(drop).map_err(|_| "the database file does not answer".to_owned())
    }
}

/// How jobs of one kind are written.
#[async_trait]
pub trait Apply: Send + Sync + 'static {
    type Job: Send + Sync + 'static;
    type Done: Send + 'static;

    /// Writes `jobs` in the transaction that is open and answers one result a job, in order. Expected refusals (a key that exists)
    /// are results; an error rolls everything back.
    async fn apply(&self, transaction: &mut SqliteConnection, jobs: &[Self::Job]) -> Result<Vec<Self::Done>, sqlx::Error>;
}

struct Waiting<A: Apply> {
    job: A::Job,
    reply: oneshot::Sender<Result<A::Done, StoreError>>,
}

/// Group commit: jobs that arrive while a transaction is being written share the next one.
pub struct GroupCommit<A: Apply> {
    jobs: mpsc::Sender<Waiting<A>>,
}

impl<A: Apply> Clone for GroupCommit<A> {
    fn clone(&self) -> Self {
        Self { jobs: self.jobs.clone() }
    }
}

impl<A: Apply> GroupCommit<A> {
    /// Starts the writer; it ends when the last handle is dropped and everything handed over is written.
    pub fn start(database: &Database, apply: A) -> Self {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(write_all(database.options.clone(), Arc::new(apply), waiting));
        Self { jobs }
    }

    /// Answers when the job is committed.
    ///
    /// # Errors
    /// `Unavailable` when it was not; then nothing of it is stored.
    pub async fn submit(&self, job: A::Job) -> Result<A::Done, StoreError> {
        let (reply, done) = oneshot::channel();
        self.jobs.send(Waiting { job, reply }).await.map_err(|_| stopped())?;
        done.await.map_err(|_| stopped())?
    }

    /// Hands the job over at once, without waiting, and answers a future of its commit. Jobs are written in the order of these
    /// calls, so whoever decides under a lock can fix the order there and wait outside.
    pub fn enqueue(&self, job: A::Job) -> impl Future<Output = Result<A::Done, StoreError>> + Send + use<A> {
        let (reply, done) = oneshot::channel();
        let handed = self.jobs.try_send(Waiting { job, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Unavailable("too many writes are waiting".to_owned()),
            mpsc::error::TrySendError::Closed(_) => stopped(),
        });
        async move {
            handed?;
            done.await.map_err(|_| stopped())?
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the writer has stopped".to_owned())
}

async fn write_all<A: Apply>(options: SqliteConnectOptions, apply: Arc<A>, mut waiting: mpsc::Receiver<Waiting<A>>) {
    let mut connection: Option<SqliteConnection> = None;
    let mut batch = Vec::with_capacity(MAX_BATCH);
    while waiting.recv_many(&mut batch, MAX_BATCH).await > 0 {
        // Those who were just answered are about to hand in their next job: a turn of the scheduler later it shares this transaction.
        tokio::task::yield_now().await;
        while batch.len() < MAX_BATCH
            && let Ok(more) = waiting.try_recv()
        {
            batch.push(more);
        }
        let (jobs, mut replies): (Vec<_>, Vec<_>) = batch.drain(..).map(|waiting| (waiting.job, waiting.reply)).unzip();
        match write(&options, &mut connection, &*apply, &jobs).await {
            Ok(results) => {
                for (reply, result) in replies.into_iter().zip(results) {
                    // A caller that gave up does not hear of it; the job is committed all the same.
                    let _ = reply.send(Ok(result));
                }
            }
            Err(_) if jobs.len() > 1 => {
                // One job may be what fails: alone, it fails alone.
                for (job, reply) in jobs.into_iter().zip(replies) {
                    let result = write(&options, &mut connection, &*apply, std::slice::from_ref(&job)).await;
                    let _ = reply.send(result.map_err(StoreError::from).and_then(|mut done| {
                        done.pop().ok_or_else(|| StoreError::Corrupt("a job was written without a result".to_owned()))
                    }));
                }
            }
            Err(error) => {
                if let Some(reply) = replies.pop() {
                    let _ = reply.send(Err(error.into()));
                }
            }
        }
    }
}

async fn write<A: Apply>(
    options: &SqliteConnectOptions,
    connection: &mut Option<SqliteConnection>,
    apply: &A,
    jobs: &[A::Job],
) -> Result<Vec<A::Done>, sqlx::Error> {
    let mut open = match connection.take() {
        Some(open) => open,
        None => SqliteConnection::connect_with(options).await?,
    };
    match write_with(&mut open, apply, jobs).await {
        Ok(results) => {
            *connection = Some(open);
            Ok(results)
        }
        Err(error) => {
            // With it goes its transaction. The next connection must not meet its locks, and in memory nobody waits for a lock.
            if let Err(closing) = open.close().await {
                tracing::warn!(error = %closing, "A database connection could not be closed");
            }
            Err(error)
        }
    }
}

async fn write_with<A: Apply>(open: &mut SqliteConnection, apply: &A, jobs: &[A::Job]) -> Result<Vec<A::Done>, sqlx::Error> {
    let mut transaction = open.begin_with("BEGIN IMMEDIATE").await?;
    let results = apply.apply(&mut transaction, jobs).await?;
    transaction.commit().await?;
    Ok(results)
}
