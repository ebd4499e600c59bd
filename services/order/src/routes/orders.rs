//! Quotes, and orders one by one.

use super::not_allowed;
use crate::domain::Actor;
use crate::place::Placed;
use crate::store::{Change, Moved, Record};
use crate::{State, owner_key};
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use contract::order::{CartQuote, Order, OrderStatus, PlaceOrder, QuoteCart, SetStatus};
use contract::{ApiError, Code, Note, OrderId};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use runtime::business::tag;
use runtime::context::{self, RequestContext, Role};
use runtime::http::{ApiResult, Json, Path, headers};
use runtime::telemetry::propagation;
use tracing::Span;

/// Says that the answer is the one given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

const BY_CUSTOMER: &str = "Cancelled by the customer.";
const BY_OPERATOR: &str = "Cancelled by the platform's staff.";

pub async fn quote(Shared(state): Shared<State>, Json(request): Json<QuoteCart>) -> ApiResult<Json<CartQuote>> {
    Ok(Json(state.quote(&request).await?))
}

pub async fn place(Shared(state): Shared<State>, headers: HeaderMap, Json(request): Json<PlaceOrder>) -> ApiResult<Response> {
    let key = match headers.get(headers::IDEMPOTENCY_KEY).map(HeaderValue::to_str) {
        None => None,
        Some(Ok(key)) => Some(key.to_owned()),
        Some(Err(_)) => return Err(ApiError::new(Code::InvalidBody, "an Idempotency-Key is plain text").into()),
    };
    Ok(match state.place(request, key).await? {
        Placed::New(order) => (StatusCode::CREATED, Json(order)).into_response(),
        Placed::Replayed(order) => (StatusCode::CREATED, [(REPLAYED, "true")], Json(order)).into_response(),
    })
}

fn owns(context: &RequestContext, record: &Record) -> bool {
    record.owner.is_some() && record.owner == owner_key(context)
}

/// All of it for its owner, the restaurant and operators; for whoever else knows the id, what is nobody's secret.
pub async fn read(Shared(state): Shared<State>, Path(id): Path<OrderId>) -> ApiResult<Json<Order>> {
    Span::current().record("order.id", id.as_str());
    let record = state.book.find(&id).await?.ok_or_else(|| ApiError::order_not_found(&id))?;
    let context = context::current();
    let sees_all = owns(&context, &record) || context.is_staff_of(record.order.restaurant_id.as_str());
    Ok(Json(if sees_all { record.order } else { record.order.public() }))
}

pub async fn set_status(Shared(state): Shared<State>, Path(id): Path<OrderId>, Json(body): Json<SetStatus>) -> ApiResult<Json<Order>> {
    Span::current().record("order.id", id.as_str());
    const WHO_MAY: &str = "the restaurant's staff";
    let context = context::current();
    if !matches!(context.role, Role::Restaurant | Role::Operator) {
        return Err(not_allowed(&context, WHO_MAY).into());
    }
    let record = state.book.find(&id).await?.ok_or_else(|| ApiError::order_not_found(&id))?;
    if !context.is_staff_of(record.order.restaurant_id.as_str()) {
        return Err(ApiError::forbidden(WHO_MAY).into());
    }
    let by = if context.role == Role::Operator { Actor::Operator } else { Actor::Kitchen };
    let reason = body.reason.as_ref().map(Note::as_str).filter(|reason| !reason.is_empty() && body.status.is_final());
    Ok(Json(state.change(&id, by, body.status, reason).await?))
}

/// By whoever ordered, before the restaurant accepts.
pub async fn cancel(Shared(state): Shared<State>, Path(id): Path<OrderId>) -> ApiResult<Json<Order>> {
    Span::current().record("order.id", id.as_str());
    let record = state.book.find(&id).await?.ok_or_else(|| ApiError::order_not_found(&id))?;
    let context = context::current();
    let (by, reason) = if owns(&context, &record) {
        (Actor::Customer, BY_CUSTOMER)
    } else if context.role == Role::Operator {
        (Actor::Operator, BY_OPERATOR)
    } else {
        return Err(ApiError::forbidden("whoever ordered").into());
    };
    Ok(Json(state.change(&id, by, OrderStatus::Cancelled, Some(reason)).await?))
}

impl State {
    async fn change(&self, id: &OrderId, by: Actor, to: OrderStatus, reason: Option<&str>) -> Result<Order, ApiError> {
        let change = Change {
            order: id.clone(),
            by,
            to,
            reason: reason.map(str::to_owned),
            at: self.clock.now(),
            traceparent: propagation::traceparent(&Span::current()),
        };
        match self.book.change(&change).await? {
            Moved::Done(record) => {
                self.moved(&[(id.clone(), to)]);
                tag("feast.order.status", to.as_str());
                tracing::info!(order.id = %id, feast.order.status = to.as_str(), "Order {id} is {}", to.as_str());
                Ok(record.order)
            }
            Moved::Illegal(from) => {
                let message = format!("an order that is {} cannot become {}", from.as_str(), to.as_str());
                Err(ApiError::new(Code::IllegalTransition, message))
            }
            Moved::NotTheirs => Err(ApiError::forbidden("the platform itself, when it is true,")),
            Moved::Missing => Err(ApiError::order_not_found(id)),
        }
    }
}
