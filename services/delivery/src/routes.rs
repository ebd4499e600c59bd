//! `/internal/deliveries…`, `/internal/couriers…`

use crate::State;
use crate::store::{Advance, Advanced, Record};
use axum::Router;
use axum::extract::State as Shared;
use axum::routing::{get, post};
use contract::delivery::{Courier, Delivery, SetCourier};
use contract::ledger::LedgerPage;
use contract::{ApiError, Code, OrderId};
use http::StatusCode;
use runtime::context::{self, RequestContext, Role};
use runtime::http::{ApiResult, Json, Path, Query};
use serde::Deserialize;
use tracing::Span;

pub fn router(state: State) -> Router {
    Router::new()
        .route("/internal/deliveries/{orderId}", get(delivery))
        .route("/internal/couriers", get(couriers))
        .route("/internal/couriers/{id}", get(courier).post(set_courier))
        .route("/internal/couriers/{id}/orders/{orderId}/advance", post(advance))
        .route("/internal/ledger", get(ledger))
        .route("/internal/reset", post(reset))
        .with_state(state)
}

fn delivery_not_found(id: &OrderId) -> ApiError {
    ApiError::new(Code::DeliveryNotFound, format!("order {id} is not being delivered yet"))
}

fn courier_not_found(id: &str) -> ApiError {
    ApiError::new(Code::CourierNotFound, format!("there is no courier {id}"))
}

/// Couriers speak for themselves, operators for all of them.
fn speaks_for(context: &RequestContext, courier: &str) -> bool {
    context.role == Role::Operator || context.courier.as_deref() == Some(courier)
}

fn must_speak_for(courier: &str) -> Result<(), ApiError> {
    if speaks_for(&context::current(), courier) { Ok(()) } else { Err(ApiError::forbidden("this courier")) }
}

/// Whoever has the order's id may see where it is. The customer's name is for those it concerns.
fn shown(record: Record) -> Delivery {
    let context = context::current();
    let Record { mut delivery, owner } = record;
    let owns = owner.is_some() && owner.as_deref() == context.owner().map(|owner| &**owner);
    let carries = delivery.courier.as_ref().is_some_and(|courier| speaks_for(&context, &courier.id));
    if !owns && !carries && !context.is_staff_of(delivery.restaurant_id.as_str()) {
        delivery.customer_name.clear();
    }
    delivery
}

/// What a courier carries is nobody else's business: whoever has an order's id may see the order.
fn discreet(mut courier: Courier) -> Courier {
    if !speaks_for(&context::current(), &courier.id) {
        courier.order_id = None;
    }
    courier
}

async fn delivery(Shared(state): Shared<State>, Path(id): Path<OrderId>) -> ApiResult<Json<Delivery>> {
    Span::current().record("order.id", id.as_str());
    let record = state.book.find(&id, state.clock.now()).await?.ok_or_else(|| delivery_not_found(&id))?;
    Ok(Json(shown(record)))
}

#[derive(Deserialize)]
struct InCity {
    #[serde(default)]
    city: String,
}

async fn couriers(Shared(state): Shared<State>, Query(query): Query<InCity>) -> ApiResult<Json<Vec<Courier>>> {
    let couriers = state.book.couriers(&query.city, state.clock.now()).await?;
    Ok(Json(couriers.into_iter().map(discreet).collect()))
}

async fn courier(Shared(state): Shared<State>, Path(id): Path<String>) -> ApiResult<Json<Courier>> {
    let courier = state.book.courier(&id, state.clock.now()).await?.ok_or_else(|| courier_not_found(&id))?;
    Ok(Json(discreet(courier)))
}

async fn set_courier(Shared(state): Shared<State>, Path(id): Path<String>, Json(change): Json<SetCourier>) -> ApiResult<Json<Courier>> {
    must_speak_for(&id)?;
    if !state.book.set_autopilot(&id, change.autopilot).await? {
        return Err(courier_not_found(&id).into());
    }
    let how = if change.autopilot { "by itself" } else { "by hand" };
    tracing::info!(courier.id = id, "Courier {id} rides {how}");
    let courier = state.book.courier(&id, state.clock.now()).await?;
    Ok(Json(courier.ok_or_else(|| courier_not_found(&id))?))
}

/// Makes the next step. The same request sent again makes no other.
async fn advance(Shared(state): Shared<State>, Path((id, order_id)): Path<(String, OrderId)>) -> ApiResult<Json<Delivery>> {
    Span::current().record("order.id", order_id.as_str());
    must_speak_for(&id)?;
    let request = context::current().request_id.to_string();
    let step = Advance { courier: id.clone(), order_id: order_id.clone(), request, at: state.clock.now() };
    match state.book.advance(step).await? {
        Advanced::NotCarried => {
            return Err(ApiError::new(Code::DeliveryNotFound, format!("courier {id} does not carry order {order_id}")).into());
        }
        Advanced::Already => {}
        Advanced::Done(status) => {
            state.events.wake();
            state.metrics.became(status, 1);
        }
    }
    let record = state.book.find(&order_id, state.clock.now()).await?.ok_or_else(|| delivery_not_found(&order_id))?;
    Ok(Json(shown(record)))
}

async fn ledger(Shared(state): Shared<State>) -> ApiResult<Json<LedgerPage>> {
    Ok(Json(state.book.ledger(state.clock.now()).await?))
}

async fn reset(Shared(state): Shared<State>) -> ApiResult<StatusCode> {
    if context::current().role != Role::Operator {
        return Err(ApiError::operator_only().into());
    }
    state.book.reset(state.clock.now()).await?;
    tracing::info!("Deliveries are as at the first start: none, and every courier at home");
    Ok(StatusCode::NO_CONTENT)
}
