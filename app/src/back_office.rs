//! What operators see of the whole platform and do to it: pages show it, the server implements it.

use async_trait::async_trait;
use contract::ApiError;
use contract::ledger::Ledger;
use contract::parked::{EventLag, ParkedEvent};
use std::sync::Arc;

/// Pages call it for operators only.
#[async_trait]
pub trait BackOffice: Send + Sync {
    /// What must hold, as it stands now.
    ///
    /// # Errors
    /// Some service does not show its books: nothing can be said then.
    async fn ledger(&self) -> Result<Ledger, ApiError>;

    /// How far each service is behind with events, and what was parked, newest first, with the service it is parked at.
    async fn events(&self) -> Result<(Vec<EventLag>, Vec<(String, ParkedEvent)>), ApiError>;

    /// Tries a parked event once more. False when it had been applied before, in another way.
    ///
    /// # Errors
    /// `EVENT_NOT_FOUND`, `NOT_FOUND` for a service that does not listen; the event is refused again.
    async fn replay(&self, service: &str, id: &str) -> Result<bool, ApiError>;

    /// Back to how the platform began. Answers how long that took, in milliseconds; nothing when it takes longer than anybody should wait,
    /// and goes on by itself.
    ///
    /// # Errors
    /// `CONFLICT` while another reset is under way; a service is down.
    async fn reset(&self) -> Result<Option<u64>, ApiError>;

    /// How the newest reset ended, in milliseconds, or why it could not; nothing while it is under way.
    fn reset_outcome(&self) -> Option<Result<u64, ApiError>>;
}

/// How handlers receive it.
pub type SharedBackOffice = Arc<dyn BackOffice>;
