//! Group commit: jobs that arrive while a transaction is being written share the next one.

use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::{Backend, Connection, Database};
use crate::store::StoreError;
use async_trait::async_trait;
use futures::FutureExt;
use sqlx::PgConnection;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use tokio::sync::{mpsc, oneshot};

/// Most jobs in one transaction. Latency of a commit stays in the low milliseconds.
const MAX_BATCH: usize = 256;

/// Jobs that may wait for the writer; beyond, callers wait to hand theirs over.
const QUEUE: usize = 4_096;

/// How jobs of one kind are written.
#[async_trait]
pub trait Apply: Send + Sync + 'static {
    type Job: Send + Sync + 'static;
    type Done: Send + 'static;

    /// Writes `jobs` in the transaction that is open and answers one result a job, in order. Expected refusals (a key that exists)
    /// are results; an error rolls everything back. It may be called again for the same jobs, after a roll-back.
    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Self::Job]) -> Result<Vec<Self::Done>, sqlx::Error>;
}

struct Waiting<A: Apply> {
    job: A::Job,
    reply: oneshot::Sender<Result<A::Done, StoreError>>,
}

/// The writer of one kind of jobs. Writers of one SQLite database take turns; on PostgreSQL each has its own connection.
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
        let writer = match &*database.0 {
            Backend::Sqlite(sqlite) => Writer::Sqlite(sqlite.clone()),
            Backend::Postgres(postgres) => Writer::Postgres(postgres.clone(), None),
        };
        tokio::spawn(write_all(writer, apply, waiting));
        Self { jobs }
    }

    /// Answers when the job is committed.
    ///
    /// # Errors
    /// `Unavailable` when it was not; then nothing of it is stored. (On PostgreSQL it may be, when the connection broke during the commit.)
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

enum Writer {
    Sqlite(Sqlite),
    Postgres(Postgres, Option<PgConnection>),
}

impl Writer {
    async fn write<A: Apply>(&mut self, apply: &A, jobs: &[A::Job]) -> Result<Vec<A::Done>, sqlx::Error> {
        let writing = async {
            match self {
                Self::Sqlite(sqlite) => sqlite.write(apply, jobs).await,
                Self::Postgres(postgres, open) => postgres.write(open, apply, jobs).await,
            }
        };
        // A job that panics must not end the writer: nothing would ever be written again. Its transaction is rolled back as any other.
        AssertUnwindSafe(writing).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("A job panicked while it was written");
            Err(sqlx::Error::WorkerCrashed)
        })
    }
}

async fn write_all<A: Apply>(mut writer: Writer, apply: A, mut waiting: mpsc::Receiver<Waiting<A>>) {
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
        match writer.write(&apply, &jobs).await {
            Ok(results) => {
                for (reply, result) in replies.into_iter().zip(results) {
                    // A caller that gave up does not hear of it; the job is committed all the same.
                    let _ = reply.send(Ok(result));
                }
            }
            Err(error) if jobs.len() > 1 && !is_outage(&error) => {
                // One job may be what fails: alone, it fails alone.
                for (job, reply) in jobs.into_iter().zip(replies) {
                    let result = writer.write(&apply, std::slice::from_ref(&job)).await;
                    let _ = reply.send(result.map_err(StoreError::from).and_then(|mut done| {
                        done.pop().ok_or_else(|| StoreError::Corrupt("a job was written without a result".to_owned()))
                    }));
                }
            }
            Err(error) => {
                let cause = error.to_string();
                if let Some(reply) = replies.pop() {
                    let _ = reply.send(Err(error.into()));
                }
                for reply in replies {
                    let _ = reply.send(Err(StoreError::Unavailable(cause.clone())));
                }
            }
        }
    }
}

/// Nobody answers: it is no job's fault, and each alone would wait for as long.
fn is_outage(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolTimedOut)
}
