//! The outermost judgement: who is asking. Nothing from outside is believed but what this layer checked.
//!
//! It takes off every header that only we may set, reads the cookies and the operator's token, and writes what it found as the same
//! headers that travel inside. The inbound layer behind it, the same as in every service, turns them into the request's context. Whoever is
//! logged in has to be asked for, and is found out behind that layer (`identity.rs`).

use crate::console::Operators;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};
use runtime::http::headers;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The browser's anonymous session.
pub const SESSION_COOKIE: &str = "feast_sid";

/// How the load generator marks its requests. It changes nothing but whom a flag reaches.
const SYNTHETIC: HeaderName = HeaderName::from_static("x-feast-synthetic");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where people log in and passwords are tried. Whoever tries is counted by address: a cookie is thrown away too easily.
const DOORS: [&str; 7] = ["/login", "/login/demo", "/signup", "/account/password", "/api/session", "/api/users", "/api/profile/password"];

/// Whether somebody may come out of this address logged in.
pub fn is_door(path: &str) -> bool {
    DOORS.contains(&path)
}

#[derive(Clone)]
pub struct Edge {
    operators: Operators,
    token: Option<HeaderValue>,
    trusted_proxies: Arc<[IpAddr]>,
}

impl Edge {
    pub fn new(operators: Operators, token: Option<&str>, trusted_proxies: &[IpAddr]) -> Self {
        let token = token.and_then(|token| HeaderValue::try_from(token).ok());
        Self { operators, token, trusted_proxies: trusted_proxies.into() }
    }

    fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusted_proxies.contains(&peer) {
            return peer;
        }
        // The rightmost address is the one our own proxy wrote.
        let forwarded = headers.get(FORWARDED_FOR).and_then(|value| value.to_str().ok()).and_then(|list| list.rsplit(',').next());
        forwarded.and_then(|text| text.trim().parse().ok()).unwrap_or(peer)
    }
}

pub async fn edge(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip());
    let at_a_door = is_door(request.uri().path());
    let incoming = request.headers_mut();
    for name in headers::FROM_INSIDE_ONLY {
        incoming.remove(name);
    }
    let synthetic = is_synthetic(incoming);
    incoming.remove(headers::BAGGAGE);
    if synthetic {
        incoming.insert(headers::BAGGAGE, HeaderValue::from_static("synthetic=true"));
    }
    if let Some(token) = &edge.token {
        incoming.insert(headers::INTERNAL, token.clone());
    }
    let known = cookie(incoming, SESSION_COOKIE).filter(|sid| is_session(sid)).map(str::to_owned);
    let session = known.clone().unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string());
    // Idempotency keys of a browser are its own; those of a client without cookies are its address's.
    let client = known.clone().filter(|_| !at_a_door).unwrap_or_else(|| edge.address(peer, incoming).to_string());
    if edge.operators.is_operator(incoming) {
        incoming.insert(headers::ROLE, HeaderValue::from_static("operator"));
    }
    set(incoming, headers::SESSION, &session);
    set(incoming, headers::CLIENT, &client);

    let mut response = next.run(request).await;
    if known.is_none()
        && let Ok(value) = HeaderValue::try_from(format!("{SESSION_COOKIE}={session}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"))
    {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

fn is_synthetic(headers: &HeaderMap) -> bool {
    headers.get(SYNTHETIC).is_some_and(|value| value == "true")
}

/// Whom a flag may reach, for what has no edge in front of it: the browser's session, and whether it is load.
pub fn whose(headers: &HeaderMap) -> (Option<&str>, bool) {
    (cookie(headers, SESSION_COOKIE).filter(|sid| is_session(sid)), is_synthetic(headers))
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

fn is_session(sid: &str) -> bool {
    sid.len() == 32 && sid.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let headers = headers(&[("cookie", "a=1; feast_sid=abc; b=2")]);
        assert_eq!(cookie(&headers, "feast_sid"), Some("abc"));
        assert_eq!(cookie(&headers, "sid"), None);
    }
}
