//! The cache: one load for many who miss, and changes that reach every replica.

use crate::house::{COFFEE, House, SOON, STAFF};
use async_trait::async_trait;
use contract::menu::ChangeRestaurant;
use futures::future::join_all;
use menu::store::{Author, Change, Kept, MenuBook, SCHEMA, SharedMenus, SqlMenuBook, Written};
use menu::{MenuCache, NAME};
use runtime::Platform;
use runtime::store::StoreError;
use runtime::store::sql::Database;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use testkit::{MORNING, PostgresServer, RedisServer, eventually, flip};

/// A book that counts how often it is read.
struct Counted {
    book: SqlMenuBook,
    loads: AtomicUsize,
    /// Who reads now, and the most who did at once.
    reading: AtomicUsize,
    most: AtomicUsize,
}

impl Counted {
    async fn new(platform: &Platform) -> Arc<Self> {
        let database = Database::in_memory(NAME, &SCHEMA).await.unwrap();
        let book = SqlMenuBook::new(database, platform.guard(NAME, "menus", "sqlite"));
        book.write(Change::Seed(menu::seed().unwrap()), author()).await.unwrap();
        Arc::new(Self { book, loads: AtomicUsize::new(0), reading: AtomicUsize::new(0), most: AtomicUsize::new(0) })
    }

    fn loads(&self) -> usize {
        self.loads.swap(0, Ordering::SeqCst)
    }

    /// Changes something behind the caches' backs; answers the version that has it.
    async fn rename(&self, name: &str) -> i64 {
        let change = ChangeRestaurant { name: Some(name.to_owned()), ..ChangeRestaurant::default() };
        self.book.write(Change::Restaurant("cosmic-coffee".into(), change), author()).await.unwrap().version
    }
}

#[async_trait]
impl MenuBook for Counted {
    async fn load(&self) -> Result<Kept, StoreError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.most.fetch_max(self.reading.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        // Long enough for everybody to meet here.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let kept = self.book.load().await;
        self.reading.fetch_sub(1, Ordering::SeqCst);
        kept
    }

    async fn version(&self) -> Result<i64, StoreError> {
        self.book.version().await
    }

    async fn write(&self, change: Change, author: Author) -> Result<Written, StoreError> {
        self.book.write(change, author).await
    }
}

fn author() -> Author {
    Author { who: "u".to_owned(), role: "operator", at: MORNING }
}

async fn cache(platform: &Platform, book: &Arc<Counted>, redis: Option<&RedisServer>) -> Arc<MenuCache> {
    let shared = match redis {
        Some(server) => Some(SharedMenus::new(server.connect().await, platform.guard(NAME, "menus", "redis"))),
        None => None,
    };
    MenuCache::start(book.clone(), shared, platform).await.unwrap()
}

fn name(cache: &MenuCache) -> String {
    cache.snapshot().catalogue().menu(&"cosmic-coffee".into()).unwrap().restaurant.name.clone()
}

