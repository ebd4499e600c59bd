//! Stock to be tried, whatever it is made of.

use contract::pricing::{PricedLine, Reservation, ReservationState};
use contract::{ItemId, Money, OrderId};
use fred::prelude::*;
use middleware::NAME;
use middleware::domain::stock::Take;
use middleware::store::{MemoryStock, NoJournal, RedisStock, Reserved, SCHEMA, SqlJournal, Stock, Taken};
use runtime::Platform;
use runtime::args;
use runtime::store::sql::{Database, Row};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tempfile::TempDir;
use testkit::RedisServer;

/// What an item begins with, unless a test says otherwise.
pub const INITIAL: i64 = 250;

pub struct Shelf {
    pub stock: Arc<dyn Stock>,
    pub platform: Platform,
    backend: Backend,
}

enum Backend {
    Memory,
    /// The address, and the folder of a file.
    Sql(String, Option<TempDir>),
    Redis(RedisServer),
}

impl Shelf {
    pub async fn in_memory() -> Self {
        let (platform, _) = testkit::platform();
        let guard = platform.guard(NAME, "stock", "memory");
        let stock = MemoryStock::recover(NoJournal, platform.clock.clone(), guard).await.unwrap();
        Self { stock: Arc::new(stock), platform, backend: Backend::Memory }
    }

    pub async fn in_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("middleware.db").display());
        Self::in_sql(url, Some(folder)).await
    }

    pub async fn in_postgres() -> Self {
        Self::in_sql(testkit::postgres_database().await, None).await
    }

    async fn in_sql(url: String, folder: Option<TempDir>) -> Self {
        let (platform, _) = testkit::platform();
        Self { stock: journaled(&platform, &url).await, platform, backend: Backend::Sql(url, folder) }
    }

    pub async fn in_redis() -> Self {
        let (platform, _) = testkit::platform();
        let server = RedisServer::start();
        Self { stock: in_redis(&platform, &server).await, platform, backend: Backend::Redis(server) }
    }

    /// What a new process finds. Everything that was answered must be there.
    pub async fn restarted(self) -> Self {
        let Self { stock, platform, backend } = self;
        drop(stock);
        match backend {
            Backend::Memory => panic!("memory forgets"),
            Backend::Sql(url, folder) => Self { stock: journaled(&platform, &url).await, platform, backend: Backend::Sql(url, folder) },
            Backend::Redis(mut server) => {
                server.written().await;
                server.kill();
                server.restart();
                Self { stock: in_redis(&platform, &server).await, platform, backend: Backend::Redis(server) }
            }
        }
    }

    /// A Redis with nothing in it.
    pub async fn emptied(&self) {
        let Backend::Redis(server) = &self.backend else { panic!("there is no Redis") };
        server.connect().await.pool().next().flushall::<()>(false).await.unwrap();
    }

    /// How long Redis will know the order's reservation, in seconds; `None`: until somebody settles it.
    pub async fn known_for_s(&self, order: &str) -> Option<i64> {
        let Backend::Redis(server) = &self.backend else { panic!("there is no Redis") };
        let seconds: i64 = server.connect().await.pool().next().ttl(format!("reservation:{order}")).await.unwrap();
        assert_ne!(seconds, -2, "nobody knows it");
        (seconds >= 0).then_some(seconds)
    }

    /// Another connection to what the journal is written to.
    pub async fn database(&self) -> Database {
        match &self.backend {
            Backend::Sql(url, _) => opened(url).await,
            _ => panic!("there is no database"),
        }
    }

    /// The journal: item, kind, signed quantity, order or nothing.
    pub async fn movements(&self) -> Vec<(ItemId, String, i64, String)> {
        match &self.backend {
            Backend::Memory => Vec::new(),
            Backend::Sql(url, _) => {
                let statement = "SELECT item_id, kind, quantity, COALESCE(order_id, '') FROM movements ORDER BY id";
                let rows = opened(url).await.all(statement, args![]).await.unwrap();
                let movement =
                    |row: &Row| -> Result<_, sqlx::Error> { Ok((ItemId::new(row.text(0)?), row.text(1)?, row.int(2)?, row.text(3)?)) };
                rows.iter().map(|row| movement(row).unwrap()).collect()
            }
            Backend::Redis(server) => {
                let redis = server.connect().await;
                let entries: Vec<(String, HashMap<String, String>)> =
                    redis.pool().next().xrange_values("stock:journal", "-", "+", None).await.unwrap();
                let movement = |fields: HashMap<String, String>| {
                    let quantity = fields["quantity"].parse().unwrap();
                    (ItemId::new(fields["item"].clone()), fields["kind"].clone(), quantity, fields["order"].clone())
                };
                entries.into_iter().map(|(_, fields)| movement(fields)).collect()
            }
        }
    }

    /// What each item's movements add up to.
    pub async fn sums(&self) -> BTreeMap<ItemId, i64> {
        let mut sums = BTreeMap::new();
        for (item, _, quantity, _) in self.movements().await {
            *sums.entry(item).or_default() += quantity;
        }
        sums
    }

    pub async fn set(&self, item: &str, quantity: i64) {
        self.stock.set(&item.into(), quantity).await.unwrap();
    }

    /// What is there now; `None` when nobody asked for it before.
    pub async fn level(&self, item: &str) -> Option<i64> {
        self.levels().await.get(&ItemId::from(item)).copied()
    }

    pub async fn levels(&self) -> BTreeMap<ItemId, i64> {
        self.stock.levels().await.unwrap().into_iter().map(|level| (level.item_id, level.current_stock)).collect()
    }

    pub async fn take(&self, item: &str, quantity: i64) -> Taken {
        self.stock.take(&wanted(item, quantity)).await.unwrap()
    }

    pub async fn reserve(&self, order: &str, lines: &[(&str, i64)]) -> Reserved {
        reserve(&*self.stock, order, lines).await
    }

    pub async fn release(&self, order: &str) {
        self.stock.release(&order.into()).await.unwrap();
    }

    pub async fn confirm(&self, orders: &[&str]) {
        let orders: Vec<OrderId> = orders.iter().map(|order| OrderId::from(*order)).collect();
        self.stock.confirm(&orders).await.unwrap();
    }
}

