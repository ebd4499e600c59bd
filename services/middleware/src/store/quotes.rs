//! Prices that were shown and are kept for five minutes.

use async_trait::async_trait;
use contract::QuoteId;
use contract::pricing::Quote;
use fred::prelude::*;
use runtime::clock::SharedClock;
use runtime::store::redis::Redis;
use runtime::store::{ExpiringMap, StoreError, StoreGuard};
use std::time::Duration;

pub const QUOTE_TTL: Duration = Duration::from_secs(300);

const CAPACITY: usize = 50_000;

#[async_trait]
pub trait QuoteStore: Send + Sync {
    async fn put(&self, quote: &Quote) -> Result<(), StoreError>;

    /// `None` when it never was or has expired.
    async fn get(&self, id: &QuoteId) -> Result<Option<Quote>, StoreError>;
}

pub struct MemoryQuotes {
    quotes: ExpiringMap<QuoteId, Quote>,
    guard: StoreGuard,
}

impl MemoryQuotes {
    pub fn new(clock: SharedClock, guard: StoreGuard) -> Self {
        Self { quotes: ExpiringMap::new(clock, CAPACITY), guard }
    }
}

#[async_trait]
impl QuoteStore for MemoryQuotes {
    async fn put(&self, quote: &Quote) -> Result<(), StoreError> {
        let write = async {
            self.quotes.insert(&quote.quote_id, quote.clone(), QUOTE_TTL);
            Ok(())
        };
        self.guard.run("put", write).await
    }

    async fn get(&self, id: &QuoteId) -> Result<Option<Quote>, StoreError> {
        self.guard.run("get", async { Ok(self.quotes.get(id)) }).await
    }
}

/// `quote:{id}`
pub struct RedisQuotes {
    redis: Redis,
    guard: StoreGuard,
}

impl RedisQuotes {
    pub fn new(redis: Redis, guard: StoreGuard) -> Self {
        Self { redis, guard }
    }
}

#[async_trait]
impl QuoteStore for RedisQuotes {
    async fn put(&self, quote: &Quote) -> Result<(), StoreError> {
        let write = async {
            let seconds = i64::try_from(QUOTE_TTL.as_secs()).unwrap_or(i64::MAX);
            let (key, json) = (format!("quote:{}", quote.quote_id), serde_json::to_string(quote)?);
            Ok(self.redis.client()?.set::<(), _, _>(key, json, Some(Expiration::EX(seconds)), None, false).await?)
        };
        self.guard.run("put", write).await
    }

    async fn get(&self, id: &QuoteId) -> Result<Option<Quote>, StoreError> {
        let read = async {
            let json: Option<String> = self.redis.client()?.get(format!("quote:{id}")).await?;
            Ok(json.map(|json| serde_json::from_str(&json)).transpose()?)
        };
        self.guard.run("get", read).await
    }
}
