//! SQLite as a service's own store: one file, one writer, a few readers.
//!
//! WAL with `synchronous = NORMAL`: what is committed survives `kill -9` of the process.

use super::{Apply, Connection, RUNTIME, Schema, Value, migrator};
use crate::boot::BootError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, SqliteConnection, SqlitePool};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};
use tokio::sync::{Mutex, MutexGuard};

/// Readers beside the writer.
const READERS: u32 = 4;

/// A connection costs a thread: those that a busy moment needed go again, all but one.
const READER_RESTS: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub struct Sqlite {
    options: SqliteConnectOptions,
    pub readers: SqlitePool,
    /// All writes take turns here, and use one connection. It is opened at the first write and again after an error. The checkpoints end
    /// with the last handle.
    writer: Arc<Mutex<Option<SqliteConnection>>>,
}

impl Sqlite {
    pub async fn open(path: &Path, schema: &Schema) -> Result<Self, BootError> {
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
        let database =
            Self::connect(options, schema, Some(READER_RESTS)).await.map_err(|error| fault(format!("cannot be used: {error}")))?;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = PathBuf::from(log);
        tokio::spawn(checkpoint(database.options.clone(), log, Arc::downgrade(&database.writer)));
        Ok(database)
    }

    pub async fn in_memory(name: &str, schema: &Schema) -> Result<Self, BootError> {
        // All connections of the process see the one named database; readers do not wait for the writer's table locks.
        let name = format!("file:{name}-{}?mode=memory&cache=shared", uuid::Uuid::new_v4().simple());
        let options = SqliteConnectOptions::new().filename(name).shared_cache(true).in_memory(true).pragma("read_uncommitted", "1");
        Self::connect(options, schema, None).await.map_err(|error| BootError::Config(format!("DATABASE_URL: {error}")))
    }

    async fn connect(options: SqliteConnectOptions, schema: &Schema, rests: Option<Duration>) -> Result<Self, sqlx::Error> {
        let options =
            options.disable_statement_logging().foreign_keys(true).busy_timeout(Duration::from_secs(5)).pragma("temp_store", "memory");
        // One connection makes file and schema before any other looks at them: the change to WAL does not wait for locks.
        let mut first = SqliteConnection::connect_with(&options).await?;
        for migrations in [RUNTIME.sqlite, schema.sqlite] {
            if !migrations.is_empty() {
                migrator(migrations).run_direct(None, &mut first, false).await?;
            }
        }
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(1)
            .idle_timeout(rests)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(2))
            .connect_with(options.clone())
            .await?;
        // What is in memory lives as long as somebody is connected.
        first.close().await?;
        Ok(Self { options, readers, writer: Arc::new(Mutex::new(None)) })
    }

    pub async fn run(&self, sql: &'static str, args: Vec<Value>) -> Result<u64, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        // It stays where it is while it works: whoever gives up waiting leaves a connection behind that ends what it began.
        Connection::from(self.opened(&mut writer).await?).run(sql, args).await
    }

    /// The writer's connection.
    async fn opened<'w>(&self, writer: &'w mut MutexGuard<'_, Option<SqliteConnection>>) -> Result<&'w mut SqliteConnection, sqlx::Error> {
        if writer.is_none() {
            **writer = Some(SqliteConnection::connect_with(&self.options).await?);
        }
        writer.as_mut().ok_or(sqlx::Error::WorkerCrashed)
    }

    /// Writes the jobs in one transaction.
    pub async fn write<A: Apply>(&self, apply: &A, jobs: &[A::Job]) -> Result<Vec<A::Done>, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let outcome = write_with(self.opened(&mut writer).await?, apply, jobs).await;
        if outcome.is_err()
            && let Some(open) = writer.take()
            // With it goes its transaction. The next connection must not meet its locks, and in memory nobody waits for a lock.
            && let Err(closing) = open.close().await
        {
            tracing::warn!(error = %closing, "A database connection could not be closed");
        }
        outcome
    }
}

async fn write_with<A: Apply>(open: &mut SqliteConnection, apply: &A, jobs: &[A::Job]) -> Result<Vec<A::Done>, sqlx::Error> {
    let mut transaction = open.begin_with("BEGIN IMMEDIATE").await?;
    let results = apply.apply(&mut Connection::from(&mut *transaction), jobs).await?;
    transaction.commit().await?;
    Ok(results)
}

