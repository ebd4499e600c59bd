//! The console's JSON: proofs, detection, the audit log, the call-policy table; and its live events.

use super::room::Room;
use super::{Console, live};
use app::control_room::{ControlRoom, PolicyRow};
use axum::Router;
use axum::extract::State;
use axum::routing::{get, put};
use contract::audit::AuditEntry;
use contract::detection::{Detection, SetGuardrail};
use contract::proof::Proof;
use runtime::http::{ApiResult, Json};
use serde::Serialize;

pub fn router(room: Room) -> Router {
    let nudges = room.console().nudges();
    Router::new()
        .route("/api/proofs", get(proofs))
        .route("/api/detection", get(detection))
        .route("/api/detection/guardrail", put(set_guardrail))
        .route("/api/audit", get(audit))
        .route("/api/policies", get(policies))
        .with_state(room)
        .merge(Router::new().route("/events/console", get(live::follow)).with_state(nudges))
}

async fn proofs(State(room): State<Room>) -> ApiResult<Json<Vec<Proof>>> {
    Ok(Json(room.proofs().await?))
}

async fn detection(State(room): State<Room>) -> ApiResult<Json<Detection>> {
    Ok(Json(room.detection().await?))
}

async fn set_guardrail(State(room): State<Room>, Json(wanted): Json<SetGuardrail>) -> ApiResult<Json<Detection>> {
    room.set_guardrail(wanted).await?;
    Ok(Json(room.detection().await?))
}

async fn audit(State(room): State<Room>) -> ApiResult<Json<Vec<AuditEntry>>> {
    Ok(Json(room.audit().await?))
}

/// One call of the call-policy table.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    call: String,
    timeout_ms: u64,
    attempts: u32,
    idempotent: bool,
    breaker: String,
    bulkhead: usize,
}

impl From<PolicyRow> for Row {
    fn from(row: PolicyRow) -> Self {
        let PolicyRow { call, timeout_ms, attempts, idempotent, breaker, bulkhead } = row;
        Self { call, timeout_ms, attempts, idempotent, breaker, bulkhead }
    }
}

async fn policies(State(room): State<Room>) -> Json<Vec<Row>> {
    Json(room.policies().into_iter().map(Row::from).collect())
}

impl Console {
    fn nudges(&self) -> live::Nudges {
        self.0.nudges.clone()
    }
}
