//! What customers have ordered, page by page.

use crate::store::{Owner, Page};
use crate::{State, owner_key};
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use contract::OrderId;
use contract::error::ErrorBody;
use contract::id::path_segment;
use contract::order::Order;
use http::HeaderValue;
use http::header::LINK;
use runtime::context::{self, Role};
use runtime::http::{ApiResult, Json, Path, Query};
use serde::Deserialize;
use utoipa::IntoParams;

const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 200;

/// Whose orders the caller may list; `None` for strangers.
fn owner() -> Option<Owner> {
    let context = context::current();
    if context.role == Role::Operator { Some(Owner::Everybody) } else { owner_key(&context).map(Owner::One) }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// What the address in the last answer's `Link` header says.
    cursor: Option<String>,
    /// Rows of a page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
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

/// What this session ordered
///
/// Newest first, a bare array; everything for an operator, an empty array for a stranger.
#[utoipa::path(get, path = "/api/orders", tag = "Orders", operation_id = "listOrders",
    params(Paging),
    responses(
        (status = 200, description = "The orders.", body = [Order], headers(
            ("link" = String, description = "The next page's address, `rel=\"next\"`, when there may be one.")
        )),
        (status = 400, description = "INVALID_QUERY", body = ErrorBody),
    ))]
pub async fn list(Shared(state): Shared<State>, Query(paging): Query<Paging>) -> ApiResult<Response> {
    let Some(owner) = owner() else { return Ok(Json(Vec::<Order>::new()).into_response()) };
    let orders = state.history(&owner, None, &paging.page()).await?;
    let cursor = orders.last().map(|order| order.id.to_string());
    Ok(paging.answer("/api/orders", orders, cursor))
}

/// Names this session ordered for
///
/// In their order, a bare array of texts; everybody for an operator, an empty array for a stranger.
#[utoipa::path(get, path = "/api/customers", tag = "Orders", operation_id = "listCustomers",
    params(Paging),
    responses(
        (status = 200, description = "The names.", body = [String], content_type = "application/json", headers(
            ("link" = String, description = "The next page's address, `rel=\"next\"`, when there may be one.")
        )),
        (status = 400, description = "INVALID_QUERY", body = ErrorBody),
    ))]
pub async fn customers(Shared(state): Shared<State>, Query(paging): Query<Paging>) -> ApiResult<Response> {
    let Some(owner) = owner() else { return Ok(Json(Vec::<String>::new()).into_response()) };
    let names = state.book.customers(&owner, paging.cursor.as_deref(), paging.limit()).await?;
    let cursor = names.last().cloned();
    Ok(paging.answer("/api/customers", names, cursor))
}

/// What this session ordered for one name
///
/// Newest first, a bare array.
#[utoipa::path(get, path = "/api/customers/{name}/orders", tag = "Orders", operation_id = "listOrdersOfCustomer",
    params(("name" = String, Path, description = "The customer's name, as it was written."), Paging),
    responses(
        (status = 200, description = "The orders.", body = [Order], headers(
            ("link" = String, description = "The next page's address, `rel=\"next\"`, when there may be one.")
        )),
        (status = 400, description = "INVALID_QUERY", body = ErrorBody),
    ))]
pub async fn orders_of(Shared(state): Shared<State>, Path(name): Path<String>, Query(paging): Query<Paging>) -> ApiResult<Response> {
    let Some(owner) = owner() else { return Ok(Json(Vec::<Order>::new()).into_response()) };
    let orders = state.history(&owner, Some(&name), &paging.page()).await?;
    let cursor = orders.last().map(|order| order.id.to_string());
    Ok(paging.answer(&format!("/api/customers/{}/orders", path_segment(&name)), orders, cursor))
}
