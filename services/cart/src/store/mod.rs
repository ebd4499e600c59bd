//! Where carts live: memory for one process, Redis for many.

mod lifespan;
mod memory;
mod redis;

pub use lifespan::Lifespan;
pub use memory::MemoryCarts;
pub use redis::RedisCarts;

use async_trait::async_trait;
use contract::cart::Cart;
use contract::{ApiError, CartId};
use runtime::store::StoreError;
use std::time::Duration;

/// A cart is gone after this long without use. Reading it is use. [`Lifespan`] may say less.
pub const TTL: Duration = Duration::from_secs(3600);

/// A change to a cart: may be run more than once, so it must depend on the cart alone.
pub type Change<'a> = &'a (dyn Fn(&mut Cart) -> Result<(), ApiError> + Send + Sync);

/// What became of a change.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Changed(Cart),
    /// The domain said no; the cart is as it was.
    Refused(ApiError),
    /// There is no such cart, or not any more.
    Missing,
    /// Others kept changing it first.
    Busy,
}

/// Every operation is atomic; concurrent changes to one cart all survive.
#[async_trait]
pub trait CartStore: Send + Sync {
    async fn create(&self, cart: &Cart) -> Result<(), StoreError>;

    /// Reads a cart and starts its hour anew.
    async fn get(&self, id: &CartId) -> Result<Option<Cart>, StoreError>;

    async fn change(&self, id: &CartId, change: Change<'_>) -> Result<Outcome, StoreError>;

    /// Removes a cart; answers what it was.
    async fn delete(&self, id: &CartId) -> Result<Option<Cart>, StoreError>;
}
