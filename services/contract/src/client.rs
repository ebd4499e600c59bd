//! Typed clients. A client says what is asked; a [`Transport`] decides how the call travels: in the process, or by HTTP to one
//! of several addresses, with time-outs, retries and circuit breaker. A client never knows which of the two it has.

mod delivery;
mod notification;
mod payment;
mod upkeep;
mod user;

pub use notification::MessageFilter;
pub use upkeep::Upkeep;

use crate::cart::{AddItem, Cart, SetQuantity};
use crate::error::ApiError;
use crate::id::{CartId, ItemId, OrderId, RestaurantId, path_segment};
use crate::ledger::LedgerPage;
use crate::menu::{ChangeItem, ChangeRestaurant, Figures, ItemsReply, MenuItem, Recommendations, Restaurant, RestaurantMenu, WriteItem};
use crate::order::{Board, CartQuote, Claim, Order, PlaceOrder, QuoteCart, SetAutopilot, SetStatus};
use crate::pricing::{ConfirmBatch, Promotion, Quote, QuoteRequest, Reservation, ReservationRequest, SetStock, StockLevel, VariantRevenue};
use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// One call, ready to travel.
#[derive(Clone, Debug)]
pub struct Call {
    /// Name in the call-policy table: `cart.add_item`.
    pub name: &'static str,
    pub method: Method,
    /// Path and query, starting with `/`.
    pub path: String,
    /// JSON; empty when there is no body.
    pub body: Bytes,
    /// Sent as `Idempotency-Key`.
    pub idempotency_key: Option<String>,
}

/// What came back, whole.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Bytes,
    pub retry_after_s: Option<u32>,
    /// The `Link` header of a paged list.
    pub link: Option<String>,
}

#[async_trait]
pub trait Transport: Send + Sync {
    /// # Errors
    /// Only when there is no reply at all (refused, timed out, breaker open); a reply with an error status is `Ok`.
    async fn call(&self, call: Call) -> Result<Reply, ApiError>;
}

/// A shared transport to one service.
pub type SharedTransport = Arc<dyn Transport>;

fn call(name: &'static str, method: Method, path: impl Into<String>) -> Call {
    Call { name, method, path: path.into(), body: Bytes::new(), idempotency_key: None }
}

fn with_body(mut call: Call, body: &impl Serialize) -> Result<Call, ApiError> {
    call.body = serde_json::to_vec(body).map_err(|_| ApiError::internal())?.into();
    Ok(call)
}

async fn send(transport: &SharedTransport, call: Call) -> Result<Reply, ApiError> {
    let reply = transport.call(call).await?;
    if (200..300).contains(&reply.status) { Ok(reply) } else { Err(ApiError::from_reply(reply.status, &reply.body, reply.retry_after_s)) }
}

async fn fetch<T: DeserializeOwned>(transport: &SharedTransport, call: Call) -> Result<T, ApiError> {
    let reply = send(transport, call).await?;
    serde_json::from_slice(&reply.body).map_err(|_| ApiError::internal())
}

macro_rules! clients {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SharedTransport);

        impl $name {
            pub fn new(transport: SharedTransport) -> Self {
                Self(transport)
            }
        }
    )+};
}

clients! {
    MenuClient, CartClient, MiddlewareClient, OrderClient, UserClient, PaymentClient, DeliveryClient, NotificationClient,
}

impl MenuClient {
    pub async fn restaurants(&self) -> Result<Vec<Restaurant>, ApiError> {
        fetch(&self.0, call("menu.restaurants", Method::GET, "/api/restaurants")).await
    }

    pub async fn restaurant_menu(&self, id: &RestaurantId) -> Result<RestaurantMenu, ApiError> {
        let path = format!("/internal/restaurants/{}", path_segment(id.as_str()));
        fetch(&self.0, call("menu.restaurant_menu", Method::GET, path)).await
    }

