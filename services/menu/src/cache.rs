//! The menus as this process has them: a snapshot in memory, behind it the copy in Redis (when there is one), behind that SQL.
//!
//! Reads never wait for a store. A change bumps the version in SQL; its own process loads the new menus before it answers, the others
//! look at the version once a second. Of all who need a newer version at once, one in a process loads it, and with Redis one of all
//! processes. While the database is down, the menus are what they were.

use crate::NAME;
use crate::domain::Catalogue;
use crate::snapshot::Snapshot;
use crate::stampede::Stampede;
use crate::store::{Kept, MenuBook, SharedMenus};
use arc_swap::ArcSwap;
use contract::Timestamp;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Meter};
use runtime::Platform;
use runtime::clock::SharedClock;
use runtime::store::StoreError;
use runtime::telemetry::metrics::count;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

/// How often a process looks whether another changed a menu.
pub const POLL: Duration = Duration::from_secs(1);

/// How long a process waits for another that loads, and how often it looks; then it asks the database itself.
const WAIT_FOR_OTHERS: Duration = Duration::from_millis(500);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

pub struct MenuCache {
    book: Arc<dyn MenuBook>,
    shared: Option<SharedMenus>,
    clock: SharedClock,
    current: ArcSwap<Snapshot>,
    /// Whoever loads holds it; the others wait and find what he loaded.
    loading: Mutex<()>,
    stampede: Stampede,
    counted: Counted,
}

/// Hits and misses of the two levels.
struct Counted {
    lookups: Counter<u64>,
    process_hit: [KeyValue; 2],
    process_miss: [KeyValue; 2],
    shared_hit: [KeyValue; 2],
    shared_miss: [KeyValue; 2],
}

impl Counted {
    fn new(meter: &Meter) -> Self {
        let of = |level: &'static str, result: &'static str| [KeyValue::new("cache.level", level), KeyValue::new("cache.result", result)];
        Self {
            lookups: count(meter, "feast.menu.cache.lookups", "Looks into the menu cache, by level and result"),
            process_hit: of("process", "hit"),
            process_miss: of("process", "miss"),
            shared_hit: of("shared", "hit"),
            shared_miss: of("shared", "miss"),
        }
    }
}

impl MenuCache {
    /// # Errors
    /// The menus cannot be read.
    pub async fn start(book: Arc<dyn MenuBook>, shared: Option<SharedMenus>, platform: &Platform) -> Result<Arc<Self>, StoreError> {
        let (clock, counted) = (platform.clock.clone(), Counted::new(&platform.meter(NAME)));
        // From SQL, whatever Redis holds: a database that was restored may be older than its copy.
        let kept = book.load().await?;
        let snapshot = snapshot(kept, clock.now())?;
        let current = ArcSwap::from_pointee(snapshot);
        Ok(Arc::new(Self { book, shared, clock, current, loading: Mutex::new(()), stampede: Stampede::new(platform), counted }))
    }

    /// The menus for one request. This is the one way to them, and so the one place where a fault can take the cache away.
    ///
    /// # Errors
    /// None while there is a snapshot, and there always is; while the cache is taken away, the database does not answer, or too many ask.
    pub async fn now(&self) -> Result<Arc<Snapshot>, StoreError> {
        if self.stampede.passes_the_cache().await {
            return self.read_the_database().await;
        }
        self.counted.lookups.add(1, &self.counted.process_hit);
        Ok(self.snapshot())
    }

    /// What the database holds this moment.
    async fn read_the_database(&self) -> Result<Arc<Snapshot>, StoreError> {
        self.counted.lookups.add(1, &self.counted.process_miss);
        let kept = self.stampede.in_line(self.book.load()).await?;
        let read = Arc::new(snapshot(kept, self.clock.now())?);
        // Whoever reads from memory next sees nothing older.
        self.current.rcu(|current| if current.version < read.version { read.clone() } else { current.clone() });
        Ok(read)
    }

    /// The menus as they are in memory, with who is open now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        let current = self.current.load_full();
        let now = self.clock.now();
        if !current.is_due(now) {
            return current;
        }
        let Some(later) = current.at(now).map(Arc::new) else { return current };
        // Unless a change came in between: what it brought knows who is open.
        let before = self.current.compare_and_swap(&current, later.clone());
        if Arc::ptr_eq(&before, &current) { later } else { self.current.load_full() }
    }

    /// Looks whether somebody changed a menu, and has the change afterwards.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn poll(&self) -> Result<(), StoreError> {
        self.reach(self.book.version().await?).await.map(drop)
    }

    /// The menus of this version or a newer one.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn reach(&self, version: i64) -> Result<Arc<Snapshot>, StoreError> {
        if self.current.load().version >= version {
            return Ok(self.snapshot());
        }
        self.counted.lookups.add(1, &self.counted.process_miss);
        let _alone = self.loading.lock().await;
        if self.current.load().version >= version {
            return Ok(self.snapshot());
        }
        let snapshot = Arc::new(snapshot(self.load(version).await?, self.clock.now())?);
        self.current.store(snapshot.clone());
        Ok(snapshot)
    }

    async fn load(&self, version: i64) -> Result<Kept, StoreError> {
        let Some(shared) = &self.shared else { return self.book.load().await };
        let token = uuid::Uuid::new_v4().simple().to_string();
        match self.shared_copy(shared, version, &token).await {
            Ok(Some(kept)) => {
                self.counted.lookups.add(1, &self.counted.shared_hit);
                return Ok(kept);
            }
            Ok(None) => {}
            // The copy is a help and not a need.
            Err(error) => tracing::warn!(%error, "The shared menus cannot be read; the database is asked"),
        }
        self.counted.lookups.add(1, &self.counted.shared_miss);
        let loaded = self.book.load().await;
        if let Ok(kept) = &loaded
            && let Err(error) = shared.put(kept).await
        {
            tracing::warn!(%error, "The menus could not be shared");
        }
        // It ends by itself when this fails, or when it was another's.
        let _ = shared.unlock(&token).await;
        loaded
    }

    /// The copy, as soon as it is new enough; `None` when this process is the one to load, or has waited for long enough.
    async fn shared_copy(&self, shared: &SharedMenus, version: i64, token: &str) -> Result<Option<Kept>, StoreError> {
        let until = Instant::now() + WAIT_FOR_OTHERS;
        loop {
            if let Some(kept) = shared.get().await?.filter(|kept| kept.version >= version) {
                return Ok(Some(kept));
            }
            if shared.lock(token).await? {
                // Whoever had the lock before may have been done just now.
                let done = shared.get().await?.filter(|kept| kept.version >= version);
                if done.is_some() {
                    shared.unlock(token).await?;
                }
                return Ok(done);
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

fn snapshot(kept: Kept, now: Timestamp) -> Result<Snapshot, StoreError> {
    Ok(Snapshot::new(kept.version, Catalogue::new(kept.menus), now)?)
}
