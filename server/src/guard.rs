//! Requests that are turned away before anybody looks at what they ask: another site's form, and bodies that nobody needs.
//!
//! It stands behind the inbound layer, so that a refusal has its request id, its span and, for people, its page.

use crate::edge::is_door;
use crate::pages;
use crate::telemetry::SNAPSHOT;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use contract::telemetry::SNAPSHOT_LIMIT_BYTES;
use contract::{ApiError, Code};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, COOKIE, HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Method};
use http_body_util::BodyExt;
use runtime::http::BODY_LIMIT_BYTES;
use std::time::Duration;

/// Where operators hand in a file.
const SNAPSHOT_PAGE: &str = "/console/snapshot";

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A body that is too large is read and thrown away up to here, so that its sender can read the refusal.
const DRAIN_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// Whoever sends more slowly gets the refusal without the courtesy.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

pub async fn guard(mut request: Request, next: Next) -> Response {
    let judged = match same_origin(request.method(), request.uri().path(), request.headers()) {
        Ok(()) => {
            let limit = limit_of(request.uri().path());
            small_body(&mut request, limit).await
        }
        refused => refused,
    };
    match judged {
        Ok(()) => next.run(request).await,
        Err(error) => pages::answer(&request, error),
    }
}

/// A request that changes something and carries a cookie must come from a page of ours: another site's form would carry it, too. Where
/// people log in it must not come from another site in any case: somebody would find himself in another person's account.
fn same_origin(method: &Method, path: &str, headers: &HeaderMap) -> Result<(), ApiError> {
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let by_a_page = headers.contains_key(COOKIE) || (is_door(path) && (headers.contains_key(FETCH_SITE) || headers.contains_key(ORIGIN)));
    if reads || !by_a_page || headers.contains_key(AUTHORIZATION) {
        return Ok(());
    }
    let ours = match (headers.get(FETCH_SITE), headers.get(ORIGIN)) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => {
            let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
            origin.to_str().is_ok_and(|origin| origin.split_once("://").is_some_and(|(_, authority)| authority == host))
        }
        (None, None) => false,
    };
    if ours {
        return Ok(());
    }
    Err(ApiError::new(Code::Forbidden, "a change with a cookie must come from our own pages: send Origin or Sec-Fetch-Site"))
}

/// Everything people and programs send is small, but for what an operator kept of an afternoon.
fn limit_of(path: &str) -> usize {
    match path {
        SNAPSHOT => SNAPSHOT_LIMIT_BYTES,
        // The same as a field of a form.
        SNAPSHOT_PAGE => SNAPSHOT_LIMIT_BYTES + BODY_LIMIT_BYTES,
        _ => BODY_LIMIT_BYTES,
    }
}

/// Refuses a body that is too large. One whose length is not told is read to know it: it may be passed on to another process, which
/// would hang up in the middle of it.
async fn small_body(request: &mut Request, limit: usize) -> Result<(), ApiError> {
    if request.body().is_end_stream() {
        return Ok(());
    }
    let told = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|length| length <= limit) {
        return Ok(());
    }
    let body = std::mem::take(request.body_mut());
    let too_large = || ApiError::new(Code::BodyTooLarge, format!("the body is larger than {limit} bytes"));
    if told.is_some_and(|length| length > DRAIN_LIMIT_BYTES) {
        return Err(too_large());
    }
    match tokio::time::timeout(DRAIN_TIMEOUT, read(body, limit)).await {
        Ok(Some(Ok(bytes))) => {
            *request.body_mut() = Body::from(bytes);
            Ok(())
        }
        Ok(Some(Err(_))) => Err(ApiError::new(Code::InvalidBody, "the body could not be read")),
        Ok(None) | Err(_) => Err(too_large()),
    }
}

/// The whole body; `None` when it is too large.
async fn read(mut body: Body, limit: usize) -> Option<Result<Bytes, axum::Error>> {
    let (mut kept, mut seen) = (BytesMut::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(data) = (match frame {
            Ok(frame) => frame.into_data(),
            Err(error) => return Some(Err(error)),
        }) else {
            continue;
        };
        seen += data.len();
        if seen <= limit {
            kept.extend_from_slice(&data);
        } else if seen > DRAIN_LIMIT_BYTES {
            return None;
        }
    }
    (seen <= limit).then(|| Ok(kept.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn another_sites_form_cannot_use_our_cookie() {
        let cookie = ("cookie", "feast_sid=x");
        for foreign in [
            headers(&[cookie]),
            headers(&[cookie, ("origin", "http://evil"), ("host", "shop")]),
            headers(&[cookie, ("sec-fetch-site", "cross-site")]),
        ] {
            assert!(same_origin(&Method::POST, "/cart/items", &foreign).is_err(), "{foreign:?}");
        }
        for ours in [
            headers(&[]),
            headers(&[cookie, ("origin", "http://shop:3000"), ("host", "shop:3000")]),
            headers(&[cookie, ("sec-fetch-site", "same-origin")]),
            headers(&[cookie, ("authorization", "Bearer x")]),
        ] {
            assert!(same_origin(&Method::POST, "/cart/items", &ours).is_ok(), "{ours:?}");
        }
        assert!(same_origin(&Method::GET, "/cart", &headers(&[cookie])).is_ok());
    }

    #[test]
    fn another_site_logs_nobody_in() {
        for path in ["/login", "/login/demo", "/signup", "/api/session", "/api/users"] {
            let judge = |pairs| same_origin(&Method::POST, path, &headers(pairs)).is_ok();
            assert!(!judge(&[("sec-fetch-site", "cross-site")]) && !judge(&[("origin", "http://evil"), ("host", "shop")]), "{path}");
            assert!(judge(&[]) && judge(&[("sec-fetch-site", "same-origin")]), "{path}");
        }
    }
}
