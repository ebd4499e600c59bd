//! The load generator beside the server: what it is asked to do, and what it reports.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /api/load`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LoadState {
    pub wanted: LoadWanted,
    /// Agents that reported within the last five seconds; without any, the page shows how to start one.
    pub agents: Vec<LoadAgent>,
}

/// `PUT /api/load`, and what an agent is answered when it reports.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LoadWanted {
    /// 0-500; 0 is idle. The flags `load-users` and `load-paused`, when on, go before it.
    pub users: u32,
    /// Think times are divided by this: 1 is as people do, 0 is without any.
    #[serde(default = "one")]
    pub pace: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

fn one() -> f64 {
    1.0
}

/// `POST /api/load/report`, by an agent, about once a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LoadReport {
    /// Chosen by the agent when it starts.
    pub agent: String,
    pub users: u32,
    /// Of the last seconds, as its clients saw it.
    pub rate: f64,
    pub error_percent: f64,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    /// Since its start.
    pub requests: u64,
    pub failed: u64,
    pub orders: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LoadAgent {
    pub seen_at: Timestamp,
    #[serde(flatten)]
    pub report: LoadReport,
}
