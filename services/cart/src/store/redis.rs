//! Carts in Redis: `cart:{id}` holds the cart as JSON and expires by itself.
//!
//! A change is computed here, by the same domain code as in memory, and written by compare-and-set in one Lua call. When somebody
//! else was faster the script answers what they wrote, so that a retry costs one round trip. The alternative, the rules in Lua,
//! would be faster for a cart that fifty people fill at once, and would be a second domain.

use super::{CartStore, Change, Lifespan, Outcome};
use async_trait::async_trait;
use contract::CartId;
use contract::cart::Cart;
use fred::prelude::*;
use fred::types::scripts::Script;
use runtime::store::redis::Redis;
use runtime::store::{StoreError, StoreGuard};
use std::time::Duration;

/// Rounds of compare-and-set. Each round somebody wins, so this many writers at once all get through.
const MAX_ROUNDS: usize = 256;

/// KEYS: cart. ARGV: value expected, value to write, seconds to live.
/// Answers {1} when written, {0} when the cart is gone, {2, value} when it holds something else.
const COMPARE_AND_SET: &str = r"
local current = redis.call('GET', KEYS[1])
if not current then return {0, ''} end
if current ~= ARGV[1] then return {2, current} end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return {1, ''}
";

/// KEYS: cart. ARGV: seconds to live. Answers the cart, whose time begins anew.
const USE: &str = r"
local current = redis.call('GET', KEYS[1])
if current then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return current
";

pub struct RedisCarts {
    redis: Redis,
    compare_and_set: Script,
    use_cart: Script,
    guard: StoreGuard,
    lifespan: Lifespan,
}

fn key(id: &CartId) -> String {
    format!("cart:{id}")
}

fn seconds(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX)
}

impl RedisCarts {
    pub fn new(redis: Redis, guard: StoreGuard, lifespan: Lifespan) -> Self {
        Self { redis, compare_and_set: Script::from_lua(COMPARE_AND_SET), use_cart: Script::from_lua(USE), guard, lifespan }
    }

    /// The cart as it is stored; its time begins anew.
    async fn used(&self, client: &Client, id: &CartId, ttl: Duration) -> Result<Option<String>, StoreError> {
        Ok(self.use_cart.evalsha_with_reload(client, vec![key(id)], vec![seconds(ttl).to_string()]).await?)
    }

    async fn write(&self, id: &CartId, change: Change<'_>, ttl: Duration) -> Result<Outcome, StoreError> {
        let client = self.redis.client()?;
        // A change that is refused is use all the same.
        let Some(mut current) = self.used(client, id, ttl).await? else { return Ok(Outcome::Missing) };
        for _ in 0..MAX_ROUNDS {
            let mut cart: Cart = serde_json::from_str(&current)?;
            if let Err(refusal) = change(&mut cart) {
                return Ok(Outcome::Refused(refusal));
            }
            let next = serde_json::to_string(&cart)?;
            let arguments = vec![current, next, seconds(ttl).to_string()];
            let (outcome, value): (i64, String) = self.compare_and_set.evalsha_with_reload(client, vec![key(id)], arguments).await?;
            match outcome {
                1 => return Ok(Outcome::Changed(cart)),
                2 => current = value,
                _ => return Ok(Outcome::Missing),
            }
        }
        Ok(Outcome::Busy)
    }
}

#[async_trait]
impl CartStore for RedisCarts {
    async fn create(&self, cart: &Cart) -> Result<(), StoreError> {
        let ttl = self.lifespan.time_left("create carts").await;
        let write = async {
            let json = serde_json::to_string(cart)?;
            Ok(self.redis.client()?.set::<(), _, _>(key(&cart.id), json, Some(Expiration::EX(seconds(ttl))), None, false).await?)
        };
        self.guard.run("create", write).await
    }

    async fn get(&self, id: &CartId) -> Result<Option<Cart>, StoreError> {
        let ttl = self.lifespan.time_left("get carts").await;
        let read = async {
            let json = self.used(self.redis.client()?, id, ttl).await?;
            Ok(json.map(|json| serde_json::from_str(&json)).transpose()?)
        };
        self.guard.run("get", read).await
    }

    async fn change(&self, id: &CartId, change: Change<'_>) -> Result<Outcome, StoreError> {
        let ttl = self.lifespan.time_left("change carts").await;
        self.guard.run("change", self.write(id, change, ttl)).await
    }

    async fn delete(&self, id: &CartId) -> Result<Option<Cart>, StoreError> {
        let remove = async {
            let json: Option<String> = self.redis.client()?.getdel(key(id)).await?;
            Ok(json.map(|json| serde_json::from_str(&json)).transpose()?)
        };
        self.guard.run("delete", remove).await
    }
}
