//! The operator's flag calls (`/api/flags`).

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Whom a flip reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "value")]
pub enum Audience {
    #[default]
    Everyone,
    /// Load generator traffic only.
    Synthetic,
    /// One browser, by its session id. An empty value means the browser that flips.
    Session(String),
    Restaurant(String),
    City(String),
    /// This share of sessions, 1-100.
    Percent(u8),
}

/// `PUT /api/flags/{key}`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetFlag {
    pub variant: String,
    /// Seconds until the flip ends by itself; 600 when absent, at most 86 400.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
}

/// A flag as operators see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlagState {
    pub key: String,
    pub description: String,
    /// Where it acts, from the flag's metadata: service and route.
    pub service: String,
    pub route: String,
    /// What should be seen when it is on, for the presenter.
    pub expected: String,
    /// One sentence for the audience in the room.
    pub audience_sentence: String,
    pub default_variant: String,
    /// The variant in force now (the default when nothing is flipped).
    pub variant: String,
    pub variants: Vec<Variant>,
    /// Set while flipped by an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flip: Option<Flip>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    pub name: String,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flip {
    pub audience: Audience,
    pub flipped_at: Timestamp,
    pub expires_at: Timestamp,
}
