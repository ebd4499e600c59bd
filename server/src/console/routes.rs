//! The console's JSON: proofs, detection, the audit log, the call-policy table; and its live events.

use super::room::Room;
use super::{Console, live};
use app::control_room::{ControlRoom, PolicyRow};
use axum::Router;
use axum::extract::State;
use contract::audit::AuditEntry;
use contract::detection::{Detection, SetGuardrail};
use contract::proof::Proof;
use runtime::http::{ApiResult, Json};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router(room: Room) -> Router {
    let nudges = room.console().nudges();
    Router::from(routes().with_state(room)).merge(live_routes().with_state(nudges))
}

/// The same calls, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi().merge_from(live_routes().into_openapi())
}

fn routes() -> OpenApiRouter<Room> {
    OpenApiRouter::default()
        .routes(routes!(proofs))
        .routes(routes!(detection))
        .routes(routes!(set_guardrail))
        .routes(routes!(audit))
        .routes(routes!(policies))
}

fn live_routes() -> OpenApiRouter<live::Nudges> {
    OpenApiRouter::default().routes(routes!(live::follow))
}

/// What flags were expected to do, beside what was measured
#[utoipa::path(get, path = "/api/proofs", tag = "Operators", operation_id = "listProofs",
    responses((status = 200, description = "One for each flag that is on or was so lately, the newest flip first.", body = [Proof])))]
async fn proofs(State(room): State<Room>) -> ApiResult<Json<Vec<Proof>>> {
    Ok(Json(room.proofs().await?))
}

/// Objectives, their budgets, and alerts
#[utoipa::path(get, path = "/api/detection", tag = "Operators", operation_id = "getDetection",
    responses((status = 200, description = "As of now.", body = Detection)))]
async fn detection(State(room): State<Room>) -> ApiResult<Json<Detection>> {
    Ok(Json(room.detection().await?))
}

/// Switches the guardrail, which clears faults by itself
#[utoipa::path(put, path = "/api/detection/guardrail", tag = "Operators", operation_id = "setGuardrail",
    request_body = SetGuardrail,
    responses((status = 200, description = "Objectives, alerts and the guardrail as they are now.", body = Detection)))]
async fn set_guardrail(State(room): State<Room>, Json(wanted): Json<SetGuardrail>) -> ApiResult<Json<Detection>> {
    room.set_guardrail(wanted).await?;
    Ok(Json(room.detection().await?))
}

/// What operators did
#[utoipa::path(get, path = "/api/audit", tag = "Operators", operation_id = "listAudit",
    responses((status = 200, description = "Newest first, at most 200.", body = [AuditEntry])))]
async fn audit(State(room): State<Room>) -> ApiResult<Json<Vec<AuditEntry>>> {
    Ok(Json(room.audit().await?))
}

/// One call of the call-policy table.
#[derive(Serialize, ToSchema)]
#[schema(as = CallPolicy)]
#[serde(rename_all = "camelCase")]
struct Row {
    /// `order.place`
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

/// How each call between services is made
#[utoipa::path(get, path = "/api/policies", tag = "Operators", operation_id = "listPolicies",
    responses((status = 200, description = "Time-outs, attempts, breakers and bulkheads.", body = [Row])))]
async fn policies(State(room): State<Room>) -> Json<Vec<Row>> {
    Json(room.policies().into_iter().map(Row::from).collect())
}

impl Console {
    fn nudges(&self) -> live::Nudges {
        self.0.nudges.clone()
    }
}