    pub async fn item(&self, id: &ItemId) -> Result<MenuItem, ApiError> {
        fetch(&self.0, call("menu.item", Method::GET, format!("/api/menu/{}", path_segment(id.as_str())))).await
    }

    /// Many items by id in one round trip, whatever restaurant they belong to.
    pub async fn items(&self, ids: &[&ItemId]) -> Result<ItemsReply, ApiError> {
        let list: Vec<String> = ids.iter().map(|id| path_segment(id.as_str())).collect();
        fetch(&self.0, call("menu.items", Method::GET, format!("/internal/items?ids={}", list.join(",")))).await
    }

    pub async fn change_restaurant(&self, id: &RestaurantId, change: &ChangeRestaurant) -> Result<Restaurant, ApiError> {
        let path = restaurant_path(id, "");
        fetch(&self.0, with_body(call("menu.change_restaurant", Method::PATCH, path), change)?).await
    }

    pub async fn add_item(&self, id: &RestaurantId, item: &WriteItem) -> Result<MenuItem, ApiError> {
        fetch(&self.0, with_body(call("menu.add_item", Method::POST, restaurant_path(id, "/items")), item)?).await
    }

    pub async fn replace_item(&self, id: &RestaurantId, item: &ItemId, write: &WriteItem) -> Result<MenuItem, ApiError> {
        fetch(&self.0, with_body(call("menu.replace_item", Method::PUT, item_path(id, item)), write)?).await
    }

    pub async fn change_item(&self, id: &RestaurantId, item: &ItemId, change: &ChangeItem) -> Result<MenuItem, ApiError> {
        fetch(&self.0, with_body(call("menu.change_item", Method::PATCH, item_path(id, item)), change)?).await
    }

    /// Takes a dish off the menu for good. One that is gone is a success.
    pub async fn delete_item(&self, id: &RestaurantId, item: &ItemId) -> Result<(), ApiError> {
        match send(&self.0, call("menu.delete_item", Method::DELETE, item_path(id, item))).await {
            Err(error) if error.status == 404 => Ok(()),
            other => other.map(drop),
        }
    }

    pub async fn recommendations(&self, id: &RestaurantId) -> Result<Recommendations, ApiError> {
        fetch(&self.0, call("menu.recommendations", Method::GET, restaurant_path(id, "/recommendations"))).await
    }

    pub async fn figures(&self, id: &RestaurantId) -> Result<Figures, ApiError> {
        fetch(&self.0, call("menu.figures", Method::GET, restaurant_path(id, "/figures"))).await
    }

    pub async fn ledger(&self) -> Result<LedgerPage, ApiError> {
        fetch(&self.0, call("menu.ledger", Method::GET, "/internal/ledger")).await
    }
}

fn restaurant_path(id: &RestaurantId, rest: &str) -> String {
    format!("/api/restaurants/{}{rest}", path_segment(id.as_str()))
}

fn item_path(id: &RestaurantId, item: &ItemId) -> String {
    restaurant_path(id, &format!("/items/{}", path_segment(item.as_str())))
}

impl CartClient {
    pub async fn create(&self) -> Result<Cart, ApiError> {
        fetch(&self.0, call("cart.create", Method::POST, "/cart")).await
    }

    pub async fn get(&self, id: &CartId) -> Result<Cart, ApiError> {
        fetch(&self.0, call("cart.get", Method::GET, cart_path(id))).await
    }

    pub async fn add_item(&self, id: &CartId, item: &AddItem) -> Result<Cart, ApiError> {
        let call = call("cart.add_item", Method::POST, format!("{}/items", cart_path(id)));
        fetch(&self.0, with_body(call, item)?).await
    }

    /// Zero or less removes the line.
    pub async fn set_quantity(&self, id: &CartId, item: &ItemId, quantity: i64) -> Result<Cart, ApiError> {
        let call = call("cart.set_quantity", Method::PATCH, line_path(id, item));
        fetch(&self.0, with_body(call, &SetQuantity { quantity })?).await
    }

