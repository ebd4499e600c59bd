//! Where accounts and log-ins live.

mod book;
mod writes;

pub use book::{SCHEMA, SqlAccountBook};

use crate::domain::{Email, Record};
use async_trait::async_trait;
use contract::account::{Account, Address};
use contract::{CustomerName, RestaurantId, Role, Timestamp};
use runtime::store::StoreError;

/// Somebody as an issuer of tokens describes him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub issuer: String,
    pub subject: String,
    /// Empty when the token does not say.
    pub email: String,
    pub name: CustomerName,
    pub role: Role,
    pub staff_of: Option<RestaurantId>,
    pub courier_id: Option<String>,
}

/// A log-in about to begin.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// SHA-256 of its token.
    pub token_hash: String,
    pub account_id: String,
    pub at: Timestamp,
}

/// A log-in that is in force.
#[derive(Clone, Debug)]
pub struct Session {
    pub account: Account,
    pub last_seen: Timestamp,
}

/// What changes in a profile; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub name: Option<CustomerName>,
    pub addresses: Option<Vec<Address>>,
}

/// Accounts and log-ins.
#[async_trait]
pub trait AccountBook: Send + Sync {
    /// Adds an account with a password hash; false when there is one with its address.
    async fn add(&self, account: &Account, password: &str) -> Result<bool, StoreError>;

    /// The account that logs in with this address.
    async fn by_email(&self, email: &Email) -> Result<Option<Record>, StoreError>;

    async fn find(&self, id: &str) -> Result<Option<Record>, StoreError>;

    /// The account of a person of the issuer, made as `id` when there is none, and brought up to what the token says.
    async fn known(&self, person: &Person, id: &str, now: Timestamp) -> Result<Account, StoreError>;

    /// The account as it is then; `None` when there is none.
    async fn change(&self, id: &str, change: &Change) -> Result<Option<Account>, StoreError>;

    /// Replaces the hash `old` by `new` and ends all log-ins but the one with the token hash `keep`; false when `old` is not the hash any more.
    async fn set_password(&self, id: &str, old: &str, new: &str, keep: Option<&str>) -> Result<bool, StoreError>;

    /// False when there is no such account.
    async fn open(&self, session: &NewSession) -> Result<bool, StoreError>;

    /// The log-in with this token hash, if it was seen after `seen_after`.
    async fn session(&self, token_hash: &str, seen_after: Timestamp) -> Result<Option<Session>, StoreError>;

    /// Notes that a log-in was seen.
    async fn touch(&self, token_hash: &str, now: Timestamp) -> Result<(), StoreError>;

    /// Ends a log-in. One that has ended is a success.
    async fn end(&self, token_hash: &str) -> Result<(), StoreError>;

    /// Removes log-ins that nobody has used since; answers how many.
    async fn forget_sessions(&self, unseen_since: Timestamp) -> Result<u64, StoreError>;

    /// Adds those of the demonstration's accounts that are not there. They share one password hash.
    async fn seed(&self, accounts: &[Account], password: &str) -> Result<(), StoreError>;

    /// The demonstration's accounts, in the order they were seeded.
    async fn demo(&self) -> Result<Vec<Account>, StoreError>;

    /// Removes all other accounts, and puts those of the demonstration back to what they were. Their log-ins go on.
    async fn reset(&self, accounts: &[Account], password: &str) -> Result<(), StoreError>;
}
