//! The middleware service: validation, prices and stock.
//!
//! It calls nobody. Base prices come with the request, from the order service, which has them from the menu.

pub mod domain;
mod price;
mod reserve;
mod revenue;
mod routes;
pub mod store;

pub use routes::openapi;

use contract::Timestamp;
use revenue::Revenue;
use runtime::boot::{BootError, run_service};
use runtime::events::{Events, Jobs};
use runtime::health::SharedProbe;
use runtime::store::StoreError;
use runtime::store::sql::Database;
use runtime::{Platform, Service};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use store::{Copier, KEEP_SETTLED, MemoryQuotes, MemoryStock, QuoteStore, RedisQuotes, RedisStock, SqlJournal, Stock, forget_settled};

pub const NAME: &str = "middleware";

/// # Errors
/// Redis or the database file is not configured as it must be.
pub async fn build(platform: &Platform) -> Result<Service, BootError> {
    let database = platform.database(NAME, &store::SCHEMA).await?;
    let mut probes: Vec<SharedProbe> = vec![Arc::new(database.clone())];
    let clock = platform.clock.clone();
    let (stock, quotes): (Arc<dyn Stock>, Arc<dyn QuoteStore>) = match platform.redis().await? {
        Some(redis) => {
            probes.push(Arc::new(redis.clone()));
            let stock = RedisStock::new(redis.clone(), clock, platform.guard(NAME, "stock", "redis"));
            copy_journal(platform, &database, Copier::new(redis.clone(), database.clone()));
            (Arc::new(stock), Arc::new(RedisQuotes::new(redis, platform.guard(NAME, "quotes", "redis"))))
        }
        None => {
            let guard = platform.guard(NAME, "stock", database.backend());
            forget_reservations(platform, &database);
            let stock = MemoryStock::recover(SqlJournal::new(database.clone()), clock.clone(), guard)
                .await
                .map_err(|error| BootError::Config(format!("DATA_DIR or DATABASE_URL: the stock journal cannot be read: {error}")))?;
            (Arc::new(stock), Arc::new(MemoryQuotes::new(clock, platform.guard(NAME, "quotes", "memory"))))
        }
    };
    let events = Events::start(platform, NAME, &database).await?;
    events.consume(Revenue);
    let state = routes::State::new(stock, quotes, database, platform);
    Ok(Service::new(platform, NAME, routes::router(state).merge(events.router()), probes))
}

/// How often the shared stock's journal is copied: the ledger compares the copy with the shelves.
const COPY_EVERY: Duration = Duration::from_secs(1);

fn copy_journal(platform: &Platform, database: &Database, copier: Copier) {
    let copier = Arc::new(copier);
    Jobs::every(platform, NAME, database, "copy-journal", COPY_EVERY, move || {
        let copier = copier.clone();
        async move { copier.copy().await.map(drop) }
    });
}

/// How often it is looked for reservations that are too old to be kept. The first time so long after a start: orders that should have been
/// given up while nobody ran are given up before.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

/// Other writers come in between.
const FORGET_PAUSE: Duration = Duration::from_millis(50);

fn forget_reservations(platform: &Platform, database: &Database) {
    let (settled, clock, begins) = (database.clone(), platform.clock.clone(), platform.clock.now() + FORGET_EVERY);
    let keep_ms = i64::try_from(KEEP_SETTLED.as_millis()).unwrap_or(i64::MAX);
    Jobs::every(platform, NAME, database, "forget-reservations", FORGET_EVERY, move || {
        let (database, now) = (settled.clone(), clock.now());
        async move {
            let before = Timestamp::from_millis(now.millis().saturating_sub(keep_ms));
            while now >= begins && forget_settled(&database, before).await? > 0 {
                tokio::time::sleep(FORGET_PAUSE).await;
            }
            Ok::<(), StoreError>(())
        }
    });
}

/// `main` of the program. It is here and not in `main.rs` so that everything below it is compiled once.
pub fn main() -> ExitCode {
    run_service(NAME, 3002, "Feast Flow's middleware service: validation, prices and stock", async |platform| build(&platform).await)
}
