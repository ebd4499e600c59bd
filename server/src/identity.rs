//! Who is logged in: the cookie of a log-in, or a bearer token of the OIDC issuer, as the user service knows it.
//!
//! The edge finds operators by itself. Everybody else has to be asked for, and a call to a service needs a request's context, span and
//! deadline: so this stands behind the inbound layer and puts what it learns into the context that everything behind it sees. A request
//! without cookie and token costs nothing here.

use crate::edge::cookie;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use contract::account::Account;
use contract::client::UserClient;
use contract::{ApiError, Timestamp};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use runtime::Platform;
use runtime::boot::BootError;
use runtime::clock::SharedClock;
use runtime::context::{self, RequestContext, Role};
use runtime::http::HttpError;
use runtime::store::ExpiringMap;
use sha2::{Digest, Sha256};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// The cookie of a log-in.
pub const LOGIN_COOKIE: &str = "feast_login";

/// How long an answer of the user service is believed: so long a log-in that ended in another process still counts in this one.
const BELIEVED_FOR: Duration = Duration::from_secs(5);

/// Log-ins remembered; beyond, those that would be forgotten first make room.
const REMEMBERED: usize = 10_000;

/// How often what goes on after an answer looks whether its log-in still stands.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A page must not wait longer to learn that nobody can tell who is asking.
const PATIENCE: Duration = Duration::from_secs(1);

/// A token of ours has 64 characters, one of an issuer some thousands at most.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

type Hash = [u8; 32];

#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    users: UserClient,
    /// What the user service said: the account, or that there is none.
    known: ExpiringMap<Hash, (Option<Arc<Account>>, Timestamp)>,
    /// Accounts whose log-ins changed, and when: what was said before counts no more.
    changed: ExpiringMap<String, Timestamp>,
    clock: SharedClock,
    loopback: bool,
}

/// What was found out about whoever asks; on the request of everybody who claims to be somebody.
#[derive(Clone, Debug)]
pub enum Identified {
    /// Called so.
    Account { name: String },
    /// The token stands for nobody, or not any more.
    Nobody,
    /// The user service did not answer.
    Unknown(ApiError),
}

/// The log-in that a request came with, for what goes on after its answer has begun; on the request of everybody who is logged in.
#[derive(Clone)]
pub struct Standing {
    identity: Identity,
    token: Arc<str>,
    by_bearer: bool,
    account: Arc<Account>,
}

impl Standing {
    /// Ends within seconds after the log-in has, wherever it was ended, or when the account may do other things than before. Call it while
    /// the request is being answered: it goes on asking in the request's name.
    pub fn ended(self) -> impl Future<Output = ()> + Send + 'static {
        let context = Arc::new(RequestContext { deadline: None, ..(*context::current()).clone() });
        context::scope(context, async move {
            while self.holds().await {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        })
    }

    async fn holds(&self) -> bool {
        let claim = if self.by_bearer { Claim::Bearer(&self.token) } else { Claim::LogIn(&self.token) };
        match self.identity.find(claim).await {
            Ok(None) => false,
            Ok(Some(now)) => rights(&now) == rights(&self.account),
            // Nobody can tell: a service that is down for a moment closes no page.
            Err(_) => true,
        }
    }
}

fn rights(account: &Account) -> (&str, Role, Option<&str>, Option<&str>) {
    (&account.id, account.role, account.staff_of.as_ref().map(|id| id.as_str()), account.courier_id.as_deref())
}

