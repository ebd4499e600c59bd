//! Objectives, what is left of their budgets, and the alerts that fire when a budget burns too fast.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /api/detection`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Detection {
    pub objectives: Vec<Objective>,
    /// Firing ones first, then the newest.
    pub alerts: Vec<Alert>,
    pub guardrail: Guardrail,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Objective {
    /// `orders`, `latency`: stable, for programs.
    pub name: String,
    /// "99.9 % of orders are accepted or refused for a reason of the customer's."
    pub says: String,
    /// 99.9
    pub target_percent: f64,
    /// Of the window. 100 without requests.
    pub measured_percent: f64,
    pub requests: u64,
    pub bad: u64,
    pub window_minutes: u64,
    /// What is left of the budget, 100 to below 0.
    pub budget_left_percent: f64,
    /// How many times faster than allowed the budget burns, over the short and the long window.
    pub burn_short: f64,
    pub burn_long: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    pub objective: String,
    pub says: String,
    pub fired_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// Flags that were on when it fired.
    pub flags: Vec<String>,
}

/// Clears faults by itself. Off by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Guardrail {
    pub on: bool,
    /// It acts when an objective burns this much faster than allowed, or the ledger does not balance.
    pub burn_limit: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acted_at: Option<Timestamp>,
    #[serde(default)]
    pub because: String,
}

/// `PUT /api/detection/guardrail`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SetGuardrail {
    pub on: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn_limit: Option<f64>,
}
