//! What operators ask by the API: charts, traces, logs, the map, and the whole of it as a file. The control room answers.

use crate::console::Room;
use app::control_room::ControlRoom;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::IntoResponse;
use contract::error::ErrorBody;
use contract::telemetry::{LogPage, LogQuery, Overview, SNAPSHOT_LIMIT_BYTES, Snapshot, Source, Topology, Trace, TracePage, TraceQuery};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use runtime::flags::FlagControl;
use runtime::http::{ApiResult, Json, Path, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

const USUAL_MINUTES: u32 = 15;

pub const SNAPSHOT: &str = "/api/telemetry/snapshot";

/// How a flag's definition says "whichever service".
const ANY: &str = "*";

pub fn router(room: Room) -> Router {
    routes().with_state(room).into()
}

/// The same calls, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Room> {
    OpenApiRouter::default()
        .routes(routes!(overview))
        .routes(routes!(traces))
        .routes(routes!(trace))
        .routes(routes!(logs))
        .routes(routes!(topology))
        .routes(routes!(export, import, forget).layer(DefaultBodyLimit::max(SNAPSHOT_LIMIT_BYTES)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Range {
    /// How far back, 1 to 60; 15 when absent.
    minutes: Option<u32>,
    /// What is live, when absent.
    #[serde(default)]
    #[param(inline)]
    source: Source,
}

/// Charts of the last minutes
#[utoipa::path(get, path = "/api/overview", tag = "Operators", operation_id = "getOverview",
    params(Range),
    responses(
        (status = 200, description = "Rates, errors and durations by service, with what happened meanwhile.", body = Overview),
        (status = 400, description = "INVALID_QUERY", body = ErrorBody),
    ))]
async fn overview(State(room): State<Room>, Query(range): Query<Range>) -> ApiResult<Json<Overview>> {
    Ok(Json(room.overview(range.minutes.unwrap_or(USUAL_MINUTES), range.source).await?))
}

/// Looks for traces
#[utoipa::path(get, path = "/api/traces", tag = "Operators", operation_id = "listTraces",
    params(TraceQuery),
    responses(
        (status = 200, description = "A page of them, newest first.", body = TracePage),
        (status = 400, description = "INVALID_QUERY", body = ErrorBody),
    ))]
async fn traces(State(room): State<Room>, Query(query): Query<TraceQuery>) -> ApiResult<Json<TracePage>> {
    Ok(Json(room.traces(query).await?))
}

/// One trace, whole
#[utoipa::path(get, path = "/api/traces/{id}", tag = "Operators", operation_id = "getTrace",
    params(("id" = String, Path, description = "The trace's id, 32 hexadecimal digits.")),
    responses(
        (status = 200, description = "Its spans as a waterfall, and its log lines.", body = Trace),
        (status = 404, description = "NOT_FOUND", body = ErrorBody),
    ))]
async fn trace(State(room): State<Room>, Path(id): Path<String>) -> ApiResult<Json<Trace>> {
    Ok(Json(room.trace(&id).await?))
}

/// Looks for log lines
#[utoipa::path(get, path = "/api/logs", tag = "Operators", operation_id = "listLogs",
    params(LogQuery),
    responses(
        (status = 200, description = "A page of them, newest first.", body = LogPage),
        (status = 400, description = "INVALID_QUERY", body = ErrorBody),
    ))]
async fn logs(State(room): State<Room>, Query(query): Query<LogQuery>) -> ApiResult<Json<LogPage>> {
    Ok(Json(room.logs(query).await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Of {
    /// What is live, when absent.
    #[serde(default)]
    #[param(inline)]
    source: Source,
}

/// Who calls whom
#[utoipa::path(get, path = "/api/topology", tag = "Operators", operation_id = "getTopology",
    params(Of),
    responses(
        (status = 200, description = "Of one minute.", body = Topology),
        (status = 400, description = "INVALID_QUERY", body = ErrorBody),
    ))]
async fn topology(State(room): State<Room>, Query(of): Query<Of>) -> ApiResult<Json<Topology>> {
    Ok(Json(room.topology(of.source).await?))
}

/// Everything the telemetry store remembers, as a file
#[utoipa::path(get, path = "/api/telemetry/snapshot", tag = "Operators", operation_id = "exportTelemetry",
    responses((status = 200, description = "Packed JSON, to be read by `POST`.", body = Vec<u8>, content_type = "application/gzip")))]
async fn export(State(room): State<Room>) -> ApiResult<impl IntoResponse> {
    let (name, file) = room.export().await?;
    let disposition = format!("attachment; filename=\"{name}\"");
    Ok(([(CONTENT_TYPE, "application/gzip".to_owned()), (CONTENT_DISPOSITION, disposition)], file))
}

/// Reads such a file
///
/// It stands beside what is live, in place of the one before.
#[utoipa::path(post, path = "/api/telemetry/snapshot", tag = "Operators", operation_id = "importTelemetry",
    request_body(content = Vec<u8>, content_type = "application/gzip", description = "What `GET` answered; at most 32 MiB."),
    responses(
        (status = 200, description = "What it held.", body = Snapshot),
        (status = 400, description = "INVALID_BODY", body = ErrorBody),
        (status = 413, description = "BODY_TOO_LARGE", body = ErrorBody),
    ))]
async fn import(State(room): State<Room>, file: Bytes) -> ApiResult<Json<Snapshot>> {
    Ok(Json(room.import(file).await?))
}

/// Forgets the snapshot that was read
#[utoipa::path(delete, path = "/api/telemetry/snapshot", tag = "Operators", operation_id = "forgetTelemetry",
    responses((status = 204, description = "Only what is live is left.")))]
async fn forget(State(room): State<Room>) -> ApiResult<StatusCode> {
    room.forget_import().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which flags act in a service now. A flag of any service acts where its variant says, or in all of them.
pub fn flags_on(flags: &FlagControl) -> impl Fn(&str) -> Vec<String> + use<> {
    let on = flags.list().into_iter().filter(|flag| flag.variant != flag.default_variant).map(|flag| {
        let named = flag.variants.iter().find(|variant| variant.name == flag.variant).and_then(|variant| variant.value.get("service"));
        let service = named.and_then(|named| named.as_str()).filter(|_| flag.service == ANY).unwrap_or(&flag.service);
        (service.to_owned(), flag.key)
    });
    let on: Vec<(String, String)> = on.collect();
    move |service| on.iter().filter(|(acts, _)| acts == service || acts == ANY).map(|(_, key)| key.clone()).collect()
}
