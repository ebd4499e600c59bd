//! What operators see of events: those that could not be applied, and how far each service is behind.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An event that could not be applied, kept aside so that the next ones can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ParkedEvent {
    /// The event's id.
    pub id: String,
    pub kind: String,
    pub order_id: String,
    /// Why it could not be applied, for people.
    pub error: String,
    pub attempts: u32,
    pub parked_at: Timestamp,
    /// The event as it came: JSON, or what should have been.
    pub document: String,
}

/// Newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParkedPage {
    /// The service these are parked at.
    pub service: String,
    pub events: Vec<ParkedEvent>,
    /// Pass as `cursor` for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Which parked event to try once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Replay {
    /// The event's id.
    pub id: String,
}

/// It is parked no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Replayed {
    pub id: String,
    /// False when it had been applied before, in another way.
    pub applied: bool,
}

/// How far a service is behind with events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EventLag {
    pub service: String,
    /// Published for it and not read yet.
    pub waiting: u64,
    /// Read and not done with yet.
    pub pending: u64,
    pub parked: u64,
    /// Events of its own that the bus has not taken over.
    pub outbox: u64,
    /// Age of the oldest of those.
    pub outbox_oldest_ms: u64,
}
