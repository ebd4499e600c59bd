//! Stores orders by SQL, many at once: delivered ones, of a hundred owners and ten restaurants, a second apart.

use crate::server::Settings;
use anyhow::{Context, Result};
use contract::Timestamp;
use contract::order::Order;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

/// One of the ten whose board is looked at.
pub const RESTAURANT: &str = "cosmic-coffee";
/// In every stored order.
pub const DRINK: &str = "nebula-latte";
/// The browser of the owner `s:0000…01`.
pub const OWNER_COOKIE: &str = "feast_sid=00000000000000000000000000000001";

/// In one statement.
const BATCH: u32 = 50_000;
/// Ids of stored orders to ask for.
const SAMPLE: u32 = 100;
/// The newest stored order is that old: nothing still happens to it.
const AGE_MS: i64 = 3_600_000;

/// A database that is to be filled, and how a server is told of it.
pub struct Store {
    data: PathBuf,
    postgres: Option<String>,
}

impl Store {
    /// An empty one: a folder, and a new database when there is a PostgreSQL.
    ///
    /// # Errors
    /// It cannot be made.
    pub async fn new(data: &Path, postgres: Option<&str>) -> Result<Self> {
        let _ = fs::remove_dir_all(data);
        fs::create_dir_all(data).with_context(|| format!("{} cannot be made", data.display()))?;
        let postgres = match postgres {
            Some(server) => Some(new_database(server).await.context("PostgreSQL does not make a database")?),
            None => None,
        };
        Ok(Self { data: data.to_owned(), postgres })
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn settings(&self) -> Settings<'_> {
        Settings { data: &self.data, database_url: self.postgres.as_deref(), silent: false, extra: &[] }
    }

    /// Answers some ids. Nobody else may be writing.
    ///
    /// # Errors
    /// The tables are not as this knows them.
    pub async fn fill(&self, rows: u32) -> Result<Vec<String>> {
        let ids = match &self.postgres {
            Some(url) => fill_postgres(url, rows).await,
            None => fill_sqlite(&self.data.join("order.db"), rows).await,
        };
        ids.context("the orders cannot be stored")
    }
}

async fn new_database(server: &str) -> Result<String> {
    let mut url = reqwest::Url::parse(server)?;
    let name = format!("bench_{}", uuid::Uuid::new_v4().simple());
    let mut connection = PgConnection::connect(server).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await?;
    url.set_path(&name);
    Ok(url.into())
}

