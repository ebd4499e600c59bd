//! Stock in Redis: `inventory:{itemId}` is the level, `stock:journal` the stream of movements, `reservation:{orderId}` a hash of
//! what an order holds. Each operation is one Lua script, so that it is atomic for all replicas.
//!
//! The scripts reach keys they are not told beforehand (a release reads its lines from the hash): one Redis, not a cluster.

use super::{Reserved, Stock, Taken};
use crate::domain::stock::{REFILL_BELOW, Take};
use async_trait::async_trait;
use contract::pricing::{Reservation, ReservationState, StockLevel};
use contract::{ItemId, OrderId};
use fred::prelude::*;
use fred::types::scripts::Script;
use runtime::clock::SharedClock;
use runtime::store::redis::Redis;
use runtime::store::{StoreError, StoreGuard};

/// Reservations that are confirmed or released stay known this long: for repeated requests, and for orders that are given up late, perhaps
/// after a weekend on which nothing ran. Memory is dearer than the disk of `forget.rs`, which keeps them longer.
pub const SETTLED_SECONDS: u32 = 7 * 24 * 3600;

/// Movements kept in the stream until a copy in SQL takes them over.
const JOURNAL_LENGTH: u32 = 1_000_000;

/// Shared by the scripts: a journal line, and an item's level, begun when this is its first take.
const PRELUDE: &str = r"
local function journal(item, kind, quantity, order, at)
  redis.call('XADD', 'stock:journal', 'MAXLEN', '~', LENGTH, '*', 'item', item, 'kind', kind, 'quantity', quantity, 'order', order, 'at', at)
end
local function begin(item, initial, at)
  local level = redis.call('GET', 'inventory:' .. item)
  if not level then
    redis.call('SET', 'inventory:' .. item, initial)
    redis.call('SADD', 'stock:items', item)
    journal(item, 'initial', initial, '', at)
    level = initial
  end
  return tonumber(level)
end
local function take(item, quantity, refill, order, at)
  local left = redis.call('DECRBY', 'inventory:' .. item, quantity)
  journal(item, 'take', -quantity, order, at)
  if left < MARK and refill > 0 then
    left = redis.call('INCRBY', 'inventory:' .. item, refill)
    journal(item, 'refill', refill, '', at)
    return left, 1
  end
  return left, 0
end
";

/// ARGV: at, item, quantity, initial, refill. Answers {available, left, refilled}.
const TAKE: &str = r"
local at, item, quantity = ARGV[1], ARGV[2], tonumber(ARGV[3])
local level = begin(item, ARGV[4], at)
if level < quantity then return {0, level, 0} end
local left, refilled = take(item, quantity, tonumber(ARGV[5]), '', at)
return {1, left, refilled}
";

/// KEYS: reservation. ARGV: order, at, document, then item, quantity, initial, refill a line.
/// Answers {kind, text, number}: new/refills, before/document/state, released, out/item/left.
const RESERVE: &str = r"
local order, at = ARGV[1], ARGV[2]
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'released' then return {'released', '', 0} end
if state then return {'before', redis.call('HGET', KEYS[1], 'document'), state == 'confirmed' and 1 or 0} end
for n = 4, #ARGV, 4 do
  local level = begin(ARGV[n], ARGV[n + 2], at)
  if level < tonumber(ARGV[n + 1]) then return {'out', ARGV[n], level} end
