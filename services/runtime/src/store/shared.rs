//! Small facts that replicas of one program share through Redis: marks that end by themselves, and limits for one client.
//!
//! What is kept here may be lost without harm: whoever cannot ask decides by himself.

use super::redis::Redis;
use super::{StoreError, StoreGuard};
use fred::prelude::*;
use fred::types::Expiration;
use std::time::Duration;

/// KEYS: the client's. ARGV: how many microseconds a request is worth, how many may come at once. 0: too many.
///
/// What is kept is when the client has used up what he was given (the generic cell rate algorithm, as in `governor`).
const ADMIT: &str = r"
local time = redis.call('TIME')
local now, every, burst = time[1] * 1000000 + time[2], tonumber(ARGV[1]), tonumber(ARGV[2])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
if due - now > every * (burst - 1) then return 0 end
due = due + every
redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', math.ceil((due - now) / 1000))
return 1
";

/// Clones share it.
#[derive(Clone)]
pub struct Shared {
    redis: Redis,
    guard: StoreGuard,
}

impl Shared {
    pub const fn new(redis: Redis, guard: StoreGuard) -> Self {
        Self { redis, guard }
    }

    /// Everybody sees the mark until it is lowered, or for so long.
    ///
    /// # Errors
    /// Redis is down.
    pub async fn raise(&self, mark: &str, lasting: Duration) -> Result<(), StoreError> {
        let end = Some(Expiration::PX(i64::try_from(lasting.as_millis()).unwrap_or(i64::MAX)));
        let work = async { Ok(self.redis.client()?.set::<(), _, _>(key(mark), "1", end, None, false).await?) };
        self.guard.run("raise", work).await
    }

    /// # Errors
    /// Redis is down; the mark ends by itself.
    pub async fn lower(&self, mark: &str) -> Result<(), StoreError> {
        self.guard.run("lower", async { Ok(self.redis.client()?.del::<(), _>(key(mark)).await?) }).await
    }

    /// # Errors
    /// Redis is down.
    pub async fn is_up(&self, mark: &str) -> Result<bool, StoreError> {
        self.guard.run("look", async { Ok(self.redis.client()?.exists::<i64, _>(key(mark)).await? > 0) }).await
    }

    /// Whether one more request of `client` is within a request for each `every`, and `burst` at once; in one round trip.
    ///
    /// # Errors
    /// Redis is down.
    pub async fn admits(&self, client: &str, every: Duration, burst: u32) -> Result<bool, StoreError> {
        let args = vec![every.as_micros().max(1).to_string(), burst.max(1).to_string()];
        let work = async { Ok(self.redis.client()?.eval::<i64, _, _, _>(ADMIT, format!("limit:{client}"), args).await? == 1) };
        self.guard.run("admit", work).await
    }
}

fn key(mark: &str) -> String {
    format!("mark:{mark}")
}
