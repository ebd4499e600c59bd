//! OFREP, the OpenFeature Remote Evaluation Protocol: any OpenFeature SDK, in any language, evaluates the same flags.

use super::control::FlagControl;
use super::snapshot::{Resolution, Snapshot};
use super::value::context_from_json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use open_feature::{EvaluationContext, EvaluationErrorCode};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// `POST /ofrep/v1/evaluate/flags/{key}` and `POST /ofrep/v1/evaluate/flags`. Errors have the protocol's form, not ours.
pub fn router(control: FlagControl) -> Router {
    Router::new()
        .route("/ofrep/v1/evaluate/flags", post(evaluate_all))
        .route("/ofrep/v1/evaluate/flags/{key}", post(evaluate))
        .with_state(control)
}

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

/// All flags at once, for clients whose context does not change. `ETag` is of the outcome, so "not modified" is exact.
async fn evaluate_all(State(control): State<FlagControl>, headers: HeaderMap, body: Bytes) -> Response {
    let context = match context_of(&body) {
        Ok(context) => context,
        Err((code, details)) => return failure(StatusCode::BAD_REQUEST, None, code, &details),
    };
    let snapshot = control.snapshots().current();
    let keys = snapshot.flags.keys();
    let flags: Vec<Value> = keys
        .map(|key| match evaluated(&control, &snapshot, key, &context) {
            Ok(answer) => answer,
            Err((code, details)) => json!({"key": key, "errorCode": word(&code), "errorDetails": details}),
        })
        .collect();
    let answer = json!({"flags": flags}).to_string();
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
) -> Result<Value, (EvaluationErrorCode, String)> {
    match snapshot.resolve(control.snapshots().operator(), key, context) {
        Ok(Resolution { outcome, reason, metadata }) => {
            let mut answer = json!({"key": key, "reason": reason.to_string(), "metadata": metadata});
            // Without a value the client takes the default of its code.
            if let Some((variant, value)) = outcome {
                answer["variant"] = variant.into();
                answer["value"] = value.clone();
            }
            Ok(answer)
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

fn failure(status: StatusCode, key: Option<&str>, code: &str, details: &str) -> Response {
    let mut body = json!({"errorCode": code, "errorDetails": details});
    if let Some(key) = key {
        body["key"] = key.into();
    }
    (status, Json(body)).into_response()
}
