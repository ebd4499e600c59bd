//! What the order service, operators and existing clients ask.

use crate::NAME;
mod market;

use crate::domain::market::Demand;
use crate::domain::stock::Take;
use crate::domain::{pricing, validation};
use crate::reserve::SHORTAGE;
use crate::store::{Promotions, QuoteStore, Stock};
use axum::Router;
use axum::extract::State as Shared;
use axum::routing::post;
use contract::error::ErrorBody;
use contract::pricing::{
    ConfirmBatch, InventoryReply, InventoryRequest, LineRequest, PriceReply, PriceRequest, Quote, QuoteRequest, Reservation,
    ReservationRequest, SetStock, StockLevel, ValidateReply, ValidateRequest,
};
use contract::{ApiError, Code, ItemId, OrderId, Quantity};
use http::StatusCode;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use runtime::Platform;
use runtime::business::tag;
use runtime::chance::Chance;
use runtime::chaos::{Chaos, Injected};
use runtime::clock::SharedClock;
use runtime::http::{ApiResult, Json, Path, Query};
use runtime::store::sql::Database;
use runtime::telemetry::metrics::count;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// More than any kitchen cooks, less than what overflows.
const MAX_STOCK: i64 = 1_000_000_000;

#[derive(Clone)]
pub struct State {
    pub stock: Arc<dyn Stock>,
    pub quotes: Arc<dyn QuoteStore>,
    pub promotions: Arc<Promotions>,
    pub demand: Arc<Demand>,
    pub database: Database,
    /// The journal of the stock is in Redis, and its copy in the database.
    pub copied: bool,
    /// Seed of the weather.
    pub seed: u64,
    pub clock: SharedClock,
    pub chance: Chance,
    pub chaos: Chaos,
    pub validations: Counter<u64>,
    pub takes: Counter<u64>,
    pub refills: Counter<u64>,
}

impl State {
    pub fn new(stock: Arc<dyn Stock>, quotes: Arc<dyn QuoteStore>, database: Database, platform: &Platform) -> Self {
        let meter = platform.meter(NAME);
        Self {
            stock,
            quotes,
            promotions: Arc::new(Promotions::new(
                database.clone(),
                platform.clock.clone(),
                platform.guard(NAME, "promotions", database.backend()),
            )),
            demand: Arc::default(),
            database,
            copied: platform.settings.redis_url.is_some(),
            seed: platform.settings.seed.unwrap_or_default(),
            clock: platform.clock.clone(),
            chance: platform.chance.clone(),
            chaos: platform.chaos(NAME),
            validations: count(&meter, "feast.validations", "Orders validated"),
            takes: count(&meter, "feast.stock.takes", "Attempts to take stock"),
            refills: count(&meter, "feast.stock.refills", "Items filled up"),
        }
    }
}

pub fn router(state: State) -> Router {
    Router::from(routes()).merge(market::routes()).with_state(state)
}

/// What operators ask, described. The rest is asked by the platform's own services.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .route("/validate", post(validate))
        .route("/calculate-price", post(calculate_price))
        .route("/check-inventory", post(check_inventory))
        .route("/quote", post(quote))
        .route("/reservations", post(reserve))
        .route("/reservations/confirm", post(confirm_batch))
        .route("/reservations/{id}/confirm", post(confirm))
        .route("/reservations/{id}/release", post(release))
        .routes(routes!(levels))
        .routes(routes!(set_stock))
}

async fn validate(Shared(state): Shared<State>, Json(request): Json<ValidateRequest>) -> Json<ValidateReply> {
    let reply = validation::validate(&request);
    state.validations.add(1, &[KeyValue::new("feast.outcome", if reply.valid { "valid" } else { "invalid" })]);
    Json(reply)
}

async fn calculate_price(Shared(state): Shared<State>, Json(request): Json<PriceRequest>) -> ApiResult<Json<PriceReply>> {
    let quantity = Quantity::new(request.quantity)?.get();
    let hour = pricing::local_hour(state.clock.now(), "UTC");
    let line = LineRequest { item_id: request.item_id, quantity, base_price: request.base_price };
    let line = pricing::price_line(&line, pricing::time_of_day(hour));
    let undiscounted = line.base_price.times(quantity);
    let message = if line.rules.is_empty() { "regular price".to_owned() } else { line.rules.join(", ") };
    Ok(Json(PriceReply {
        total_price: line.total,
        base_price: line.base_price,
        quantity,
        discount: (undiscounted - line.total).max(contract::Money::ZERO),
        price_multiplier: pricing::multiplier(quantity, hour),
        message,
    }))
}

