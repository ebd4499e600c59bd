//! A service's own database, with one API over SQLite and PostgreSQL.
//!
//! Our tables hold TEXT and BIGINT alone: ids and documents are text, money is cents, moments are milliseconds, a boolean is 0 or 1. So
//! one implementation of a store serves both, with one folder of migrations for each:
//!
//! ```text
//! pub const SCHEMA: Schema = Schema {
//!     sqlite: &[(1, "orders", include_str!("../../migrations/sqlite/0001_orders.sql"))],
//!     postgres: &[(1, "orders", include_str!("../../migrations/postgres/0001_orders.sql"))],
//! };
//! ```
//!
//! The alternative, a trait with two implementations of every store, would be twice the SQL, and the two would drift apart.
//!
//! # SQL that both understand
//! - Parameters are `$1`, `$2`; `RETURNING`, `ON CONFLICT` and `value ->> 'field'` work in both. `INSERT .. SELECT .. ON CONFLICT` needs
//!   `WHERE true` before `ON CONFLICT` (SQLite's grammar).
//! - `rows_of($1)` is a table of the objects in a JSON array, in a column `value`; `list_of($1)` is one of the strings in an array, with
//!   `value` as text. A batch of any size is then one statement with one parameter.
//! - What comes out of JSON is text on PostgreSQL: numbers need `CAST(value ->> 'at' AS BIGINT)`. Send booleans as 0 and 1.
//! - `SUM` of BIGINT is NUMERIC on PostgreSQL: write `CAST(SUM(x) AS BIGINT)`. A subselect in FROM needs a name.
//! - `FOR UPDATE` and `FOR UPDATE SKIP LOCKED` after a SELECT are left out on SQLite, where a transaction writes alone. On PostgreSQL other
//!   replicas write at the same time: a row that is read to decide how it changes must be read `FOR UPDATE`, or the change must name what
//!   it expects (`UPDATE .. WHERE id = $1 AND status = $2`).
//! - `COLLATE "C"` on text columns that are sorted or compared gives PostgreSQL SQLite's byte order.
//! - Write the rows of a batch in the order of their keys, on every path: two replicas that lock the same rows in different orders stop
//!   each other. PostgreSQL ends one of the two, and the batch is tried again, but both have waited for a second by then.
//! - Each service has a SQLite file of its own (`file_of`), on PostgreSQL a schema of its own: names of tables are nobody else's business.

mod clear;
mod dialect;
mod file_of;
mod group_commit;
mod postgres;
mod row;
mod sqlite;
mod value;

pub use group_commit::{Apply, GroupCommit};
pub use row::Row;
pub use value::Value;

use crate::boot::BootError;
use crate::health::Probe;
use async_trait::async_trait;
use dialect::Dialect;
use postgres::Postgres;
use sqlite::Sqlite;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{PgConnection, SqliteConnection};
use std::path::Path;
use std::sync::Arc;

/// Steps of a schema: (version, name, SQL) in order. A version that was released never changes, nor does its name.
pub type Migrations = [(i64, &'static str, &'static str)];

/// The tables of a service, once for each backend.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    pub sqlite: &'static Migrations,
    pub postgres: &'static Migrations,
}

/// What every database has beside the service's own tables: the runtime's. They come first.
const RUNTIME: Schema = crate::events::SCHEMA;

fn migrator(migrations: &'static Migrations) -> Migrator {
    let steps = migrations
        .iter()
        .map(|(version, name, sql)| Migration::new(*version, (*name).into(), MigrationType::Simple, sqlx::SqlStr::from_static(sql), false));
    let mut migrator = Migrator::with_migrations(steps.collect());
    migrator.dangerous_set_table_name(count_of(migrations));
    migrator
}

/// The table that says how far a schema has come: by the name of its first step, because the runtime's schema lies beside the service's.
fn count_of(migrations: &Migrations) -> String {
    format!("migrations_{}", migrations.first().map_or("none", |(_, name, _)| *name))
}

/// A database with its schema in place. Clones share it.
#[derive(Clone)]
pub struct Database(Arc<Backend>);

enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Database {
    /// Opens what `url` names (`sqlite:PATH`, `sqlite::memory:`, `postgres://..` or `postgresql://..`) and brings the schema up to date.
    /// A SQLite file is made when it is not there, and so is the PostgreSQL schema; both have the service's name: `sqlite:data/feast.db` is
    /// `data/feast-order.db` for the order service.
    ///
    /// # Errors
    /// One sentence that names the setting at fault, and never a password.
    pub async fn open(url: &str, service: &str, schema: &Schema) -> Result<Self, BootError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self(Arc::new(Backend::Postgres(Postgres::open(url, service, schema).await?))));
        }
        match url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
            Some(":memory:") => Self::in_memory(service, schema).await,
            Some(path) if !path.is_empty() => Self::open_file(&file_of::file_of(Path::new(path), service, schema).await?, schema).await,
            _ => Err(BootError::Config("DATABASE_URL must be sqlite:PATH, sqlite::memory: or postgres://USER@HOST/DATABASE".to_owned())),
        }
    }

    /// Opens (and makes, when it is not there) the SQLite file with its folders and brings its schema up to date.
    ///
    /// # Errors
    /// One sentence that names the setting at fault.
    pub async fn open_file(path: &Path, schema: &Schema) -> Result<Self, BootError> {
        Ok(Self(Arc::new(Backend::Sqlite(Sqlite::open(path, schema).await?))))
    }

    /// A SQLite database that ends with the process. Every call makes another one.
    ///
    /// # Errors
    /// The schema cannot be made.
    pub async fn in_memory(service: &str, schema: &Schema) -> Result<Self, BootError> {
        Ok(Self(Arc::new(Backend::Sqlite(Sqlite::in_memory(service, schema).await?))))
    }

    /// The semantic convention's `db.system.name`.
    pub fn backend(&self) -> &'static str {
        match &*self.0 {
            Backend::Sqlite(_) => "sqlite",
            Backend::Postgres(_) => "postgresql",
        }
    }

    /// Whether other processes write to it, too.
    pub fn is_shared(&self) -> bool {
        matches!(*self.0, Backend::Postgres(_))
    }

    /// All rows of a read. Writes go through a [`GroupCommit`].
    ///
    /// # Errors
    /// The database does not answer, or not in time.
    pub async fn all(&self, sql: &'static str, args: Vec<Value>) -> Result<Vec<Row>, sqlx::Error> {
        match &*self.0 {
            Backend::Sqlite(sqlite) => Connection::from(&mut *sqlite.readers.acquire().await?).all(sql, args).await,
            Backend::Postgres(postgres) => {
                postgres::in_time(async { Connection::from(&mut *postgres.readers.acquire().await?).all(sql, args).await }).await
            }
        }
    }

    /// The first row of a read, when there is one.
    ///
    /// # Errors
    /// The database does not answer, or not in time.
    pub async fn optional(&self, sql: &'static str, args: Vec<Value>) -> Result<Option<Row>, sqlx::Error> {
        match &*self.0 {
            Backend::Sqlite(sqlite) => Connection::from(&mut *sqlite.readers.acquire().await?).optional(sql, args).await,
            Backend::Postgres(postgres) => {
                postgres::in_time(async { Connection::from(&mut *postgres.readers.acquire().await?).optional(sql, args).await }).await
            }
        }
    }

    /// The first row of a read.
    ///
    /// # Errors
    /// There is none, or the database does not answer.
    pub async fn one(&self, sql: &'static str, args: Vec<Value>) -> Result<Row, sqlx::Error> {
        self.optional(sql, args).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Writes one statement, in a transaction of its own, and answers the number of rows it changed. For what happens seldom: writes of
    /// requests share transactions in a [`GroupCommit`].
    ///
    /// # Errors
    /// Nothing was written, or, when the connection broke, perhaps it was.
    pub async fn run(&self, sql: &'static str, args: Vec<Value>) -> Result<u64, sqlx::Error> {
        match &*self.0 {
            Backend::Sqlite(sqlite) => sqlite.run(sql, args).await,
            Backend::Postgres(postgres) => {
                postgres::in_time(async { Connection::from(&mut *postgres.readers.acquire().await?).run(sql, args).await }).await
            }
        }
    }
}

#[async_trait]
impl Probe for Database {
    fn name(&self) -> &'static str {
        self.backend()
    }

    async fn check(&self) -> Result<(), String> {
        self.one("SELECT 1", Vec::new()).await.map(drop).map_err(|_| "the database does not answer".to_owned())
    }
}

/// A connection, usually inside a transaction.
pub struct Connection<'c>(Inner<'c>);

enum Inner<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl<'c> From<&'c mut SqliteConnection> for Connection<'c> {
    fn from(connection: &'c mut SqliteConnection) -> Self {
        Self(Inner::Sqlite(connection))
    }
}

impl<'c> From<&'c mut PgConnection> for Connection<'c> {
    fn from(connection: &'c mut PgConnection) -> Self {
        Self(Inner::Postgres(connection))
    }
}

impl Connection<'_> {
    /// All rows of a query, or of a statement with `RETURNING`.
    ///
    /// # Errors
    /// As every error in a transaction, it ends the transaction.
    pub async fn all(&mut self, sql: &'static str, args: Vec<Value>) -> Result<Vec<Row>, sqlx::Error> {
        match &mut self.0 {
            Inner::Sqlite(connection) => {
                let rows = value::bind_sqlite(Dialect::Sqlite.of(sql), args).fetch_all(&mut **connection).await?;
                Ok(rows.into_iter().map(Row::from).collect())
            }
            Inner::Postgres(connection) => {
                let rows = value::bind_postgres(Dialect::Postgres.of(sql), args).fetch_all(&mut **connection).await?;
                Ok(rows.into_iter().map(Row::from).collect())
            }
        }
    }

    /// The first row, when there is one.
    ///
    /// # Errors
    /// As every error in a transaction, it ends the transaction.
    pub async fn optional(&mut self, sql: &'static str, args: Vec<Value>) -> Result<Option<Row>, sqlx::Error> {
        match &mut self.0 {
            Inner::Sqlite(connection) => {
                Ok(value::bind_sqlite(Dialect::Sqlite.of(sql), args).fetch_optional(&mut **connection).await?.map(Row::from))
            }
            Inner::Postgres(connection) => {
                Ok(value::bind_postgres(Dialect::Postgres.of(sql), args).fetch_optional(&mut **connection).await?.map(Row::from))
            }
        }
    }

    /// The first row.
    ///
    /// # Errors
    /// There is none; and as every error in a transaction, it ends the transaction.
    pub async fn one(&mut self, sql: &'static str, args: Vec<Value>) -> Result<Row, sqlx::Error> {
        self.optional(sql, args).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Runs a statement and answers the number of rows it changed.
    ///
    /// # Errors
    /// As every error in a transaction, it ends the transaction.
    pub async fn run(&mut self, sql: &'static str, args: Vec<Value>) -> Result<u64, sqlx::Error> {
        match &mut self.0 {
            Inner::Sqlite(connection) => {
                Ok(value::bind_sqlite(Dialect::Sqlite.of(sql), args).execute(&mut **connection).await?.rows_affected())
            }
            Inner::Postgres(connection) => {
                Ok(value::bind_postgres(Dialect::Postgres.of(sql), args).execute(&mut **connection).await?.rows_affected())
            }
        }
    }
}
