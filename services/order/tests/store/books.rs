//! An order book to be tried, and orders to put into it.

use contract::order::{Order, OrderLine, OrderStatus, Step};
use contract::{CustomerName, Money, Note, OrderId, Timestamp};
use order::NAME;
use order::domain::Actor;
use order::store::{Begun, Change, Intent, Moved, NewOrder, OrderBook, Owner, Page, SCHEMA, SqlOrderBook, Whose};
use runtime::Platform;
use runtime::config::Settings;
use runtime::store::sql::Database;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use testkit::MORNING;

pub struct Books {
    pub book: Arc<dyn OrderBook>,
    pub platform: Platform,
    /// What the book is kept in, for a look at its tables.
    pub database: Database,
    place: Place,
}

enum Place {
    Memory,
    File(TempDir),
    Postgres(String),
}

impl Books {
    pub async fn in_memory() -> Self {
        Self::kept_in(Place::Memory).await
    }

    pub async fn in_a_file() -> Self {
        Self::kept_in(Place::File(tempfile::tempdir().unwrap())).await
    }

    pub async fn in_postgres() -> Self {
        Self::kept_in(Place::Postgres(testkit::postgres_database().await)).await
    }

    async fn kept_in(place: Place) -> Self {
        let (platform, _) = testkit::platform();
        let database = opened(&place).await;
        Self { book: book(&platform, &database), platform, database, place }
    }

    /// What a new process finds.
    pub async fn reopened(self) -> Self {
        let Self { book: old, platform, database, place } = self;
        assert!(!matches!(place, Place::Memory), "memory forgets");
        drop((old, database));
        let database = opened(&place).await;
        Self { book: book(&platform, &database), platform, database, place }
    }

    /// The whole service on these orders. What it calls is nowhere.
    pub async fn served(&self) -> Platform {
        let nowhere = || vec!["http://127.0.0.1:9".to_owned()];
        let (menu_url, cart_url, middleware_url) = (nowhere(), nowhere(), nowhere());
        let settings =
            Settings { database_url: Some(url(&self.place)), seed: Some(1), menu_url, cart_url, middleware_url, ..Settings::default() };
        let (platform, _) = testkit::platform_with(settings);
        platform.embed(&order::build(&platform).await.unwrap());
        platform
    }

    /// What another process works with at the same time.
    pub async fn replica(&self) -> Arc<dyn OrderBook> {
        book(&self.platform, &opened(&self.place).await)
    }

    pub async fn begin(&self, intent: &Intent) -> Begun {
        self.book.begin(intent).await.unwrap()
    }

    pub async fn commit(&self, order: &Order, session: &str) -> bool {
        self.book.commit(&new(order, session)).await.unwrap()
    }

    /// An order that stands, of a cart and under a key of its own.
    pub async fn accepted(&self, n: u32, name: &str, session: &str) -> Order {
        let order = order(n, name);
        assert_eq!(self.begin(&intent(n)).await, Begun::Started);
        assert!(self.commit(&order, session).await);
        order
    }

    pub async fn page(&self, owner: &Owner, name: Option<&str>, after: Option<&OrderId>, limit: u32) -> Vec<OrderId> {
        let page = Page { after: after.cloned(), limit };
        self.book.list(owner, name, &page).await.unwrap().into_iter().map(|order| order.id).collect()
    }

    pub async fn find(&self, id: &OrderId) -> Option<Order> {
        self.book.find(id).await.unwrap().map(|record| record.order)
    }

    pub async fn stale(&self, before: Timestamp) -> Vec<OrderId> {
        self.book.stale(before, 100).await.unwrap()
    }

    /// A move of whoever may make it.
    pub async fn change(&self, n: u32, to: OrderStatus, at: Timestamp) -> Moved {
        self.book.change(&change(n, to, at)).await.unwrap()
    }

    /// All rows of a look into the tables, as text.
    pub async fn look(&self, sql: &'static str) -> Vec<String> {
        let rows = self.database.all(sql, Vec::new()).await.unwrap();
        rows.iter().map(|row| row.text(0).unwrap()).collect()
    }

    /// An order that stands, and went as far as `status`, a second a step.
    pub async fn at(&self, n: u32, status: OrderStatus) -> Order {
        self.accepted(n, "Ada", "mine").await;
        for (step, to) in (1..).zip(way_to(status)) {
            let moved = self.change(n, to, at(n) + Duration::from_secs(step)).await;
            assert!(matches!(moved, Moved::Done(_)), "{to:?}: {moved:?}");
        }
        self.find(&id(n)).await.unwrap()
    }

