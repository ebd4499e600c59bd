//! What operators did.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One action (`GET /api/audit`, newest first).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    pub at: Timestamp,
    /// `token`, an account's id, a fingerprint of the console's session, or `platform` for what it did by itself.
    pub who: String,
    /// `flag.flipped`, `flag.cleared`, `flag.all_clear`, `flag.expired`, `incident.played`, `load.set`, `reset`, `guardrail.acted`, ...
    pub action: String,
    /// The flag, script or restaurant.
    pub subject: String,
    pub detail: String,
}