    pub async fn remove_item(&self, id: &CartId, item: &ItemId) -> Result<Cart, ApiError> {
        fetch(&self.0, call("cart.remove_item", Method::DELETE, line_path(id, item))).await
    }

    /// Deletes the cart. A cart that is gone already is a success: the outcome is the same.
    pub async fn delete(&self, id: &CartId) -> Result<(), ApiError> {
        match send(&self.0, call("cart.delete", Method::DELETE, cart_path(id))).await {
            Err(error) if error.status == 404 => Ok(()),
            other => other.map(drop),
        }
    }
}

fn cart_path(id: &CartId) -> String {
    format!("/cart/{}", path_segment(id.as_str()))
}

fn line_path(id: &CartId, item: &ItemId) -> String {
    format!("{}/items/{}", cart_path(id), path_segment(item.as_str()))
}

impl MiddlewareClient {
    pub async fn quote(&self, request: &QuoteRequest) -> Result<Quote, ApiError> {
        fetch(&self.0, with_body(call("middleware.quote", Method::POST, "/quote"), request)?).await
    }

    pub async fn reserve(&self, request: &ReservationRequest) -> Result<Reservation, ApiError> {
        fetch(&self.0, with_body(call("middleware.reserve", Method::POST, "/reservations"), request)?).await
    }

    pub async fn confirm(&self, order_ids: Vec<OrderId>) -> Result<(), ApiError> {
        let call = call("middleware.confirm", Method::POST, "/reservations/confirm");
        send(&self.0, with_body(call, &ConfirmBatch { order_ids })?).await.map(drop)
    }

    /// Gives the stock back. A reservation that never came to be is a success: the outcome is the same.
    pub async fn release(&self, id: &OrderId) -> Result<(), ApiError> {
        let path = format!("/reservations/{}/release", path_segment(id.as_str()));
        match send(&self.0, call("middleware.release", Method::POST, path)).await {
            Err(error) if error.status == 404 => Ok(()),
            other => other.map(drop),
        }
    }

    /// Stock of every item that has been asked for so far, sorted by item id.
    pub async fn inventory(&self) -> Result<Vec<StockLevel>, ApiError> {
        fetch(&self.0, call("middleware.inventory", Method::GET, "/inventory")).await
    }

    pub async fn set_stock(&self, id: &ItemId, stock: i64) -> Result<StockLevel, ApiError> {
        let path = format!("/inventory/{}", path_segment(id.as_str()));
        fetch(&self.0, with_body(call("middleware.set_stock", Method::PUT, path), &SetStock { stock })?).await
    }

    /// Stock of these items, in one round trip; only those that were ever asked for.
    pub async fn stock_of(&self, ids: &[&ItemId]) -> Result<Vec<StockLevel>, ApiError> {
        let list: Vec<String> = ids.iter().map(|id| path_segment(id.as_str())).collect();
        fetch(&self.0, call("middleware.inventory", Method::GET, format!("/inventory?ids={}", list.join(",")))).await
    }

    pub async fn promotions(&self) -> Result<Vec<Promotion>, ApiError> {
        fetch(&self.0, call("middleware.promotions", Method::GET, "/internal/promotions")).await
    }

    pub async fn put_promotion(&self, promotion: &Promotion) -> Result<Promotion, ApiError> {
        let path = format!("/internal/promotions/{}", path_segment(&promotion.code));
        fetch(&self.0, with_body(call("middleware.put_promotion", Method::PUT, path), promotion)?).await
    }

    /// Revenue per order of each pricing algorithm.
    pub async fn pricing_variants(&self) -> Result<Vec<VariantRevenue>, ApiError> {
        fetch(&self.0, call("middleware.pricing_variants", Method::GET, "/internal/pricing/variants")).await
    }

    pub async fn ledger(&self) -> Result<LedgerPage, ApiError> {
        fetch(&self.0, call("middleware.ledger", Method::GET, "/internal/ledger")).await
    }
}

