//! Menus look the same to everybody with the same theme and the same number in the cart's badge: they are rendered once a second.
//!
//! While any flag may be on, every page is rendered anew, so that a fault is seen at once and by the right people.

use app::visit::{Theme, Visit};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use contract::ApiError;
use http::header::SET_COOKIE;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Limited};
use runtime::Platform;
use runtime::flags::Flags;
use runtime::http::HttpError;
use runtime::store::ExpiringMap;
use std::sync::Arc;
use std::time::Duration;

/// A price or a sold-out mark is at most this old.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// Ten restaurants, three themes, some badges. Searches take what is left.
const PAGES: usize = 1_024;

/// No menu is longer.
const LARGEST_BYTES: usize = 1024 * 1024;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    path: String,
    theme: &'static str,
    cart_count: u32,
}

impl Key {
    /// `None` for a page that somebody has to himself.
    fn of(method: &Method, visit: &Visit) -> Option<Self> {
        let shared = *method == Method::GET && visit.notice.is_none() && !visit.operator && visit.user.is_none();
        let menu = visit.path == "/" || visit.path.starts_with("/?") || visit.path.starts_with("/restaurants/");
        (shared && menu).then(|| Self { path: visit.path.clone(), theme: Theme::as_str(visit.theme), cart_count: visit.cart_count })
    }
}

#[derive(Clone)]
pub struct PageCache {
    pages: Arc<ExpiringMap<Key, (HeaderMap, Bytes)>>,
    flags: Flags,
}

impl PageCache {
    pub fn new(platform: &Platform) -> Self {
        Self { pages: Arc::new(ExpiringMap::new(platform.clock.clone(), PAGES)), flags: platform.flags(crate::NAME) }
    }
}

pub async fn page_cache(State(cache): State<PageCache>, request: Request, next: Next) -> Response {
    let visit = request.extensions().get::<Arc<Visit>>();
    let Some(key) = visit.and_then(|visit| Key::of(request.method(), visit)).filter(|_| cache.flags.all_off()) else {
        return next.run(request).await;
    };
    if let Some((headers, body)) = cache.pages.get(&key) {
        let mut response = Response::new(Body::from(body));
        *response.headers_mut() = headers;
        return response;
    }
    let response = next.run(request).await;
    if response.status() != StatusCode::OK || response.headers().contains_key(SET_COOKIE) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let body = match Limited::new(body, LARGEST_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            tracing::warn!(%error, "A menu could not be read to its end");
            return HttpError(ApiError::service_unavailable("menu")).into_response();
        }
    };
    cache.pages.insert(&key, (parts.headers.clone(), body.clone()), FRESH_FOR);
    Response::from_parts(parts, Body::from(body))
}