/// How often the log is moved into the file. At full load it grows by some megabytes in between.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);

/// Rounds without a write after which the checkpoint's connection is closed.
const QUIET_ROUNDS: u32 = 5;

/// A log longer than this, in bytes, begins anew: writers wait for the little that is not moved yet. Beside a writer that never rests
/// it would never come to its end, and grow for as long as the load goes on.
const LONGEST_LOG: u64 = 128 * 1024 * 1024;

/// How long writers may have to wait for a reader before that is put off to the next round.
const LONGEST_STOP: Duration = Duration::from_millis(100);

/// Moves what is committed from the log into the file beside the writer, and empties a log that is longer than `longest` bytes.
async fn move_log(connection: &mut SqliteConnection, log: &Path, longest: u64) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut *connection).await?;
    if std::fs::metadata(log).is_ok_and(|log| log.len() > longest) {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(connection).await?;
    }
    Ok(())
}

/// Moves the log into the file every second in which something was written.
async fn checkpoint(options: SqliteConnectOptions, log: PathBuf, open: Weak<Mutex<Option<SqliteConnection>>>) {
    let mut connection: Option<SqliteConnection> = None;
    let (mut moved, mut quiet): (Option<SystemTime>, u32) = (None, 0);
    loop {
        tokio::time::sleep(CHECKPOINT_EVERY).await;
        if open.strong_count() == 0 {
            return;
        }
        let written = std::fs::metadata(&log).and_then(|log| log.modified()).ok();
        if written == moved {
            quiet += 1;
            if quiet == QUIET_ROUNDS
                && let Some(idle) = connection.take()
                && let Err(error) = idle.close().await
            {
                tracing::warn!(%error, "A database connection could not be closed");
            }
            continue;
        }
        quiet = 0;
        let mut connected = match connection.take() {
            Some(connected) => connected,
            None => match SqliteConnection::connect_with(&options.clone().busy_timeout(LONGEST_STOP)).await {
                Ok(connected) => connected,
                Err(error) => {
                    tracing::warn!(%error, "The database file cannot be opened for a checkpoint");
                    continue;
                }
            },
        };
        match move_log(&mut connected, &log, LONGEST_LOG).await {
            // What was written meanwhile has a later time, and is moved in the next round.
            Ok(()) => (connection, moved) = (Some(connected), written),
            Err(error) => tracing::warn!(%error, "The log could not be moved into the database file; it grows until it can"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn rows(database: &Sqlite) -> i64 {
        sqlx::query_scalar("SELECT COUNT(*) FROM notes").fetch_one(&database.readers).await.unwrap()
    }

    #[tokio::test]
    async fn a_long_log_begins_anew_and_puts_that_off_while_somebody_reads() {
        let folder = tempfile::tempdir().unwrap();
        let (path, log) = (folder.path().join("notes.db"), folder.path().join("notes.db-wal"));
        let length = || std::fs::metadata(&log).unwrap().len();
        let database = Sqlite::open(&path, &Schema { sqlite: &[], postgres: &[] }).await.unwrap();
        database.run("CREATE TABLE notes (text TEXT NOT NULL)", Vec::new()).await.unwrap();
        let write = || database.run("INSERT INTO notes VALUES (hex(randomblob(5000)))", Vec::new());
        let mut connection = SqliteConnection::connect_with(&database.options.clone().busy_timeout(LONGEST_STOP)).await.unwrap();

        write().await.unwrap();
        let before = length();
        move_log(&mut connection, &log, u64::MAX).await.unwrap();
        assert!(before > 10_000 && length() == before, "a short one stays as long as it is: {before}");

        let mut reading = database.readers.begin().await.unwrap();
        let seen: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM notes").fetch_one(&mut *reading).await.unwrap();
        write().await.unwrap();
        move_log(&mut connection, &log, 0).await.unwrap();
        assert_eq!((seen, length() > 0), (1, true), "somebody still reads what was before");
        write().await.unwrap();

        reading.commit().await.unwrap();
        move_log(&mut connection, &log, 0).await.unwrap();
        assert_eq!((length(), rows(&database).await), (0, 3));
        write().await.unwrap();
        assert_eq!(rows(&database).await, 4);
    }
}
