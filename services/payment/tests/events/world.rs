//! A payment service on a bus with somebody who tells it of orders, and a bank of changing mood.

use async_trait::async_trait;
use contract::client::PaymentClient;
use contract::event::{Event, Fact, OrderFact};
use contract::geo::Location;
use contract::payment::PaymentStatus;
use contract::{Money, OrderId};
use futures::future;
use payment::domain::Payment;
use payment::provider::{ChargeAnswer, NoAnswer, PaymentProvider, RefundAnswer, Simulator};
use payment::{NAME, store};
use runtime::Platform;
use runtime::chance::Chance;
use runtime::clock::ManualClock;
use runtime::config::Settings;
use runtime::events::{Events, Tail, Tailed, append};
use runtime::store::sql::{Apply, Connection, GroupCommit, Schema};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use testkit::{MORNING, RedisServer};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// Far above what anything takes, so that a busy machine fails no test.
pub const PATIENCE: Duration = Duration::from_secs(30);

const NOTHING: Schema = Schema { sqlite: &[], postgres: &[] };

/// What the bank is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Open,
    /// It hears nothing.
    Unreachable,
    /// It does what it is asked and never says so.
    Mute,
    /// It does what it is asked and says so when it is open again.
    Late,
}

struct Moody {
    bank: Simulator,
    mood: watch::Sender<Mood>,
    asked: AtomicUsize,
    answered: AtomicUsize,
}

impl Moody {
    fn mood(&self) -> Mood {
        *self.mood.borrow()
    }

    async fn ask<T>(&self, question: impl Future<Output = Result<T, NoAnswer>>) -> Result<T, NoAnswer> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.mood() == Mood::Unreachable {
            return Err(NoAnswer("nobody is there".to_owned()));
        }
        let answer = question.await;
        match self.mood() {
            Mood::Mute => future::pending().await,
            Mood::Late => {
                self.mood.subscribe().wait_for(|mood| *mood == Mood::Open).await.unwrap();
            }
            Mood::Open | Mood::Unreachable => {}
        }
        self.answered.fetch_add(1, Ordering::SeqCst);
        answer
    }
}

#[async_trait]
impl PaymentProvider for Moody {
    async fn charge(&self, payment: &Payment) -> Result<ChargeAnswer, NoAnswer> {
        self.ask(self.bank.charge(payment)).await
    }

    async fn refund(&self, payment: &Payment) -> Result<RefundAnswer, NoAnswer> {
        self.ask(self.bank.refund(payment)).await
    }

    async fn finish(&self) -> Result<(), NoAnswer> {
        self.bank.finish().await
    }
}

pub struct World {
    pub platform: Platform,
    pub client: PaymentClient,
    clock: ManualClock,
    settings: Settings,
    bank: Arc<Moody>,
    events: Events,
    writer: GroupCommit<Tell>,
    tail: tokio::sync::Mutex<Tail>,
    heard: Mutex<Vec<Event>>,
    _folder: TempDir,
    redis: Option<RedisServer>,
}