impl OrderClient {
    pub async fn quote(&self, request: &QuoteCart) -> Result<CartQuote, ApiError> {
        fetch(&self.0, with_body(call("order.quote", Method::POST, "/api/quotes"), request)?).await
    }

    pub async fn place(&self, order: &PlaceOrder, idempotency_key: Option<String>) -> Result<Order, ApiError> {
        let mut call = with_body(call("order.place", Method::POST, "/api/orders"), order)?;
        call.idempotency_key = idempotency_key;
        fetch(&self.0, call).await
    }

    pub async fn get(&self, id: &OrderId) -> Result<Order, ApiError> {
        fetch(&self.0, call("order.get", Method::GET, order_path(id))).await
    }

    /// What the caller's session owns, newest first, with the next page's cursor.
    pub async fn list(&self, cursor: Option<&str>) -> Result<(Vec<Order>, Option<String>), ApiError> {
        let path = match cursor {
            Some(cursor) => format!("/api/orders?cursor={}", path_segment(cursor)),
            None => "/api/orders".to_owned(),
        };
        let reply = send(&self.0, call("order.list", Method::GET, path)).await?;
        let orders = serde_json::from_slice(&reply.body).map_err(|_| ApiError::internal())?;
        Ok((orders, reply.link.as_deref().and_then(next_cursor)))
    }

    /// Names the caller's session has ordered under.
    pub async fn customers(&self) -> Result<Vec<String>, ApiError> {
        fetch(&self.0, call("order.customers", Method::GET, "/api/customers")).await
    }

    pub async fn set_status(&self, id: &OrderId, status: SetStatus) -> Result<Order, ApiError> {
        fetch(&self.0, with_body(call("order.set_status", Method::PATCH, order_path(id)), &status)?).await
    }

    /// By the customer, before the restaurant accepted.
    pub async fn cancel(&self, id: &OrderId) -> Result<Order, ApiError> {
        fetch(&self.0, call("order.cancel", Method::POST, format!("{}/cancel", order_path(id)))).await
    }

    pub async fn board(&self, id: &RestaurantId) -> Result<Board, ApiError> {
        fetch(&self.0, call("order.board", Method::GET, restaurant_path(id, "/orders"))).await
    }

    pub async fn set_autopilot(&self, id: &RestaurantId, on: bool) -> Result<(), ApiError> {
        let call = call("order.set_autopilot", Method::PUT, restaurant_path(id, "/autopilot"));
        send(&self.0, with_body(call, &SetAutopilot { on })?).await.map(drop)
    }

    pub async fn claim(&self, session: &str, user: &str) -> Result<(), ApiError> {
        let call = call("order.claim", Method::POST, "/internal/orders/claim");
        send(&self.0, with_body(call, &Claim { session: session.to_owned(), user: user.to_owned() })?).await.map(drop)
    }

    pub async fn ledger(&self) -> Result<LedgerPage, ApiError> {
        fetch(&self.0, call("order.ledger", Method::GET, "/internal/ledger")).await
    }
}

fn order_path(id: &OrderId) -> String {
    format!("/api/orders/{}", path_segment(id.as_str()))
}

/// The cursor in `Link: </api/orders?cursor=abc>; rel="next"`.
pub fn next_cursor(link: &str) -> Option<String> {
    let target = link.split_once('<')?.1.split_once('>')?.0;
    let cursor = target.split_once("cursor=")?.1;
    Some(cursor.split('&').next().unwrap_or(cursor).to_owned())
}

#[cfg(test)]
mod tests {
    use super::next_cursor;

    #[test]
    fn the_next_page_is_found_in_the_link_header() {
        assert_eq!(next_cursor("</api/orders?cursor=abc&limit=5>; rel=\"next\"").as_deref(), Some("abc"));
        assert_eq!(next_cursor("nonsense"), None);
    }
}
