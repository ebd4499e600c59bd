//! `/cart…`

use crate::domain;
use crate::store::{CartStore, Change, Outcome};
use axum::Router;
use axum::extract::State as Shared;
use axum::response::IntoResponse;
use contract::cart::{AddItem, Cart, SetQuantity};
use contract::client::MenuClient;
use contract::error::ErrorBody;
use contract::{ApiError, CartId, Code, ItemId};
use http::StatusCode;
use opentelemetry::metrics::{Counter, Meter};
use runtime::clock::SharedClock;
use runtime::http::{ApiResult, Json, Path};
use runtime::telemetry::metrics::count;
use std::sync::Arc;
use tracing::Span;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
    routes().with_state(state).into()
}

/// What is under `/cart`, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(create)).routes(routes!(read, clear)).routes(routes!(add)).routes(routes!(set_quantity, remove))
}

/// Makes an empty cart
///
/// Whoever has its id may change it. It is gone after an hour without use.
#[utoipa::path(post, path = "/cart", tag = "Cart", operation_id = "createCart",
    responses((status = 201, description = "The new cart.", body = Cart)))]
async fn create(Shared(state): Shared<State>) -> ApiResult<impl IntoResponse> {
    let cart = domain::empty(CartId::new(uuid::Uuid::new_v4().to_string()), state.clock.now());
    state.carts.create(&cart).await?;
    state.created.add(1, &[]);
    Span::current().record("cart.id", cart.id.as_str());
    Ok((StatusCode::CREATED, Json(cart)))
}

/// One cart
#[utoipa::path(get, path = "/cart/{id}", tag = "Cart", operation_id = "getCart",
    params(("id" = CartId, Path, description = "The cart.")),
    responses(
        (status = 200, description = "The cart. Its prices are for display: what is charged, a quote says.", body = Cart),
        (status = 404, description = "CART_NOT_FOUND", body = ErrorBody),
    ))]
async fn read(Shared(state): Shared<State>, Path(id): Path<CartId>) -> ApiResult<Json<Cart>> {
    Span::current().record("cart.id", id.as_str());
    let cart = state.carts.get(&id).await?;
    Ok(Json(cart.ok_or_else(|| ApiError::cart_not_found(&id))?))
}

/// Removes a cart
#[utoipa::path(delete, path = "/cart/{id}", tag = "Cart", operation_id = "deleteCart",
    params(("id" = CartId, Path, description = "The cart.")),
    responses(
        (status = 200, description = "The cart as it is now: empty.", body = Cart),
        (status = 404, description = "CART_NOT_FOUND", body = ErrorBody),
    ))]
async fn clear(Shared(state): Shared<State>, Path(id): Path<CartId>) -> ApiResult<Json<Cart>> {
    Span::current().record("cart.id", id.as_str());
    let cart = state.carts.delete(&id).await?.ok_or_else(|| ApiError::cart_not_found(&id))?;
    state.cleared.add(1, &[]);
    Ok(Json(Cart { items: Vec::new(), restaurant_id: None, updated_at: state.clock.now(), ..cart }))
}

/// Puts a dish into a cart
///
/// Names and prices come from the menu: other fields, such as `basePrice` or `itemName`, are accepted and ignored. A second addition of the
/// same dish makes its line longer.
#[utoipa::path(post, path = "/cart/{id}/items", tag = "Cart", operation_id = "addCartItem",
    params(("id" = CartId, Path, description = "The cart.")),
    request_body = AddItem,
    responses(
        (status = 200, description = "The cart as it is now.", body = Cart),
        (status = 400, description = "INVALID_QUANTITY", body = ErrorBody),
        (status = 404, description = "CART_NOT_FOUND, ITEM_NOT_FOUND", body = ErrorBody),
        (status = 409, description = "CART_OTHER_RESTAURANT, CART_LINE_LIMIT, CART_FULL, CART_BUSY, OUT_OF_STOCK", body = ErrorBody),
    ))]
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

/// Sets how many of a dish a cart holds
///
/// Zero or less removes the line.
#[utoipa::path(patch, path = "/cart/{id}/items/{itemId}", tag = "Cart", operation_id = "setCartItemQuantity",
    params(("id" = CartId, Path, description = "The cart."), ("itemId" = ItemId, Path, description = "The dish.")),
    request_body = SetQuantity,
    responses(
        (status = 200, description = "The cart as it is now.", body = Cart),
        (status = 400, description = "INVALID_QUANTITY", body = ErrorBody),
        (status = 404, description = "CART_NOT_FOUND, CART_LINE_NOT_FOUND", body = ErrorBody),
        (status = 409, description = "CART_BUSY", body = ErrorBody),
    ))]
async fn set_quantity(
    Shared(state): Shared<State>,
    Path((id, item)): Path<(CartId, ItemId)>,
    Json(body): Json<SetQuantity>,
) -> ApiResult<Json<Cart>> {
    let now = state.clock.now();
    state.change(&id, &|cart| domain::set_quantity(cart, &item, body.quantity, now)).await
}

/// Takes a dish out of a cart
#[utoipa::path(delete, path = "/cart/{id}/items/{itemId}", tag = "Cart", operation_id = "removeCartItem",
    params(("id" = CartId, Path, description = "The cart."), ("itemId" = ItemId, Path, description = "The dish.")),
    responses(
        (status = 200, description = "The cart as it is now.", body = Cart),
        (status = 404, description = "CART_NOT_FOUND, CART_LINE_NOT_FOUND", body = ErrorBody),
        (status = 409, description = "CART_BUSY", body = ErrorBody),
    ))]
async fn remove(Shared(state): Shared<State>, Path((id, item)): Path<(CartId, ItemId)>) -> ApiResult<Json<Cart>> {
    let now = state.clock.now();
    state.change(&id, &|cart| domain::set_quantity(cart, &item, 0, now)).await
}
