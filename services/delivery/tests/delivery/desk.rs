//! A book of deliveries to be tried, the time it lives in, and orders to put into it.

use async_trait::async_trait;
use contract::delivery::{Courier, Delivery, DeliveryStatus};
use contract::event::{DeliveryFact, Event, Fact, OrderFact};
use contract::geo::Location;
use contract::{Money, OrderId, Timestamp};
use delivery::NAME;
use delivery::faults::Faults;
use delivery::store::{Advance, Advanced, DeliveryBook, SCHEMA, SqlDeliveryBook, Ticked, take};
use runtime::clock::{Clock, ManualClock};
use runtime::store::sql::{Apply, Connection, Database, GroupCommit};
use runtime::{Platform, args};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

pub const SEED: u64 = 1;

/// More than any ride takes.
pub const WHILE: Duration = Duration::from_secs(20);

pub struct Desk {
    pub book: Arc<dyn DeliveryBook>,
    pub database: Database,
    pub platform: Platform,
    pub clock: ManualClock,
    arrivals: GroupCommit<Arrivals>,
    place: Place,
}

enum Place {
    Memory,
    File(TempDir),
    Postgres(String),
}

/// Takes orders in as the service's handler does.
struct Arrivals;

#[async_trait]
impl Apply for Arrivals {
    type Job = (Vec<Event>, Timestamp);
    type Done = ();

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Self::Job]) -> Result<Vec<()>, sqlx::Error> {
        for (events, now) in jobs {
            let ready: Vec<_> = events.iter().map(|event| (event, event.fact.order().unwrap().1)).collect();
            take(transaction, &ready, SEED, *now).await?;
        }
        Ok(vec![(); jobs.len()])
    }
}

impl Desk {
    pub async fn in_memory() -> Self {
        Self::at(Place::Memory).await
    }

    pub async fn in_a_file() -> Self {
        Self::at(Place::File(tempfile::tempdir().unwrap())).await
    }

    pub async fn in_postgres() -> Self {
        Self::at(Place::Postgres(testkit::postgres_database().await)).await
    }

    async fn at(place: Place) -> Self {
        let (platform, clock) = testkit::platform();
        Self::opened(platform, clock, place).await
    }

    async fn opened(platform: Platform, clock: ManualClock, place: Place) -> Self {
        let (book, database) = open(&platform, &place).await;
        book.found(clock.now()).await.unwrap();
        let arrivals = GroupCommit::start(&database, Arrivals);
        Self { book, database, platform, clock, arrivals, place }
    }

    /// What a new process finds.
    pub async fn reopened(self) -> Self {
        let Self { book, database, platform, clock, arrivals, place } = self;
        assert!(!matches!(place, Place::Memory), "memory forgets");
        drop((book, database, arrivals));
        Self::opened(platform, clock, place).await
    }

    /// What another process works with at the same time.
    pub async fn replica(&self) -> Arc<dyn DeliveryBook> {
        open(&self.platform, &self.place).await.0
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub async fn arrive(&self, orders: &[Event]) {
        self.arrivals.submit((orders.to_vec(), self.now())).await.unwrap();
    }

    pub async fn tick(&self) -> Ticked {
        self.book.tick(self.now()).await.unwrap()
    }

    pub async fn after(&self, time: Duration) -> Ticked {
        self.clock.advance(time);
        self.tick().await
    }

    pub async fn find(&self, order: &str) -> Delivery {
        self.book.find(&OrderId::new(order), self.now()).await.unwrap().unwrap().delivery
    }

    pub async fn status(&self, order: &str) -> DeliveryStatus {
        self.find(order).await.status
    }

    /// The id of whoever has it.
    pub async fn carrier(&self, order: &str) -> Option<String> {
        self.find(order).await.courier.map(|courier| courier.id)
    }

    pub async fn courier(&self, id: &str) -> Courier {
        self.book.courier(id, self.now()).await.unwrap().unwrap()
    }

    pub async fn couriers(&self, city: &str) -> Vec<Courier> {
        self.book.couriers(city, self.now()).await.unwrap()
    }

    /// An order in the hands of a courier.
    pub async fn assigned(&self, order: &str) -> String {
        self.arrive(&[ready(order, "Berlin", self.now())]).await;
        assert_eq!(self.tick().await.assigned.len(), 1);
        self.carrier(order).await.unwrap()
    }

    pub async fn advance(&self, courier: &str, order: &str, request: &str) -> Advanced {
        let step = Advance { courier: courier.to_owned(), order_id: OrderId::new(order), request: request.to_owned(), at: self.now() };
        self.book.advance(step).await.unwrap()
    }

    /// Everything that was told, in order.
    pub async fn told(&self) -> Vec<Event> {
        let rows = self.database.all("SELECT document FROM event_outbox ORDER BY id", args![]).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(&row.text(0).unwrap()).unwrap()).collect()
    }

