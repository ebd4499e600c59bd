//! The operator's flag desk: the console's page shows it, the server implements it.

use async_trait::async_trait;
use contract::ApiError;
use contract::flags::{FlagState, SetFlag};
use std::sync::Arc;

/// Reads and flips flags. Pages call it for operators only.
#[async_trait]
pub trait FlagDesk: Send + Sync {
    /// All flags, in the order of the definitions.
    async fn list(&self) -> Result<Vec<FlagState>, ApiError>;
    /// # Errors
    /// `FLAG_NOT_FOUND`; `INVALID_BODY` for an unknown variant.
    async fn set(&self, key: &str, flip: SetFlag) -> Result<FlagState, ApiError>;
    /// Ends one flip. Clearing what is not flipped is a success.
    async fn clear(&self, key: &str) -> Result<(), ApiError>;
    /// Ends every flip.
    async fn clear_all(&self) -> Result<(), ApiError>;
}

/// How handlers receive it.
pub type SharedDesk = Arc<dyn FlagDesk>;
