//! PostgreSQL as a service's own store: a schema of the service's name, a bounded pool, and a connection for each writer.

use super::{Apply, Connection, RUNTIME, Schema, migrator};
use crate::boot::BootError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection as _, PgConnection, PgPool};
use std::future::Future;
use std::str::FromStr;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// Connections of one service in one process, beside its writers. Eight services with two replicas each stay under the 100 that
/// PostgreSQL allows by default.
const POOL: u32 = 4;

/// Until a connection of the pool is free, or a new one stands.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection that was not used for this long is asked whether it is alive before it is used again.
const SUSPECT_AFTER: Duration = Duration::from_millis(500);

/// A server that has stopped in the middle of something gives no other sign.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// For a transaction of a writer; longer than PostgreSQL needs to find a deadlock (1 s), twice.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a batch is written that stands in the way of another replica's.
const ATTEMPTS: u32 = 3;

/// How long a process that starts waits for PostgreSQL.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// And how long until it looks again.
const START_RETRY: Duration = Duration::from_millis(100);

#[derive(Clone)]
pub struct Postgres {
    options: PgConnectOptions,
    pub readers: PgPool,
}

impl Postgres {
    pub async fn open(url: &str, service: &str, schema: &Schema) -> Result<Self, BootError> {
        let options = PgConnectOptions::from_str(url)
            // The cause is not repeated: it may quote the address, and with it the password.
            .map_err(|_| BootError::Config("DATABASE_URL is not an address such as postgres://user@127.0.0.1:5432/feast".to_owned()))?
            .application_name(&format!("feast-{service}"))
            .options([("search_path", quoted(service))])
            .disable_statement_logging();
        let mut first = first_connection(&options).await?;
        let fault = |error: sqlx::Error| BootError::Config(format!("DATABASE_URL: PostgreSQL cannot be used: {error}"));
        prepare(&mut first, service, schema).await.map_err(fault)?;
        // Nothing depends on its farewell.
        let _ = first.close().await;
        let readers = PgPoolOptions::new()
            .max_connections(POOL)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, kept| {
                Box::pin(async move {
                    if kept.idle_for > SUSPECT_AFTER {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options.clone());
        Ok(Self { options, readers })
    }

    /// Writes the jobs in one transaction on the writer's own connection, which is opened when there is none.
    ///
    /// # Errors
    /// Nothing of it is stored; only when the connection broke during the commit, all of it may be.
    pub async fn write<A: Apply>(&self, open: &mut Option<PgConnection>, apply: &A, jobs: &[A::Job]) -> Result<Vec<A::Done>, sqlx::Error> {
        let mut attempt = 1;
        loop {
            match timeout(WRITE_TIMEOUT, self.write_once(open, apply, jobs)).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
                Err(error) if attempt < ATTEMPTS && is_conflict(&error) => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    async fn write_once<A: Apply>(&self, open: &mut Option<PgConnection>, apply: &A, jobs: &[A::Job]) -> Result<Vec<A::Done>, sqlx::Error> {
        // Taken out while it works: a connection that is given up half-way is not used again.
        let mut connection = match open.take() {
            // PostgreSQL may have been restarted since the last batch; nothing is lost by asking before anything is written.
            Some(mut kept) => match begin(&mut kept).await {
                Ok(()) => kept,
                Err(_) => self.begun().await?,
            },
            None => self.begun().await?,
        };
        let outcome = match apply.apply(&mut Connection::from(&mut connection), jobs).await {
            Ok(done) => sqlx::raw_sql("COMMIT").execute(&mut connection).await.map(|_| done),
            Err(error) => Err(error),
        };
        match outcome {
            Ok(done) => {
                *open = Some(connection);
                Ok(done)
            }
            Err(error) => {
                if sqlx::raw_sql("ROLLBACK").execute(&mut connection).await.is_ok() {
                    *open = Some(connection);
                }
                Err(error)
            }
        }
    }

    /// A new connection, in a transaction.
    async fn begun(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection =
            timeout(ACQUIRE_TIMEOUT, PgConnection::connect_with(&self.options)).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
        begin(&mut connection).await?;
        Ok(connection)
    }
}

async fn begin(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("BEGIN").execute(connection).await.map(drop)
}

/// Ends with an error when PostgreSQL does not answer in time.
pub async fn in_time<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    timeout(STATEMENT_TIMEOUT, work).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// A deadlock, or transactions that cannot be put in an order: the next attempt meets another situation.
fn is_conflict(error: &sqlx::Error) -> bool {
    matches!(error.as_database_error().and_then(|error| error.code()).as_deref(), Some("40P01" | "40001"))
}

/// `order` and `user` are words of SQL.
fn quoted(schema: &str) -> String {
    format!("\"{}\"", schema.replace('"', "\"\""))
}

/// Waits for a PostgreSQL that is starting.
async fn first_connection(options: &PgConnectOptions) -> Result<PgConnection, BootError> {
    let silent = || BootError::Config("DATABASE_URL names a PostgreSQL that does not answer; start it or correct the address".to_owned());
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        match timeout_at(deadline, PgConnection::connect_with(options)).await {
            Ok(Ok(connection)) => return Ok(connection),
            // It answers, and says no. 57P03: it is starting or stopping.
            Ok(Err(sqlx::Error::Database(refusal))) if refusal.code().as_deref() != Some("57P03") => {
                return Err(BootError::Config(format!("DATABASE_URL names a PostgreSQL that refuses us: {}", refusal.message())));
            }
            Ok(Err(_)) if Instant::now() + START_RETRY < deadline => sleep(START_RETRY).await,
            _ => return Err(silent()),
        }
    }
}

/// Makes the schema and brings its tables up to date. Replicas that start together wait for each other: sqlx takes an advisory lock.
async fn prepare(connection: &mut PgConnection, service: &str, schema: &Schema) -> Result<(), sqlx::Error> {
    // Asked first: a role that may not make schemas can use one that is there.
    let there = sqlx::query("SELECT 1 FROM pg_namespace WHERE nspname = $1").bind(service).fetch_optional(&mut *connection).await?;
    for migrations in [RUNTIME.postgres, schema.postgres] {
        let mut migrator = migrator(migrations);
        if there.is_none() {
            migrator.create_schema(quoted(service));
        }
        migrator.run_direct(None, connection, false).await?;
    }
    Ok(())
}
