//! The rate limit: so many requests a second for one client, a session or an address.
//!
//! One process counts in its memory. Web replicas count in Redis as well, in one round trip, so that a client has the same room however many of
//! them there are; a replica that cannot ask goes by what it has counted itself.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use contract::{ApiError, Code, Role};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::header::ACCEPT;
use runtime::chaos::{Chaos, Injected};
use runtime::context;
use runtime::http::{HttpError, headers};
use runtime::store::Shared;
use serde_json::Value;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// `RATE_LIMIT` when it is not set and others can reach us.
const DEFAULT_OFF_LOOPBACK: u32 = 100;

/// Clients remembered before those that are quiet are forgotten.
const SWEEP_AT: usize = 10_000;

/// The flag that makes the limit far too tight.
const TIGHT_FLAG: &str = "rate-limit-tight";

/// Longer than a round trip to Redis takes; a request must not wait for being counted.
const PATIENCE: Duration = Duration::from_millis(50);

/// After a round trip that failed nobody asks Redis for so long.
const REST: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct RateLimit {
    usual: Option<Arc<Limiter>>,
    chaos: Chaos,
    /// The limiter of the flag. It is gone when the flag is off.
    tight: Arc<Mutex<Option<Arc<Limiter>>>>,
    replicas: Option<Replicas>,
}

/// What the other replicas admitted.
#[derive(Clone)]
struct Replicas {
    shared: Shared,
    resting: Arc<AtomicBool>,
}

/// One request for each of these, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Allowance {
    every: Duration,
    burst: NonZeroU32,
}

/// An allowance with what was used of it in this process.
struct Limiter {
    allowance: Allowance,
    /// Tells the usual limit's counts from the flag's.
    name: &'static str,
    here: DefaultKeyedRateLimiter<String>,
}

impl Allowance {
    fn a_second(rate: NonZeroU32) -> Self {
        Self { every: Duration::from_secs(1) / rate.get(), burst: rate }
    }

    fn of(value: &Value) -> Option<Self> {
        let every = Duration::from_millis(value.get("everyMs").and_then(Value::as_u64)?);
        let burst = value.get("burst").and_then(Value::as_u64).and_then(|burst| u32::try_from(burst).ok());
        Some(Self { every, burst: burst.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN) })
    }

    /// `None` for no time at all, which is no limit.
    fn limiter(self, name: &'static str) -> Option<Arc<Limiter>> {
        let quota = Quota::with_period(self.every)?.allow_burst(self.burst);
        Some(Arc::new(Limiter { allowance: self, name, here: RateLimiter::keyed(quota) }))
    }
}

impl Limiter {
    fn admits(&self, client: &str) -> bool {
        if self.here.len() > SWEEP_AT {
            self.here.retain_recent();
        }
        self.here.check_key(&client.to_owned()).is_ok()
    }
}

impl Replicas {
    /// Whether all replicas together admit the request; `None` when it cannot be told.
    async fn admit(&self, limiter: &Limiter, client: &str) -> Option<bool> {
        if self.resting.load(Ordering::Relaxed) {
            return None;
        }
        let (client, Allowance { every, burst }) = (format!("{}:{client}", limiter.name), limiter.allowance);
        let asked = timeout(PATIENCE, self.shared.admits(&client, every, burst.get())).await;
        if let Ok(Ok(admitted)) = asked {
            return Some(admitted);
        }
        if !self.resting.swap(true, Ordering::Relaxed) {
            tracing::warn!("Redis does not count requests: this replica counts its own for now");
            let resting = self.resting.clone();
            tokio::spawn(async move {
                tokio::time::sleep(REST).await;
                resting.store(false, Ordering::Relaxed);
            });
        }
        None
    }
}

impl RateLimit {
    /// `setting` is requests a second, 0 for none. On loopback there is none by default, so that load runs measure the platform. `shared` is
    /// what replicas have in common.
    pub fn new(setting: Option<u32>, loopback: bool, chaos: Chaos, shared: Option<Shared>) -> Self {
        let rate = setting.unwrap_or(if loopback { 0 } else { DEFAULT_OFF_LOOPBACK });
        let usual = NonZeroU32::new(rate).and_then(|rate| Allowance::a_second(rate).limiter("usual"));
        let replicas = shared.map(|shared| Replicas { shared, resting: Arc::default() });
        Self { usual, chaos, tight: Arc::default(), replicas }
    }

    async fn admits(&self, client: &str) -> bool {
        if let Some(usual) = &self.usual
            && !self.within(usual, client).await
        {
            return false;
        }
        // Operators are not counted by the flag: whoever flipped it must be able to take it back.
        let tight = if context::current().role == Role::Operator { None } else { self.tight_one().await };
        let admitted = match tight {
            Some(tight) => self.within(&tight, client).await,
            None => true,
        };
        if !admitted {
            self.chaos.mark(TIGHT_FLAG, Injected::Error, "gateway");
        }
        admitted
    }

    /// A client whom this process refuses by itself costs no round trip.
    async fn within(&self, limiter: &Limiter, client: &str) -> bool {
        let here = limiter.admits(client);
        match &self.replicas {
            Some(replicas) if here => replicas.admit(limiter, client).await.unwrap_or(true),
            _ => here,
        }
    }

    /// The limiter of the flag, when it is on for this request.
    async fn tight_one(&self) -> Option<Arc<Limiter>> {
        if !self.chaos.flags().may_be_on(TIGHT_FLAG) {
            // Whom it refused before is a new customer when it comes again.
            self.tight.lock().unwrap_or_else(PoisonError::into_inner).take();
            return None;
        }
        let wanted = Allowance::of(&self.chaos.domain(TIGHT_FLAG).await?.value)?;
        let mut tight = self.tight.lock().unwrap_or_else(PoisonError::into_inner);
        if tight.as_ref().is_none_or(|known| known.allowance != wanted) {
            *tight = wanted.limiter("tight");
        }
        tight.clone()
    }
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
