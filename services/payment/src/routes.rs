//! `/internal/payments…`, `/internal/settlement`, `/internal/ledger`, `/internal/reset`

use crate::domain::day_number;
use crate::worker::Desk;
use axum::Router;
use axum::extract::State as Shared;
use axum::routing::{get, post};
use contract::ledger::LedgerPage;
use contract::payment::{Payment, Settlement};
use contract::{ApiError, Code, OrderId};
use http::StatusCode;
use runtime::http::{ApiResult, Json, Path, Query};
use serde::Deserialize;
use tracing::Span;

pub fn router(desk: Desk) -> Router {
    Router::new()
        .route("/internal/payments/{id}", get(read))
        .route("/internal/settlement", get(settlement))
        .route("/internal/ledger", get(ledger))
        .route("/internal/reset", post(reset))
        .with_state(desk)
}

async fn read(Shared(desk): Shared<Desk>, Path(id): Path<OrderId>) -> ApiResult<Json<Payment>> {
    Span::current().record("order.id", id.as_str());
    let missing = || ApiError::new(Code::PaymentNotFound, format!("there is no payment for order {id}"));
    let payment = desk.book.find(&id).await?.ok_or_else(missing)?;
    Ok(Json(payment.on_the_wire()))
}

#[derive(Deserialize)]
struct Day {
    day: String,
}

async fn settlement(Shared(desk): Shared<Desk>, Query(Day { day }): Query<Day>) -> ApiResult<Json<Settlement>> {
    let number = day_number(&day).ok_or_else(|| ApiError::new(Code::InvalidQuery, "day must be a day such as 2026-11-20"))?;
    let lines = desk.book.settlement(number).await?;
    let net = lines.iter().map(|line| line.net).sum();
    Ok(Json(Settlement { day, lines, net }))
}

async fn ledger(Shared(desk): Shared<Desk>) -> ApiResult<Json<LedgerPage>> {
    Ok(Json(desk.book.ledger(desk.clock.now()).await?))
}

/// Forgets every payment. Calls back whoever is at the bank, and lets nobody go there meanwhile.
async fn reset(Shared(desk): Shared<Desk>) -> ApiResult<StatusCode> {
    let closed = desk.door.close().await;
    desk.provider.finish().await.map_err(|error| {
        tracing::error!(%error, "What was asked of the bank could not be finished");
        ApiError::store_unavailable()
    })?;
    desk.book.reset().await?;
    closed.emptied(desk.clock.now());
    Ok(StatusCode::NO_CONTENT)
}