/// What a request brings along to say who it is from.
#[derive(Clone, Copy)]
enum Claim<'r> {
    Bearer(&'r str),
    LogIn(&'r str),
}

impl Identity {
    /// # Errors
    /// The user service is neither embedded nor addressed.
    pub fn new(platform: &Platform, loopback: bool) -> Result<Self, BootError> {
        Ok(Self(Arc::new(Inner {
            users: UserClient::new(platform.transport(crate::NAME, "user")?),
            known: ExpiringMap::new(platform.clock.clone(), REMEMBERED),
            changed: ExpiringMap::new(platform.clock.clone(), REMEMBERED),
            clock: platform.clock.clone(),
            loopback,
        })))
    }

    /// What was learned of this log-in is asked again.
    pub fn forget(&self, token: &str) {
        self.0.known.remove(&hash(token));
    }

    /// The same for all log-ins of an account.
    pub fn forget_account(&self, id: &str) {
        self.0.changed.insert(&id.to_owned(), self.0.clock.now(), BELIEVED_FOR);
    }

    async fn find(&self, claim: Claim<'_>) -> Result<Option<Arc<Account>>, ApiError> {
        let (Claim::Bearer(token) | Claim::LogIn(token)) = claim;
        if token.len() > MAX_TOKEN_BYTES {
            return Ok(None);
        }
        let key = hash(token);
        if let Some((account, asked_at)) = self.0.known.get(&key)
            && account.as_ref().is_none_or(|account| self.0.changed.get(&account.id).is_none_or(|changed| asked_at > changed))
        {
            return Ok(account);
        }
        let asked_at = self.0.clock.now();
        let asked = async {
            match claim {
                Claim::Bearer(token) => self.0.users.bearer(token).await,
                Claim::LogIn(token) => self.0.users.session(token).await,
            }
        };
        let outcome = tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(ApiError::timeout("user")));
        let account = match outcome {
            // Anybody may have made this log-in by one click.
            Ok(account) if account.is_demo() && !self.0.loopback => None,
            Ok(account) => Some(Arc::new(account)),
            Err(error) if error.status == 401 => None,
            Err(error) => return Err(error),
        };
        self.0.known.insert(&key, (account.clone(), asked_at), BELIEVED_FOR);
        Ok(account)
    }
}

fn hash(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}

/// The token of the log-in whose cookie is in `headers`.
pub fn login_token(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, LOGIN_COOKIE).filter(|token| !token.is_empty())
}

/// A JSON web token has two dots; the operator's token is known to the edge.
fn claim<'r>(headers: &'r HeaderMap, context: &RequestContext) -> Option<Claim<'r>> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let foreign = bearer.filter(|token| context.role != Role::Operator && token.split('.').count() == 3);
    foreign.map(Claim::Bearer).or_else(|| login_token(headers).map(Claim::LogIn))
}

/// Puts whoever is logged in into the request's context.
pub async fn identify(State(identity): State<Identity>, mut request: Request, next: Next) -> Response {
    let context = context::current();
    let Some(claim) = claim(request.headers(), &context) else { return next.run(request).await };
    let (by_bearer, token) = match claim {
        Claim::Bearer(token) => (true, token),
        Claim::LogIn(token) => (false, token),
    };
    let token: Arc<str> = token.into();
    match identity.find(claim).await {
        Ok(Some(account)) => {
            request.extensions_mut().insert(Identified::Account { name: account.name.to_string() });
            request.extensions_mut().insert(Standing { identity, token, by_bearer, account: account.clone() });
            context::scope(Arc::new(logged_in(&context, &account)), next.run(request)).await
        }
        // A program that shows a token wants to know that it is of no use; a browser with an old cookie is a guest.
        Ok(None) if by_bearer => HttpError(ApiError::new(contract::Code::Unauthorized, "the bearer token is not taken")).into_response(),
        Ok(None) => {
            request.extensions_mut().insert(Identified::Nobody);
            next.run(request).await
        }
        Err(error) if by_bearer => HttpError(error).into_response(),
        Err(error) => {
            request.extensions_mut().insert(Identified::Unknown(error));
            next.run(request).await
        }
    }
}

/// An operator who is logged in as somebody stays an operator: the presenter changes sides without losing the console.
fn logged_in(context: &RequestContext, account: &Account) -> RequestContext {
    RequestContext {
        role: if context.role == Role::Operator { Role::Operator } else { account.role },
        user: Some(account.id.as_str().into()),
        staff_of: account.staff_of.as_ref().map(|id| id.as_str().into()),
        courier: account.courier_id.as_deref().map(Into::into),
        ..context.clone()
    }
}
