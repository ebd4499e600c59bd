//! Books to be tried, and orders to put into them.

use async_trait::async_trait;
use contract::event::{Event, Fact, OrderFact};
use contract::geo::Location;
use contract::{Money, OrderId, Timestamp};
use payment::NAME;
use payment::domain::{Happened, Payment, State};
use payment::provider::Simulator;
use payment::store::{Answered, PaymentBook, SCHEMA, SqlPaymentBook, hear};
use runtime::chance::Chance;
use runtime::store::sql::{Apply, Connection, Database, GroupCommit};
use runtime::{Platform, args};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use testkit::MORNING;

pub struct Books {
    pub book: Arc<dyn PaymentBook>,
    pub bank: Arc<Simulator>,
    pub database: Database,
    pub platform: Platform,
    consumer: GroupCommit<Consumer>,
    folder: Option<TempDir>,
}

/// What the consumer's transaction does.
struct Consumer;

#[async_trait]
impl Apply for Consumer {
    type Job = (Vec<Event>, Timestamp);
    type Done = Vec<Payment>;

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Self::Job]) -> Result<Vec<Vec<Payment>>, sqlx::Error> {
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
        Self::on(Database::open_file(&folder.path().join("payment.db"), &SCHEMA).await.unwrap(), Some(folder))
    }

    pub async fn in_postgres() -> Self {
        let url = testkit::postgres_database().await;
        Self::on(Database::open(&url, NAME, &SCHEMA).await.unwrap(), None)
    }

    fn on(database: Database, folder: Option<TempDir>) -> Self {
        let (platform, _) = testkit::platform();
        let guard = |store| platform.guard(NAME, store, database.backend());
        Self {
            book: Arc::new(SqlPaymentBook::new(database.clone(), guard("payments"))),
            bank: Arc::new(Simulator::new(&database, guard("bank"), platform.clock.clone(), Chance::seeded(1))),
            consumer: GroupCommit::start(&database, Consumer),
            database,
            platform,
            folder,
        }
    }

    /// What a new process finds in the file.
    pub async fn reopened(self) -> Self {
        let folder = self.folder.expect("memory forgets");
        Self::on(Database::open_file(&folder.path().join("payment.db"), &SCHEMA).await.unwrap(), Some(folder))
    }

    /// Answers what the bank has to be asked about.
    pub async fn hear(&self, events: Vec<Event>) -> Vec<Payment> {
        self.hear_at(events, MORNING).await
    }

    pub async fn hear_at(&self, events: Vec<Event>, at: Timestamp) -> Vec<Payment> {
        self.consumer.submit((events, at)).await.unwrap()
    }

    pub async fn answer(&self, id: &OrderId, happened: Happened) -> Answered {
        self.book.answer(id, happened, None, MORNING).await.unwrap()
    }

    /// An order that is paid, at this moment.
    pub async fn paid(&self, event: Event, at: Timestamp) -> OrderId {
        let id = event.order_id.clone();
        self.hear_at(vec![event], at).await;
        let answered = self.book.answer(&id, Happened::Charged, None, at).await.unwrap();
        assert_eq!(answered.became, Some(State::Completed));
        id
    }

    pub async fn find(&self, id: &OrderId) -> Payment {
        self.book.find(id).await.unwrap().unwrap()
    }

    pub async fn state(&self, id: &OrderId) -> State {
        self.find(id).await.state
    }

    /// What was told to the others, oldest first.
    pub async fn told(&self) -> Vec<Event> {
        let rows = self.database.all("SELECT document FROM event_outbox ORDER BY id", args![]).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(&row.text(0).unwrap()).unwrap()).collect()
    }

    pub async fn total(&self, name: &str) -> i64 {
        self.book.ledger(MORNING).await.unwrap().total(name)
    }

    pub async fn totals<const N: usize>(&self, names: [&str; N]) -> [i64; N] {
        let page = self.book.ledger(MORNING).await.unwrap();
        names.map(|name| page.total(name))
    }
}

pub fn id(n: u32) -> OrderId {
    OrderId::new(format!("order-{n:04}"))
}

pub fn after(ms: u64) -> Timestamp {
    MORNING + Duration::from_millis(ms)
}

pub fn cents(n: u32) -> i64 {
    1_000 + i64::from(n)
}

fn fact(n: u32, method: &str, reason: Option<&str>) -> OrderFact {
    OrderFact {
        total: Money::from_cents(cents(n)),
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
        reason: reason.map(str::to_owned),
    }
}

fn event(n: u32, fact: Fact) -> Event {
    let mut event = Event::new(id(n), "cosmic-coffee".into(), "Berlin", MORNING, fact);
    event.session = Some("session-a".to_owned());
    event
}

/// The n-th order: its own amount.
pub fn ordered(n: u32) -> Event {
    ordered_by(n, "card")
}

pub fn ordered_by(n: u32, method: &str) -> Event {
    event(n, Fact::OrderCreated(fact(n, method, None)))
}

pub fn ordered_at(n: u32, restaurant: &str) -> Event {
    Event { restaurant_id: restaurant.into(), ..ordered(n) }
}

pub fn cancelled(n: u32) -> Event {
    event(n, Fact::OrderCancelled(fact(n, "card", None)))
}

pub fn rejected(n: u32, why: &str) -> Event {
    event(n, Fact::OrderRejected(fact(n, "card", Some(why))))
}
