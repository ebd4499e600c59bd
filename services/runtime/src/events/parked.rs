//! Events that could not be applied: kept aside, shown to operators, tried again when they say so.

use super::Events;
use super::apply::Failure;
use crate::args;
use crate::context::{self, Role};
use crate::http::{ApiResult, Json, Query};
use crate::store::StoreError;
use crate::store::sql::{Connection, Database, Row};
use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use contract::event::Event;
use contract::parked::{EventLag, ParkedEvent, ParkedPage, Replay, Replayed};
use contract::{ApiError, Code, Timestamp};
use serde::Deserialize;
use std::sync::Arc;

/// Parked events of one page when nobody says otherwise, and at most.
const PAGE: u32 = 50;
const LONGEST_PAGE: u32 = 200;

/// An error text of a parked event is for reading, not for archives.
const LONGEST_ERROR: usize = 1_000;

/// # Errors
/// It is not parked: the database does not answer.
pub async fn park(database: &Database, consumer: &str, event: ParkedEvent) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO event_parked (consumer, event_id, kind, order_id, document, error, attempts, parked_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (consumer, event_id) DO UPDATE SET error = excluded.error, attempts = excluded.attempts";
    let error: String = event.error.chars().take(LONGEST_ERROR).collect();
    let (attempts, at) = (event.attempts, event.parked_at);
    let args = args![consumer, event.id, event.kind, event.order_id, event.document, error, attempts, at];
    database.run(sql, args).await.map(drop)
}

/// # Errors
/// As every error in a transaction, it ends the transaction.
pub async fn remove(transaction: &mut Connection<'_>, consumer: &str, id: &str) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM event_parked WHERE consumer = $1 AND event_id = $2";
    transaction.run(sql, args![consumer, id]).await.map(drop)
}

/// # Errors
/// The database does not answer.
pub async fn count(database: &Database, consumer: &str) -> Result<u64, sqlx::Error> {
    let row = database.one("SELECT COUNT(*) FROM event_parked WHERE consumer = $1", args![consumer]).await?;
    Ok(u64::try_from(row.int(0)?).unwrap_or(0))
}

/// The routes of operators, for every service with events.
pub fn router(events: Events) -> Router {
    Router::new()
        .route("/internal/events/parked", get(list))
        .route("/internal/events/parked/replay", post(replay))
        .route("/internal/events/lag", get(lag))
        .with_state(events)
}

#[derive(Deserialize)]
struct Page {
    cursor: Option<i64>,
    limit: Option<u32>,
}

fn operators_only() -> Result<(), ApiError> {
    if context::current().role == Role::Operator { Ok(()) } else { Err(ApiError::operator_only()) }
}

async fn list(State(events): State<Events>, Query(page): Query<Page>) -> ApiResult<Json<ParkedPage>> {
    operators_only()?;
    let limit = page.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
    let sql = "SELECT event_id, kind, order_id, document, error, attempts, parked_at_ms, id FROM event_parked
        WHERE consumer = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    let args = args![events.service(), page.cursor.unwrap_or(i64::MAX), limit];
    let rows = events.database().all(sql, args).await.map_err(StoreError::from)?;
    let next = match rows.last() {
        Some(last) if rows.len() == limit as usize => Some(last.int(7).map_err(StoreError::from)?.to_string()),
        _ => None,
    };
    let parked = rows.iter().map(read).collect::<Result<_, _>>().map_err(StoreError::from)?;
    Ok(Json(ParkedPage { service: events.service().to_owned(), events: parked, next }))
}

fn read(row: &Row) -> Result<ParkedEvent, sqlx::Error> {
    Ok(ParkedEvent {
        id: row.text(0)?,
        kind: row.text(1)?,
        order_id: row.text(2)?,
        document: row.text(3)?,
        error: row.text(4)?,
        attempts: u32::try_from(row.int(5)?).unwrap_or(u32::MAX),
        parked_at: Timestamp::from_millis(row.int(6)?),
    })
}

async fn replay(State(events): State<Events>, Json(replay): Json<Replay>) -> ApiResult<Json<Replayed>> {
    operators_only()?;
    Ok(Json(events.replay(&replay.id).await?))
}

impl Events {
    /// Tries a parked event once more, at once. When it succeeds it is parked no more.
    ///
    /// # Errors
    /// It is not parked, fails again (409, with the reason), or the database does not answer.
    pub async fn replay(&self, id: &str) -> Result<Replayed, ApiError> {
        let unknown = || ApiError::new(Code::EventNotFound, format!("event {id} is not parked at {}", self.service()));
        let applier = self.applier().ok_or_else(unknown)?;
        let sql = "SELECT document FROM event_parked WHERE consumer = $1 AND event_id = $2";
        let row = self.database().optional(sql, args![self.service(), id]).await.map_err(StoreError::from)?.ok_or_else(unknown)?;
        let document = row.text(0).map_err(StoreError::from)?;
        let again = |why: String| ApiError::new(Code::Conflict, format!("event {id} failed again: {why}"));
        let mut event: Event = serde_json::from_str(&document).map_err(|error| again(error.to_string()))?;
        // It is known here by the name it was parked under.
        event.id = id.to_owned();
        let replayed = applier.apply(Arc::from([event]), tracing::Span::current(), true).await;
        match replayed {
            Ok(new) => {
                self.wake();
                tracing::info!(event.id = id, "An operator replayed event {id}");
                Ok(Replayed { id: id.to_owned(), applied: new.contains(&true) })
            }
            Err(Failure::Poison(why)) => Err(again(why)),
            Err(Failure::Store(why)) => Err(StoreError::Unavailable(why).into()),
        }
    }
}

async fn lag(State(events): State<Events>) -> ApiResult<Json<EventLag>> {
    Ok(Json(events.lag().await?))
}
