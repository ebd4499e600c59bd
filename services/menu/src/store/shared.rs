//! The menus in Redis: read by every replica, so that after a change one of them asks the database and not all.

use super::Kept;
use contract::menu::RestaurantMenu;
use fred::prelude::*;
use fred::types::scripts::Script;
use runtime::store::redis::Redis;
use runtime::store::{StoreError, StoreGuard};
use std::time::Duration;

/// After this long without a change nobody needs them: every replica has its own.
pub const TTL: Duration = Duration::from_secs(300);

const KEY: &str = "menu:items";
const LOCK: &str = "menu:items:lock";

/// Longer than a load takes. A loader that dies holds up the others for no longer.
const LOCK_FOR: Duration = Duration::from_secs(2);

/// KEYS: menus. ARGV: version, menus, seconds to live. What is there is `version newline menus`; only something newer replaces it.
const PUT_IF_NEWER: &str = r"
local head = redis.call('GETRANGE', KEYS[1], 0, 20)
local there = tonumber(string.match(head, '^(%d+)\n'))
if there and there > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. '\n' .. ARGV[2], 'EX', ARGV[3])
return 1
";

/// KEYS: lock. ARGV: token of whoever took it.
const UNLOCK: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
";

pub struct SharedMenus {
    redis: Redis,
    guard: StoreGuard,
    put_if_newer: Script,
    unlock: Script,
}

impl SharedMenus {
    pub fn new(redis: Redis, guard: StoreGuard) -> Self {
        Self { redis, guard, put_if_newer: Script::from_lua(PUT_IF_NEWER), unlock: Script::from_lua(UNLOCK) }
    }

    /// What is there, if anything.
    ///
    /// # Errors
    /// Redis does not answer, or holds something else.
    pub async fn get(&self) -> Result<Option<Kept>, StoreError> {
        let read = async {
            let text: Option<String> = self.redis.client()?.get(KEY).await?;
            text.map(|text| parse(&text)).transpose()
        };
        self.guard.run("get", read).await
    }

    /// # Errors
    /// Redis does not answer.
    pub async fn put(&self, kept: &Kept) -> Result<(), StoreError> {
        let write = async {
            let arguments = vec![kept.version.to_string(), serde_json::to_string(&kept.menus)?, TTL.as_secs().to_string()];
            let _: i64 = self.put_if_newer.evalsha_with_reload(self.redis.client()?, vec![KEY], arguments).await?;
            Ok(())
        };
        self.guard.run("put", write).await
    }

    /// Says that this process loads now; false when another said so before and is not done.
    ///
    /// # Errors
    /// Redis does not answer.
    pub async fn lock(&self, token: &str) -> Result<bool, StoreError> {
        let lock = async {
            let expire = Expiration::PX(i64::try_from(LOCK_FOR.as_millis()).unwrap_or(i64::MAX));
            let set: Option<String> = self.redis.client()?.set(LOCK, token, Some(expire), Some(SetOptions::NX), false).await?;
            Ok(set.is_some())
        };
        self.guard.run("lock", lock).await
    }

    /// # Errors
    /// Redis does not answer; the lock ends by itself.
    pub async fn unlock(&self, token: &str) -> Result<(), StoreError> {
        let unlock = async {
            let _: i64 = self.unlock.evalsha_with_reload(self.redis.client()?, vec![LOCK], vec![token]).await?;
            Ok(())
        };
        self.guard.run("unlock", unlock).await
    }
}

fn parse(text: &str) -> Result<Kept, StoreError> {
    let strange = || StoreError::Corrupt(format!("{KEY} holds something else"));
    let (version, menus) = text.split_once('\n').ok_or_else(strange)?;
    let menus: Vec<RestaurantMenu> = serde_json::from_str(menus)?;
    Ok(Kept { version: version.parse().map_err(|_| strange())?, menus })
}
