//! Where stock, reservations and quotes live.
//!
//! Memory with a journal in SQL for one process, Redis for many. Both pass one conformance suite.

mod anew;
mod copy;
mod forget;
mod journal;
mod memory;
mod promotions;
mod quotes;
mod redis;

pub use anew::begin_anew;
pub use copy::Copier;
pub use forget::{KEEP_SETTLED, forget_settled};
pub use journal::{Appending, Entry, Found, Held, Journal, Moved, NoJournal, Recovered, SCHEMA, SqlJournal};
pub use memory::MemoryStock;
pub use promotions::{Promotions, normal};
pub use quotes::{MemoryQuotes, QUOTE_TTL, QuoteStore, RedisQuotes};
pub use redis::{RedisStock, SETTLED_SECONDS};

use crate::domain::stock::Take;
use async_trait::async_trait;
use contract::pricing::{Reservation, StockLevel};
use contract::{ItemId, OrderId};
use runtime::store::StoreError;

/// What became of a request to reserve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// Taken now.
    New { refills: u64 },
    /// The same order asked before; nothing was taken again.
    Before(Reservation),
    /// There is not enough of this item; nothing was taken of any.
    OutOfStock { item: ItemId, left: i64 },
    /// The order gave up its reservation already, perhaps before this request arrived.
    Released,
}

/// What became of a single take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub available: bool,
    /// What is there now.
    pub left: i64,
    pub refilled: bool,
}

/// Every operation is one atomic step: check, take, decide the refill, write the journal.
#[async_trait]
pub trait Stock: Send + Sync {
    async fn take(&self, take: &Take) -> Result<Taken, StoreError>;

    /// Takes all of `takes` or none, and remembers `reservation` under its order.
    async fn reserve(&self, reservation: &Reservation, takes: &[Take]) -> Result<Reserved, StoreError>;

    /// Orders were accepted: their stock stays taken. Unknown orders are passed over.
    async fn confirm(&self, orders: &[OrderId]) -> Result<(), StoreError>;

    /// Gives the stock back, once, and makes sure that a reservation that arrives later takes nothing.
    async fn release(&self, order: &OrderId) -> Result<(), StoreError>;

    /// Stock of every item that was ever asked for, sorted by item.
    async fn levels(&self) -> Result<Vec<StockLevel>, StoreError>;

    /// Stock of these items; those nobody ever asked for are left out.
    async fn levels_of(&self, items: &[ItemId]) -> Result<Vec<StockLevel>, StoreError>;

    /// # Errors
    /// The store is down. `quantity` must not be negative.
    async fn set(&self, item: &ItemId, quantity: i64) -> Result<StockLevel, StoreError>;

    /// Forgets everything: each item begins anew with its next take.
    async fn reset(&self) -> Result<(), StoreError>;
}
