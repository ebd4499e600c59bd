//! No orders while the platform is being reset. Whoever resets says so here, and every process that takes orders asks.

use crate::NAME;
use crate::role::ServerRole;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use contract::{ApiError, Code};
use http::Method;
use runtime::Platform;
use runtime::boot::BootError;
use runtime::store::{Shared, StoreError};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What web replicas look for in Redis.
const MARK: &str = "closed";

/// A console that dies while it resets leaves the shop closed for no longer.
const LONGEST: Duration = Duration::from_secs(60);

/// Clones share it.
#[derive(Clone)]
pub struct Closing {
    here: Arc<AtomicBool>,
    elsewhere: Elsewhere,
}

#[derive(Clone)]
enum Elsewhere {
    /// Nobody else takes orders.
    Nobody,
    /// They look for the mark.
    Told(Shared),
    /// We are one of them.
    Asked(Shared),
}

impl Closing {
    /// # Errors
    /// Redis does not answer.
    pub async fn start(platform: &Platform, role: ServerRole) -> Result<Self, BootError> {
        let shared = shared(platform, role, "closing").await?;
        let elsewhere = match (role, shared) {
            (ServerRole::Web, Some(shared)) => Elsewhere::Asked(shared),
            (ServerRole::Console, Some(shared)) => Elsewhere::Told(shared),
            _ => Elsewhere::Nobody,
        };
        Ok(Self { here: Arc::default(), elsewhere })
    }

    /// Closed for as long as `work` takes.
    ///
    /// # Errors
    /// What `work` answers; web replicas cannot be told, and then nothing is done.
    pub async fn meanwhile<T>(&self, work: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
        self.tell().await?;
        self.here.store(true, Ordering::Release);
        let outcome = tokio::select! {
            outcome = work => outcome,
            never = self.tell_again() => match never {},
        };
        if let Elsewhere::Told(shared) = &self.elsewhere
            && let Err(error) = shared.lower(MARK).await
        {
            tracing::warn!(%error, "Web replicas take orders again within {} s: they could not be told", LONGEST.as_secs());
        }
        self.here.store(false, Ordering::Release);
        outcome
    }

    async fn tell(&self) -> Result<(), StoreError> {
        match &self.elsewhere {
            Elsewhere::Told(shared) => shared.raise(MARK, LONGEST).await,
            Elsewhere::Nobody | Elsewhere::Asked(_) => Ok(()),
        }
    }

    async fn tell_again(&self) -> Infallible {
        loop {
            tokio::time::sleep(LONGEST / 3).await;
            if let Err(error) = self.tell().await {
                tracing::warn!(%error, "Web replicas could not be told again that the platform is being reset");
            }
        }
    }

    /// # Errors
    /// It cannot be told: Redis is down. An order needs a cart, which is there too, and fails for that.
    async fn is_closed(&self) -> Result<bool, StoreError> {
        match &self.elsewhere {
            Elsewhere::Asked(shared) => shared.is_up(MARK).await,
            Elsewhere::Nobody | Elsewhere::Told(_) => Ok(self.here.load(Ordering::Acquire)),
        }
    }
}

/// What this process shares with others of its role and the console; `None` for one that is alone.
///
/// # Errors
/// Redis does not answer.
pub async fn shared(platform: &Platform, role: ServerRole, store: &'static str) -> Result<Option<Shared>, BootError> {
    if role == ServerRole::All {
        return Ok(None);
    }
    Ok(platform.redis().await?.map(|redis| Shared::new(redis, platform.guard(NAME, store, "redis"))))
}

pub async fn closed_meanwhile(State(closing): State<Closing>, request: Request, next: Next) -> Response {
    let orders = *request.method() == Method::POST && matches!(request.uri().path(), "/orders" | "/api/orders");
    if orders && closing.is_closed().await.unwrap_or(false) {
        let error = ApiError::new(Code::ServiceUnavailable, "the platform is being reset; try again in a moment");
        return crate::pages::answer(&request, error);
    }
    next.run(request).await
}