async fn fill_sqlite(file: &Path, rows: u32) -> Result<Vec<String>> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    for batch in Batch::all(rows)? {
        let numbers = format!(
            "WITH RECURSIVE number (n) AS (SELECT {} UNION ALL SELECT n + 1 FROM number WHERE n + 1 < {})",
            batch.from, batch.until
        );
        let id = "printf('%08x-%04x-7000-8000-%012x', at >> 16, at & 65535, n)";
        sqlx::raw_sql(AssertSqlSafe(batch.insert(&numbers, id, "printf('%032x', n % 100)"))).execute(&mut connection).await?;
    }
    sqlx::raw_sql("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
    let ids = sqlx::raw_sql(AssertSqlSafe(sample(rows))).fetch_all(&mut connection).await?;
    connection.close().await?;
    ids.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

async fn fill_postgres(url: &str, rows: u32) -> Result<Vec<String>> {
    let options = sqlx::postgres::PgConnectOptions::from_str(url)?.options([("search_path", "\"order\"")]);
    let mut connection = PgConnection::connect_with(&options).await?;
    for batch in Batch::all(rows)? {
        let numbers =
            format!("WITH number AS (SELECT CAST(n AS BIGINT) AS n FROM generate_series({}, {} - 1) AS n)", batch.from, batch.until);
        let id = "lpad(to_hex(at >> 16), 8, '0') || '-' || lpad(to_hex(at & 65535), 4, '0') || '-7000-8000-' || lpad(to_hex(n), 12, '0')";
        sqlx::raw_sql(AssertSqlSafe(batch.insert(&numbers, id, "lpad(to_hex(n % 100), 32, '0')"))).execute(&mut connection).await?;
    }
    // As the server of a real platform does by itself.
    sqlx::raw_sql("VACUUM (ANALYZE) orders").execute(&mut connection).await?;
    // What was stored in seconds would otherwise be written out beside what is measured. Only a superuser may ask for it.
    let _ = sqlx::raw_sql("CHECKPOINT").execute(&mut connection).await;
    let ids = sqlx::raw_sql(AssertSqlSafe(sample(rows))).fetch_all(&mut connection).await?;
    connection.close().await?;
    ids.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Ids from all ages.
fn sample(rows: u32) -> String {
    format!("SELECT id FROM orders WHERE (created_at_ms / 1000) % {} = 0 LIMIT {SAMPLE}", (rows / SAMPLE).max(1))
}

/// Orders that one statement stores.
struct Batch {
    from: u32,
    until: u32,
    /// When number 0 was made.
    began_ms: i64,
    /// An order with placeholders, as text in SQL.
    document: String,
}

impl Batch {
    fn all(rows: u32) -> Result<Vec<Self>> {
        let now_ms = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        let began_ms = now_ms - AGE_MS - i64::from(rows) * 1_000;
        (0..rows.div_ceil(BATCH))
            .map(|batch| {
                let from = batch * BATCH;
                let document = document(Timestamp::from_millis(began_ms + i64::from(from) * 1_000))?;
                Ok(Self { from, until: rows.min(from + BATCH), began_ms, document })
            })
            .collect()
    }

    /// `id` and `hex` are SQL over `n`, the order's number, and `at`.
    fn insert(&self, numbers: &str, id: &str, hex: &str) -> String {
        let Self { began_ms, document, .. } = self;
        format!(
            "{numbers}, timed AS (SELECT n, {began_ms} + n * 1000 AS at FROM number), \
             named AS (SELECT n, at, {id} AS id, CASE n % 10 WHEN 0 THEN 'cosmic-coffee' WHEN 1 THEN 'event-horizon-ramen' \
             WHEN 2 THEN 'orbita-pizzeria' WHEN 3 THEN 'asteroid-belt-taqueria' WHEN 4 THEN 'masala-mission-control' \
             WHEN 5 THEN 'houston-burgers' WHEN 6 THEN 'the-big-dipper' WHEN 7 THEN 'dim-sun' WHEN 8 THEN 'greenhouse-module' \
             ELSE 'absolute-zero-gelato' END AS restaurant, {hex} AS owner FROM timed) \
             INSERT INTO orders (id, owner_id, session_id, user_id, customer_name, restaurant_id, status, total_cents, units, \
             created_at_ms, updated_at_ms, paid_at_ms, history, document) \
             SELECT id, CASE n % 2 WHEN 1 THEN 's:' ELSE 'u:' END || owner, CASE n % 2 WHEN 1 THEN owner END, \
             CASE n % 2 WHEN 0 THEN owner END, 'Ada Bench', restaurant, 'delivered', 1000, 2, at, at + 600, at + 100, \
             'pending ' || at || ',paid ' || (at + 100) || ',accepted ' || (at + 200) || ',preparing ' || (at + 300) || ',ready ' || (at + 400) \
             || ',assigned ' || (at + 450) || ',pickedUp ' || (at + 500) || ',delivered ' || (at + 600), \
             replace(replace('{document}', '@id', id), '@restaurant', restaurant) FROM named"
        )
    }
}

/// An order as the service writes it; `@id` and `@restaurant` are filled in by the database.
fn document(at: Timestamp) -> Result<String> {
    let order: Order = serde_json::from_value(json!({
        "id": "@id", "customerName": "Ada Bench", "restaurantId": "@restaurant", "restaurantName": "Cosmic Coffee",
        "items": [{"itemId": DRINK, "itemName": "Nebula Latte", "itemEmoji": "☕", "quantity": 2, "basePrice": 5.0, "itemTotal": 10.0}],
        "totalPrice": 10.0, "subtotal": 10.0, "status": "pending", "timestamp": at, "updatedAt": at, "city": "Berlin",
    }))?;
    Ok(serde_json::to_string(&order)?.replace('\'', "''"))
}
