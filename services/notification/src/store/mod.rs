//! Where messages live.

mod book;
mod writes;

pub use book::{SCHEMA, SqlMessageBook};
pub use writes::{Outcome, hear};

use async_trait::async_trait;
use contract::Timestamp;
use contract::client::MessageFilter;
use contract::ledger::LedgerPage;
use contract::notification::{Message, Preferences};
use runtime::store::StoreError;

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its place among all messages.
    pub seq: i64,
    /// How often nobody took it.
    pub attempts: u32,
    pub message: Message,
}

#[async_trait]
pub trait MessageBook: Send + Sync {
    /// Those messages before `cursor`, newest first, with the cursor of the last.
    async fn list(&self, filter: &MessageFilter, cursor: Option<i64>, limit: u32) -> Result<(Vec<Message>, Option<i64>), StoreError>;

    /// Writes down what became of messages.
    async fn settle(&self, outcomes: Vec<(i64, Outcome)>, now: Timestamp) -> Result<(), StoreError>;

    /// Takes up messages that were due before `before`, longest due first: for the length of a lease from `now` nobody else sends them.
    async fn claim(&self, before: Timestamp, now: Timestamp, limit: u32) -> Result<Vec<Letter>, StoreError>;

    /// What `owner` wants to hear by: everything, unless said otherwise.
    async fn preferences(&self, owner: &str) -> Result<Preferences, StoreError>;

    async fn set_preferences(&self, owner: &str, preferences: &Preferences, now: Timestamp) -> Result<(), StoreError>;

    /// Removes messages that are done with, up to `limit` of those that are older than the newest `keep` of their sort (of load, or of
    /// people); answers how many.
    async fn prune(&self, synthetic: bool, keep: u32, limit: u32) -> Result<u64, StoreError>;

    /// Forgets whom to tell about refunds of orders that ended before `before`.
    async fn forget_contacts(&self, before: Timestamp) -> Result<(), StoreError>;

    async fn ledger(&self, now: Timestamp) -> Result<LedgerPage, StoreError>;

    /// Removes every message. Preferences stay with their owners.
    async fn reset(&self) -> Result<(), StoreError>;

    /// Whether other processes write to it, too.
    fn is_shared(&self) -> bool;
}
