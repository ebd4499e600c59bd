//! Quotes, and orders one by one.

use super::not_allowed;
use crate::domain::Actor;
use crate::place::Placed;
use crate::store::{Change, Moved, Record};
use crate::{State, owner_key};
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use contract::error::ErrorBody;
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

/// Prices a cart
///
/// Nothing is reserved. An order that names the quote within five minutes costs exactly this.
#[utoipa::path(post, path = "/api/quotes", tag = "Orders", operation_id = "quoteCart",
    request_body = QuoteCart,
    responses(
        (status = 200, description = "Lines, fees, discounts and the total.", body = CartQuote),
        (status = 400, description = "PROMOTION_UNKNOWN", body = ErrorBody),
        (status = 404, description = "CART_NOT_FOUND, ITEM_NOT_FOUND, RESTAURANT_NOT_FOUND", body = ErrorBody),
        (status = 409, description = "CART_EMPTY, OUT_OF_STOCK, RESTAURANT_CLOSED, PROMOTION_NOT_APPLICABLE", body = ErrorBody),
    ))]
pub async fn quote(Shared(state): Shared<State>, Json(request): Json<QuoteCart>) -> ApiResult<Json<CartQuote>> {
    Ok(Json(state.quote(&request).await?))
}

/// Orders what is in a cart
///
/// Validated, priced by the quote or afresh, and taken from the shelves in one step; an order that was answered is stored. Send an
/// `Idempotency-Key` and repeat the request when the answer was lost: within a day the same key and body get the same order. Without
/// one the cart is the key. Money is asked for after the answer.
#[utoipa::path(post, path = "/api/orders", tag = "Orders", operation_id = "placeOrder",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 characters that name this request.")),
    request_body = PlaceOrder,
    responses(
        (status = 201, description = "The order.", body = Order, headers(
            ("idempotent-replayed" = String, description = "`true` when this is the answer that was given before.")
        )),
        (status = 400, description = "INVALID_NAME, PROMOTION_UNKNOWN", body = ErrorBody),
        (status = 404, description = "CART_NOT_FOUND, ITEM_NOT_FOUND, RESTAURANT_NOT_FOUND", body = ErrorBody),
        (status = 409, description = "CART_EMPTY, CART_ALREADY_ORDERED, OUT_OF_STOCK, RESTAURANT_CLOSED, PROMOTION_NOT_APPLICABLE, QUOTE_EXPIRED, QUOTE_MISMATCH, RESERVATION_RELEASED, IDEMPOTENCY_IN_FLIGHT", body = ErrorBody),
        (status = 422, description = "IDEMPOTENCY_MISMATCH", body = ErrorBody),
    ))]
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

/// One order
///
/// All of it for its owner, the restaurant and operators; for whoever else knows the id, what is nobody's secret: status, items, total.
#[utoipa::path(get, path = "/api/orders/{id}", tag = "Orders", operation_id = "getOrder",
    params(("id" = OrderId, Path, description = "The order.")),
    responses(
        (status = 200, description = "The order.", body = Order),
        (status = 404, description = "ORDER_NOT_FOUND", body = ErrorBody),
    ))]
pub async fn read(Shared(state): Shared<State>, Path(id): Path<OrderId>) -> ApiResult<Json<Order>> {
    Span::current().record("order.id", id.as_str());
    let record = state.book.find(&id).await?.ok_or_else(|| ApiError::order_not_found(&id))?;
    let context = context::current();
    let sees_all = owns(&context, &record) || context.is_staff_of(record.order.restaurant_id.as_str());
    Ok(Json(if sees_all { record.order } else { record.order.public() }))
}

/// Moves an order on
///
/// Only as its life goes: `paid` to `accepted` or `rejected`, `accepted` to `preparing`, `preparing` to `ready`. Couriers and the bank
/// move the others.
#[utoipa::path(patch, path = "/api/orders/{id}", tag = "Restaurants", operation_id = "setOrderStatus",
    params(("id" = OrderId, Path, description = "The order.")),
    request_body = SetStatus,
    responses(
        (status = 200, description = "The order as it is now.", body = Order),
        (status = 404, description = "ORDER_NOT_FOUND", body = ErrorBody),
        (status = 409, description = "ILLEGAL_TRANSITION", body = ErrorBody),
    ))]
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

/// Cancels an order
///
/// By whoever ordered, before the restaurant accepts. What was paid is given back.
#[utoipa::path(post, path = "/api/orders/{id}/cancel", tag = "Orders", operation_id = "cancelOrder",
    params(("id" = OrderId, Path, description = "The order.")),
    responses(
        (status = 200, description = "The order as it is now.", body = Order),
        (status = 403, description = "FORBIDDEN", body = ErrorBody),
        (status = 404, description = "ORDER_NOT_FOUND", body = ErrorBody),
        (status = 409, description = "ILLEGAL_TRANSITION", body = ErrorBody),
    ))]
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
