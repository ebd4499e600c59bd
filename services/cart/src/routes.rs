//! `/cart…`

use crate::domain;
use crate::store::{CartStore, Change, Outcome};
use axum::Router;
use axum::extract::State as Shared;
use axum::response::IntoResponse;
use axum::routing::{get, patch, post};
use contract::cart::{AddItem, Cart, SetQuantity};
use contract::client::MenuClient;
use contract::{ApiError, CartId, Code, ItemId};
use http::StatusCode;
use opentelemetry::metrics::{Counter, Meter};
use runtime::clock::SharedClock;
use runtime::http::{ApiResult, Json, Path};
use runtime::telemetry::metrics::count;
use std::sync::Arc;
use tracing::Span;

#[derive(Clone)]
pub struct State {
    carts: Arc<dyn CartStore>,
    menu: MenuClient,
    clock: SharedClock,
    created: Counter<u64>,
    added: Counter<u64>,
    cleared: Counter<u64>,
}

impl State {
    pub fn new(carts: Arc<dyn CartStore>, menu: MenuClient, clock: SharedClock, meter: &Meter) -> Self {
        Self {
            carts,
            menu,
            clock,
            created: count(meter, "feast.carts.created", "Carts created"),
            added: count(meter, "feast.cart.items.added", "Things put into carts"),
            cleared: count(meter, "feast.carts.cleared", "Carts removed by their owner or by an order"),
        }
    }

    async fn change(&self, id: &CartId, change: Change<'_>) -> ApiResult<Json<Cart>> {
        Span::current().record("cart.id", id.as_str());
        match self.carts.change(id, change).await? {
            Outcome::Changed(cart) => Ok(Json(cart)),
            Outcome::Refused(refusal) => Err(refusal.into()),
            Outcome::Missing => Err(ApiError::cart_not_found(id).into()),
            Outcome::Busy => Err(ApiError::new(Code::CartBusy, "the cart is being changed by others; try again").into()),
        }
    }
}

pub fn router(state: State) -> Router {
    Router::new()
        .route("/cart", post(create))
        .route("/cart/{id}", get(read).delete(clear))
        .route("/cart/{id}/items", post(add))
        .route("/cart/{id}/items/{itemId}", patch(set_quantity).delete(remove))
        .with_state(state)
}

async fn create(Shared(state): Shared<State>) -> ApiResult<impl IntoResponse> {
    let cart = domain::empty(CartId::new(uuid::Uuid::new_v4().to_string()), state.clock.now());
    state.carts.create(&cart).await?;
    state.created.add(1, &[]);
    Span::current().record("cart.id", cart.id.as_str());
    Ok((StatusCode::CREATED, Json(cart)))
}

async fn read(Shared(state): Shared<State>, Path(id): Path<CartId>) -> ApiResult<Json<Cart>> {
    Span::current().record("cart.id", id.as_str());
    let cart = state.carts.get(&id).await?;
    Ok(Json(cart.ok_or_else(|| ApiError::cart_not_found(&id))?))
}

/// Removes the cart; answers it as it is now: empty.
async fn clear(Shared(state): Shared<State>, Path(id): Path<CartId>) -> ApiResult<Json<Cart>> {
    Span::current().record("cart.id", id.as_str());
    let cart = state.carts.delete(&id).await?.ok_or_else(|| ApiError::cart_not_found(&id))?;
    state.cleared.add(1, &[]);
    Ok(Json(Cart { items: Vec::new(), restaurant_id: None, updated_at: state.clock.now(), ..cart }))
}

async fn add(Shared(state): Shared<State>, Path(id): Path<CartId>, Json(body): Json<AddItem>) -> ApiResult<Json<Cart>> {
    let item = state.menu.item(&body.item_id).await?;
    if !item.in_stock {
        return Err(ApiError::new(Code::OutOfStock, format!("{} is not served today", item.name)).into());
    }
    let now = state.clock.now();
    let cart = state.change(&id, &|cart| domain::add(cart, &item, body.quantity, body.choice.as_deref(), now)).await?;
    state.added.add(u64::from(body.quantity.get()), &[]);
    Ok(cart)
}

async fn set_quantity(
    Shared(state): Shared<State>,
    Path((id, item)): Path<(CartId, ItemId)>,
    Json(body): Json<SetQuantity>,
) -> ApiResult<Json<Cart>> {
    let now = state.clock.now();
    state.change(&id, &|cart| domain::set_quantity(cart, &item, body.quantity, now)).await
}

async fn remove(Shared(state): Shared<State>, Path((id, item)): Path<(CartId, ItemId)>) -> ApiResult<Json<Cart>> {
    let now = state.clock.now();
    state.change(&id, &|cart| domain::set_quantity(cart, &item, 0, now)).await
}
