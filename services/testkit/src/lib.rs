//! What tests of several crates share: a platform on a clock that is moved by hand, a real Redis and a real PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod conformance;
mod postgres;
mod redis;

pub use postgres::{PostgresServer, postgres_database};
pub use redis::{RedisServer, redis_set};

use contract::Timestamp;
use contract::flags::Audience;
use runtime::Platform;
use runtime::clock::ManualClock;
use runtime::config::Settings;
use runtime::flags::FlagSource;
use runtime::store::StoreGuard;
use runtime::telemetry::metrics::MetricsHub;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// A Thursday morning at ten, UTC: no price rule applies.
pub const MORNING: Timestamp = Timestamp::from_millis(1_763_632_800_000);

/// A platform for one test: its own clock, chance from a fixed seed, flags compiled in, all stores in memory.
pub fn platform() -> (Platform, ManualClock) {
    platform_with(Settings { database_url: Some("sqlite::memory:".to_owned()), seed: Some(1), ..Settings::default() })
}

pub fn platform_with(settings: Settings) -> (Platform, ManualClock) {
    let clock = ManualClock::at(MORNING);
    let stop = CancellationToken::new();
    let flags = FlagSource::start(None, Arc::new(clock.clone()), stop.clone()).unwrap();
    (Platform::new(settings, Arc::new(clock.clone()), Arc::new(MetricsHub::default()), flags, stop), clock)
}

/// A guard that injects nothing.
pub fn guard() -> StoreGuard {
    platform().0.guard("test", "test", "memory")
}

/// Flips a flag for everybody, until the test ends or clears it.
pub fn flip(platform: &Platform, flag: &str, variant: &str) {
    platform.flag_control().set(flag, variant, None, Audience::Everyone).unwrap();
}

/// Polls until `condition` holds; fails the test when it does not within `deadline`.
pub async fn eventually(what: &str, deadline: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + deadline;
    while !condition().await {
        assert!(Instant::now() < end, "{what}: not within {deadline:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
