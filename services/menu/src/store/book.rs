//! Menus in SQL.

use super::rows::{self, item_columns, restaurant_columns};
use super::writes::{Job, MenuWrites};
use super::{Author, Change, Kept, MenuBook, Written};
use async_trait::async_trait;
use runtime::args;
use runtime::store::sql::{Database, GroupCommit};
use runtime::store::{StoreError, StoreGuard};

pub struct SqlMenuBook {
    database: Database,
    writer: GroupCommit<MenuWrites>,
    guard: StoreGuard,
}

impl SqlMenuBook {
    pub fn new(database: Database, guard: StoreGuard) -> Self {
        Self { writer: GroupCommit::start(&database, MenuWrites), database, guard }
    }

    async fn read_version(&self) -> Result<i64, StoreError> {
        Ok(self.database.one("SELECT version FROM menu_version", args![]).await?.int(0)?)
    }

    async fn read_all(&self) -> Result<Kept, StoreError> {
        // The version first: what is read after it is of that version or newer, and never passes for newer than it is.
        let version = self.read_version().await?;
        let restaurants = concat!("SELECT ", restaurant_columns!(), " FROM restaurants ORDER BY place, id");
        let restaurants = self.database.all(restaurants, args![]).await?;
        let items = self.database.all(concat!("SELECT ", item_columns!(), " FROM items ORDER BY place, id"), args![]).await?;
        let restaurants = restaurants.iter().map(rows::restaurant).collect::<Result<_, _>>()?;
        let items = items.iter().map(rows::item).collect::<Result<_, _>>()?;
        Ok(Kept { version, menus: rows::joined(restaurants, items) })
    }
}

#[async_trait]
impl MenuBook for SqlMenuBook {
    async fn load(&self) -> Result<Kept, StoreError> {
        self.guard.run("load", self.read_all()).await
    }

    async fn version(&self) -> Result<i64, StoreError> {
        // Asked once a second by every process: a span and a measurement each time would say nothing.
        self.read_version().await
    }

    async fn write(&self, change: Change, author: Author) -> Result<Written, StoreError> {
        self.guard.run("write", self.writer.submit(Job { change, author })).await
    }
}
