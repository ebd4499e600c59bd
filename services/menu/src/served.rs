//! A JSON body that never changes while the process runs: serialised once, hashed once, answered from memory.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::fmt::Write;

/// Half a SHA-256 is far more than enough to tell two menus apart.
const ETAG_BYTES: usize = 16;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// A copy may be kept but is asked about before each use: a price is never older than the last look.
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// A body with its strong ETag. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Served {
    body: Bytes,
    etag: HeaderValue,
}

impl Served {
    /// # Errors
    /// When the value has no JSON form.
    pub fn json(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::to_vec(value).map(Self::new)
    }

    /// A body that is JSON already.
    pub fn new(json: impl Into<Bytes>) -> Self {
        let body = json.into();
        let mut etag = String::with_capacity(2 * ETAG_BYTES + 2);
        etag.push('"');
        for byte in Sha256::digest(&body).iter().take(ETAG_BYTES) {
            // Writing to a String cannot fail.
            let _ = write!(etag, "{byte:02x}");
        }
        etag.push('"');
        // Hexadecimal digits and quotes are always a header value.
        let etag = HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("\"\""));
        Self { body, etag }
    }

    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// 304 when the caller has this very body, 200 with it otherwise.
    pub fn reply(&self, condition: &IfNoneMatch) -> Response {
        let mut response = if condition.names(&self.etag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut response = json(self.body.clone());
            response.headers_mut().reserve(2);
            response
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, NO_CACHE);
        response
    }
}

/// 200 with a body that is JSON already.
pub fn json(body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// The request's `If-None-Match`.
pub struct IfNoneMatch(Option<HeaderValue>);

impl IfNoneMatch {
    /// Weak comparison, as RFC 9110 asks for this header: `W/"x"` and `"x"` are the same.
    fn names(&self, etag: &HeaderValue) -> bool {
        let Some(listed) = self.0.as_ref().map(HeaderValue::as_bytes) else { return false };
        listed
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|one| one == b"*" || one.strip_prefix(b"W/").unwrap_or(one) == etag.as_bytes())
    }
}

impl<S: Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get(header::IF_NONE_MATCH).cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{IfNoneMatch, Served};
    use axum::http::{HeaderValue, StatusCode};

    fn status(condition: &str) -> StatusCode {
        let served = Served::new("{}");
        let condition = condition.replace("OURS", served.etag.to_str().unwrap());
        served.reply(&IfNoneMatch(Some(HeaderValue::from_str(&condition).unwrap()))).status()
    }

    #[test]
    fn a_caller_that_has_the_body_is_not_sent_it_again() {
        for same in ["OURS", "W/OURS", "\"other\", OURS", "*"] {
            assert_eq!(status(same), StatusCode::NOT_MODIFIED, "{same}");
        }
        for other in ["\"other\"", "", "nonsense"] {
            assert_eq!(status(other), StatusCode::OK, "{other}");
        }
    }

    #[test]
    fn equal_bodies_have_equal_tags_and_different_bodies_do_not() {
        assert_eq!(Served::new("[1]").etag, Served::new("[1]").etag);
        assert_ne!(Served::new("[1]").etag, Served::new("[2]").etag);
    }
}
