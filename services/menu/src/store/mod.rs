//! Where menus and kitchen tickets live: SQL is the truth, Redis a copy for all replicas.

mod book;
mod counts;
mod reports;
mod rows;
mod shared;
mod tickets;
mod writes;

pub use book::SqlMenuBook;
pub use reports::{Sold, SqlReports};
pub use shared::SharedMenus;
pub use tickets::apply;

use async_trait::async_trait;
use contract::menu::{ChangeItem, ChangeRestaurant, MenuItem, Restaurant, RestaurantMenu, WriteItem};
use contract::{ItemId, RestaurantId, Timestamp};
use runtime::store::StoreError;
use runtime::store::sql::Schema;

pub const SCHEMA: Schema = Schema {
    sqlite: &[
        (1, "menu", include_str!("../../migrations/sqlite/0001_menu.sql")),
        (2, "tickets", include_str!("../../migrations/sqlite/0002_tickets.sql")),
    ],
    postgres: &[
        (1, "menu", include_str!("../../migrations/postgres/0001_menu.sql")),
        (2, "tickets", include_str!("../../migrations/postgres/0002_tickets.sql")),
    ],
};

/// All menus, as they were when their version was this one, or newer.
#[derive(Clone, Debug)]
pub struct Kept {
    pub version: i64,
    pub menus: Vec<RestaurantMenu>,
}

/// Who changes something, for the audit: an account's id, never a name.
#[derive(Clone, Debug)]
pub struct Author {
    pub who: String,
    pub role: &'static str,
    pub at: Timestamp,
}

/// A change to the menus. What is written has been checked (`domain::edit`).
#[derive(Clone, Debug)]
pub enum Change {
    /// The menus the platform comes with, into empty tables. Nobody's change: it is not audited.
    Seed(Vec<RestaurantMenu>),
    /// Back to them, whatever is there, and no kitchen tickets.
    Reset(Vec<RestaurantMenu>),
    Restaurant(RestaurantId, ChangeRestaurant),
    AddItem(RestaurantId, WriteItem),
    ReplaceItem(RestaurantId, ItemId, WriteItem),
    ChangeItem(RestaurantId, ItemId, ChangeItem),
    DeleteItem(RestaurantId, ItemId),
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// As it is now; whether it is open is not known here.
    Restaurant(Box<Restaurant>),
    Item(Box<MenuItem>),
    NoRestaurant,
    /// The restaurant has no such item.
    NoItem,
    /// The restaurant has an item of that name.
    Exists(ItemId),
    /// The menu is as long as a menu may be.
    Full,
}

#[derive(Clone, Debug)]
pub struct Written {
    /// Menus of this version hold the change.
    pub version: i64,
    pub outcome: Outcome,
}

/// Restaurants and their items. Each change is one transaction with its line in the audit; of two changes to one field the last stays.
#[async_trait]
pub trait MenuBook: Send + Sync {
    async fn load(&self) -> Result<Kept, StoreError>;

    /// The newest version there is.
    async fn version(&self) -> Result<i64, StoreError>;

    async fn write(&self, change: Change, author: Author) -> Result<Written, StoreError>;
}
