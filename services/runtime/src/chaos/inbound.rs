//! The inbound side: faults between the request's arrival and its handler.

use super::effect::Effect;
use super::{Chaos, Injected, flood};
use crate::flags::At;
use crate::flags::site::{Point, Site, path_parameter};
use crate::http::HttpError;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use contract::{ApiError, Code};
use http::header::ACCEPT;
use http::{HeaderMap, Method, Uri};
use serde_json::Value;
use std::time::Duration;

/// Fails or slows a request when a flag says so. Stands inside the layer that sets context and span, outside the handlers.
pub async fn inbound(State(chaos): State<Chaos>, request: Request, next: Next) -> Response {
    if chaos.flags.all_off() {
        return next.run(request).await;
    }
    let Some(matched) = request.extensions().get::<MatchedPath>().cloned() else { return next.run(request).await };
    let asked = Asked { method: request.method().clone(), uri: request.uri().clone(), matched, wants_page: wants_page(request.headers()) };
    match chaos.before_handler(asked).await {
        Ok(()) => next.run(request).await,
        Err(error) => HttpError(error).into_response(),
    }
}

/// Parts of the request, because a body cannot be shared with a future that may move between threads.
struct Asked {
    method: Method,
    uri: Uri,
    matched: MatchedPath,
    wants_page: bool,
}

/// Whether a browser asks for a page, and not a program for data.
fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

impl Chaos {
    async fn before_handler(&self, asked: Asked) -> Result<(), ApiError> {
        let (method, path, route) = (asked.method.as_str(), asked.uri.path(), asked.matched.as_str());
        let service = self.flags.service();
        let here = |key: &str, site: &Site| {
            let meant = site.point == Point::Server && site.is_on_route(service, method, route) && (asked.wants_page || !site.pages_only);
            meant.then(|| (key.to_owned(), site.clone()))
        };
        for (key, site) in self.flags.pick(|key, flag| here(key, &flag.site)) {
            let template = site.route.as_deref().unwrap_or(route);
            let stand_in = site.keyed_by.as_deref().and_then(|name| path_parameter(template, path, name));
            let Some(active) = self.flags.evaluate_at(&key, At { route: Some(route), key: stand_in }).await else { continue };
            if !is_meant(&site, &active.value, path) {
                continue;
            }
            if let Some(effect) = Effect::of(&key, &active.value).filter(|effect| effect.is_for(service)) {
                self.apply(&key, &effect, route).await?;
            }
        }
        Ok(())
    }

    /// Those that fail wait their delay and fail; only latency and tail touch the others.
    async fn apply(&self, flag: &str, effect: &Effect, route: &str) -> Result<(), ApiError> {
        if self.chance.percent(effect.error_rate.unwrap_or(0.0)) {
            self.mark(flag, Injected::Error, route);
            wait(effect.delay()).await;
            return Err(refusal(flag, effect.status));
        }
        if effect.log_lines > 0 {
            self.mark(flag, Injected::Behaviour, route);
            flood::write(self.flags.service(), effect.log_lines);
        }
        self.slow_down(flag, effect, route).await;
        Ok(())
    }

    pub(super) async fn slow_down(&self, flag: &str, effect: &Effect, place: &str) {
        let mut longer = effect.latency();
        if effect.tail_percent > 0.0 && self.chance.percent(effect.tail_percent) {
            longer += effect.tail();
        }
        if !longer.is_zero() {
            self.mark(flag, Injected::Latency, place);
            wait(longer).await;
        }
    }
}

/// At least this long; nothing at all for zero, which would still cost a turn of the scheduler.
async fn wait(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

/// Whether the variant means this path: its field must equal the path's parameter.
fn is_meant(site: &Site, value: &Value, path: &str) -> bool {
    match (&site.matches, &site.route) {
        (Some((parameter, field)), Some(route)) => {
            let wanted = value.get(field).and_then(Value::as_str);
            wanted.is_none() || wanted == path_parameter(route, path, parameter)
        }
        _ => true,
    }
}

fn refusal(flag: &str, status: Option<u16>) -> ApiError {
    let mut error = ApiError::new(Code::FeatureFlagChaos, "this request was failed on purpose; please try again");
    error.flag = Some(flag.to_owned());
    if let Some(status) = status.filter(|status| (400..=599).contains(status)) {
        error.status = status;
        error.retry_after_s = error.retry_after_s.filter(|_| matches!(status, 429 | 503));
    }
    error
}
