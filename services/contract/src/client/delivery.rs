use super::{DeliveryClient, call, fetch, path_segment, with_body};
use crate::delivery::{Courier, Delivery, SetCourier};
use crate::error::ApiError;
use crate::id::OrderId;
use crate::ledger::LedgerPage;
use http::Method;

impl DeliveryClient {
    /// # Errors
    /// `DELIVERY_NOT_FOUND` until the order is ready.
    pub async fn get(&self, id: &OrderId) -> Result<Delivery, ApiError> {
        fetch(&self.0, call("delivery.get", Method::GET, format!("/internal/deliveries/{}", path_segment(id.as_str())))).await
    }

    /// Couriers of a city, by name; of all cities when `city` is empty.
    pub async fn couriers(&self, city: &str) -> Result<Vec<Courier>, ApiError> {
        fetch(&self.0, call("delivery.couriers", Method::GET, format!("/internal/couriers?city={}", path_segment(city)))).await
    }

    pub async fn courier(&self, id: &str) -> Result<Courier, ApiError> {
        fetch(&self.0, call("delivery.courier", Method::GET, courier_path(id))).await
    }

    pub async fn set_courier(&self, id: &str, change: SetCourier) -> Result<Courier, ApiError> {
        fetch(&self.0, with_body(call("delivery.set_courier", Method::POST, courier_path(id)), &change)?).await
    }

    /// A courier who rides by hand says the next step is done: picked up, then delivered. Repeating a step that is done changes nothing.
    pub async fn advance(&self, id: &str, order: &OrderId) -> Result<Delivery, ApiError> {
        let path = format!("{}/orders/{}/advance", courier_path(id), path_segment(order.as_str()));
        fetch(&self.0, call("delivery.advance", Method::POST, path)).await
    }

    pub async fn ledger(&self) -> Result<LedgerPage, ApiError> {
        fetch(&self.0, call("delivery.ledger", Method::GET, "/internal/ledger")).await
    }
}

fn courier_path(id: &str) -> String {
    format!("/internal/couriers/{}", path_segment(id))
}
