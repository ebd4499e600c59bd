//! Who brings messages to people.

use async_trait::async_trait;
use contract::notification::Message;

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Nobody answers, or not now. It is tried again.
    #[error("the provider does not answer: {0}")]
    Unreachable(String),
    /// It will never be taken.
    #[error("the provider refuses the message: {0}")]
    Refused(String),
}

/// Brings messages to people. It knows their addresses; we know their names.
#[async_trait]
pub trait MessageProvider: Send + Sync + 'static {
    /// Takes one message. It may be asked again for the same one: the message's id tells.
    async fn send(&self, message: &Message) -> Result<(), SendError>;
}

/// Sends nothing: what would be sent is what our own table shows on the outbox page.
pub struct OutboxPage;

#[async_trait]
impl MessageProvider for OutboxPage {
    async fn send(&self, _message: &Message) -> Result<(), SendError> {
        Ok(())
    }
}
