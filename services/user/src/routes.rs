//! `/internal/accounts…`, `/internal/sessions…`, `/internal/tokens`, `/internal/demo…`: all of it for our own processes only.

use crate::State;
use crate::domain::account_not_found;
use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use contract::ApiError;
use contract::account::{Account, ChangePassword, ChangeProfile, LogIn, LoggedIn, SignUp, Token};
use http::StatusCode;
use runtime::context::{self, Role};
use runtime::http::{ApiResult, HttpError, Json, Path};

pub fn router(state: State) -> Router {
    Router::new()
        .route("/internal/accounts", post(sign_up))
        .route("/internal/accounts/{id}", get(read).patch(change))
        .route("/internal/accounts/{id}/password", post(change_password))
        .route("/internal/sessions", post(log_in))
        .route("/internal/sessions/lookup", post(session))
        .route("/internal/sessions/end", post(log_out))
        .route("/internal/tokens", post(bearer))
        .route("/internal/demo", get(demo))
        .route("/internal/demo/{id}", post(demo_log_in))
        .route("/internal/reset", post(reset))
        .with_state(state)
        .layer(from_fn(from_inside))
}

/// Our own calls say for which client they are made, and are believed only beside the token of the inside. Whoever reaches this service in
/// another way gets nothing: some of these routes hand out log-ins.
async fn from_inside(request: Request, next: Next) -> Response {
    if context::current().client.is_some() {
        return next.run(request).await;
    }
    HttpError(ApiError::forbidden("our own processes")).into_response()
}

/// An account is its owner's business. To everybody else it does not exist.
fn own(id: &str) -> Result<(), ApiError> {
    let context = context::current();
    let may = context.role == Role::Operator || context.user.as_deref() == Some(id);
    if may { Ok(()) } else { Err(account_not_found()) }
}

async fn sign_up(Shared(state): Shared<State>, Json(request): Json<SignUp>) -> ApiResult<Response> {
    Ok((StatusCode::CREATED, Json(state.sign_up(request).await?)).into_response())
}

async fn log_in(Shared(state): Shared<State>, Json(request): Json<LogIn>) -> ApiResult<Json<LoggedIn>> {
    Ok(Json(state.log_in(request).await?))
}

async fn session(Shared(state): Shared<State>, Json(Token { token }): Json<Token>) -> ApiResult<Json<Account>> {
    Ok(Json(state.session(&token).await?))
}

async fn log_out(Shared(state): Shared<State>, Json(Token { token }): Json<Token>) -> ApiResult<StatusCode> {
    state.log_out(&token).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn bearer(Shared(state): Shared<State>, Json(Token { token }): Json<Token>) -> ApiResult<Json<Account>> {
    Ok(Json(state.bearer(&token).await?))
}

async fn read(Shared(state): Shared<State>, Path(id): Path<String>) -> ApiResult<Json<Account>> {
    own(&id)?;
    let record = state.book.find(&id).await?.ok_or_else(account_not_found)?;
    Ok(Json(record.account))
}

async fn change(Shared(state): Shared<State>, Path(id): Path<String>, Json(request): Json<ChangeProfile>) -> ApiResult<Json<Account>> {
    own(&id)?;
    Ok(Json(state.change(&id, request).await?))
}

async fn change_password(
    Shared(state): Shared<State>,
    Path(id): Path<String>,
    Json(request): Json<ChangePassword>,
) -> ApiResult<StatusCode> {
    own(&id)?;
    state.change_password(&id, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn demo(Shared(state): Shared<State>) -> ApiResult<Json<Vec<Account>>> {
    Ok(Json(state.book.demo().await?))
}

async fn demo_log_in(Shared(state): Shared<State>, Path(id): Path<String>) -> ApiResult<Json<LoggedIn>> {
    Ok(Json(state.demo_log_in(&id).await?))
}

async fn reset(Shared(state): Shared<State>) -> ApiResult<StatusCode> {
    if context::current().role != Role::Operator {
        return Err(ApiError::operator_only().into());
    }
    state.reset().await?;
    Ok(StatusCode::NO_CONTENT)
}
