//! What operators ask of every service alike: how far it is behind with events, what it parked, and to begin anew.

use super::{
    DeliveryClient, MenuClient, MiddlewareClient, NotificationClient, OrderClient, PaymentClient, SharedTransport, UserClient, call, fetch,
    path_segment, send, with_body,
};
use crate::error::ApiError;
use crate::parked::{EventLag, ParkedPage, Replay, Replayed};
use http::Method;

/// One service, asked as its operator.
#[derive(Clone)]
pub struct Upkeep(SharedTransport);

impl Upkeep {
    pub fn new(transport: SharedTransport) -> Self {
        Self(transport)
    }

    pub async fn lag(&self) -> Result<EventLag, ApiError> {
        fetch(&self.0, call("upkeep.lag", Method::GET, "/internal/events/lag")).await
    }

    /// What could not be applied, newest first.
    pub async fn parked(&self, cursor: Option<&str>) -> Result<ParkedPage, ApiError> {
        let path = cursor.map_or_else(
            || "/internal/events/parked".to_owned(),
            |cursor| format!("/internal/events/parked?cursor={}", path_segment(cursor)),
        );
        fetch(&self.0, call("upkeep.parked", Method::GET, path)).await
    }

    /// Tries a parked event once more.
    pub async fn replay(&self, id: &str) -> Result<Replayed, ApiError> {
        let call = call("upkeep.replay", Method::POST, "/internal/events/parked/replay");
        fetch(&self.0, with_body(call, &Replay { id: id.to_owned() })?).await
    }

    /// Back to how the platform began: everything this service keeps is gone, or as it was seeded.
    pub async fn reset(&self) -> Result<(), ApiError> {
        send(&self.0, call("upkeep.reset", Method::POST, "/internal/reset")).await.map(drop)
    }
}

macro_rules! kept {
    ($($client:ident),+) => {$(
        impl $client {
            /// The same service, as its operator sees it.
            pub fn upkeep(&self) -> Upkeep {
                Upkeep(self.0.clone())
            }
        }
    )+};
}

kept! { MenuClient, MiddlewareClient, OrderClient, UserClient, PaymentClient, DeliveryClient, NotificationClient }
