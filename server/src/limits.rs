//! The rate limit: so many requests a second for one client, a session or an address.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use contract::{ApiError, Code};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::header::ACCEPT;
use runtime::http::{HttpError, headers};
use std::num::NonZeroU32;
use std::sync::Arc;

/// `RATE_LIMIT` when it is not set and others can reach us.
const DEFAULT_OFF_LOOPBACK: u32 = 100;

/// Clients remembered before those that are quiet are forgotten.
const SWEEP_AT: usize = 10_000;

#[derive(Clone)]
pub struct RateLimit(Option<Arc<DefaultKeyedRateLimiter<String>>>);

impl RateLimit {
    /// `setting` is requests a second, 0 for none. On loopback there is none by default, so that load runs measure the platform.
    pub fn new(setting: Option<u32>, loopback: bool) -> Self {
        let rate = setting.unwrap_or(if loopback { 0 } else { DEFAULT_OFF_LOOPBACK });
        Self(NonZeroU32::new(rate).map(|rate| Arc::new(RateLimiter::keyed(Quota::per_second(rate)))))
    }

    fn admits(&self, client: &str) -> bool {
        let Some(limiter) = &self.0 else { return true };
        if limiter.len() > SWEEP_AT {
            limiter.retain_recent();
        }
        limiter.check_key(&client.to_owned()).is_ok()
    }
}

pub async fn rate_limit(State(limit): State<RateLimit>, request: Request, next: Next) -> Response {
    let client = request.headers().get(headers::CLIENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if limit.admits(client) {
        return next.run(request).await;
    }
    let error = ApiError::new(Code::RateLimited, "too many requests; slow down a little");
    let wants_page = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"));
    match request.extensions().get::<Arc<app::visit::Visit>>().filter(|_| wants_page) {
        Some(visit) => app::error_page(&error, visit),
        None => HttpError(error).into_response(),
    }
}
