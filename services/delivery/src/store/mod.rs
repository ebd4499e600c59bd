//! Where deliveries and couriers live.

mod arrivals;
mod book;
mod forget;
mod hurry;
mod rows;
mod tick;
mod writes;

pub use arrivals::take;
pub use book::{SCHEMA, SqlDeliveryBook};
pub use forget::KEEP;
pub use rows::word;

use async_trait::async_trait;
use contract::delivery::{Courier, Delivery, DeliveryStatus};
use contract::ledger::LedgerPage;
use contract::{OrderId, Timestamp};
use runtime::store::StoreError;
use std::time::Duration;

/// A delivery with its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub delivery: Delivery,
    /// Who ordered: an account, or a browser's session.
    pub owner: Option<String>,
}

/// What one tick did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    /// For each order that got a courier, how long it waited.
    pub assigned: Vec<Duration>,
    pub picked_up: u32,
    pub completed: u32,
    /// Freelancers who came and went.
    pub joined: u32,
    pub left: u32,
    /// Ways that were begun.
    pub ways: Vec<Begun>,
    /// Orders that wait because their couriers stay home on purpose.
    pub held: u32,
}

/// A way that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    pub city: String,
    /// How fast it is ridden; `None` when it is too short to tell.
    pub metres_per_s: Option<u32>,
    pub slowed: bool,
}

impl Ticked {
    /// Whether others hear of it.
    pub fn told(&self) -> bool {
        !self.assigned.is_empty() || self.picked_up > 0 || self.completed > 0
    }
}

/// What became of a step that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advanced {
    /// The delivery is this now.
    Done(DeliveryStatus),
    /// It was before; nothing changed.
    Already,
    /// This courier has nothing to do with this order.
    NotCarried,
}

/// A request to make the next step.
#[derive(Clone, Debug)]
pub struct Advance {
    pub courier: String,
    pub order_id: OrderId,
    /// Names the request: sent again, it makes no second step. Empty when it has no name.
    pub request: String,
    pub at: Timestamp,
}

#[async_trait]
pub trait DeliveryBook: Send + Sync {
    /// Makes the couriers of every city of the platform that has none yet.
    async fn found(&self, now: Timestamp) -> Result<(), StoreError>;

    /// Moves on what is due, assigns what waits, lets freelancers come and go: in one transaction, with its events. Does nothing and
    /// writes nothing when there is nothing to do.
    async fn tick(&self, now: Timestamp) -> Result<Ticked, StoreError>;

    /// Makes the next step of an order that this courier carries.
    async fn advance(&self, step: Advance) -> Result<Advanced, StoreError>;

    /// Whether this courier rides by itself; false when there is no such courier.
    async fn set_autopilot(&self, id: &str, autopilot: bool) -> Result<bool, StoreError>;

    /// Removes some hundreds of the deliveries that were completed before `before`, and leaves the sums as they are; answers how many.
    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError>;

    /// Back to the couriers of the platform's cities, without any delivery.
    async fn reset(&self, now: Timestamp) -> Result<(), StoreError>;

    async fn find(&self, id: &OrderId, now: Timestamp) -> Result<Option<Record>, StoreError>;

    async fn courier(&self, id: &str, now: Timestamp) -> Result<Option<Courier>, StoreError>;

    /// Couriers by city and name; of all cities when `city` is empty.
    async fn couriers(&self, city: &str, now: Timestamp) -> Result<Vec<Courier>, StoreError>;

    async fn ledger(&self, now: Timestamp) -> Result<LedgerPage, StoreError>;

    /// How many orders wait in each city where any does.
    async fn queues(&self) -> Result<Vec<(String, u64)>, StoreError>;
}
