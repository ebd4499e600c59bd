//! What must hold, whatever fault is on: sums of one service's books beside those of another's.

use crate::id::OrderId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long a fact may take to reach everybody's books. Older differences are losses.
pub const SETTLE_WITHIN_MS: i64 = 30_000;

/// One service's books (`GET /internal/ledger`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerPage {
    /// Sums over everything there ever was: cents, or a count. Kept by triggers beside the rows, read in one step.
    pub totals: BTreeMap<String, i64>,
    /// For a total: how much of it was moved (up or down) within the last 30 s, which the other side may not have heard of yet.
    #[serde(default)]
    pub recent: BTreeMap<String, i64>,
    /// What is in flight, oldest first, at most [`LedgerPage::MAX_OPEN`].
    #[serde(default)]
    pub open: Vec<LedgerItem>,
}

impl LedgerPage {
    pub const MAX_OPEN: usize = 50;

    pub fn total(&self, name: &str) -> i64 {
        self.totals.get(name).copied().unwrap_or(0)
    }

    pub fn recent(&self, name: &str) -> i64 {
        self.recent.get(name).copied().unwrap_or(0)
    }
}

/// Something that somebody still has to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LedgerItem {
    pub order_id: OrderId,
    /// What it waits for, for people: "a charge", "a courier".
    pub waits_for: String,
    /// Who has it: "payment", "restaurant", "delivery", "operator"; empty when nobody has, which breaks the ledger once the deadline passed.
    pub owner: String,
    pub since: Timestamp,
    pub deadline: Timestamp,
}

/// One equation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LedgerCheck))]
#[serde(rename_all = "camelCase")]
pub struct Check {
    pub name: String,
    /// The equation in words.
    pub says: String,
    pub left: i64,
    pub right: i64,
    /// How far apart the sides may be because of what is in flight.
    pub in_flight: i64,
    pub holds: bool,
}

/// `GET /api/ledger`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    /// Every check holds.
    pub balanced: bool,
    /// Nothing is in flight either: what is compared is exact.
    pub settled: bool,
    pub checks: Vec<Check>,
    pub open: Vec<LedgerItem>,
    pub at: Timestamp,
}
