//! What tests of several crates share: a platform on a clock that is moved by hand, and a real Redis.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod redis;

pub use redis::RedisServer;

use contract::Timestamp;
use runtime::Platform;
use runtime::clock::ManualClock;
use runtime::config::Settings;
use runtime::flags::FlagSource;
use runtime::store::StoreGuard;
use runtime::telemetry::metrics::MetricsHub;
use std::future::Future;
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
    (Platform::new(settings, Arc::new(clock.clone()), Arc::new(MetricsHub::new(false)), flags, stop), clock)
}

/// A guard that injects nothing.
pub fn guard() -> StoreGuard {
    platform().0.guard("test", "test", "memory")
}

/// Polls until `condition` holds; fails the test when it does not within `deadline`.
pub async fn eventually<F, W>(what: &str, deadline: Duration, mut condition: F)
where
    F: FnMut() -> W,
    W: Future<Output = bool>,
{
    let end = Instant::now() + deadline;
    while !condition().await {
        assert!(Instant::now() < end, "{what}: not within {deadline:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