/// A hundred tasks that all need what was just written.
async fn miss_together(caches: &[Arc<MenuCache>], version: i64) {
    let missing = (0..100).map(|n| {
        let cache = caches[n % caches.len()].clone();
        tokio::spawn(async move { cache.reach(version).await.unwrap().version })
    });
    for reached in join_all(missing).await {
        assert!(reached.unwrap() >= version);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_who_miss_at_once_one_asks_the_database() {
    let (platform, _) = testkit::platform();
    let book = Counted::new(&platform).await;
    let cache = cache(&platform, &book, None).await;
    assert_eq!(book.loads(), 1, "the start");
    let version = book.rename("Renamed").await;
    assert_eq!(name(&cache), "Cosmic Coffee", "nobody has looked yet");
    miss_together(std::slice::from_ref(&cache), version).await;
    assert_eq!((book.loads(), name(&cache).as_str()), (1, "Renamed"));
    cache.poll().await.unwrap();
    assert_eq!(book.loads(), 0, "and nobody asks for what is there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_replicas_that_miss_at_once_one_asks_the_database() {
    let (platform, _) = testkit::platform();
    let (book, redis) = (Counted::new(&platform).await, RedisServer::start());
    let caches = [cache(&platform, &book, Some(&redis)).await, cache(&platform, &book, Some(&redis)).await];
    book.loads();
    for round in ["Once", "Twice", "Thrice"] {
        let version = book.rename(round).await;
        miss_together(&caches, version).await;
        assert_eq!((book.loads(), name(&caches[0]).as_str(), name(&caches[1]).as_str()), (1, round, round));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_down_is_no_reason_to_show_old_menus() {
    let (platform, _) = testkit::platform();
    let (book, mut redis) = (Counted::new(&platform).await, RedisServer::start());
    let cache = cache(&platform, &book, Some(&redis)).await;
    redis.kill();
    let version = book.rename("Renamed").await;
    miss_together(std::slice::from_ref(&cache), version).await;
    assert_eq!(name(&cache), "Renamed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loader_that_died_holds_nobody_up_for_long() {
    let (platform, _) = testkit::platform();
    let (book, redis) = (Counted::new(&platform).await, RedisServer::start());
    let cache = cache(&platform, &book, Some(&redis)).await;
    let dead = SharedMenus::new(redis.connect().await, platform.guard(NAME, "menus", "redis"));
    assert!(dead.lock("a process that was killed").await.unwrap());
    let version = book.rename("Renamed").await;
    miss_together(std::slice::from_ref(&cache), version).await;
    assert_eq!(name(&cache), "Renamed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_never_replaces_a_newer_one() {
    let (platform, _) = testkit::platform();
    let redis = RedisServer::start();
    let shared = SharedMenus::new(redis.connect().await, platform.guard(NAME, "menus", "redis"));
    assert!(shared.get().await.unwrap().is_none());
    let kept = |version| Kept { version, menus: menu::seed().unwrap() };
    for (put, there) in [(7, 7), (5, 7), (10, 10), (9, 10)] {
        shared.put(&kept(put)).await.unwrap();
        assert_eq!(shared.get().await.unwrap().unwrap().version, there);
    }
    assert_eq!(shared.get().await.unwrap().unwrap().menus, menu::seed().unwrap());
    redis.pass(Duration::from_secs(301)).await;
    assert!(shared.get().await.unwrap().is_none(), "after five minutes nobody needs it");
}

async fn both_see(one: &House, other: &House, name: &str) {
    let sees = async |house: &House| house.see(COFFEE).await["name"] == name;
    assert!(sees(one).await, "whoever writes sees it at once");
    eventually("the other replica sees it", SOON, async || sees(other).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_reaches_the_other_replica_with_redis_and_without() {
    let redis = RedisServer::start();
    for redis in [Some(redis.url()), None] {
        let url = testkit::postgres_database().await;
        let (one, other) = (House::on(&url, redis.clone(), None).await, House::on(&url, redis, None).await);
        one.write("PATCH", COFFEE, json!({ "name": "Renamed" })).await;
        both_see(&one, &other, "Renamed").await;
        other.write("PATCH", COFFEE, json!({ "name": "And back" })).await;
        both_see(&other, &one, "And back").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn menus_are_served_while_the_database_is_down_and_change_again_when_it_is_back() {
    let mut server = PostgresServer::start();
    let url = server.database().await;
    let house = House::on(&url, None, None).await;
    server.kill();
    assert_eq!(house.see(COFFEE).await["name"], "Cosmic Coffee");
    let change = || Some(json!({ "name": "Renamed" }));
    assert_eq!(house.refusal(STAFF, "PATCH", COFFEE, change()).await.0, 503);
    assert_eq!(house.see(COFFEE).await["name"], "Cosmic Coffee");
    server.restart();
    eventually("changes are taken again", SOON, async || house.ask(STAFF, "PATCH", COFFEE, change()).await.0 == 200).await;
    // The change may be taken while the next question to the database still meets a connection that broke: the poll brings it then.
    eventually("the change is seen", SOON, async || house.see(COFFEE).await["name"] == "Renamed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_cache_everybody_asks_the_database_and_few_at_once() {
    let (platform, _) = testkit::platform();
    let redis = RedisServer::start();
    for redis in [None, Some(&redis)] {
        let book = Counted::new(&platform).await;
        let cache = cache(&platform, &book, redis).await;
        book.loads();
        let ask = async |count: usize| {
            let asking = (0..count).map(|_| {
                let cache = cache.clone();
                tokio::spawn(async move { cache.now().await.map(|menus| menus.version) })
            });
            join_all(asking).await.into_iter().map(Result::unwrap).collect::<Vec<_>>()
        };
        assert!(ask(20).await.iter().all(Result::is_ok));
        assert_eq!(book.loads(), 0, "with the cache nobody does");
        flip(&platform, "menu-cache-off", "all");
        assert!(ask(12).await.iter().all(Result::is_ok));
        assert_eq!(book.loads(), 12);
        // So many cannot all be served in time: the last are told so, and the database sees no more of them at once.
        let answers = ask(100).await;
        let refused = answers.iter().filter(|answer| matches!(answer, Err(StoreError::Unavailable(_)))).count();
        assert!(refused > 0 && book.loads() == 100 - refused, "{refused} were refused");
        assert!((2..=3).contains(&book.most.load(Ordering::SeqCst)));
        flip(&platform, "menu-cache-off", "off");
        assert!(ask(20).await.iter().all(Result::is_ok));
        assert_eq!(book.loads(), 0, "and the cache is back at once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_cache_a_change_behind_its_back_is_seen_at_once_and_stays_seen() {
    let (platform, _) = testkit::platform();
    let book = Counted::new(&platform).await;
    let cache = cache(&platform, &book, None).await;
    book.rename("Renamed").await;
    assert_eq!(name(&cache), "Cosmic Coffee");
    flip(&platform, "menu-cache-off", "all");
    let read = cache.now().await.unwrap();
    assert_eq!(read.catalogue().menu(&"cosmic-coffee".into()).unwrap().restaurant.name, "Renamed");
    flip(&platform, "menu-cache-off", "off");
    assert_eq!(name(&cache), "Renamed");
}
