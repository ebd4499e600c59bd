//! The operator's back office: pages show it, the parts that know do it.

use crate::events::Listeners;
use crate::ledger::Auditor;
use crate::reset::Reset;
use app::back_office::BackOffice;
use async_trait::async_trait;
use contract::ApiError;
use contract::ledger::Ledger;
use contract::parked::{EventLag, ParkedEvent};

#[derive(Clone)]
pub struct Office {
    pub auditor: Auditor,
    pub listeners: Listeners,
    pub reset: Reset,
}

#[async_trait]
impl BackOffice for Office {
    async fn ledger(&self) -> Result<Ledger, ApiError> {
        self.auditor.ledger().await
    }

    async fn events(&self) -> Result<(Vec<EventLag>, Vec<(String, ParkedEvent)>), ApiError> {
        let (lags, parked) = futures::join!(self.listeners.lags(), self.listeners.parked());
        Ok((lags, parked.into_iter().map(|(service, event)| (service.to_owned(), event)).collect()))
    }

    async fn replay(&self, service: &str, id: &str) -> Result<bool, ApiError> {
        Ok(self.listeners.replay(service, id).await?.applied)
    }

    async fn reset(&self) -> Result<Option<u64>, ApiError> {
        self.reset.begin_anew().await
    }

    fn reset_outcome(&self) -> Option<Result<u64, ApiError>> {
        self.reset.outcome()
    }
}
