//! Who is an operator: whoever has the token, or the cookie that the console's link was exchanged for.

use crate::edge::cookie;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use hmac::{Hmac, Mac};
use http::header::{AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use sha2::Sha256;
use std::sync::Arc;
use subtle::ConstantTimeEq;

const OPERATOR_COOKIE: &str = "feast_operator";

/// Who is an operator in this process.
#[derive(Clone)]
pub struct Operators(Option<Keys>);

/// The token, and the cookie's value: a keyed hash of it, so that the cookie is of no use anywhere else and ends with the token.
#[derive(Clone)]
struct Keys {
    token: Arc<str>,
    cookie: Arc<str>,
}

impl Operators {
    pub fn new(token: &str) -> Self {
        // HMAC takes keys of any length, so this cannot fail; should it, no cookie is ever right.
        let signed = Hmac::<Sha256>::new_from_slice(token.as_bytes()).map(|mut mac| {
            mac.update(b"console session");
            mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        });
        Self(Some(Keys { token: token.into(), cookie: signed.unwrap_or_else(|_| crate::config::make_token()).into() }))
    }

    /// Nobody, whatever he shows: a web replica does not know the secret.
    pub const fn nobody() -> Self {
        Self(None)
    }

    pub fn is_operator(&self, headers: &HeaderMap) -> bool {
        let Some(Keys { token, cookie: expected }) = &self.0 else { return false };
        let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
        bearer.is_some_and(|sent| same(sent, token)) || cookie(headers, OPERATOR_COOKIE).is_some_and(|sent| same(sent, expected))
    }
}

fn same(sent: &str, expected: &str) -> bool {
    sent.as_bytes().ct_eq(expected.as_bytes()).into()
}

#[derive(Deserialize)]
pub struct SignIn {
    token: Option<String>,
}

/// `GET /console?token=…`: exchanges the token for a cookie and takes it out of the address.
pub async fn sign_in(State(operators): State<Operators>, Query(query): Query<SignIn>) -> Response {
    let mut response = Redirect::to("/console/overview").into_response();
    let known = operators.0.as_ref().filter(|keys| query.token.is_some_and(|token| same(&token, &keys.token)));
    if let Some(Keys { cookie, .. }) = known {
        let value = format!("{OPERATOR_COOKIE}={cookie}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict");
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}
