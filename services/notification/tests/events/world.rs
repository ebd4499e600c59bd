//! A notification service on a bus with somebody who tells it of orders, and a provider of changing mood.

use async_trait::async_trait;
use contract::client::NotificationClient;
use contract::event::{Event, Fact, OrderFact, PaymentFact};
use contract::geo::Location;
use contract::notification::Message;
use contract::order::OrderStatus;
use contract::{Money, OrderId};
use futures::future;
use notification::provider::{MessageProvider, SendError};
use notification::{NAME, store};
use runtime::clock::ManualClock;
use runtime::config::Settings;
use runtime::events::{Events, append};
use runtime::store::sql::{Apply, Connection, Database, GroupCommit, Schema};
use runtime::{Platform, args};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use testkit::{MORNING, RedisServer};

/// Far above what anything takes, so that a busy machine fails no test.
pub const PATIENCE: Duration = Duration::from_secs(30);

const NOTHING: Schema = Schema { sqlite: &[], postgres: &[] };

/// What the provider is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Open,
    Unreachable,
    Refusing,
    /// It says nothing.
    Mute,
}

struct Moody {
    mood: Mutex<Mood>,
    tried: AtomicUsize,
    taken: Mutex<Vec<String>>,
}

#[async_trait]
impl MessageProvider for Moody {
    async fn send(&self, message: &Message) -> Result<(), SendError> {
        self.tried.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Open => {
                self.taken.lock().unwrap().push(message.id.clone());
                Ok(())
            }
            Mood::Unreachable => Err(SendError::Unreachable("nobody is there".to_owned())),
            Mood::Refusing => Err(SendError::Refused("no such number".to_owned())),
            Mood::Mute => future::pending().await,
        }
    }
}

pub struct World {
    pub client: NotificationClient,
    platform: Platform,
    clock: ManualClock,
    settings: Settings,
    database: Database,
    provider: Arc<Moody>,
    events: Events,
    writer: GroupCommit<Tell>,
    folder: Option<TempDir>,
    redis: Option<RedisServer>,
}

impl World {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { data_dir: folder.path().to_owned(), seed: Some(1), ..Settings::default() };
        Self::with(settings, Some(folder), None).await
    }

    /// On a real Redis and a real PostgreSQL, as when there are replicas.
    pub async fn at_scale() -> Self {
        let redis = RedisServer::start();
        let database_url = Some(testkit::postgres_database().await);
        let settings = Settings { redis_url: Some(redis.url()), database_url, seed: Some(1), ..Settings::default() };
        Self::with(settings, None, Some(redis)).await
    }

    async fn with(settings: Settings, folder: Option<TempDir>, redis: Option<RedisServer>) -> Self {
        let (platform, clock) = testkit::platform_with(settings.clone());
        let provider = Arc::new(Moody { mood: Mutex::new(Mood::Open), tried: AtomicUsize::new(0), taken: Mutex::default() });
        let service = notification::build_with(&platform, provider.clone()).await.unwrap();
        platform.embed(&service);
        let database = platform.database(NAME, &store::SCHEMA).await.unwrap();
        let orders = platform.database("order", &NOTHING).await.unwrap();
        let events = Events::start(&platform, "order", &orders).await.unwrap();
        platform.open_bus();
        let client = NotificationClient::new(platform.transport("server", NAME).unwrap());
        let writer = GroupCommit::start(&orders, Tell);
        Self { client, platform, clock, settings, database, provider, events, writer, folder, redis }
    }

    /// Ends the process and begins another one on the same stores.
    pub async fn restart(&mut self) {
        assert!(self.platform.finish(PATIENCE).await, "the process does not stop");
        *self = Self::with(self.settings.clone(), self.folder.take(), self.redis.take()).await;
    }

    pub fn mood(&self, mood: Mood) {
        *self.provider.mood.lock().unwrap() = mood;
    }

    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// How often the provider was asked since the process began.
    pub fn tried(&self) -> usize {
        self.provider.tried.load(Ordering::SeqCst)
    }

    /// Ids of what it took since then, sorted.
    pub fn taken(&self) -> Vec<String> {
        let mut taken = self.provider.taken.lock().unwrap().clone();
        taken.sort();
        taken
    }

    pub async fn tell(&self, events: Vec<Event>) {
        self.writer.submit(events).await.unwrap();
        self.events.wake();
    }

    pub async fn eventually(&self, what: &str, condition: impl AsyncFnMut() -> bool) {
        testkit::eventually(what, PATIENCE, condition).await;
    }

    pub async fn total(&self, name: &str) -> i64 {
        self.client.ledger().await.unwrap().total(name)
    }

    /// Waits until so many were sent ever.
    pub async fn sent(&self, count: i64) {
        self.eventually(&format!("{count} messages are sent"), async || self.total("sent").await >= count).await;
        assert_eq!(self.total("sent").await, count);
    }

    /// Waits until everything told was heard and nothing waits for the provider.
    pub async fn is_quiet(&self) {
        self.eventually("all is quiet", async || {
            let lag = self.client.upkeep().lag().await.unwrap();
            let orders = self.events.lag().await.unwrap();
            lag.waiting + lag.pending + orders.outbox == 0 && self.client.ledger().await.unwrap().open.is_empty()
        })
        .await;
    }

    /// How many messages are kept.
    pub async fn kept(&self) -> i64 {
        self.database.one("SELECT COUNT(*) FROM messages", args![]).await.unwrap().int(0).unwrap()
    }
}

struct Tell;

#[async_trait]
impl Apply for Tell {
    type Job = Vec<Event>;
    type Done = ();

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Vec<Event>]) -> Result<Vec<()>, sqlx::Error> {
        for events in jobs {
            append(transaction, events).await?;
        }
        Ok(vec![(); jobs.len()])
    }
}

fn fact() -> OrderFact {
    OrderFact {
        total: Money::from_cents(2_350),
        units: 2,
        customer_name: "Ada".to_owned(),
        user: None,
        payment_method: "card".to_owned(),
        pricing: None,
        restaurant_name: "Cosmic Coffee".to_owned(),
        lines: Vec::new(),
        from: Location::default(),
        to: Location::default(),
        refund: true,
        reason: None,
    }
}

fn event(n: u32, fact: Fact) -> Event {
    let mut event = Event::new(OrderId::new(format!("order-{n}")), "cosmic-coffee".into(), "Berlin", MORNING, fact);
    event.session = Some(format!("session-{n}"));
    event
}

/// The n-th order has reached a status.
pub fn step(n: u32, status: OrderStatus) -> Event {
    event(n, Fact::of_order(status, fact()))
}

pub fn refunded(n: u32) -> Event {
    event(n, Fact::PaymentRefunded(PaymentFact { amount: Money::from_cents(2_350), reason: None }))
}

pub fn of_load(event: Event) -> Event {
    Event { synthetic: true, ..event }
}
