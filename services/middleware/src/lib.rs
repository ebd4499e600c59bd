//! The middleware service: validation, prices and stock.
//!
//! It calls nobody. Base prices come with the request, from the order service, which has them from the menu.

pub mod domain;
mod reserve;
mod routes;
pub mod store;

use runtime::boot::{BootError, run_service};
use runtime::health::SharedProbe;
use runtime::{Platform, Service};
use std::process::ExitCode;
use std::sync::Arc;
use store::{MemoryQuotes, MemoryStock, QuoteStore, RedisQuotes, RedisStock, SqlJournal, Stock};

pub const NAME: &str = "middleware";

/// # Errors
/// Redis or the database file is not configured as it must be.
pub async fn build(platform: &Platform) -> Result<Service, BootError> {
    let mut probes: Vec<SharedProbe> = Vec::new();
    let clock = platform.clock.clone();
    let (stock, quotes): (Arc<dyn Stock>, Arc<dyn QuoteStore>) = match platform.redis().await? {
        Some(redis) => {
            probes.push(Arc::new(redis.clone()));
            let stock = RedisStock::new(redis.clone(), clock, platform.guard(NAME, "stock", "redis"));
            (Arc::new(stock), Arc::new(RedisQuotes::new(redis, platform.guard(NAME, "quotes", "redis"))))
        }
        None => {
            let database = platform.database(NAME, &store::SCHEMA).await?;
            probes.push(Arc::new(database.clone()));
            let guard = platform.guard(NAME, "stock", database.backend());
            let stock = MemoryStock::recover(SqlJournal::new(database), clock.clone(), guard)
                .await
                .map_err(|error| BootError::Config(format!("DATA_DIR or DATABASE_URL: the stock journal cannot be read: {error}")))?;
            (Arc::new(stock), Arc::new(MemoryQuotes::new(clock, platform.guard(NAME, "quotes", "memory"))))
        }
    };
    let state = routes::State::new(stock, quotes, platform);
    Ok(Service::new(platform, NAME, routes::router(state), probes))
}

/// `main` of the program. It is here and not in `main.rs` so that everything below it is compiled once.
pub fn main() -> ExitCode {
    run_service(NAME, 3002, "Feast Flow's middleware service: validation, prices and stock", async |platform| {
        if platform.settings.redis_url.is_none() {
            return Err(BootError::Config("REDIS_URL is not set: stock of a service that runs alone lives in Redis".to_owned()));
        }
        build(&platform).await
    })
}
