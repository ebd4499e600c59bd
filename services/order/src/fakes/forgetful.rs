//! An order book whose answers get lost.

use crate::store::{Begun, Change, Intent, Moved, NewOrder, OrderBook, Outgoing, Owner, Page, Record, SqlOrderBook, Steps};
use async_trait::async_trait;
use contract::ledger::LedgerPage;
use contract::order::{Board, Order};
use contract::{OrderId, RestaurantId, Timestamp};
use runtime::store::StoreError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An order book that commits and then loses the answer, when it is told to.
pub struct Forgetful {
    pub book: SqlOrderBook,
    pub lose_commits: Arc<AtomicBool>,
}

#[async_trait]
impl OrderBook for Forgetful {
    async fn commit(&self, order: &NewOrder) -> Result<bool, StoreError> {
        let outcome = self.book.commit(order).await;
        if self.lose_commits.load(Ordering::SeqCst) { Err(StoreError::Unavailable("the answer was lost".to_owned())) } else { outcome }
    }
    async fn begin(&self, intent: &Intent) -> Result<Begun, StoreError> {
        self.book.begin(intent).await
    }
    async fn discard(&self, id: &OrderId) -> Result<bool, StoreError> {
        self.book.discard(id).await
    }
    async fn abort(&self, id: &OrderId) -> Result<bool, StoreError> {
        self.book.abort(id).await
    }
    async fn forget(&self, id: &OrderId) -> Result<(), StoreError> {
        self.book.forget(id).await
    }
    fn is_shared(&self) -> bool {
        self.book.is_shared()
    }
    async fn stale(&self, before: Timestamp, limit: u32) -> Result<Vec<OrderId>, StoreError> {
        self.book.stale(before, limit).await
    }
    async fn forget_answers(&self, before: Timestamp) -> Result<(), StoreError> {
        self.book.forget_answers(before).await
    }
    async fn find(&self, id: &OrderId) -> Result<Option<Record>, StoreError> {
        self.book.find(id).await
    }
    async fn list(&self, owner: &Owner, customer: Option<&str>, page: &Page) -> Result<Vec<Order>, StoreError> {
        self.book.list(owner, customer, page).await
    }
    async fn customers(&self, owner: &Owner, after: Option<&str>, limit: u32) -> Result<Vec<String>, StoreError> {
        self.book.customers(owner, after, limit).await
    }
    async fn change(&self, change: &Change) -> Result<Moved, StoreError> {
        self.book.change(change).await
    }
    async fn cook(&self, now: Timestamp, limit: u32) -> Result<(u32, Steps), StoreError> {
        self.book.cook(now, limit).await
    }
    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<(u32, Steps), StoreError> {
        self.book.sweep(now, limit).await
    }
    async fn board(&self, restaurant: &RestaurantId) -> Result<Board, StoreError> {
        self.book.board(restaurant).await
    }
    async fn set_autopilot(&self, restaurant: &RestaurantId, on: bool) -> Result<(), StoreError> {
        self.book.set_autopilot(restaurant, on).await
    }
    async fn claim(&self, from: &str, to: &str, user: &str) -> Result<(), StoreError> {
        self.book.claim(from, to, user).await
    }
    async fn ledger(&self, now: Timestamp) -> Result<LedgerPage, StoreError> {
        self.book.ledger(now).await
    }
    async fn forget_recent(&self, before: Timestamp) -> Result<(), StoreError> {
        self.book.forget_recent(before).await
    }
    async fn reset(&self) -> Result<(), StoreError> {
        self.book.reset().await
    }
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        self.book.due(now, limit).await
    }
    async fn settle(&self, done: Vec<i64>, failed: Vec<Outgoing>, now: Timestamp) -> Result<(), StoreError> {
        self.book.settle(done, failed, now).await
    }
}
