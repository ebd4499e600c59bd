//! Carts in this process.

use super::{CartStore, Change, Lifespan, Outcome};
use async_trait::async_trait;
use contract::CartId;
use contract::cart::Cart;
use runtime::clock::SharedClock;
use runtime::store::{ExpiringMap, StoreError, StoreGuard};

/// About 100 MB of carts with two lines each; beyond, those unused for longest make room.
const CAPACITY: usize = 200_000;

pub struct MemoryCarts {
    carts: ExpiringMap<CartId, Cart>,
    guard: StoreGuard,
    lifespan: Lifespan,
}

impl MemoryCarts {
    pub fn new(clock: SharedClock, guard: StoreGuard, lifespan: Lifespan) -> Self {
        Self { carts: ExpiringMap::new(clock, CAPACITY), guard, lifespan }
    }
}

#[async_trait]
impl CartStore for MemoryCarts {
    async fn create(&self, cart: &Cart) -> Result<(), StoreError> {
        let ttl = self.lifespan.time_left("create carts").await;
        let write = async {
            self.carts.insert(&cart.id, cart.clone(), ttl);
            Ok(())
        };
        self.guard.run("create", write).await
    }

    async fn get(&self, id: &CartId) -> Result<Option<Cart>, StoreError> {
        let ttl = self.lifespan.time_left("get carts").await;
        let read = async { Ok(self.carts.update(id, ttl, |cart| (cart.cloned(), cart.cloned()))) };
        self.guard.run("get", read).await
    }

    async fn change(&self, id: &CartId, change: Change<'_>) -> Result<Outcome, StoreError> {
        let ttl = self.lifespan.time_left("change carts").await;
        let write = async {
            Ok(self.carts.update(id, ttl, |current| {
                let Some(current) = current else { return (None, Outcome::Missing) };
                let mut next = current.clone();
                match change(&mut next) {
                    Ok(()) => (Some(next.clone()), Outcome::Changed(next)),
                    Err(refusal) => (Some(current.clone()), Outcome::Refused(refusal)),
                }
            }))
        };
        self.guard.run("change", write).await
    }

    async fn delete(&self, id: &CartId) -> Result<Option<Cart>, StoreError> {
        self.guard.run("delete", async { Ok(self.carts.remove(id)) }).await
    }
}
