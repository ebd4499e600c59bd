//! An order book to be tried, and orders to put into it.

use contract::order::{Order, OrderLine, OrderStatus, Step};
use contract::{CustomerName, Money, Note, OrderId, Timestamp};
use order::NAME;
use order::domain::Actor;
use order::store::{Begun, Change, Intent, Moved, NewOrder, OrderBook, Owner, Page, SCHEMA, SqlOrderBook, Whose};
use runtime::Platform;
use runtime::store::sql::Database;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use testkit::MORNING;

pub struct Books {
    pub book: Arc<dyn OrderBook>,
    pub platform: Platform,
    place: Place,
}

enum Place {
    Memory,
    File(TempDir),
    Postgres(String),
}

impl Books {
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
        let (platform, _) = testkit::platform();
        Self { book: opened(&platform, &place).await, platform, place }
    }

    /// What a new process finds.
    pub async fn reopened(self) -> Self {
        let Self { book: old, platform, place } = self;
        assert!(!matches!(place, Place::Memory), "memory forgets");
        drop(old);
        Self { book: opened(&platform, &place).await, platform, place }
    }

    /// What another process works with at the same time.
    pub async fn replica(&self) -> Arc<dyn OrderBook> {
        opened(&self.platform, &self.place).await
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

    /// How many tasks there are, due or not.
    pub async fn tasks(&self) -> usize {
        self.book.due(Timestamp::from_millis(i64::MAX), 10_000).await.unwrap().len()
    }
}

async fn opened(platform: &Platform, place: &Place) -> Arc<dyn OrderBook> {
    let url = match place {
        Place::Memory => "sqlite::memory:".to_owned(),
        Place::File(folder) => format!("sqlite:{}", folder.path().join("order.db").display()),
        Place::Postgres(url) => url.clone(),
    };
    let database = Database::open(&url, NAME, &SCHEMA).await.unwrap();
    let guard = platform.guard(NAME, "orders", database.backend());
    Arc::new(SqlOrderBook::new(database, guard, platform.chance.clone()))
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