async fn opened(url: &str) -> Database {
    Database::open(url, NAME, &SCHEMA).await.unwrap()
}

async fn journaled(platform: &Platform, url: &str) -> Arc<dyn Stock> {
    let database = opened(url).await;
    let guard = platform.guard(NAME, "stock", database.backend());
    Arc::new(MemoryStock::recover(SqlJournal::new(database), platform.clock.clone(), guard).await.unwrap())
}

async fn in_redis(platform: &Platform, server: &RedisServer) -> Arc<dyn Stock> {
    Arc::new(RedisStock::new(server.connect().await, platform.clock.clone(), platform.guard(NAME, "stock", "redis")))
}

/// A take for which chance drew no refill.
pub fn wanted(item: &str, quantity: i64) -> Take {
    Take { item: item.into(), quantity, initial: INITIAL, refill: 0 }
}

pub fn reservation(order: &str, lines: &[(&str, i64)]) -> Reservation {
    let line = |(item, quantity): &(&str, i64)| PricedLine {
        item_id: (*item).into(),
        quantity: u32::try_from(*quantity).unwrap(),
        base_price: Money::from_cents(599),
        total: Money::from_cents(599 * quantity),
        rules: vec!["Rush hour +10 %".to_owned()],
    };
    let total = Money::from_cents(lines.iter().map(|(_, quantity)| 599 * quantity).sum());
    Reservation {
        order_id: order.into(),
        state: ReservationState::Reserved,
        lines: lines.iter().map(line).collect(),
        fees: Vec::new(),
        discounts: Vec::new(),
        subtotal: total,
        total,
        pricing: "v1".to_owned(),
    }
}

pub async fn reserve(stock: &dyn Stock, order: &str, lines: &[(&str, i64)]) -> Reserved {
    let takes: Vec<Take> = lines.iter().map(|(item, quantity)| wanted(item, *quantity)).collect();
    stock.reserve(&reservation(order, lines), &takes).await.unwrap()
}
