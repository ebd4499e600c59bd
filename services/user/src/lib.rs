//! Feast Flow's user service: accounts, roles, log-ins.
//!
//! `enter.rs` is what it does, `oidc.rs` reads the bearer tokens of an issuer, `demo.rs` holds the demonstration's accounts.

pub mod demo;
mod domain;
mod enter;
mod limit;
pub mod oidc;
mod password;
mod routes;
pub mod store;

pub use domain::{Email, Record, token_hash};
pub use enter::SESSION_TTL;

use limit::Tries;
use oidc::Issuer;
use opentelemetry::metrics::Counter;
use password::Hasher;
use runtime::boot::{BootError, run_service};
use runtime::clock::SharedClock;
use runtime::telemetry::metrics::count;
use runtime::{Platform, Service};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use store::{AccountBook, SqlAccountBook};

pub const NAME: &str = "user";

/// How often log-ins that ended are removed. They count no more in any case.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// What all parts of the service work with.
#[derive(Clone)]
pub struct State {
    book: Arc<dyn AccountBook>,
    hasher: Hasher,
    tries: Arc<Tries>,
    issuer: Option<Arc<Issuer>>,
    clock: SharedClock,
    entries: Counter<u64>,
}

/// # Errors
/// The database or the issuer is not configured as it must be.
pub async fn build(platform: &Platform) -> Result<Service, BootError> {
    let database = platform.database(NAME, &store::SCHEMA).await?;
    let book = SqlAccountBook::new(database.clone(), platform.guard(NAME, "accounts", database.backend()));
    let issuer = platform.settings.oidc_issuer.as_deref().map(|url| Issuer::new(url, platform.clock.clone()));
    let state = State {
        book: Arc::new(book),
        hasher: Hasher::new().map_err(|error| BootError::Config(format!("passwords cannot be hashed: {error}")))?,
        tries: Arc::new(Tries::new(platform.clock.clone())),
        issuer: issuer.transpose()?.map(Arc::new),
        clock: platform.clock.clone(),
        entries: count(&platform.meter(NAME), "feast.entries", "Sign-ups and log-ins by outcome"),
    };
    seed(&state).await?;
    let sweeper = state.clone();
    platform.every(NAME, SWEEP_EVERY, move || {
        let state = sweeper.clone();
        async move { state.sweep().await }
    });
    Ok(Service::new(platform, NAME, routes::router(state), vec![Arc::new(database)]))
}

async fn seed(state: &State) -> Result<(), BootError> {
    let failed = |error: String| BootError::Config(format!("the accounts of the demonstration cannot be stored: {error}"));
    let accounts = demo::accounts(state.clock.now()).map_err(|error| failed(error.to_string()))?;
    state.book.seed(&accounts, demo::PASSWORD_HASH).await.map_err(|error| failed(error.to_string()))
}

/// `main` of the program. It is here and not in `main.rs` so that everything below it is compiled once.
pub fn main() -> ExitCode {
    run_service(NAME, 3005, "Feast Flow's user service: accounts, roles, log-ins", async |platform| build(&platform).await)
}
