//! Accounts for people and programs: sign up, log in and out, profile. The pages' forms and the JSON API do the same through one desk.

use crate::identity::{Identity, LOGIN_COOKIE, login_token};
use app::accounts::{Accounts, SetCookie};
use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use contract::account::{Account, ChangePassword, ChangeProfile, LogIn, LoggedIn, Password, SignUp};
use contract::client::{NotificationClient, OrderClient, UserClient};
use contract::error::ErrorBody;
use contract::notification::Preferences;
use contract::{ApiError, Code, Role};
use http::{HeaderMap, HeaderValue, StatusCode};
use runtime::Platform;
use runtime::boot::BootError;
use runtime::context;
use runtime::http::{ApiResult, Json};
use std::sync::Arc;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// As long as the user service keeps a log-in that nobody uses.
const MAX_AGE_S: u32 = 30 * 24 * 3_600;

/// Their addresses of e-mail. With the documented password they open on loopback only.
const DEMO_DOMAIN: &str = "@demo.feast";

#[derive(Clone)]
pub struct AccountDesk(Arc<Inner>);

struct Inner {
    users: UserClient,
    order: OrderClient,
    notification: NotificationClient,
    identity: Identity,
    loopback: bool,
    secure: bool,
}

impl AccountDesk {
    /// `secure` marks cookies for TLS.
    ///
    /// # Errors
    /// A service is neither embedded nor addressed.
    pub fn new(platform: &Platform, identity: Identity, loopback: bool, secure: bool) -> Result<Self, BootError> {
        let client = |service| platform.transport(crate::NAME, service);
        Ok(Self(Arc::new(Inner {
            users: UserClient::new(client("user")?),
            order: OrderClient::new(client("order")?),
            notification: NotificationClient::new(client("notification")?),
            identity,
            loopback,
            secure,
        })))
    }

    fn cookie(&self, token: &str, max_age_s: u32) -> Result<SetCookie, ApiError> {
        let secure = if self.0.secure { "; Secure" } else { "" };
        let value = format!("{LOGIN_COOKIE}={token}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::try_from(value).map(SetCookie::new).map_err(|_| ApiError::internal())
    }

    /// Takes what the guest ordered along, and makes the cookie.
    async fn entered(&self, LoggedIn { token, account }: LoggedIn) -> Result<(Account, SetCookie), ApiError> {
        let cookie = self.cookie(token.expose(), MAX_AGE_S)?;
        let context = context::current();
        // Staff and couriers do not eat on the account they work with.
        if let Some(session) = context.session.as_deref().filter(|_| account.role == Role::Customer)
            && let Err(error) = self.0.order.claim(session, &account.id).await
        {
            tracing::warn!(user.id = account.id, %error, "What a guest ordered before logging in stays with the browser");
        }
        Ok((account, cookie))
    }

    fn user() -> Result<Arc<str>, ApiError> {
        context::current().user.clone().ok_or_else(ApiError::log_in_first)
    }

    fn owner() -> Result<Arc<str>, ApiError> {
        context::current().owner().cloned().ok_or_else(ApiError::log_in_first)
    }
}

#[async_trait]
impl Accounts for AccountDesk {
    async fn sign_up(&self, request: SignUp) -> Result<(Account, SetCookie), ApiError> {
        self.entered(self.0.users.sign_up(&request).await?).await
    }

    async fn log_in(&self, request: LogIn) -> Result<(Account, SetCookie), ApiError> {
        if !self.0.loopback && request.email.trim().to_lowercase().ends_with(DEMO_DOMAIN) {
            return Err(ApiError::new(Code::WrongPassword, "e-mail address and password do not belong together"));
        }
        self.entered(self.0.users.log_in(&request).await?).await
    }

    async fn log_out(&self, headers: &HeaderMap) -> (SetCookie, Result<(), ApiError>) {
        let ended = match login_token(headers) {
            None => Ok(()),
            Some(token) => {
                let ended = self.0.users.log_out(token).await;
                self.0.identity.forget(token);
                ended
            }
        };
        // It holds nothing that could be refused.
        let gone = self.cookie("", 0).unwrap_or_else(|_| SetCookie::new(HeaderValue::from_static("feast_login=; Path=/; Max-Age=0")));
        (gone, ended)
    }

    async fn demo_accounts(&self) -> Result<Vec<Account>, ApiError> {
        if self.0.loopback { self.0.users.demo().await } else { Ok(Vec::new()) }
    }

    async fn demo_log_in(&self, id: &str) -> Result<(Account, SetCookie), ApiError> {
        if !self.0.loopback {
            return Err(ApiError::new(Code::AccountNotFound, "there is no such account"));
        }
        self.entered(self.0.users.demo_log_in(id).await?).await
    }

    async fn profile(&self) -> Result<Account, ApiError> {
        self.0.users.account(&Self::user()?).await
    }

    async fn change_profile(&self, change: ChangeProfile) -> Result<Account, ApiError> {
        let user = Self::user()?;
        let account = self.0.users.change_profile(&user, &change).await?;
        self.0.identity.forget_account(&user);
        Ok(account)
    }

    async fn change_password(&self, headers: &HeaderMap, current: Password, new: Password) -> Result<(), ApiError> {
        let user = Self::user()?;
        let keep = login_token(headers).map(Password::new);
        self.0.users.change_password(&user, &ChangePassword { current, new, keep }).await?;
        self.0.identity.forget_account(&user);
        Ok(())
    }

