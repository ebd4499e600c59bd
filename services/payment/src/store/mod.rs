//! Where payments live.

mod book;
mod writes;

pub use book::{SCHEMA, SqlPaymentBook};
pub use writes::hear;

use crate::domain::{Happened, Payment, State};
use async_trait::async_trait;
use contract::ledger::LedgerPage;
use contract::payment::SettlementLine;
use contract::{OrderId, Timestamp};
use runtime::store::StoreError;

/// What became of an answer of the bank.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// Where the payment is now; `None` when the answer changed nothing.
    pub became: Option<State>,
    /// What the bank has to be asked next.
    pub next: Option<Box<Payment>>,
}

#[async_trait]
pub trait PaymentBook: Send + Sync {
    async fn find(&self, id: &OrderId) -> Result<Option<Payment>, StoreError>;

    /// Writes down what the bank answered, with the news for the others, in one transaction. `traceparent` is the trace of the answer.
    async fn answer(&self, id: &OrderId, happened: Happened, traceparent: Option<String>, now: Timestamp) -> Result<Answered, StoreError>;

    /// The bank did not answer: it is asked again later.
    async fn put_off(&self, id: &OrderId, now: Timestamp) -> Result<(), StoreError>;

    /// Takes up payments that were due before `before`, longest due first: the bank has to be asked about each, and for the length of a
    /// lease from `now` nobody else does.
    async fn claim(&self, before: Timestamp, now: Timestamp, limit: u32) -> Result<Vec<Payment>, StoreError>;

    /// What restaurants are paid for a day (days since 1970), by restaurant.
    async fn settlement(&self, day: i64) -> Result<Vec<SettlementLine>, StoreError>;

    async fn ledger(&self, now: Timestamp) -> Result<LedgerPage, StoreError>;

    /// Removes everything, what the simulated bank remembers included. Nobody may be asking the bank meanwhile.
    async fn reset(&self) -> Result<(), StoreError>;

    /// Whether other processes write to it, too.
    fn is_shared(&self) -> bool;
}
