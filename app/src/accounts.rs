//! Logging in and out, from forms: pages ask, the server knows how tokens are kept.

use crate::visit::Visit;
use async_trait::async_trait;
use axum::response::Response;
use contract::account::{Account, ChangeProfile, LogIn, Password, SignUp};
use contract::notification::Preferences;
use contract::{ApiError, Role};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use std::fmt;
use std::sync::Arc;

/// What pages may do with accounts. Everything is about whoever sends the running request.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Makes an account and logs in. What the guest ordered becomes the account's.
    ///
    /// # Errors
    /// `INVALID_ACCOUNT`, `EMAIL_TAKEN`, `RATE_LIMITED`.
    async fn sign_up(&self, request: SignUp) -> Result<(Account, SetCookie), ApiError>;

    /// # Errors
    /// `WRONG_PASSWORD` for an address nobody has, too; `RATE_LIMITED`.
    async fn log_in(&self, request: LogIn) -> Result<(Account, SetCookie), ApiError>;

    /// Ends the log-in whose cookie is in `headers`. Without one it is a success.
    ///
    /// # Errors
    /// The log-in could not be ended: somebody who copied the cookie could go on using it. The cookie is still to be taken away.
    async fn log_out(&self, headers: &HeaderMap) -> (SetCookie, Result<(), ApiError>);

    /// Accounts that anybody may log in to by one click; none unless the site is on loopback.
    ///
    /// # Errors
    /// The user service does not answer.
    async fn demo_accounts(&self) -> Result<Vec<Account>, ApiError>;

    /// # Errors
    /// `ACCOUNT_NOT_FOUND` for everything that is no demo account, and off loopback.
    async fn demo_log_in(&self, id: &str) -> Result<(Account, SetCookie), ApiError>;

    /// The account that is logged in, with its addresses.
    ///
    /// # Errors
    /// `UNAUTHORIZED` when nobody is logged in.
    async fn profile(&self) -> Result<Account, ApiError>;

    /// # Errors
    /// `UNAUTHORIZED`, `INVALID_ACCOUNT`.
    async fn change_profile(&self, change: ChangeProfile) -> Result<Account, ApiError>;

    /// Ends every other log-in of the account; the one whose cookie is in `headers` goes on.
    ///
    /// # Errors
    /// `WRONG_PASSWORD` when `current` is not the password, `INVALID_ACCOUNT` when `new` cannot be one.
    async fn change_password(&self, headers: &HeaderMap, current: Password, new: Password) -> Result<(), ApiError>;

    /// What whoever is asking wants to hear by; guests have a choice, too.
    async fn preferences(&self) -> Result<Preferences, ApiError>;

    async fn set_preferences(&self, preferences: Preferences) -> Result<Preferences, ApiError>;
}

/// How handlers receive it.
pub type SharedAccounts = Arc<dyn Accounts>;

/// A cookie of a log-in, made by the server. It holds a secret, so it does not show itself.
#[derive(Clone)]
pub struct SetCookie(HeaderValue);

impl SetCookie {
    pub fn new(mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        Self(value)
    }

    /// Puts it on a response: without that, nobody is logged in.
    pub fn write(self, headers: &mut HeaderMap) {
        headers.append(SET_COOKIE, self.0);
    }
}

impl fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetCookie(…)")
    }
}

/// Where each role begins its work after a log-in.
pub const fn home_of(role: Role) -> &'static str {
    match role {
        Role::Customer => "/",
        Role::Restaurant => "/restaurant",
        Role::Courier => "/courier",
        Role::Operator => "/console/flags",
    }
}

/// What everybody who is not an operator sees of the console.
pub fn operators_page(visit: &Visit) -> Response {
    crate::pages::console::sign_in(visit)
}
