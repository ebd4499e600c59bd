//! The console's flag page, on the flag control of this process.

use app::desk::FlagDesk;
use async_trait::async_trait;
use contract::ApiError;
use contract::flags::{Audience, FlagState, SetFlag};
use runtime::context;
use runtime::flags::FlagControl;
use std::time::Duration;

pub struct Desk(pub FlagControl);

#[async_trait]
impl FlagDesk for Desk {
    async fn list(&self) -> Result<Vec<FlagState>, ApiError> {
        Ok(self.0.list())
    }

    async fn set(&self, key: &str, flip: SetFlag) -> Result<FlagState, ApiError> {
        let audience = match flip.audience.unwrap_or_default() {
            // "Only my browser": the one that flips.
            Audience::Session(session) if session.is_empty() => {
                Audience::Session(context::current().session.as_deref().unwrap_or_default().to_owned())
            }
            audience => audience,
        };
        self.0.set(key, &flip.variant, flip.ttl_seconds.map(Duration::from_secs), audience)
    }

    async fn clear(&self, key: &str) -> Result<(), ApiError> {
        self.0.clear(key).map(drop)
    }

    async fn clear_all(&self) -> Result<(), ApiError> {
        self.0.clear_all().map(drop)
    }
}
