use super::{PaymentClient, call, fetch, path_segment};
use crate::error::ApiError;
use crate::id::OrderId;
use crate::ledger::LedgerPage;
use crate::payment::{Payment, Settlement};
use http::Method;

impl PaymentClient {
    pub async fn get(&self, id: &OrderId) -> Result<Payment, ApiError> {
        fetch(&self.0, call("payment.get", Method::GET, format!("/internal/payments/{}", path_segment(id.as_str())))).await
    }

    /// `day` is UTC, `2026-11-20`.
    pub async fn settlement(&self, day: &str) -> Result<Settlement, ApiError> {
        fetch(&self.0, call("payment.settlement", Method::GET, format!("/internal/settlement?day={}", path_segment(day)))).await
    }

    pub async fn ledger(&self) -> Result<LedgerPage, ApiError> {
        fetch(&self.0, call("payment.ledger", Method::GET, "/internal/ledger")).await
    }
}