end
local refills, lines = 0, {}
for n = 4, #ARGV, 4 do
  local _, refilled = take(ARGV[n], tonumber(ARGV[n + 1]), tonumber(ARGV[n + 3]), order, at)
  refills = refills + refilled
  lines[#lines + 1] = ARGV[n]
  lines[#lines + 1] = ARGV[n + 1]
end
redis.call('HSET', KEYS[1], 'state', 'reserved', 'document', ARGV[3], 'lines', table.concat(lines, '\n'))
return {'new', '', refills}
";

/// KEYS: reservations.
const CONFIRM: &str = r"
for _, key in ipairs(KEYS) do
  if redis.call('HGET', key, 'state') == 'reserved' then
    redis.call('HSET', key, 'state', 'confirmed')
    redis.call('EXPIRE', key, SETTLED)
  end
end
return 1
";

/// KEYS: reservation. ARGV: order, at.
const RELEASE: &str = r"
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'released' then return 0 end
if state then
  local item
  for word in string.gmatch(redis.call('HGET', KEYS[1], 'lines'), '[^\n]+') do
    if item then
      redis.call('INCRBY', 'inventory:' .. item, word)
      journal(item, 'release', word, ARGV[1], ARGV[2])
      item = nil
    else
      item = word
    end
  end
end
redis.call('HSET', KEYS[1], 'state', 'released')
redis.call('EXPIRE', KEYS[1], SETTLED)
return 1
";

/// ARGV: at, item, quantity.
const SET: &str = r"
local level = tonumber(redis.call('GET', 'inventory:' .. ARGV[2]) or '0')
redis.call('SET', 'inventory:' .. ARGV[2], ARGV[3])
redis.call('SADD', 'stock:items', ARGV[2])
journal(ARGV[2], 'set', tonumber(ARGV[3]) - level, '', ARGV[1])
return 1
";

/// Reservations stay until their time is over: nobody asks for them again.
const RESET: &str = r"
for _, item in ipairs(redis.call('SMEMBERS', 'stock:items')) do
  redis.call('DEL', 'inventory:' .. item)
end
redis.call('DEL', 'stock:items', 'stock:journal')
return 1
";

/// Answers item, level, item, level, ...
const LEVELS: &str = r"
local answer = {}
for _, item in ipairs(redis.call('SMEMBERS', 'stock:items')) do
  answer[#answer + 1] = item
  answer[#answer + 1] = redis.call('GET', 'inventory:' .. item) or '0'
end
return answer
";

pub struct RedisStock {
    redis: Redis,
    clock: SharedClock,
    guard: StoreGuard,
    take: Script,
    reserve: Script,
    confirm: Script,
    release: Script,
    set: Script,
    reset: Script,
    levels: Script,
}

fn script(body: &str) -> Script {
    let prelude = PRELUDE.replace("LENGTH", &JOURNAL_LENGTH.to_string()).replace("MARK", &REFILL_BELOW.to_string());
    Script::from_lua(format!("{prelude}{}", body.replace("SETTLED", &SETTLED_SECONDS.to_string())))
}

fn key(order: &OrderId) -> String {
    format!("reservation:{order}")
}

impl RedisStock {
    pub fn new(redis: Redis, clock: SharedClock, guard: StoreGuard) -> Self {
        Self {
            redis,
            clock,
            guard,
            take: script(TAKE),
            reserve: script(RESERVE),
            confirm: script(CONFIRM),
            release: script(RELEASE),
            set: script(SET),
            reset: script(RESET),
            levels: script(LEVELS),
        }
    }

    fn now(&self) -> String {
        self.clock.now().millis().to_string()
    }

    async fn run<R: fred::types::FromValue>(&self, script: &Script, keys: Vec<String>, arguments: Vec<String>) -> Result<R, StoreError> {
        Ok(script.evalsha_with_reload(self.redis.client()?, keys, arguments).await?)
    }

    async fn reserve_now(&self, reservation: &Reservation, takes: &[Take]) -> Result<Reserved, StoreError> {
        let mut arguments = vec![reservation.order_id.to_string(), self.now(), serde_json::to_string(reservation)?];
        for take in takes {
            arguments.extend([take.item.to_string(), take.quantity.to_string(), take.initial.to_string(), take.refill.to_string()]);
        }
        let (kind, text, number): (String, String, i64) = self.run(&self.reserve, vec![key(&reservation.order_id)], arguments).await?;
        Ok(match kind.as_str() {
            "new" => Reserved::New { refills: u64::try_from(number).unwrap_or(0) },
            "out" => Reserved::OutOfStock { item: ItemId::new(text), left: number },
            "before" => {
                let state = if number == 1 { ReservationState::Confirmed } else { ReservationState::Reserved };
                Reserved::Before(Reservation { state, ..serde_json::from_str(&text)? })
            }
            _ => Reserved::Released,
        })
    }

    async fn levels_now(&self) -> Result<Vec<StockLevel>, StoreError> {
        let words: Vec<String> = self.run(&self.levels, Vec::new(), Vec::new()).await?;
        let mut levels = Vec::with_capacity(words.len() / 2);
        for pair in words.chunks_exact(2) {
            let current_stock = pair[1].parse().map_err(|_| StoreError::Corrupt(format!("the level of {} is not a number", pair[0])))?;
            levels.push(StockLevel { item_id: ItemId::new(pair[0].clone()), current_stock });
        }
        levels.sort_by(|a, b| a.item_id.cmp(&b.item_id));
        Ok(levels)
    }
}

#[async_trait]
impl Stock for RedisStock {
    async fn take(&self, take: &Take) -> Result<Taken, StoreError> {
        let work = async {
            let arguments =
                vec![self.now(), take.item.to_string(), take.quantity.to_string(), take.initial.to_string(), take.refill.to_string()];
            let (available, left, refilled): (i64, i64, i64) = self.run(&self.take, Vec::new(), arguments).await?;
            Ok(Taken { available: available == 1, left, refilled: refilled == 1 })
        };
        self.guard.run("take", work).await
    }

    async fn reserve(&self, reservation: &Reservation, takes: &[Take]) -> Result<Reserved, StoreError> {
        self.guard.run("reserve", self.reserve_now(reservation, takes)).await
    }

    async fn confirm(&self, orders: &[OrderId]) -> Result<(), StoreError> {
        let work = async {
            if orders.is_empty() {
                return Ok(());
            }
            self.run::<i64>(&self.confirm, orders.iter().map(key).collect(), Vec::new()).await.map(drop)
        };
        self.guard.run("confirm", work).await
    }

    async fn release(&self, order: &OrderId) -> Result<(), StoreError> {
        let work = async { self.run::<i64>(&self.release, vec![key(order)], vec![order.to_string(), self.now()]).await.map(drop) };
        self.guard.run("release", work).await
    }

    async fn levels(&self) -> Result<Vec<StockLevel>, StoreError> {
        self.guard.run("levels", self.levels_now()).await
    }

    async fn levels_of(&self, items: &[ItemId]) -> Result<Vec<StockLevel>, StoreError> {
        let work = async {
            if items.is_empty() {
                return Ok(Vec::new());
            }
            let keys: Vec<String> = items.iter().map(|item| format!("inventory:{item}")).collect();
            let levels: Vec<Option<i64>> = self.redis.client()?.mget(keys).await?;
            let known = items.iter().zip(levels).filter_map(|(item, level)| Some((item, level?)));
            Ok(known.map(|(item, level)| StockLevel { item_id: item.clone(), current_stock: level }).collect())
        };
        self.guard.run("levels_of", work).await
    }

    async fn set(&self, item: &ItemId, quantity: i64) -> Result<StockLevel, StoreError> {
        let work = async {
            self.run::<i64>(&self.set, Vec::new(), vec![self.now(), item.to_string(), quantity.to_string()]).await?;
            Ok(StockLevel { item_id: item.clone(), current_stock: quantity })
        };
        self.guard.run("set", work).await
    }

    async fn reset(&self) -> Result<(), StoreError> {
        self.guard.run("reset", async { self.run::<i64>(&self.reset, Vec::new(), Vec::new()).await.map(drop) }).await
    }
}
