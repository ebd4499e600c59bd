//! OTLP over HTTP: `/v1/traces`, `/v1/metrics`, `/v1/logs`. The answers are those of the specification, so that any SDK understands them:
//! the body's own encoding, partial success where a part was left out, a `google.rpc.Status` where nothing was taken.

use crate::intake::Intake;
use crate::otlp::{self, Decoded, Encoding, Malformed};
use crate::words::Words;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use flate2::read::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsPartialSuccess, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;
use serde_json::{Value, json};
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest body as it comes over the wire. A full batch of an SDK is some two megabytes.
pub const PACKED_LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// Largest body once unpacked. A small file can unpack to anything.
pub const UNPACKED_LIMIT_BYTES: usize = 32 * 1024 * 1024;

/// Bodies from here on are read beside the threads that serve requests.
const LARGE_BYTES: usize = 64 * 1024;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

#[derive(Clone)]
struct Receiver {
    intake: Intake,
    words: Arc<Mutex<Words>>,
}

/// What may be sent here. Who may send is the caller's business.
pub fn router(intake: Intake) -> Router {
    let receiver = Receiver { intake, words: Arc::default() };
    routes().with_state(receiver).into()
}

/// The same calls, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Receiver> {
    OpenApiRouter::default().routes(routes!(traces)).routes(routes!(metrics)).routes(routes!(logs))
}

/// Takes spans
///
/// OTLP over HTTP, packed by gzip or not. Set `OTEL_EXPORTER_OTLP_ENDPOINT` of any SDK to this server.
#[utoipa::path(post, path = "/v1/traces", tag = "Telemetry", operation_id = "sendTraces",
    request_body(description = "`ExportTraceServiceRequest` of OTLP.", content((Object = "application/x-protobuf"), (Object = "application/json"))),
    responses(
        (status = 200, description = "Taken; `partialSuccess` says what was left out, and must not be sent again.", body = Object),
        (status = 400, description = "It cannot be read.", body = OtlpStatus),
        (status = 413, description = "It is too large; send smaller batches.", body = OtlpStatus),
        (status = 415, description = "Of another type, or packed in another way.", body = OtlpStatus),
    ))]
async fn traces(receiver: State<Receiver>, request: Request) -> Response {
    take(Signal::Traces, receiver, request).await
}

/// Takes metrics
///
/// OTLP over HTTP, packed by gzip or not. Set `OTEL_EXPORTER_OTLP_ENDPOINT` of any SDK to this server.
#[utoipa::path(post, path = "/v1/metrics", tag = "Telemetry", operation_id = "sendMetrics",
    request_body(description = "`ExportMetricsServiceRequest` of OTLP.", content((Object = "application/x-protobuf"), (Object = "application/json"))),
    responses(
        (status = 200, description = "Taken; `partialSuccess` says what was left out, and must not be sent again.", body = Object),
        (status = 400, description = "It cannot be read.", body = OtlpStatus),
        (status = 413, description = "It is too large; send smaller batches.", body = OtlpStatus),
        (status = 415, description = "Of another type, or packed in another way.", body = OtlpStatus),
    ))]
async fn metrics(receiver: State<Receiver>, request: Request) -> Response {
    take(Signal::Metrics, receiver, request).await
}

/// Takes log records
///
/// OTLP over HTTP, packed by gzip or not. Set `OTEL_EXPORTER_OTLP_ENDPOINT` of any SDK to this server.
#[utoipa::path(post, path = "/v1/logs", tag = "Telemetry", operation_id = "sendLogs",
    request_body(description = "`ExportLogsServiceRequest` of OTLP.", content((Object = "application/x-protobuf"), (Object = "application/json"))),
    responses(
        (status = 200, description = "Taken; `partialSuccess` says what was left out, and must not be sent again.", body = Object),
        (status = 400, description = "It cannot be read.", body = OtlpStatus),
        (status = 413, description = "It is too large; send smaller batches.", body = OtlpStatus),
        (status = 415, description = "Of another type, or packed in another way.", body = OtlpStatus),
    ))]
async fn logs(receiver: State<Receiver>, request: Request) -> Response {
    take(Signal::Logs, receiver, request).await
}

#[derive(Clone, Copy, Debug)]
enum Signal {
    Traces,
    Metrics,
    Logs,
}

/// Why nothing was taken, in words for whoever set up the sender.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the body is larger than {PACKED_LIMIT_BYTES} bytes, or than {UNPACKED_LIMIT_BYTES} bytes unpacked; send smaller batches")]
    TooLarge,
    #[error("content-type is {PROTOBUF} or {JSON}")]
    ContentType,
    #[error("content-encoding is gzip or absent")]
    ContentEncoding,
    #[error("the body is not gzip, or was cut off")]
    Packed,
    #[error("the body did not arrive whole")]
    CutOff,
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("the receiver is at its end")]
    Internal,
}

impl Refusal {
    /// HTTP's status, and the `google.rpc.Code` that is nearest.
    const fn status(&self) -> (StatusCode, i32) {
        const INVALID_ARGUMENT: i32 = 3;
        const RESOURCE_EXHAUSTED: i32 = 8;
        const INTERNAL: i32 = 13;
        match self {
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, RESOURCE_EXHAUSTED),
            Self::ContentType | Self::ContentEncoding => (StatusCode::UNSUPPORTED_MEDIA_TYPE, INVALID_ARGUMENT),
            Self::Packed | Self::CutOff | Self::Malformed(_) => (StatusCode::BAD_REQUEST, INVALID_ARGUMENT),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, INTERNAL),
        }
    }
}

