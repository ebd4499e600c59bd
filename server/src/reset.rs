//! `POST /api/reset`: back to how the platform began, in seconds, between two shows.
//!
//! Nothing new is accepted meanwhile. Orders go first, so that nobody makes new events; when all that was said has been heard, the others
//! follow. What a load generator has in flight fails with 503.

use crate::events::Listeners;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use contract::client::Upkeep;
use contract::{ApiError, Code};
use http::Method;
use runtime::Platform;
use runtime::boot::BootError;
use runtime::flags::FlagControl;
use runtime::http::{ApiResult, HttpError, Json};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Stop making events, in this order; then, when all is quiet, everything else.
const FIRST: [&str; 2] = ["order", "delivery"];
const THEN: [&str; 7] = ["order", "payment", "delivery", "notification", "middleware", "menu", "user"];

/// Longest wait for what is under way. A reset goes on after it: parked or lost, it is to be forgotten anyway.
const QUIET_WITHIN: Duration = Duration::from_secs(4);

#[derive(Clone)]
pub struct Reset(Arc<Inner>);

struct Inner {
    first: Vec<Upkeep>,
    then: Vec<Upkeep>,
    listeners: Listeners,
    flags: FlagControl,
    running: AtomicBool,
}

/// What was done.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    reset: bool,
    took_ms: u64,
}

impl Reset {
    /// # Errors
    /// A service is neither embedded nor addressed.
    pub fn new(platform: &Platform, listeners: Listeners) -> Result<Self, BootError> {
        let of = |service: &&'static str| Ok(Upkeep::new(platform.transport(crate::NAME, service)?));
        Ok(Self(Arc::new(Inner {
            first: FIRST.iter().map(of).collect::<Result<_, BootError>>()?,
            then: THEN.iter().map(of).collect::<Result<_, BootError>>()?,
            listeners,
            flags: platform.flag_control().clone(),
            running: AtomicBool::new(false),
        })))
    }

    /// Answers how long it took, in milliseconds.
    ///
    /// # Errors
    /// `CONFLICT` while another one is under way; some service is down, and then some have begun anew and others have not.
    pub async fn begin_anew(&self) -> Result<u64, ApiError> {
        let started = Instant::now();
        if self.0.running.swap(true, Ordering::AcqRel) {
            return Err(ApiError::new(Code::Conflict, "a reset is under way"));
        }
        // A task of its own: a reset that has begun is brought to its end also when the operator closes the page.
        let (reset, context) = (self.clone(), runtime::context::current());
        let work = runtime::context::scope(context, async move {
            let outcome = reset.run().await;
            reset.0.running.store(false, Ordering::Release);
            outcome
        });
        tokio::spawn(work).await.map_err(|_| ApiError::internal())??;
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(took_ms, "The platform was reset");
        Ok(took_ms)
    }

    async fn run(&self) -> Result<(), ApiError> {
        let inner = &*self.0;
        inner.flags.clear_all()?;
        for upkeep in &inner.first {
            upkeep.reset().await?;
        }
        let end = Instant::now() + QUIET_WITHIN;
        while !inner.listeners.is_quiet().await && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for upkeep in &inner.then {
            upkeep.reset().await?;
        }
        Ok(())
    }
}

pub fn router(reset: Reset) -> Router {
    Router::new().route("/api/reset", post(begin_anew)).with_state(reset)
}

async fn begin_anew(State(reset): State<Reset>) -> ApiResult<Json<Done>> {
    Ok(Json(Done { reset: true, took_ms: reset.begin_anew().await? }))
}

/// No orders while a reset is under way.
pub async fn closed_meanwhile(State(reset): State<Reset>, request: Request, next: Next) -> Response {
    let orders = *request.method() == Method::POST && matches!(request.uri().path(), "/orders" | "/api/orders");
    if orders && reset.0.running.load(Ordering::Acquire) {
        let error = ApiError::new(Code::ServiceUnavailable, "the platform is being reset; try again in a moment");
        return match request.extensions().get::<Arc<app::visit::Visit>>() {
            Some(visit) => app::error_page(&error, visit),
            None => HttpError(error).into_response(),
        };
    }
    next.run(request).await
}