    /// How many tasks there are, due or not.
    pub async fn tasks(&self) -> usize {
        self.book.due(Timestamp::from_millis(i64::MAX), 10_000).await.unwrap().len()
    }
}

fn url(place: &Place) -> String {
    match place {
        Place::Memory => "sqlite::memory:".to_owned(),
        Place::File(folder) => format!("sqlite:{}", folder.path().join("order.db").display()),
        Place::Postgres(url) => url.clone(),
    }
}

async fn opened(place: &Place) -> Database {
    Database::open(&url(place), NAME, &SCHEMA).await.unwrap()
}

pub fn book(platform: &Platform, database: &Database) -> Arc<dyn OrderBook> {
    let guard = platform.guard(NAME, "orders", database.backend());
    Arc::new(SqlOrderBook::new(database.clone(), guard, platform.chance.clone()))
}

pub fn id(n: u32) -> OrderId {
    OrderId::new(format!("order-{n:04}"))
}

/// The n-th request: its own key, cart and body, a second after the one before.
pub fn intent(n: u32) -> Intent {
    Intent {
        order_id: id(n),
        scope: "session-a".to_owned(),
        key: format!("key-{n}"),
        cart_id: format!("cart-{n}").as_str().into(),
        body_hash: format!("hash-{n}"),
        at: at(n),
    }
}

pub fn at(n: u32) -> Timestamp {
    MORNING + Duration::from_secs(u64::from(n))
}

pub fn order(n: u32, name: &str) -> Order {
    let line = OrderLine {
        item_id: "nebula-latte".into(),
        item_name: "Nebula Latte".to_owned(),
        item_emoji: "🌌".to_owned(),
        quantity: 2,
        base_price: Money::from_cents(599),
        item_total: Money::from_cents(1_198),
        rules: Vec::new(),
        choice: Some("Oat, Large".to_owned()),
    };
    Order {
        id: id(n),
        customer_name: Some(CustomerName::parse(name).unwrap()),
        restaurant_id: "cosmic-coffee".into(),
        restaurant_name: "Cosmic Coffee".to_owned(),
        items: vec![line],
        total_price: Money::from_cents(1_198),
        subtotal: Money::from_cents(1_198),
        fees: Vec::new(),
        discounts: Vec::new(),
        status: OrderStatus::Pending,
        timestamp: at(n),
        updated_at: at(n),
        city: "Berlin".to_owned(),
        history: vec![Step { status: OrderStatus::Pending, at: at(n) }],
        reason: None,
        payment_method: Some("card".to_owned()),
        promotion: None,
        pricing: Some("v1".to_owned()),
        from: None,
        to: None,
        special_instructions: Some(Note::parse("not too hot").unwrap()),
        address: None,
    }
}

/// What happens to an order until it is there, by the shortest way.
pub fn way_to(status: OrderStatus) -> Vec<OrderStatus> {
    use OrderStatus::{Accepted, Assigned, Cancelled, Delivered, Paid, PaymentFailed, PickedUp, Preparing, Ready, Rejected};
    const WAY: [OrderStatus; 7] = [Paid, Accepted, Preparing, Ready, Assigned, PickedUp, Delivered];
    match status {
        OrderStatus::Pending => Vec::new(),
        Cancelled | PaymentFailed => vec![status],
        Rejected => vec![Paid, Rejected],
        _ => WAY[..=WAY.iter().position(|step| *step == status).unwrap()].to_vec(),
    }
}

/// A move, by somebody who may make it.
pub fn change(n: u32, to: OrderStatus, at: Timestamp) -> Change {
    let by = Actor::ALL.into_iter().find(|actor| actor.may_make(to)).unwrap();
    Change { order: id(n), by, to, reason: None, at, traceparent: None }
}

/// An order as it is committed, with the cart that [`intent`] gives it.
pub fn new(order: &Order, session: &str) -> NewOrder {
    let n: u32 = order.id.as_str().trim_start_matches("order-").parse().unwrap();
    let whose = Whose { owner: Some(session.to_owned()), session: Some("a-browser".to_owned()), ..Whose::default() };
    NewOrder { order: order.clone(), cart_id: intent(n).cart_id, whose }
}

pub fn session(name: &str) -> Owner {
    Owner::One(name.to_owned())
}