async fn check_inventory(Shared(state): Shared<State>, Json(request): Json<InventoryRequest>) -> ApiResult<Json<InventoryReply>> {
    if request.quantity <= 0 {
        return Err(ApiError::new(Code::InvalidQuantity, "quantity must be a positive whole number").into());
    }
    let shortage = state.shortage().await;
    let take = Take::draw(request.item_id, request.quantity, &shortage, &state.chance);
    if !shortage.sells(&take.item) {
        state.chaos.mark(SHORTAGE, Injected::Behaviour, "/check-inventory");
        return Ok(Json(reply(false, 0, take.quantity)));
    }
    let taken = state.stock.take(&take).await?;
    let outcome = if taken.available { "taken" } else { "out_of_stock" };
    state.takes.add(1, &[KeyValue::new("feast.outcome", outcome)]);
    state.refills.add(u64::from(taken.refilled), &[]);
    if taken.refilled {
        tag("feast.stock.refilled", "true");
    }
    Ok(Json(reply(taken.available, taken.left, take.quantity)))
}

fn reply(available: bool, current_stock: i64, requested_amount: i64) -> InventoryReply {
    let message = (!available).then(|| format!("{requested_amount} requested, {current_stock} in stock"));
    InventoryReply { available, current_stock, requested_amount, message }
}

async fn quote(Shared(state): Shared<State>, Json(request): Json<QuoteRequest>) -> ApiResult<Json<Quote>> {
    Ok(Json(state.quote(request).await?))
}

async fn reserve(Shared(state): Shared<State>, Json(request): Json<ReservationRequest>) -> ApiResult<Json<Reservation>> {
    Ok(Json(state.reserve(request).await?))
}

async fn confirm_batch(Shared(state): Shared<State>, Json(batch): Json<ConfirmBatch>) -> ApiResult<StatusCode> {
    state.stock.confirm(&batch.order_ids).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn confirm(Shared(state): Shared<State>, Path(order): Path<OrderId>) -> ApiResult<StatusCode> {
    state.stock.confirm(&[order]).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn release(Shared(state): Shared<State>, Path(order): Path<OrderId>) -> ApiResult<StatusCode> {
    state.stock.release(&order).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Items of one `?ids=`: more than any restaurant's menu has.
const MAX_IDS: usize = 500;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Items, separated by commas, at most 500; absent for all that were ever asked for.
    ids: Option<String>,
}

/// How much of each item there is
#[utoipa::path(get, path = "/inventory", tag = "Operators", operation_id = "listStock",
    params(Wanted),
    responses(
        (status = 200, description = "The shelves, a bare array.", body = [StockLevel]),
        (status = 400, description = "INVALID_QUERY", body = ErrorBody),
    ))]
async fn levels(Shared(state): Shared<State>, Query(wanted): Query<Wanted>) -> ApiResult<Json<Vec<StockLevel>>> {
    let Some(ids) = wanted.ids else { return Ok(Json(state.stock.levels().await?)) };
    let ids: Vec<ItemId> = ids.split(',').filter(|id| !id.is_empty()).map(ItemId::new).collect();
    if ids.len() > MAX_IDS {
        return Err(ApiError::new(Code::InvalidQuery, format!("at most {MAX_IDS} ids at once")).into());
    }
    Ok(Json(state.stock.levels_of(&ids).await?))
}

/// Sets how much of an item there is
#[utoipa::path(put, path = "/inventory/{itemId}", tag = "Operators", operation_id = "setStock",
    params(("itemId" = ItemId, Path, description = "The item.")),
    request_body = SetStock,
    responses(
        (status = 200, description = "The shelf as it is now.", body = StockLevel),
        (status = 400, description = "INVALID_QUANTITY", body = ErrorBody),
    ))]
async fn set_stock(Shared(state): Shared<State>, Path(item): Path<ItemId>, Json(body): Json<SetStock>) -> ApiResult<Json<StockLevel>> {
    if !(0..=MAX_STOCK).contains(&body.stock) {
        return Err(ApiError::new(Code::InvalidQuantity, format!("stock is a whole number from 0 to {MAX_STOCK}")).into());
    }
    Ok(Json(state.stock.set(&item, body.stock).await?))
}
