//! OFREP, the OpenFeature Remote Evaluation Protocol: any OpenFeature SDK, in any language, evaluates the same flags.

use super::control::FlagControl;
use super::snapshot::{Resolution, Snapshot};
use super::value::context_from_json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use open_feature::{EvaluationContext, EvaluationErrorCode};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// `POST /ofrep/v1/evaluate/flags/{key}` and `POST /ofrep/v1/evaluate/flags`. Errors have the protocol's form, not ours.
pub fn router(control: FlagControl) -> Router {
    routes().with_state(control).into()
}

/// The same, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<FlagControl> {
    OpenApiRouter::default().routes(routes!(evaluate_all)).routes(routes!(evaluate))
}

/// What an SDK knows of whoever it asks for. It is read by hand, because the protocol has a code for each way to get it wrong.
#[derive(ToSchema)]
pub struct EvaluationRequest {
    /// Attributes; `targetingKey` names the session. Empty when absent.
    #[schema(value_type = Option<Object>, example = json!({"targetingKey": "4711", "city": "Lisbon"}))]
    pub context: Option<Map<String, Value>>,
}

/// One flag for one context.
#[derive(Serialize, ToSchema)]
pub struct Evaluation {
    key: String,
    /// `STATIC`, `DEFAULT`, `TARGETING_MATCH`, ...
    reason: String,
    /// Absent, as the value is, when the client is to take the default of its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    #[schema(value_type = Object)]
    metadata: Value,
}

/// Every flag for one context; one that cannot be evaluated is told as a failure in its place.
#[derive(Serialize, ToSchema)]
pub struct BulkEvaluation {
    flags: Vec<EvaluationOutcome>,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum EvaluationOutcome {
    Evaluated(Evaluation),
    Failed(EvaluationFailure),
}

/// The protocol's form of an error.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvaluationFailure {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// `FLAG_NOT_FOUND`, `PARSE_ERROR`, `TARGETING_KEY_MISSING`, `INVALID_CONTEXT`, `GENERAL`.
    error_code: &'static str,
    error_details: String,
}

/// Evaluates one flag
#[utoipa::path(post, path = "/ofrep/v1/evaluate/flags/{key}", tag = "Evaluation", operation_id = "evaluateFlag",
    params(("key" = String, Path, description = "The flag's key.")),
    request_body = EvaluationRequest,
    responses(
        (status = 200, description = "The flag's value for this context.", body = Evaluation),
        (status = 400, description = "The body or the context cannot be used.", body = EvaluationFailure),
        (status = 404, description = "There is no such flag.", body = EvaluationFailure),
    ))]
async fn evaluate(State(control): State<FlagControl>, Path(key): Path<String>, body: Bytes) -> Response {
    let context = match context_of(&body) {
        Ok(context) => context,
        Err((code, details)) => return failure(StatusCode::BAD_REQUEST, Some(&key), code, &details),
    };
    let snapshot = control.snapshots().current();
    match evaluated(&control, &snapshot, &key, &context) {
        Ok(answer) => Json(answer).into_response(),
        Err((EvaluationErrorCode::FlagNotFound, details)) => failure(StatusCode::NOT_FOUND, Some(&key), "FLAG_NOT_FOUND", &details),
        Err((code, details)) => failure(StatusCode::BAD_REQUEST, Some(&key), word(&code), &details),
    }
}

/// Evaluates all flags at once
///
/// For clients whose context does not change. The `ETag` is of the outcome, so that "not modified" is exact.
#[utoipa::path(post, path = "/ofrep/v1/evaluate/flags", tag = "Evaluation", operation_id = "evaluateAllFlags",
    params(("If-None-Match" = Option<String>, Header, description = "The last answer's `ETag`.")),
    request_body = EvaluationRequest,
    responses(
        (status = 200, description = "Every flag's value for this context.", body = BulkEvaluation),
        (status = 304, description = "Every flag is as the answer with this `ETag` said."),
        (status = 400, description = "The body or the context cannot be used.", body = EvaluationFailure),
    ))]
async fn evaluate_all(State(control): State<FlagControl>, headers: HeaderMap, body: Bytes) -> Response {
    let context = match context_of(&body) {
        Ok(context) => context,
        Err((code, details)) => return failure(StatusCode::BAD_REQUEST, None, code, &details),
    };
    let snapshot = control.snapshots().current();
    let outcome = |key: &String| match evaluated(&control, &snapshot, key, &context) {
        Ok(answer) => EvaluationOutcome::Evaluated(answer),
        Err((code, error_details)) => {
            EvaluationOutcome::Failed(EvaluationFailure { key: Some(key.clone()), error_code: word(&code), error_details })
        }
    };
    let answer = json!(BulkEvaluation { flags: snapshot.flags.keys().map(outcome).collect() }).to_string();
    let digest: String = Sha256::digest(&answer).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{digest}\"");
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    if known.flat_map(|list| list.split(',')).any(|one| one.trim().trim_start_matches("W/") == etag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
    }
    ([(header::ETAG, etag), (header::CONTENT_TYPE, "application/json".to_owned())], answer).into_response()
}

fn evaluated(
    control: &FlagControl,
    snapshot: &Snapshot,
    key: &str,
    context: &EvaluationContext,
) -> Result<Evaluation, (EvaluationErrorCode, String)> {
    match snapshot.resolve(control.snapshots().operator(), key, context) {
        Ok(Resolution { outcome, reason, metadata }) => {
            let (variant, value) = outcome.map(|(variant, value)| (variant, value.clone())).unzip();
            Ok(Evaluation { key: key.to_owned(), reason: reason.to_string(), variant, value, metadata: json!(metadata) })
        }
        Err(error) => Err((error.code, error.message.unwrap_or_default())),
    }
}

/// No body, or one without a context, is an empty context.
fn context_of(body: &[u8]) -> Result<EvaluationContext, (&'static str, String)> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(EvaluationContext::default());
    }
    let request: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| ("PARSE_ERROR", "the body is not a JSON object".to_owned()))?;
    match request.get("context") {
        None => Ok(EvaluationContext::default()),
        Some(Value::Object(fields)) => Ok(context_from_json(fields)),
        Some(_) => Err(("INVALID_CONTEXT", "context is not an object".to_owned())),
    }
}

/// The protocol knows fewer codes than the SDK.
fn word(code: &EvaluationErrorCode) -> &'static str {
    match code {
        EvaluationErrorCode::ParseError => "PARSE_ERROR",
        EvaluationErrorCode::TargetingKeyMissing => "TARGETING_KEY_MISSING",
        EvaluationErrorCode::InvalidContext => "INVALID_CONTEXT",
        _ => "GENERAL",
    }
}

fn failure(status: StatusCode, key: Option<&str>, error_code: &'static str, details: &str) -> Response {
    let body = EvaluationFailure { key: key.map(str::to_owned), error_code, error_details: details.to_owned() };
    (status, Json(body)).into_response()
}