/// `google.rpc.Status` in JSON, as it is described to others.
#[derive(ToSchema)]
pub struct OtlpStatus {
    /// A `google.rpc.Code`.
    pub code: i32,
    pub message: String,
}

/// `google.rpc.Status`, which is what OTLP answers errors with.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

async fn take(signal: Signal, State(receiver): State<Receiver>, request: Request) -> Response {
    let encoding = encoding(request.headers());
    let told = match encoding {
        Some(encoding) => receiver.receive(signal, encoding, request).await,
        None => Err(Refusal::ContentType),
    };
    let encoding = encoding.unwrap_or(Encoding::Json);
    match told {
        Ok((rejected, why)) => success(signal, encoding, rejected, why),
        Err(refusal) => {
            tracing::debug!(error = &refusal as &dyn std::error::Error, "Telemetry was refused");
            let (status, code) = refusal.status();
            let message = refusal.to_string();
            answer(status, encoding, &RpcStatus { code, message: message.clone() }, &json!({"code": code, "message": message}))
        }
    }
}

/// `None` for a type that is not ours to read. Anything but these two asks a browser's permission first, which we do not give.
fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    match kind.split(';').next().unwrap_or_default().trim() {
        kind if kind.eq_ignore_ascii_case(PROTOBUF) => Some(Encoding::Protobuf),
        kind if kind.eq_ignore_ascii_case(JSON) => Some(Encoding::Json),
        _ => None,
    }
}

impl Receiver {
    async fn receive(&self, signal: Signal, encoding: Encoding, request: Request) -> Result<(u64, &'static str), Refusal> {
        let packed = match request.headers().get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"" | b"identity") => false,
            Some(gzip) if gzip.eq_ignore_ascii_case(b"gzip") => true,
            Some(_) => return Err(Refusal::ContentEncoding),
        };
        let body = whole(request.into_body()).await?;
        if body.len() < LARGE_BYTES && !packed {
            return self.decode(signal, encoding, &body);
        }
        let receiver = self.clone();
        let work = move || {
            let body = if packed { unpack(&body)?.into() } else { body };
            receiver.decode(signal, encoding, &body)
        };
        tokio::task::spawn_blocking(work).await.unwrap_or(Err(Refusal::Internal))
    }

    fn decode(&self, signal: Signal, encoding: Encoding, body: &[u8]) -> Result<(u64, &'static str), Refusal> {
        let words = &mut *self.words.lock().unwrap_or_else(PoisonError::into_inner);
        fn pass_on<T>(decoded: Decoded<T>, to: impl FnOnce(Vec<T>)) -> (u64, &'static str) {
            to(decoded.items);
            (decoded.rejected, decoded.why)
        }
        Ok(match signal {
            Signal::Traces => pass_on(otlp::traces(body, encoding, words)?, |spans| self.intake.spans(spans)),
            Signal::Metrics => pass_on(otlp::metrics(body, encoding, words)?, |points| self.intake.points(points)),
            Signal::Logs => pass_on(otlp::logs(body, encoding, words)?, |logs| self.intake.logs(logs)),
        })
    }
}

async fn whole(body: Body) -> Result<Bytes, Refusal> {
    axum::body::to_bytes(body, PACKED_LIMIT_BYTES).await.map_err(|error| {
        let limit = std::error::Error::source(&error).is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        if limit { Refusal::TooLarge } else { Refusal::CutOff }
    })
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut unpacked = Vec::new();
    let mut reader = MultiGzDecoder::new(packed).take(UNPACKED_LIMIT_BYTES as u64 + 1);
    reader.read_to_end(&mut unpacked).map_err(|_| Refusal::Packed)?;
    if unpacked.len() > UNPACKED_LIMIT_BYTES { Err(Refusal::TooLarge) } else { Ok(unpacked) }
}

/// 200 also when a part was left out: the sender must not send the rest again.
fn success(signal: Signal, encoding: Encoding, rejected: u64, why: &str) -> Response {
    let (count, error_message) = (i64::try_from(rejected).unwrap_or(i64::MAX), why.to_owned());
    let some = |partial: Value| if rejected == 0 { json!({}) } else { json!({"partialSuccess": partial}) };
    // In JSON a number of 64 bits is a text.
    let number = count.to_string();
    match signal {
        Signal::Traces => {
            let partial = ExportTracePartialSuccess { rejected_spans: count, error_message };
            let message = ExportTraceServiceResponse { partial_success: (rejected > 0).then_some(partial) };
            answer(StatusCode::OK, encoding, &message, &some(json!({"rejectedSpans": number, "errorMessage": why})))
        }
        Signal::Metrics => {
            let partial = ExportMetricsPartialSuccess { rejected_data_points: count, error_message };
            let message = ExportMetricsServiceResponse { partial_success: (rejected > 0).then_some(partial) };
            answer(StatusCode::OK, encoding, &message, &some(json!({"rejectedDataPoints": number, "errorMessage": why})))
        }
        Signal::Logs => {
            let partial = ExportLogsPartialSuccess { rejected_log_records: count, error_message };
            let message = ExportLogsServiceResponse { partial_success: (rejected > 0).then_some(partial) };
            answer(StatusCode::OK, encoding, &message, &some(json!({"rejectedLogRecords": number, "errorMessage": why})))
        }
    }
}

fn answer(status: StatusCode, encoding: Encoding, message: &impl Message, json: &Value) -> Response {
    let (kind, body) = match encoding {
        Encoding::Protobuf => (PROTOBUF, message.encode_to_vec()),
        Encoding::Json => (JSON, json.to_string().into_bytes()),
    };
    (status, [(CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests;
