//! What a service does with events.

use crate::store::StoreError;
use crate::store::sql::Connection;
use async_trait::async_trait;
use contract::event::Event;
use std::sync::Arc;

#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The kinds it applies; of others it hears nothing.
    fn kinds(&self) -> &'static [&'static str];

    /// Applies events not applied before, in the transaction that also remembers them (inbox). The same event never arrives here twice
    /// with effect: whatever fails is rolled back. Events of one order come in the order they were written.
    ///
    /// # Errors
    /// Nothing of the batch is applied. After [`HandlerError::Store`] it is tried again until it succeeds; after
    /// [`HandlerError::Poison`] each event is tried alone, and parked after five attempts.
    async fn apply(&self, transaction: &mut Connection<'_>, events: &[Event]) -> Result<(), HandlerError>;

    /// After the commit: wake a worker, count. What must not be lost belongs into `apply`.
    fn applied(&self, _events: &[Event]) {}
}

#[async_trait]
impl<H: Handler> Handler for Arc<H> {
    fn kinds(&self) -> &'static [&'static str] {
        (**self).kinds()
    }

    async fn apply(&self, transaction: &mut Connection<'_>, events: &[Event]) -> Result<(), HandlerError> {
        (**self).apply(transaction, events).await
    }

    fn applied(&self, events: &[Event]) {
        (**self).applied(events);
    }
}

/// Why events could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// The database is at fault, and will be back. (A statement that can never succeed counts as poison; see [`HandlerError::is_poison`].)
    #[error("the database failed: {0}")]
    Store(#[from] sqlx::Error),
    /// The event is at fault: it makes no sense here, today or ever. In words for an operator.
    #[error("{0}")]
    Poison(String),
}

impl From<StoreError> for HandlerError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(why) => Self::Store(sqlx::Error::Protocol(why)),
            StoreError::Corrupt(why) => Self::Poison(why),
        }
    }
}

impl HandlerError {
    /// Whether trying again for ever would be in vain.
    pub fn is_poison(&self) -> bool {
        match self {
            Self::Poison(_) => true,
            Self::Store(error) => is_hopeless(error),
        }
    }
}

fn is_hopeless(error: &sqlx::Error) -> bool {
    use sqlx::Error;
    match error {
        Error::Database(refusal) => match refusal.code().as_deref() {
            // PostgreSQL by class: data, integrity, syntax or access. The rest is about the server.
            Some(code) if code.len() == 5 => matches!(&code[..2], "22" | "23" | "42"),
            // SQLite by primary code: SQL error, constraint, type.
            Some(code) => code.parse::<i32>().is_ok_and(|code| matches!(code & 0xff, 1 | 19 | 20)),
            None => false,
        },
        Error::RowNotFound
        | Error::TypeNotFound { .. }
        | Error::ColumnIndexOutOfBounds { .. }
        | Error::ColumnNotFound(_)
        | Error::ColumnDecode { .. }
        | Error::Encode(_)
        | Error::Decode(_) => true,
        _ => false,
    }
}