impl World {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { data_dir: folder.path().to_owned(), seed: Some(1), ..Settings::default() };
        Self::with(settings, folder, None).await
    }

    /// On a real Redis and a real PostgreSQL, as when there are replicas.
    pub async fn at_scale() -> Self {
        let (folder, redis) = (tempfile::tempdir().unwrap(), RedisServer::start());
        let database_url = Some(testkit::postgres_database().await);
        let settings = Settings { redis_url: Some(redis.url()), database_url, seed: Some(1), ..Settings::default() };
        Self::with(settings, folder, Some(redis)).await
    }

    async fn with(settings: Settings, folder: TempDir, redis: Option<RedisServer>) -> Self {
        Self::prepared(settings, folder, redis, |_| {}).await
    }

    async fn prepared(settings: Settings, folder: TempDir, redis: Option<RedisServer>, prepare: impl FnOnce(&Platform)) -> Self {
        let (platform, clock) = testkit::platform_with(settings.clone());
        prepare(&platform);
        let database = platform.database(NAME, &store::SCHEMA).await.unwrap();
        let guard = platform.guard(NAME, "bank", database.backend());
        let simulator = Simulator::new(&database, guard, platform.clock.clone(), Chance::seeded(1));
        let bank = Arc::new(Moody {
            bank: simulator,
            mood: watch::Sender::new(Mood::Open),
            asked: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
        });
        let tail = platform.bus().await.unwrap().tail();
        let service = payment::build_with(&platform, database, bank.clone()).await.unwrap();
        platform.embed(&service);
        let orders = platform.database("order", &NOTHING).await.unwrap();
        let events = Events::start(&platform, "order", &orders).await.unwrap();
        platform.open_bus();
        let client = PaymentClient::new(platform.transport("server", NAME).unwrap());
        let writer = GroupCommit::start(&orders, Tell);
        let (tail, heard) = (tokio::sync::Mutex::new(tail), Mutex::default());
        Self { platform, client, clock, settings, bank, events, writer, tail, heard, _folder: folder, redis }
    }

    /// Ends the process and begins another one on the same files.
    pub async fn restart(&mut self) {
        self.restart_with(|_| {}).await;
    }

    /// The same; `prepare` has its say before the new process does anything.
    pub async fn restart_with(&mut self, prepare: impl FnOnce(&Platform)) {
        let Self { platform, settings, .. } = self;
        assert!(platform.finish(PATIENCE).await, "the process does not stop");
        let folder = std::mem::replace(&mut self._folder, tempfile::tempdir().unwrap());
        *self = Self::prepared(settings.clone(), folder, self.redis.take(), prepare).await;
    }

    pub fn mood(&self, mood: Mood) {
        self.bank.mood.send_replace(mood);
    }

    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// How often the bank was asked.
    pub fn asked(&self) -> usize {
        self.bank.asked.load(Ordering::SeqCst)
    }

    /// How often it answered.
    pub fn answered(&self) -> usize {
        self.bank.answered.load(Ordering::SeqCst)
    }

    pub async fn tell(&self, events: Vec<Event>) {
        self.writer.submit(events).await.unwrap();
        self.events.wake();
    }

    /// Waits until this was told of the order since the process began.
    pub async fn hears(&self, order: &str, kind: &str) -> Event {
        let end = Instant::now() + PATIENCE;
        let mut tail = self.tail.lock().await;
        loop {
            let heard = |event: &&Event| event.order_id.as_str() == order && event.fact.kind() == kind;
            if let Some(event) = self.heard.lock().unwrap().iter().find(heard) {
                return event.clone();
            }
            match timeout_at(end, tail.next()).await {
                Ok(Some(Tailed::Event(event))) => self.heard.lock().unwrap().push((*event).clone()),
                Ok(other) => panic!("{other:?}"),
                Err(_) => panic!("{kind} of {order}: not within {PATIENCE:?}"),
            }
        }
    }

    pub async fn eventually(&self, what: &str, condition: impl AsyncFnMut() -> bool) {
        testkit::eventually(what, PATIENCE, condition).await;
    }

    /// Waits until everything told was heard and nothing waits for the bank.
    pub async fn is_quiet(&self) {
        self.eventually("all is quiet", async || {
            let lag = self.client.upkeep().lag().await.unwrap();
            let orders = self.events.lag().await.unwrap();
            lag.waiting + lag.pending + lag.outbox + orders.outbox == 0 && self.client.ledger().await.unwrap().open.is_empty()
        })
        .await;
    }

    pub async fn total(&self, name: &str) -> i64 {
        self.client.ledger().await.unwrap().total(name)
    }

    /// Charged and refunded in our books, and in the bank's.
    pub async fn money(&self) -> [i64; 4] {
        let page = self.client.ledger().await.unwrap();
        ["charged_cents", "refunded_cents", "bank_charged_cents", "bank_refunded_cents"].map(|name| page.total(name))
    }

    pub async fn status(&self, order: &str) -> Option<PaymentStatus> {
        self.client.get(&OrderId::new(order)).await.ok().map(|payment| payment.status)
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

fn fact(n: u32, method: &str) -> OrderFact {
    OrderFact {
        total: Money::from_cents(1_000 + i64::from(n)),
        units: 1,
        customer_name: "Ada".to_owned(),
        user: None,
        payment_method: method.to_owned(),
        pricing: None,
        restaurant_name: "Cosmic Coffee".to_owned(),
        lines: Vec::new(),
        from: Location::default(),
        to: Location::default(),
        refund: false,
        reason: None,
    }
}

fn event(n: u32, fact: Fact) -> Event {
    let mut event = Event::new(OrderId::new(format!("order-{n}")), "cosmic-coffee".into(), "Berlin", MORNING, fact);
    event.session = Some(format!("session-{n}"));
    event.synthetic = true;
    event
}

/// The n-th order: its own amount.
pub fn ordered(n: u32) -> Event {
    ordered_by(n, "card")
}

pub fn ordered_by(n: u32, method: &str) -> Event {
    event(n, Fact::OrderCreated(fact(n, method)))
}

pub fn cancelled(n: u32) -> Event {
    event(n, Fact::OrderCancelled(fact(n, "card")))
}

pub fn rejected(n: u32) -> Event {
    event(n, Fact::OrderRejected(fact(n, "card")))
}
