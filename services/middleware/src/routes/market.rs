//! Promotions, what the pricing algorithms earn, and the service's page of the ledger.

use super::State;
use crate::store::{begin_anew, normal};
use axum::Router;
use axum::extract::State as Shared;
use axum::routing::{get, post, put};
use contract::ledger::{LedgerPage, SETTLE_WITHIN_MS};
use contract::pricing::{Gift, Promotion, VariantRevenue};
use contract::{ApiError, Code, Money, Role};
use http::StatusCode;
use runtime::args;
use runtime::context;
use runtime::http::{ApiResult, Json, Path};
use runtime::store::StoreError;

/// Longest code and longest sentence of a promotion.
const MAX_CODE_CHARS: usize = 40;
const MAX_SAYS_CHARS: usize = 120;

pub fn routes() -> Router<State> {
    Router::new()
        .route("/internal/promotions", get(promotions))
        .route("/internal/promotions/{code}", put(put_promotion))
        .route("/internal/pricing/variants", get(variants))
        .route("/internal/ledger", get(ledger))
        .route("/internal/reset", post(reset))
}

async fn promotions(Shared(state): Shared<State>) -> ApiResult<Json<Vec<Promotion>>> {
    operators_only()?;
    Ok(Json(state.promotions.all().await?))
}

async fn put_promotion(
    Shared(state): Shared<State>,
    Path(code): Path<String>,
    Json(mut promotion): Json<Promotion>,
) -> ApiResult<Json<Promotion>> {
    operators_only()?;
    promotion.code =
        normal(&code).filter(|code| code.chars().count() <= MAX_CODE_CHARS).ok_or_else(|| wrong("the code has 1 to 40 characters"))?;
    if !(1..=MAX_SAYS_CHARS).contains(&promotion.says.trim().chars().count()) {
        return Err(wrong("what it says has 1 to 120 characters").into());
    }
    match promotion.gives {
        Gift::Percent { percent } if !(1..=100).contains(&percent) => return Err(wrong("a percentage is from 1 to 100").into()),
        Gift::Amount { amount } if amount <= Money::default() => return Err(wrong("an amount is more than nothing").into()),
        _ => {}
    }
    if promotion.minimum < Money::default() {
        return Err(wrong("the smallest order is not less than nothing").into());
    }
    state.promotions.put(&promotion).await?;
    tracing::info!(promotion.code, "Promotion {} was changed", promotion.code);
    Ok(Json(promotion))
}

fn wrong(message: &str) -> ApiError {
    ApiError::new(Code::InvalidBody, message)
}

fn operators_only() -> Result<(), ApiError> {
    if context::current().role == Role::Operator { Ok(()) } else { Err(ApiError::operator_only()) }
}

/// Stock, promotions and figures as they were in the beginning.
async fn reset(Shared(state): Shared<State>) -> ApiResult<StatusCode> {
    operators_only()?;
    state.stock.reset().await?;
    state.demand.forget();
    begin_anew(&state.database, state.copied).await?;
    state.promotions.reset().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn variants(Shared(state): Shared<State>) -> ApiResult<Json<Vec<VariantRevenue>>> {
    operators_only()?;
    let rows = state.database.all("SELECT variant, orders, cents FROM pricing_variants ORDER BY variant", args![]).await;
    let rows = rows.map_err(StoreError::from)?;
    let read = rows.iter().map(|row| {
        let (orders, cents) = (row.int(1)?, row.int(2)?);
        Ok(VariantRevenue {
            variant: row.text(0)?,
            orders: u64::try_from(orders).unwrap_or(0),
            revenue: Money::from_cents(cents),
            revenue_per_order: Money::from_cents(cents).ratio(1, orders.max(1)),
        })
    });
    Ok(Json(read.collect::<Result<_, sqlx::Error>>().map_err(StoreError::from)?))
}

/// `stock` is what the shelves say, `movements` what the journal adds up to; `sold_units` and `released_units` are of orders;
/// `priced_orders` and `priced_cents` are paid orders as the comparison of the algorithms counted them.
async fn ledger(Shared(state): Shared<State>) -> ApiResult<Json<LedgerPage>> {
    let mut page = LedgerPage::default();
    let since = state.clock.now().millis() - SETTLE_WITHIN_MS;
    let rows = state.database.all("SELECT name, value FROM ledger_totals", args![]).await.map_err(StoreError::from)?;
    for row in &rows {
        page.totals.insert(row.text(0).map_err(StoreError::from)?, row.int(1).map_err(StoreError::from)?);
    }
    let recent = "SELECT COALESCE(CAST(SUM(ABS(quantity)) AS BIGINT), 0), \
        COALESCE(CAST(SUM(CASE WHEN kind = 'take' AND order_id <> '' THEN -quantity ELSE 0 END) AS BIGINT), 0), \
        COALESCE(CAST(SUM(CASE WHEN kind = 'release' THEN quantity ELSE 0 END) AS BIGINT), 0) FROM movements WHERE at_ms > $1";
    let row = state.database.one(recent, args![since]).await.map_err(StoreError::from)?;
    for (at, name) in ["movements", "sold_units", "released_units"].into_iter().enumerate() {
        page.recent.insert(name.to_owned(), row.int(at).map_err(StoreError::from)?);
    }
    let priced = "SELECT COALESCE(CAST(SUM(orders) AS BIGINT), 0), COALESCE(CAST(SUM(cents) AS BIGINT), 0) FROM pricing_variants";
    let row = state.database.one(priced, args![]).await.map_err(StoreError::from)?;
    page.totals.insert("priced_orders".to_owned(), row.int(0).map_err(StoreError::from)?);
    page.totals.insert("priced_cents".to_owned(), row.int(1).map_err(StoreError::from)?);
    let levels = state.stock.levels().await?;
    page.totals.insert("stock".to_owned(), levels.iter().map(|level| level.current_stock).sum());
    page.totals.insert("negative_items".to_owned(), levels.iter().filter(|level| level.current_stock < 0).count() as i64);
    Ok(Json(page))
}
