//! The rate limit: so many requests a second for one client, a session or an address.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use contract::{ApiError, Code, Role};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::header::ACCEPT;
use runtime::chaos::{Chaos, Injected};
use runtime::context;
use runtime::http::{HttpError, headers};
use serde_json::Value;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// `RATE_LIMIT` when it is not set and others can reach us.
const DEFAULT_OFF_LOOPBACK: u32 = 100;

/// Clients remembered before those that are quiet are forgotten.
const SWEEP_AT: usize = 10_000;

/// The flag that makes the limit far too tight.
const TIGHT_FLAG: &str = "rate-limit-tight";

type Limiter = Arc<DefaultKeyedRateLimiter<String>>;

#[derive(Clone)]
pub struct RateLimit {
    usual: Option<Limiter>,
    chaos: Chaos,
    /// The limiter of the flag, and what it was made for. It is gone when the flag is off.
    tight: Arc<Mutex<Option<(Tightness, Limiter)>>>,
}

/// One request for each of these, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tightness {
    every: Duration,
    burst: NonZeroU32,
}

impl Tightness {
    fn of(value: &Value) -> Option<Self> {
        let every = Duration::from_millis(value.get("everyMs").and_then(Value::as_u64)?);
        let burst = value.get("burst").and_then(Value::as_u64).and_then(|burst| u32::try_from(burst).ok());
        Some(Self { every, burst: burst.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN) })
    }

    /// `None` for no time at all, which is no limit.
    fn limiter(self) -> Option<Limiter> {
        Quota::with_period(self.every).map(|quota| Arc::new(RateLimiter::keyed(quota.allow_burst(self.burst))))
    }
}

impl RateLimit {
    /// `setting` is requests a second, 0 for none. On loopback there is none by default, so that load runs measure the platform.
    pub fn new(setting: Option<u32>, loopback: bool, chaos: Chaos) -> Self {
        let rate = setting.unwrap_or(if loopback { 0 } else { DEFAULT_OFF_LOOPBACK });
        let usual = NonZeroU32::new(rate).map(|rate| Arc::new(RateLimiter::keyed(Quota::per_second(rate))));
        Self { usual, chaos, tight: Arc::default() }
    }

    async fn admits(&self, client: &str) -> bool {
        if self.usual.as_ref().is_some_and(|usual| !admits(usual, client)) {
            return false;
        }
        // Operators are not counted by the flag: whoever flipped it must be able to take it back.
        let tight = if context::current().role == Role::Operator { None } else { self.tight_one().await };
        let admitted = tight.is_none_or(|tight| admits(&tight, client));
        if !admitted {
            self.chaos.mark(TIGHT_FLAG, Injected::Error, "gateway");
        }
        admitted
    }

    /// The limiter of the flag, when it is on for this request.
    async fn tight_one(&self) -> Option<Limiter> {
        if !self.chaos.flags().may_be_on(TIGHT_FLAG) {
            // Whom it refused before is a new customer when it comes again.
            self.tight.lock().unwrap_or_else(PoisonError::into_inner).take();
            return None;
        }
        let wanted = Tightness::of(&self.chaos.domain(TIGHT_FLAG).await?.value)?;
        let mut tight = self.tight.lock().unwrap_or_else(PoisonError::into_inner);
        if tight.as_ref().is_none_or(|(known, _)| *known != wanted) {
            *tight = wanted.limiter().map(|limiter| (wanted, limiter));
        }
        tight.as_ref().map(|(_, limiter)| limiter.clone())
    }
}

fn admits(limiter: &DefaultKeyedRateLimiter<String>, client: &str) -> bool {
    if limiter.len() > SWEEP_AT {
        limiter.retain_recent();
    }
    limiter.check_key(&client.to_owned()).is_ok()
}

pub async fn rate_limit(State(limit): State<RateLimit>, request: Request, next: Next) -> Response {
    // Owned, because a body cannot be shared with a future that may move between threads.
    let client = request.headers().get(headers::CLIENT).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    if limit.admits(&client).await {
        return next.run(request).await;
    }
    let error = ApiError::new(Code::RateLimited, "too many requests; slow down a little");
    let wants_page = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"));
    match request.extensions().get::<Arc<app::visit::Visit>>().filter(|_| wants_page) {
        Some(visit) => app::error_page(&error, visit),
        None => HttpError(error).into_response(),
    }
}
