//! What operators ask: charts, traces, logs, the map, and the whole of it as a file.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::IntoResponse;
use axum::routing::get;
use contract::telemetry::{Kept, LogPage, LogQuery, Mark, Overview, Topology, Trace, TracePage, TraceQuery};
use contract::{ApiError, Code};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use observe::{BadCursor, Store};
use runtime::clock::SharedClock;
use runtime::flags::FlagControl;
use runtime::http::{ApiResult, Json, Path, Query};
use serde::Deserialize;
use std::sync::Arc;

/// Charts reach back so far.
const MOST_MINUTES: u32 = 60;
const USUAL_MINUTES: u32 = 15;

/// Largest snapshot that is read. The store's bound, packed, is a tenth of it.
pub const SNAPSHOT_LIMIT_BYTES: usize = 32 * 1024 * 1024;

pub const SNAPSHOT: &str = "/api/telemetry/snapshot";

/// How a flag's definition says "whichever service".
const ANY: &str = "*";

/// What the store does not know and its answers tell.
#[derive(Clone)]
pub struct Questions {
    /// What happened in the last so many minutes.
    pub marks: Arc<dyn Fn(u32) -> Vec<Mark> + Send + Sync>,
    pub flags: FlagControl,
}

#[derive(Clone)]
struct Answers {
    store: Store,
    questions: Questions,
    clock: SharedClock,
}

pub fn router(store: Store, questions: Questions, clock: SharedClock) -> Router {
    let snapshot = get(export).post(import).layer(DefaultBodyLimit::max(SNAPSHOT_LIMIT_BYTES));
    Router::new()
        .route("/api/overview", get(overview))
        .route("/api/traces", get(traces))
        .route("/api/traces/{id}", get(trace))
        .route("/api/logs", get(logs))
        .route("/api/topology", get(topology))
        .route(SNAPSHOT, snapshot)
        .with_state(Answers { store, questions, clock })
}

#[derive(Deserialize)]
struct Range {
    minutes: Option<u32>,
}

async fn overview(State(answers): State<Answers>, Query(range): Query<Range>) -> Json<Overview> {
    let minutes = range.minutes.unwrap_or(USUAL_MINUTES).clamp(1, MOST_MINUTES);
    Json(answers.store.overview(minutes, (answers.questions.marks)(minutes)))
}

fn bad_cursor(_: BadCursor) -> ApiError {
    ApiError::new(Code::InvalidQuery, "cursor: this is not what a page ended with")
}

async fn traces(State(answers): State<Answers>, Query(query): Query<TraceQuery>) -> ApiResult<Json<TracePage>> {
    Ok(Json(answers.store.traces(&query).map_err(bad_cursor)?))
}

async fn trace(State(answers): State<Answers>, Path(id): Path<String>) -> ApiResult<Json<Trace>> {
    let nothing = || ApiError::new(Code::NotFound, "this trace was never seen, was left out as one of many healthy ones, or is forgotten");
    Ok(Json(answers.store.trace(&id).ok_or_else(nothing)?))
}

async fn logs(State(answers): State<Answers>, Query(query): Query<LogQuery>) -> ApiResult<Json<LogPage>> {
    Ok(Json(answers.store.logs(&query).map_err(bad_cursor)?))
}

async fn topology(State(answers): State<Answers>) -> Json<Topology> {
    Json(answers.store.topology(&flags_on(&answers.questions.flags)))
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

async fn export(State(answers): State<Answers>) -> ApiResult<impl IntoResponse> {
    let store = answers.store.clone();
    let file = tokio::task::spawn_blocking(move || store.export()).await.map_err(|_| ApiError::internal())?;
    let name = format!("attachment; filename=\"feast-telemetry-{}.json.gz\"", answers.clock.now().millis());
    Ok(([(CONTENT_TYPE, "application/gzip".to_owned()), (CONTENT_DISPOSITION, name)], file))
}

/// Adds what a file of `GET` holds to what is remembered.
async fn import(State(answers): State<Answers>, file: Bytes) -> ApiResult<Json<Kept>> {
    let store = answers.store.clone();
    let taken = tokio::task::spawn_blocking(move || store.import(&file)).await.map_err(|_| ApiError::internal())?;
    Ok(Json(taken.map_err(|error| ApiError::new(Code::InvalidBody, error.to_string()))?))
}
