//! What a flag was expected to do beside what was measured.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /api/proofs`: one for every flag that is on, or was on within the last minutes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    pub flag: String,
    pub variant: String,
    pub flipped_at: Timestamp,
    /// Set once it is off again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_at: Option<Timestamp>,
    pub verdict: Verdict,
    /// The verdict in one sentence, with its numbers and how many requests they are of.
    pub says: String,
    /// What is measured, in words: "share of POST /cart/{id}/items that fails".
    pub signal: String,
    /// `%`, `ms`, `a request`, `a second`, `bytes`.
    pub unit: String,
    /// The minute before the flip.
    pub before: Measured,
    /// Since the flip (until it was cleared), at most five minutes.
    pub since: Measured,
    /// After it was cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Measured>,
    /// From the flip to the first request it touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect_after_ms: Option<u64>,
    /// Requests it touched, by the chaos layer's own count. Told beside the verdict; the verdict does not use it.
    pub touched: u64,
    /// Where its traces are: a query for `/console/traces`.
    pub traces: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// What was expected is there, beyond chance.
    Seen,
    /// There was enough traffic, and it is not.
    NotSeen,
    /// Too few requests to tell.
    TooFew,
    /// No request reaches the path.
    NoTraffic,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    /// In the proof's unit.
    pub value: f64,
    /// Requests (or seconds, for what is counted a second) behind it.
    pub of: u64,
}
