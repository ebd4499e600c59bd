//! `/api/orders…`, `/api/quotes`, `/api/customers…`

use crate::State;
use crate::place::Placed;
use crate::store::{Moved, Owner, Page, Record};
use axum::Router;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use contract::id::path_segment;
use contract::order::{CartQuote, Order, PlaceOrder, QuoteCart, SetStatus};
use contract::{ApiError, Code, OrderId};
use http::header::LINK;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use opentelemetry::KeyValue;
use runtime::context::{self, Role};
use runtime::http::{ApiResult, Json, Path, Query, headers};
use serde::Deserialize;
use tracing::Span;

const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 200;

/// Says that the answer is the one given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

pub fn router(state: State) -> Router {
    Router::new()
        .route("/api/quotes", post(quote))
        .route("/api/orders", post(place).get(list))
        .route("/api/orders/{id}", get(read).patch(set_status))
        .route("/api/customers", get(customers))
        .route("/api/customers/{name}/orders", get(orders_of))
        .with_state(state)
}

async fn quote(Shared(state): Shared<State>, Json(request): Json<QuoteCart>) -> ApiResult<Json<CartQuote>> {
    Ok(Json(state.quote(&request).await?))
}

async fn place(Shared(state): Shared<State>, headers: HeaderMap, Json(request): Json<PlaceOrder>) -> ApiResult<Response> {
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

/// Whose orders the caller may list; `None` for strangers.
fn owner() -> Option<Owner> {
    let context = context::current();
    match context.role {
        Role::Operator => Some(Owner::Everybody),
        Role::Customer | Role::Restaurant | Role::Courier => context.owner().map(|owner| Owner::Session(owner.to_string())),
    }
}

fn may_see_all(record: &Record) -> bool {
    let context = context::current();
    let owns = record.session.is_some() && record.session.as_deref() == context.owner().map(|owner| &**owner);
    owns || context.is_staff_of(record.order.restaurant_id.as_str())
}

async fn read(Shared(state): Shared<State>, Path(id): Path<OrderId>) -> ApiResult<Json<Order>> {
    Span::current().record("order.id", id.as_str());
    let record = state.book.find(&id).await?.ok_or_else(|| ApiError::order_not_found(&id))?;
    Ok(Json(if may_see_all(&record) { record.order } else { record.order.public() }))
}

async fn set_status(Shared(state): Shared<State>, Path(id): Path<OrderId>, Json(body): Json<SetStatus>) -> ApiResult<Json<Order>> {
    Span::current().record("order.id", id.as_str());
    if context::current().role != Role::Operator {
        return Err(ApiError::operator_only().into());
    }
    match state.book.set_status(&id, body.status, state.clock.now()).await? {
        Moved::Done(record) => {
            state.metrics.orders.add(1, &[KeyValue::new("feast.order.status", body.status.as_str())]);
            tracing::info!(order.id = %id, feast.order.status = body.status.as_str(), "Order {id} is {}", body.status.as_str());
            Ok(Json(record.order))
        }
        Moved::Illegal(from) => {
            let message = format!("an order that is {} cannot become {}", from.as_str(), body.status.as_str());
            Err(ApiError::new(Code::IllegalTransition, message).into())
        }
        Moved::Missing => Err(ApiError::order_not_found(&id).into()),
    }
}

#[derive(Deserialize)]
struct Paging {
    cursor: Option<String>,
    limit: Option<u32>,
}

impl Paging {
    fn limit(&self) -> u32 {
        self.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE)
    }

    fn page(&self) -> Page {
        Page { after: self.cursor.clone().map(OrderId::new), limit: self.limit() }
    }

    /// A bare array, with the next page's address in `Link` when there may be one.
    fn answer<T: serde::Serialize>(&self, path: &str, rows: Vec<T>, cursor: Option<String>) -> Response {
        let full = rows.len() as u32 == self.limit();
        let mut response = Json(rows).into_response();
        let next =
            cursor.filter(|_| full).map(|cursor| format!("<{path}?cursor={}&limit={}>; rel=\"next\"", path_segment(&cursor), self.limit()));
        if let Some(value) = next.and_then(|next| HeaderValue::try_from(next).ok()) {
            response.headers_mut().insert(LINK, value);
        }
        response
    }
}

async fn list(Shared(state): Shared<State>, Query(paging): Query<Paging>) -> ApiResult<Response> {
    let Some(owner) = owner() else { return Ok(Json(Vec::<Order>::new()).into_response()) };
    let orders = state.book.list(&owner, None, &paging.page()).await?;
    let cursor = orders.last().map(|order| order.id.to_string());
    Ok(paging.answer("/api/orders", orders, cursor))
}

async fn customers(Shared(state): Shared<State>, Query(paging): Query<Paging>) -> ApiResult<Response> {
    let Some(owner) = owner() else { return Ok(Json(Vec::<String>::new()).into_response()) };
    let names = state.book.customers(&owner, paging.cursor.as_deref(), paging.limit()).await?;
    let cursor = names.last().cloned();
    Ok(paging.answer("/api/customers", names, cursor))
}

async fn orders_of(Shared(state): Shared<State>, Path(name): Path<String>, Query(paging): Query<Paging>) -> ApiResult<Response> {
    let Some(owner) = owner() else { return Ok(Json(Vec::<Order>::new()).into_response()) };
    let orders = state.book.list(&owner, Some(&name), &paging.page()).await?;
    let cursor = orders.last().map(|order| order.id.to_string());
    Ok(paging.answer(&format!("/api/customers/{}/orders", path_segment(&name)), orders, cursor))
}
