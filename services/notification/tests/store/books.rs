//! A book to be tried, and events to put into it.

use async_trait::async_trait;
use contract::client::MessageFilter;
use contract::event::{Event, Fact, OrderFact, PaymentFact};
use contract::geo::Location;
use contract::notification::Message;
use contract::order::OrderStatus;
use contract::{Money, OrderId, Timestamp};
use notification::NAME;
use notification::store::{Letter, MessageBook, Outcome, SCHEMA, SqlMessageBook, hear};
use runtime::Platform;
use runtime::store::sql::{Apply, Connection, Database, GroupCommit};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use testkit::MORNING;

pub struct Books {
    pub book: Arc<dyn MessageBook>,
    pub database: Database,
    pub platform: Platform,
    consumer: GroupCommit<Consumer>,
    _folder: Option<TempDir>,
}

/// What the consumer's transaction does.
struct Consumer;

#[async_trait]
impl Apply for Consumer {
    type Job = (Vec<Event>, Timestamp);
    type Done = Vec<Letter>;

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Self::Job]) -> Result<Vec<Vec<Letter>>, sqlx::Error> {
        let mut done = Vec::new();
        for (events, now) in jobs {
            done.push(hear(transaction, events, *now).await?);
        }
        Ok(done)
    }
}

impl Books {
    pub async fn in_memory() -> Self {
        Self::on(Database::in_memory(NAME, &SCHEMA).await.unwrap(), None)
    }

    pub async fn in_a_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::on(Database::open_file(&folder.path().join("notification.db"), &SCHEMA).await.unwrap(), Some(folder))
    }

    pub async fn in_postgres() -> Self {
        let url = testkit::postgres_database().await;
        Self::on(Database::open(&url, NAME, &SCHEMA).await.unwrap(), None)
    }

    fn on(database: Database, folder: Option<TempDir>) -> Self {
        let (platform, _) = testkit::platform();
        let guard = platform.guard(NAME, "messages", database.backend());
        Self {
            book: Arc::new(SqlMessageBook::new(database.clone(), guard)),
            consumer: GroupCommit::start(&database, Consumer),
            database,
            platform,
            _folder: folder,
        }
    }

    /// Answers what is to be sent.
    pub async fn hear(&self, events: Vec<Event>) -> Vec<Letter> {
        self.hear_at(events, MORNING).await
    }

    pub async fn hear_at(&self, events: Vec<Event>, at: Timestamp) -> Vec<Letter> {
        self.consumer.submit((events, at)).await.unwrap()
    }

    pub async fn settle(&self, letters: &[Letter], outcome: Outcome) {
        self.book.settle(letters.iter().map(|letter| (letter.seq, outcome)).collect(), MORNING).await.unwrap();
    }

    /// All there is, newest first.
    pub async fn all(&self) -> Vec<Message> {
        self.book.list(&MessageFilter::default(), None, 1_000).await.unwrap().0
    }

    pub async fn totals(&self) -> [i64; 3] {
        let page = self.book.ledger(MORNING).await.unwrap();
        ["queued", "sent", "failed"].map(|name| page.total(name))
    }
}

pub fn id(n: u32) -> OrderId {
    OrderId::new(format!("order-{n}"))
}

pub fn after(ms: u64) -> Timestamp {
    MORNING + Duration::from_millis(ms)
}

pub fn fact() -> OrderFact {
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
        refund: false,
        reason: None,
    }
}

pub fn event(n: u32, fact: Fact) -> Event {
    let mut event = Event::new(id(n), "cosmic-coffee".into(), "Berlin", MORNING, fact);
    event.session = Some("session-a".to_owned());
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
