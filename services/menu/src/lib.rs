//! The menu service: restaurants, what they serve, and their kitchen tickets. It alone answers `/api/menu*` and `/api/restaurants*`.
//!
//! Menus live in SQL and are served from memory (`cache`). An empty database begins with `data/restaurants.toml`, which is compiled in
//! and checked at every start. Tickets are written from events (`kitchen`).
//! [`domain`] knows neither HTTP nor JSON; `routes` is the table of paths; `served` is a body with its ETag.

mod advice;
mod cache;
pub mod domain;
mod kitchen;
mod routes;
mod served;
mod snapshot;
mod stampede;
pub mod store;

pub use cache::{MenuCache, POLL};
pub use routes::openapi;
pub use snapshot::Snapshot;

use advice::Advice;
use contract::Timestamp;
use contract::menu::RestaurantMenu;
use domain::{Catalogue, CatalogueError};
use kitchen::Kitchen;
use runtime::boot::{BootError, run_service};
use runtime::events::{Events, Jobs};
use runtime::health::SharedProbe;
use runtime::store::StoreError;
use runtime::{Platform, Service};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::{Author, Change, MenuBook, SharedMenus, SqlMenuBook, SqlReports};

pub const NAME: &str = "menu";

/// How often roll-ups that nobody reads any more are removed.
const FORGET_EVERY: Duration = Duration::from_secs(24 * 3600);

/// The menus the platform comes with.
///
/// # Errors
/// The data file is wrong, with the line and the culprit.
pub fn seed() -> Result<Vec<RestaurantMenu>, CatalogueError> {
    Ok(Catalogue::parse(include_str!("../data/restaurants.toml"))?.menus().to_vec())
}

/// # Errors
/// The data file is not usable, or database or Redis are not configured as they must be.
pub async fn build(platform: &Platform) -> Result<Service, BootError> {
    let seed: Arc<[RestaurantMenu]> = seed().map_err(|error| BootError::Config(format!("the menus cannot be used: {error}")))?.into();
    let database = platform.database(NAME, &store::SCHEMA).await?;
    let (meter, clock) = (platform.meter(NAME), platform.clock.clone());
    let book: Arc<dyn MenuBook> = Arc::new(SqlMenuBook::new(database.clone(), platform.guard(NAME, "menus", database.backend())));
    let unreadable = |error: StoreError| BootError::Config(format!("DATA_DIR or DATABASE_URL: the menus cannot be read: {error}"));
    if book.load().await.map_err(unreadable)?.menus.is_empty() {
        book.write(Change::Seed(seed.to_vec()), nobody(clock.now())).await.map_err(unreadable)?;
    }
    let shared = platform.redis().await?.map(|redis| SharedMenus::new(redis, platform.guard(NAME, "menus", "redis")));
    let menus = MenuCache::start(book.clone(), shared, platform).await.map_err(unreadable)?;
    watch(platform, menus.clone());

    let reports = SqlReports::new(database.clone(), platform.guard(NAME, "tickets", database.backend()));
    let events = Events::start(platform, NAME, &database).await?;
    events.consume(Kitchen::new(menus.clone(), &meter));
    let (forgetful, now) = (reports.clone(), clock.clone());
    Jobs::every(platform, NAME, &database, "forget-roll-ups", FORGET_EVERY, move || {
        let (reports, now) = (forgetful.clone(), now.now());
        async move { reports.forget(now).await.map(drop) }
    });

    let advice = Arc::new(Advice::new(reports.clone(), menus.clone(), clock.clone()));
    let state = routes::State { menus, book, reports, advice, clock, seed };
    let probes: Vec<SharedProbe> = vec![Arc::new(database)];
    Ok(Service::new(platform, NAME, routes::router(state).merge(events.router()), probes))
}

/// Nobody's change is not in the audit.
fn nobody(at: Timestamp) -> Author {
    Author { who: String::new(), role: "", at }
}

/// Follows what other replicas change, and makes up for a load that failed.
fn watch(platform: &Platform, menus: Arc<MenuCache>) {
    let behind = Arc::new(AtomicBool::new(false));
    platform.every(NAME, POLL, move || {
        let (menus, behind) = (menus.clone(), behind.clone());
        async move {
            let outcome = menus.poll().await;
            match (behind.swap(outcome.is_err(), Ordering::Relaxed), outcome) {
                (false, Err(error)) => tracing::warn!(%error, "The menus may be older than the database's"),
                (true, Ok(())) => tracing::info!("The menus are the database's again"),
                _ => {}
            }
        }
    });
}

/// `main` of the program. It is here and not in `main.rs` so that everything below it is compiled once.
pub fn main() -> ExitCode {
    run_service(NAME, 3004, "Feast Flow's menu service: restaurants and what they serve", async |platform| build(&platform).await)
}
