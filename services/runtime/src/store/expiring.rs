//! A bounded map whose entries expire by the injected clock: what Redis does with a time to live, in memory.

use crate::clock::SharedClock;
use contract::Timestamp;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Locks are held for a map operation only; shards keep them from meeting.
const SHARDS: usize = 16;

pub struct ExpiringMap<K, V> {
    clock: SharedClock,
    hasher: RandomState,
    shards: Vec<Mutex<HashMap<K, Entry<V>>>>,
    shard_capacity: usize,
}

struct Entry<V> {
    value: V,
    expires_at: Timestamp,
}

impl<K: Hash + Eq + Clone, V: Clone> ExpiringMap<K, V> {
    /// Holds about `capacity` entries; beyond, those that would expire first make room.
    pub fn new(clock: SharedClock, capacity: usize) -> Self {
        Self {
            clock,
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| Mutex::new(HashMap::new())).collect(),
            shard_capacity: (capacity / SHARDS).max(1),
        }
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, HashMap<K, Entry<V>>> {
        let at = self.hasher.hash_one(key) as usize % SHARDS;
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, key: &K) -> Option<V> {
        let now = self.clock.now();
        let mut shard = self.shard(key);
        match shard.get(key) {
            Some(entry) if entry.expires_at > now => Some(entry.value.clone()),
            Some(_) => {
                shard.remove(key);
                None
            }
            None => None,
        }
    }

    /// Changes the value under the shard's lock: `change` sees the value in force and answers what to keep (`None` removes it)
    /// and what to return. The entry then lives for another `ttl`.
    pub fn update<R>(&self, key: &K, ttl: Duration, change: impl FnOnce(Option<&V>) -> (Option<V>, R)) -> R {
        let now = self.clock.now();
        let mut shard = self.shard(key);
        let current = shard.get(key).filter(|entry| entry.expires_at > now).map(|entry| &entry.value);
        let (next, answer) = change(current);
        match next {
            Some(value) => {
                if !shard.contains_key(key) && shard.len() >= self.shard_capacity {
                    make_room(&mut shard, now);
                }
                shard.insert(key.clone(), Entry { value, expires_at: now + ttl });
            }
            None => {
                shard.remove(key);
            }
        }
        answer
    }

    pub fn insert(&self, key: &K, value: V, ttl: Duration) {
        self.update(key, ttl, |_| (Some(value), ()));
    }

    pub fn remove(&self, key: &K) -> Option<V> {
        let now = self.clock.now();
        self.shard(key).remove(key).filter(|entry| entry.expires_at > now).map(|entry| entry.value)
    }

    /// Entries held, expired ones included until they are met.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Drops what has expired; when that frees nothing, the sixteenth that would expire first.
fn make_room<K: Hash + Eq + Clone, V>(shard: &mut HashMap<K, Entry<V>>, now: Timestamp) {
    let before = shard.len();
    shard.retain(|_, entry| entry.expires_at > now);
    if shard.len() < before {
        return;
    }
    let mut ends: Vec<Timestamp> = shard.values().map(|entry| entry.expires_at).collect();
    ends.sort_unstable();
    let Some(cut) = ends.get(ends.len() / 16).copied() else { return };
    let mut excess = ends.len() / 16 + 1;
    shard.retain(|_, entry| {
        let drop = excess > 0 && entry.expires_at <= cut;
        excess -= usize::from(drop);
        !drop
    });
}

#[cfg(test)]
mod tests {
    use super::{ExpiringMap, SHARDS};
    use crate::clock::ManualClock;
    use contract::Timestamp;
    use std::sync::Arc;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn an_entry_is_gone_after_its_time_and_use_prolongs_it() {
        let clock = ManualClock::at(Timestamp::from_millis(0));
        let map = ExpiringMap::new(Arc::new(clock.clone()), 100);
        map.insert(&"a", 1, HOUR);
        clock.advance(HOUR - Duration::from_secs(1));
        map.update(&"a", HOUR, |value| (value.copied(), ()));
        clock.advance(HOUR - Duration::from_secs(1));
        assert_eq!(map.get(&"a"), Some(1));
        clock.advance(Duration::from_secs(1));
        assert_eq!(map.get(&"a"), None);
    }

    #[test]
    fn it_never_holds_more_than_its_capacity() {
        let clock = ManualClock::at(Timestamp::from_millis(0));
        let map = ExpiringMap::new(Arc::new(clock.clone()), 160);
        for n in 0..10_000u32 {
            clock.advance(Duration::from_millis(1));
            map.insert(&n, n, HOUR);
        }
        assert!(map.len() <= 160 + SHARDS, "{}", map.len());
        assert_eq!(map.get(&9_999), Some(9_999), "the newest stay");
    }
}