    async fn preferences(&self) -> Result<Preferences, ApiError> {
        self.0.notification.preferences(&Self::owner()?).await
    }

    async fn set_preferences(&self, preferences: Preferences) -> Result<Preferences, ApiError> {
        self.0.notification.set_preferences(&Self::owner()?, &preferences).await
    }
}

/// `/api/users`, `/api/session`, `/api/profile…`
pub fn router(desk: AccountDesk) -> Router {
    routes().with_state(desk).into()
}

/// The same calls, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<AccountDesk> {
    OpenApiRouter::default()
        .routes(routes!(sign_up))
        .routes(routes!(log_in, log_out))
        .routes(routes!(profile, change_profile))
        .routes(routes!(change_password))
        .routes(routes!(preferences, set_preferences))
}

fn entered(status: StatusCode, (account, cookie): (Account, SetCookie)) -> Response {
    let mut response = (status, Json(account)).into_response();
    cookie.write(response.headers_mut());
    response
}

/// Makes an account and logs in
///
/// What the session ordered as a guest is the account's from now on.
#[utoipa::path(post, path = "/api/users", tag = "Accounts", operation_id = "signUp",
    request_body = SignUp,
    responses(
        (status = 201, description = "The account.", body = Account, headers(
            ("set-cookie" = String, description = "`feast_login`, HttpOnly: send it back.")
        )),
        (status = 400, description = "INVALID_NAME, INVALID_ACCOUNT", body = ErrorBody),
        (status = 409, description = "EMAIL_TAKEN", body = ErrorBody),
    ))]
async fn sign_up(State(desk): State<AccountDesk>, Json(request): Json<SignUp>) -> ApiResult<Response> {
    Ok(entered(StatusCode::CREATED, desk.sign_up(request).await?))
}

/// Logs in
#[utoipa::path(post, path = "/api/session", tag = "Accounts", operation_id = "logIn",
    request_body = LogIn,
    responses(
        (status = 200, description = "The account.", body = Account, headers(
            ("set-cookie" = String, description = "`feast_login`, HttpOnly: send it back.")
        )),
        (status = 401, description = "WRONG_PASSWORD", body = ErrorBody),
    ))]
async fn log_in(State(desk): State<AccountDesk>, Json(request): Json<LogIn>) -> ApiResult<Response> {
    Ok(entered(StatusCode::OK, desk.log_in(request).await?))
}

/// Logs out
#[utoipa::path(delete, path = "/api/session", tag = "Accounts", operation_id = "logOut",
    responses((status = 204, description = "Nobody is logged in any more.")))]
async fn log_out(State(desk): State<AccountDesk>, headers: HeaderMap) -> Response {
    let (cookie, ended) = desk.log_out(&headers).await;
    let mut response = match ended {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => runtime::http::HttpError(error).into_response(),
    };
    cookie.write(response.headers_mut());
    response
}

/// Who is logged in
#[utoipa::path(get, path = "/api/profile", tag = "Accounts", operation_id = "getProfile",
    responses((status = 200, description = "The account.", body = Account)))]
async fn profile(State(desk): State<AccountDesk>) -> ApiResult<Json<Account>> {
    Ok(Json(desk.profile().await?))
}

/// Changes name or addresses
#[utoipa::path(patch, path = "/api/profile", tag = "Accounts", operation_id = "changeProfile",
    request_body = ChangeProfile,
    responses(
        (status = 200, description = "The account as it is now.", body = Account),
        (status = 400, description = "INVALID_NAME, INVALID_ACCOUNT", body = ErrorBody),
    ))]
async fn change_profile(State(desk): State<AccountDesk>, Json(change): Json<ChangeProfile>) -> ApiResult<Json<Account>> {
    Ok(Json(desk.change_profile(change).await?))
}

/// Changes the password
///
/// Every other log-in of the account ends. Which one goes on is told by the cookie, not by the body.
#[utoipa::path(post, path = "/api/profile/password", tag = "Accounts", operation_id = "changePassword",
    request_body = ChangePassword,
    responses(
        (status = 204, description = "The new one counts."),
        (status = 400, description = "INVALID_ACCOUNT", body = ErrorBody),
        (status = 401, description = "WRONG_PASSWORD", body = ErrorBody),
        (status = 409, description = "CONFLICT", body = ErrorBody),
    ))]
async fn change_password(State(desk): State<AccountDesk>, headers: HeaderMap, Json(change): Json<ChangePassword>) -> ApiResult<StatusCode> {
    desk.change_password(&headers, change.current, change.new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What this session or account wants to hear by
#[utoipa::path(get, path = "/api/profile/preferences", tag = "Accounts", operation_id = "getPreferences",
    responses((status = 200, description = "The ways.", body = Preferences)))]
async fn preferences(State(desk): State<AccountDesk>) -> ApiResult<Json<Preferences>> {
    Ok(Json(desk.preferences().await?))
}

/// Sets what this session or account wants to hear by
#[utoipa::path(put, path = "/api/profile/preferences", tag = "Accounts", operation_id = "setPreferences",
    request_body = Preferences,
    responses((status = 200, description = "The ways as they are now.", body = Preferences)))]
async fn set_preferences(State(desk): State<AccountDesk>, Json(preferences): Json<Preferences>) -> ApiResult<Json<Preferences>> {
    Ok(Json(desk.set_preferences(preferences).await?))
}