    pub async fn number(&self, sql: &'static str) -> i64 {
        self.database.one(sql, args![]).await.unwrap().int(0).unwrap()
    }

    /// Whatever else is true: who carries and what is carried are pairs.
    pub async fn check_pairs(&self) {
        let carried = self.number("SELECT COUNT(*) FROM deliveries WHERE status IN ('assigned', 'pickedUp')").await;
        let busy = self.number("SELECT COUNT(*) FROM couriers WHERE order_id IS NOT NULL").await;
        let pairs = self
            .number(
                "SELECT COUNT(*) FROM deliveries AS d JOIN couriers AS c ON c.id = d.courier_id AND c.order_id = d.order_id
                WHERE d.status IN ('assigned', 'pickedUp')",
            )
            .await;
        assert_eq!((carried, busy), (pairs, pairs));
    }
}

async fn open(platform: &Platform, place: &Place) -> (Arc<dyn DeliveryBook>, Database) {
    let url = match place {
        Place::Memory => "sqlite::memory:".to_owned(),
        Place::File(folder) => format!("sqlite:{}", folder.path().join("delivery.db").display()),
        Place::Postgres(url) => url.clone(),
    };
    let database = Database::open(&url, NAME, &SCHEMA).await.unwrap();
    let (guard, faults) = (platform.guard(NAME, "deliveries", database.backend()), Faults::new(platform.chaos(NAME)));
    (Arc::new(SqlDeliveryBook::new(database.clone(), SEED, guard, faults)), database)
}

pub const RESTAURANT: Location = Location { x: 5_000, y: 5_000 };
pub const DOOR: Location = Location { x: 5_000, y: 7_400 };

/// An order whose kitchen is ready.
pub fn ready(order: &str, city: &str, at: Timestamp) -> Event {
    ready_at(order, city, at, RESTAURANT)
}

pub fn ready_at(order: &str, city: &str, at: Timestamp, from: Location) -> Event {
    let fact = OrderFact {
        total: Money::from_cents(1_198),
        units: 2,
        customer_name: "Ada".to_owned(),
        user: None,
        payment_method: "card".to_owned(),
        pricing: None,
        restaurant_name: "Cosmic Coffee".to_owned(),
        lines: Vec::new(),
        from,
        to: DOOR,
        refund: false,
        reason: None,
    };
    let mut event = Event::new(OrderId::new(order), "cosmic-coffee".into(), city, at, Fact::OrderReady(fact));
    event.session = Some("session-a".to_owned());
    event.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    event
}

/// `count` orders that were ready one millisecond after the other.
pub fn many(count: u32, city: &str, at: Timestamp) -> Vec<Event> {
    (0..count).map(|n| ready(&format!("order-{n:05}"), city, at + Duration::from_millis(n.into()))).collect()
}

pub fn fact(event: &Event) -> &DeliveryFact {
    match &event.fact {
        Fact::DeliveryAssigned(fact) | Fact::DeliveryPickedUp(fact) | Fact::DeliveryCompleted(fact) => fact,
        other => panic!("{} is not ours", other.kind()),
    }
}
