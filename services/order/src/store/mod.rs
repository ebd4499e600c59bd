//! Where orders live.

mod book;
mod writes;

pub use book::{SCHEMA, SqlOrderBook};

use async_trait::async_trait;
use contract::order::{Order, OrderStatus};
use contract::{CartId, OrderId, Timestamp};
use runtime::store::StoreError;

/// A request to order, before anything else happens.
#[derive(Clone, Debug)]
pub struct Intent {
    pub order_id: OrderId,
    /// Whose keys these are: a session or a client.
    pub scope: String,
    pub key: String,
    pub cart_id: CartId,
    pub body_hash: String,
    pub at: Timestamp,
}

/// What became of an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    Started,
    /// The order this request made, as it was answered.
    Replay(Box<Order>),
    /// The same request, or one for the same cart, is being worked on.
    InFlight,
    /// This key's or this cart's last request was given up, and its stock is still to be released.
    GivenUp(OrderId),
    /// The key was used for another body.
    OtherBody,
    /// Another request made an order of this cart.
    CartOrdered(OrderId),
}

/// An order about to be accepted.
#[derive(Clone, Debug)]
pub struct NewOrder {
    pub order: Order,
    pub cart_id: CartId,
    /// Who owns it.
    pub session: Option<String>,
}

/// An order with its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub order: Order,
    pub session: Option<String>,
}

/// Whose orders are asked for.
#[derive(Clone, Debug)]
pub enum Owner {
    Session(String),
    /// Operators see all.
    Everybody,
}

/// A page of a list: what comes after `after`, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    pub after: Option<OrderId>,
    pub limit: u32,
}

/// What an order still has to tell others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    ConfirmStock,
    ClearCart(CartId),
}

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub id: i64,
    pub order_id: OrderId,
    pub task: Task,
    pub attempts: i64,
}

/// What became of a change of status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    Done(Box<Record>),
    /// Not from where it is.
    Illegal(OrderStatus),
    Missing,
}

#[async_trait]
pub trait OrderBook: Send + Sync {
    /// Claims key and cart for this order, or says who has them.
    async fn begin(&self, intent: &Intent) -> Result<Begun, StoreError>;

    /// Turns the intent into the order, with its outbox rows, in one transaction. False when the intent was given up.
    async fn commit(&self, order: &NewOrder) -> Result<bool, StoreError>;

    /// Removes an intent that reserved nothing. False when there is none.
    async fn discard(&self, id: &OrderId) -> Result<bool, StoreError>;

    /// Marks an intent as given up; true when it is (also from before), false when the order stands or nothing is known of it.
    async fn abort(&self, id: &OrderId) -> Result<bool, StoreError>;

    /// Removes what [`OrderBook::abort`] marked, once its stock is released.
    async fn forget(&self, id: &OrderId) -> Result<(), StoreError>;

    /// Whether other processes write to it, too: then an intent from before this process began may be somebody's work.
    fn is_shared(&self) -> bool;

    /// Intents begun before `before` that are not orders, and whatever was given up and not forgotten, oldest first.
    async fn stale(&self, before: Timestamp, limit: u32) -> Result<Vec<OrderId>, StoreError>;

    /// Forgets answers older than `before`. The orders stay.
    async fn forget_answers(&self, before: Timestamp) -> Result<(), StoreError>;

    async fn find(&self, id: &OrderId) -> Result<Option<Record>, StoreError>;

    async fn list(&self, owner: &Owner, customer: Option<&str>, page: &Page) -> Result<Vec<Order>, StoreError>;

    /// Names that were ordered under, sorted; those after `after`.
    async fn customers(&self, owner: &Owner, after: Option<&str>, limit: u32) -> Result<Vec<String>, StoreError>;

    async fn set_status(&self, id: &OrderId, status: OrderStatus, at: Timestamp) -> Result<Moved, StoreError>;

    /// Outbox rows that are due.
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Outgoing>, StoreError>;

    /// Removes what was delivered and puts off what was not.
    async fn settle(&self, done: Vec<i64>, failed: Vec<Outgoing>, now: Timestamp) -> Result<(), StoreError>;
}
