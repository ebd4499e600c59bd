//! Kitchen tickets to be tried, and events to make them from.

use contract::event::{Event, Fact, OrderFact, OrderedLine};
use contract::geo::Location;
use contract::ledger::LedgerPage;
use contract::menu::Figures;
use contract::order::OrderStatus;
use contract::{ItemId, Money, RestaurantId, Timestamp};
use jiff::tz::TimeZone;
use menu::NAME;
use menu::domain::local_time;
use menu::store::{SCHEMA, SqlReports, apply};
use runtime::args;
use runtime::store::sql::{Apply, Connection, Database, GroupCommit, Row};
use std::time::Duration;
use tempfile::TempDir;

pub const BERLIN: &str = "cosmic-coffee";
pub const BENGALURU: &str = "masala-mission-control";
pub const TOKYO: &str = "event-horizon-ramen";

pub fn zone(id: &RestaurantId) -> TimeZone {
    local_time::zone(match id.as_str() {
        BERLIN => "Europe/Berlin",
        BENGALURU => "Asia/Kolkata",
        TOKYO => "Asia/Tokyo",
        _ => "UTC",
    })
}

/// `2026-11-20T09:30:00Z`
pub fn at(text: &str) -> Timestamp {
    Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

pub fn later(at: Timestamp, seconds: u64) -> Timestamp {
    at + Duration::from_secs(seconds)
}

/// An order reaches a status. It is of one latte and two mochas unless somebody says otherwise.
pub fn event(order: &str, restaurant: &str, status: OrderStatus, at: Timestamp) -> Event {
    let line = |id: &str, quantity| OrderedLine { item_id: id.into(), quantity, total: Money::from_cents(500 * i64::from(quantity)) };
    let told = matches!(status, OrderStatus::Pending | OrderStatus::Paid);
    let fact = OrderFact {
        total: Money::from_cents(1_500),
        units: 3,
        customer_name: "Ada".to_owned(),
        user: None,
        payment_method: "card".to_owned(),
        pricing: None,
        restaurant_name: "A restaurant".to_owned(),
        lines: if told { vec![line("latte", 1), line("mocha", 2)] } else { Vec::new() },
        from: Location::default(),
        to: Location::default(),
        refund: matches!(status, OrderStatus::Cancelled | OrderStatus::Rejected),
        reason: None,
    };
    Event::new(order.into(), restaurant.into(), "Somewhere", at, Fact::of_order(status, fact))
}

/// Other items and another sum.
pub fn of(mut event: Event, cents: i64, items: &[&str]) -> Event {
    if let Fact::OrderPaid(fact) = &mut event.fact {
        fact.total = Money::from_cents(cents);
        fact.units = items.len() as u32;
        fact.lines = items.iter().map(|id| OrderedLine { item_id: (*id).into(), quantity: 1, total: Money::from_cents(1) }).collect();
    }
    event
}

pub struct Books {
    pub reports: SqlReports,
    database: Database,
    writer: GroupCommit<Told>,
    _folder: Option<TempDir>,
}

impl Books {
    pub async fn in_memory() -> Self {
        Self::of(Database::in_memory(NAME, &SCHEMA).await.unwrap(), None)
    }

    pub async fn in_a_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::of(Database::open_file(&folder.path().join("menu.db"), &SCHEMA).await.unwrap(), Some(folder))
    }

    pub async fn in_postgres() -> Self {
        Self::of(Database::open(&testkit::postgres_database().await, NAME, &SCHEMA).await.unwrap(), None)
    }

    fn of(database: Database, folder: Option<TempDir>) -> Self {
        let reports = SqlReports::new(database.clone(), testkit::guard());
        Self { reports, writer: GroupCommit::start(&database, Told), database, _folder: folder }
    }

    /// In one transaction.
    pub async fn tell(&self, events: Vec<Event>) {
        self.writer.submit(events).await.unwrap();
    }

    pub async fn tell_one(&self, order: &str, restaurant: &str, status: OrderStatus, at: Timestamp) {
        self.tell(vec![event(order, restaurant, status, at)]).await;
    }

    pub async fn rows(&self, sql: &'static str) -> Vec<Row> {
        self.database.all(sql, args![]).await.unwrap()
    }

    pub async fn run(&self, sql: &'static str) {
        self.database.run(sql, args![]).await.unwrap();
    }

    pub async fn ledger(&self, now: Timestamp) -> LedgerPage {
        self.reports.ledger(now).await.unwrap()
    }

    /// Tickets, their cents, how many of them are refunded, and their cents.
    pub async fn totals(&self) -> [i64; 4] {
        let page = self.ledger(Timestamp::default()).await;
        ["tickets", "ticket_cents", "refunded_tickets", "refunded_cents"].map(|name| page.total(name))
    }

    pub async fn figures(&self, restaurant: &str, now: Timestamp) -> (Figures, Vec<(ItemId, u32)>) {
        let id = RestaurantId::new(restaurant);
        self.reports.figures(&id, &zone(&id), now).await.unwrap()
    }
}

struct Told;

#[async_trait::async_trait]
impl Apply for Told {
    type Job = Vec<Event>;
    type Done = ();

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Vec<Event>]) -> Result<Vec<()>, sqlx::Error> {
        for events in jobs {
            apply(transaction, events, &zone).await?;
        }
        Ok(vec![(); jobs.len()])
    }
}
