//! Where orders live.

mod board;
mod book;
mod ledger;
mod moves;
mod rows;
mod writes;

pub use book::{SCHEMA, SqlOrderBook};
pub(crate) use moves::Desk;

use crate::domain::Actor;
use async_trait::async_trait;
use contract::ledger::LedgerPage;
use contract::order::{Board, Order, OrderStatus};
use contract::{CartId, OrderId, RestaurantId, Timestamp};
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

/// Where an order came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whose {
    /// Who may see all of it and cancel it: see [`crate::owner_key`].
    pub owner: Option<String>,
    /// The browser's session, for events.
    pub session: Option<String>,
    /// The customer's account.
    pub user: Option<String>,
    /// Of the load generator's making.
    pub synthetic: bool,
    /// W3C trace context of the request that placed it: what the platform does by itself later belongs to that trace, too.
    pub traceparent: Option<String>,
}

/// An order about to be accepted.
#[derive(Clone, Debug)]
pub struct NewOrder {
    pub order: Order,
    pub cart_id: CartId,
    pub whose: Whose,
}

/// An order with its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub order: Order,
    pub owner: Option<String>,
}

/// Whose orders are asked for.
#[derive(Clone, Debug)]
pub enum Owner {
    /// By [`crate::owner_key`].
    One(String),
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
    /// The order ended without food.
    ReleaseStock,
}

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub id: i64,
    pub order_id: OrderId,
    pub task: Task,
    pub attempts: i64,
}

/// A change of status that somebody asks for.
#[derive(Clone, Debug)]
pub struct Change {
    pub order: OrderId,
    pub by: Actor,
    pub to: OrderStatus,
    /// For people, when it ends the order.
    pub reason: Option<String>,
    pub at: Timestamp,
    /// W3C trace context of who asks.
    pub traceparent: Option<String>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    Done(Box<Record>),
    /// Not from where it is.
    Illegal(OrderStatus),
    /// Not by whoever asked.
    NotTheirs,
    Missing,
}

/// Statuses that orders have reached, in order.
pub type Steps = Vec<(OrderId, OrderStatus)>;

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

    /// Moves an order, with its event and whatever else follows, or says why not.
    async fn change(&self, change: &Change) -> Result<Moved, StoreError>;

    /// Lets the kitchens that cook by themselves do what they have to do by `now`: one transaction for at most `limit` orders.
    /// Answers how many there were, and the steps they made.
    async fn cook(&self, now: Timestamp, limit: u32) -> Result<(u32, Steps), StoreError>;

    /// Looks after orders whose deadline has passed by `now`, at most `limit`; answers how many there were, and the steps they made.
    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<(u32, Steps), StoreError>;

    /// A restaurant's orders as its kitchen works on them: a bounded number, whatever there is.
    async fn board(&self, restaurant: &RestaurantId) -> Result<Board, StoreError>;

    async fn set_autopilot(&self, restaurant: &RestaurantId, on: bool) -> Result<(), StoreError>;

    /// Makes the orders of `from` those of `to`, whose account is `user`.
    async fn claim(&self, from: &str, to: &str, user: &str) -> Result<(), StoreError>;

    /// The books, in time that does not depend on how many orders there are.
    async fn ledger(&self, now: Timestamp) -> Result<LedgerPage, StoreError>;

    /// Forgets what moved before `before`.
    async fn forget_recent(&self, before: Timestamp) -> Result<(), StoreError>;

    /// Removes everything: orders, requests, tasks, events that wait, books.
    async fn reset(&self) -> Result<(), StoreError>;

    /// Outbox rows that are due.
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Outgoing>, StoreError>;

    /// Removes what was delivered and puts off what was not.
    async fn settle(&self, done: Vec<i64>, failed: Vec<Outgoing>, now: Timestamp) -> Result<(), StoreError>;
}
