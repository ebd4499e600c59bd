//! Calls that only the platform's own processes make.

use crate::{State, owner_of_session, owner_of_user};
use axum::extract::State as Shared;
use contract::ApiError;
use contract::ledger::LedgerPage;
use contract::order::Claim;
use http::StatusCode;
use runtime::context::{self, Role};
use runtime::http::{ApiResult, Json};

/// What a guest ordered becomes the account's. The session claimed is the caller's own: nobody else can name it here, because the
/// gateway says which one it is.
pub async fn claim(Shared(state): Shared<State>, Json(claim): Json<Claim>) -> ApiResult<StatusCode> {
    let context = context::current();
    if context.role != Role::Operator && context.session.as_deref() != Some(claim.session.as_str()) {
        return Err(ApiError::forbidden("whoever ordered").into());
    }
    state.book.claim(&owner_of_session(&claim.session), &owner_of_user(&claim.user), &claim.user).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn ledger(Shared(state): Shared<State>) -> ApiResult<Json<LedgerPage>> {
    Ok(Json(state.book.ledger(state.clock.now()).await?))
}

/// Back to a platform nobody has ordered from.
pub async fn reset(Shared(state): Shared<State>) -> ApiResult<StatusCode> {
    if context::current().role != Role::Operator {
        return Err(ApiError::operator_only().into());
    }
    state.book.reset().await?;
    tracing::warn!("All orders were removed, because an operator asked for it");
    Ok(StatusCode::NO_CONTENT)
}
