//! `POST /api/reset`: back to how the platform began, in seconds, between two shows.
//!
//! Nothing new is accepted meanwhile (`closing.rs`). Orders go first, so that nobody makes new events; when all that was said has been heard, the others
//! follow. What a load generator has in flight fails with 503.

use crate::closing::Closing;
use crate::events::Listeners;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use contract::client::Upkeep;
use contract::error::ErrorBody;
use contract::{ApiError, Code};
use futures::FutureExt;
use http::StatusCode;
use runtime::Platform;
use runtime::boot::BootError;
use runtime::context::{self, RequestContext};
use runtime::flags::FlagControl;
use runtime::http::{ApiResult, Json};
use serde::Serialize;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Stop making events, in this order; then, when all is quiet, everything else.
const FIRST: [&str; 2] = ["order", "delivery"];
const THEN: [&str; 7] = ["order", "payment", "delivery", "notification", "middleware", "menu", "user"];

/// Longest wait for what is under way. A reset goes on after it: somebody who is so far behind may tell of an order that is gone, and the
/// ledger will say so; the next reset forgets it.
const QUIET_WITHIN: Duration = Duration::from_secs(10);

/// Whoever asked is answered by then: that it is done, or that it goes on.
const ANSWER_WITHIN: Duration = Duration::from_secs(7);

/// A service that is busy is asked again for so long: resetting twice leaves the same as resetting once.
const BUSY_FOR: Duration = Duration::from_secs(60);

/// And one that is away for so long.
const AWAY_FOR: Duration = Duration::from_secs(5);

const AGAIN_AFTER: Duration = Duration::from_millis(250);

#[derive(Clone)]
pub struct Reset(Arc<Inner>);

struct Inner {
    first: Vec<Upkeep>,
    then: Vec<Upkeep>,
    listeners: Listeners,
    flags: FlagControl,
    closing: Closing,
    stage: watch::Sender<Stage>,
}

/// Where the newest reset is.
#[derive(Clone, Debug)]
enum Stage {
    UnderWay,
    /// Nobody has reset yet, or it is over: how long it took, in milliseconds.
    Over(Result<u64, ApiError>),
}

/// What was done.
#[derive(Serialize, ToSchema)]
#[schema(as = ResetDone)]
#[serde(rename_all = "camelCase")]
struct Done {
    reset: bool,
    /// So far, when it goes on.
    took_ms: u64,
}

impl Reset {
    /// # Errors
    /// A service is neither embedded nor addressed.
    pub fn new(platform: &Platform, listeners: Listeners, closing: Closing) -> Result<Self, BootError> {
        let of = |service: &&'static str| Ok(Upkeep::new(platform.transport(crate::NAME, service)?));
        Ok(Self(Arc::new(Inner {
            first: FIRST.iter().map(of).collect::<Result<_, BootError>>()?,
            then: THEN.iter().map(of).collect::<Result<_, BootError>>()?,
            listeners,
            flags: platform.flag_control().clone(),
            closing,
            stage: watch::Sender::new(Stage::Over(Ok(0))),
        })))
    }

    /// Answers how long it took, in milliseconds; nothing when it goes on by itself after this.
    ///
    /// # Errors
    /// `CONFLICT` while another one is under way; web replicas cannot be told to take no orders; some service is down, and then some have begun anew and others have not.
    pub async fn begin_anew(&self) -> Result<Option<u64>, ApiError> {
        let mut stage = self.0.stage.subscribe();
        let begun = self.0.stage.send_if_modified(|stage| {
            let over = matches!(stage, Stage::Over(_));
            *stage = Stage::UnderWay;
            over
        });
        if !begun {
            return Err(ApiError::new(Code::Conflict, "a reset is under way"));
        }
        // A task of its own, without the deadline of the request: a reset that has begun is brought to its end, also when the operator
        // closes the page.
        let context = RequestContext { deadline: None, ..(*context::current()).clone() };
        tokio::spawn(context::scope(Arc::new(context), self.clone().bring_to_its_end()));
        let over = async { stage.wait_for(|stage| matches!(stage, Stage::Over(_))).await.map(|stage| stage.clone()) };
        match tokio::time::timeout(ANSWER_WITHIN, over).await {
            Ok(Ok(Stage::Over(outcome))) => outcome.map(Some),
            Ok(Ok(Stage::UnderWay)) | Err(_) => Ok(None),
            // The sender lives as long as we do.
            Ok(Err(_)) => Err(ApiError::internal()),
        }
    }

    /// How the newest reset ended, as [`Reset::begin_anew`] answers; nothing while it is under way.
    pub fn outcome(&self) -> Option<Result<u64, ApiError>> {
        match &*self.0.stage.borrow() {
            Stage::UnderWay => None,
            Stage::Over(outcome) => Some(outcome.clone()),
        }
    }

    async fn bring_to_its_end(self) {
        let started = Instant::now();
        // Whatever becomes of it, the next one may begin.
        let work = AssertUnwindSafe(self.run()).catch_unwind();
        let outcome = self.0.closing.meanwhile(work.map(|done| done.unwrap_or_else(|_| Err(ApiError::internal())))).await;
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &outcome {
            Ok(()) => tracing::info!(took_ms, "The platform was reset"),
            Err(error) => tracing::warn!(took_ms, %error, "The platform could not be reset"),
        }
        self.0.stage.send_replace(Stage::Over(outcome.map(|()| took_ms)));
    }

    async fn run(&self) -> Result<(), ApiError> {
        let inner = &*self.0;
        inner.flags.clear_all()?;
        for upkeep in &inner.first {
            empty(upkeep).await?;
        }
        let end = Instant::now() + QUIET_WITHIN;
        while !inner.listeners.is_quiet().await && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for upkeep in &inner.then {
            empty(upkeep).await?;
        }
        Ok(())
    }
}

/// Resets one service; what is only busy, or away for a moment, is asked again.
async fn empty(upkeep: &Upkeep) -> Result<(), ApiError> {
    let began = Instant::now();
    loop {
        let Err(error) = upkeep.reset().await else { return Ok(()) };
        let patience = match error.code {
            Code::Timeout | Code::Overloaded => BUSY_FOR,
            Code::ServiceUnavailable | Code::StoreUnavailable => AWAY_FOR,
            _ => return Err(error),
        };
        if began.elapsed() > patience {
            return Err(error);
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

pub fn router(reset: Reset) -> Router {
    routes().with_state(reset).into()
}

/// The same calls, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Reset> {
    OpenApiRouter::default().routes(routes!(begin_anew))
}

/// Back to how the platform began
///
/// Orders, accounts and what staff changed are gone, flags are clear. It takes seconds, and nobody can order meanwhile.
#[utoipa::path(post, path = "/api/reset", tag = "Operators", operation_id = "reset",
    responses(
        (status = 200, description = "It is done.", body = Done),
        (status = 202, description = "It takes longer than anybody should wait, and goes on by itself.", body = Done),
        (status = 409, description = "CONFLICT", body = ErrorBody),
    ))]
async fn begin_anew(State(reset): State<Reset>) -> ApiResult<Response> {
    let waited_ms = u64::try_from(ANSWER_WITHIN.as_millis()).unwrap_or(u64::MAX);
    Ok(match reset.begin_anew().await? {
        Some(took_ms) => Json(Done { reset: true, took_ms }).into_response(),
        None => (StatusCode::ACCEPTED, Json(Done { reset: false, took_ms: waited_ms })).into_response(),
    })
}
