use super::{Reply, UserClient, call, fetch, path_segment, send, with_body};
use crate::account::{Account, ChangePassword, ChangeProfile, LogIn, LoggedIn, Password, SignUp, Token};
use crate::error::ApiError;
use http::Method;

impl UserClient {
    pub async fn sign_up(&self, request: &SignUp) -> Result<LoggedIn, ApiError> {
        fetch(&self.0, with_body(call("user.sign_up", Method::POST, "/internal/accounts"), request)?).await
    }

    pub async fn log_in(&self, request: &LogIn) -> Result<LoggedIn, ApiError> {
        fetch(&self.0, with_body(call("user.log_in", Method::POST, "/internal/sessions"), request)?).await
    }

    /// Who holds this token of a log-in.
    ///
    /// # Errors
    /// `UNAUTHORIZED` when nobody does, or not any more.
    pub async fn session(&self, token: &str) -> Result<Account, ApiError> {
        fetch(&self.0, with_body(call("user.session", Method::POST, "/internal/sessions/lookup"), &tokened(token))?).await
    }

    /// Ends a log-in. One that has ended is a success.
    pub async fn log_out(&self, token: &str) -> Result<(), ApiError> {
        let call = with_body(call("user.log_out", Method::POST, "/internal/sessions/end"), &tokened(token))?;
        send(&self.0, call).await.map(drop)
    }

    /// The account a bearer token of the OIDC issuer stands for; made when it is seen first.
    ///
    /// # Errors
    /// `UNAUTHORIZED` when the token is not the issuer's, or no issuer is configured.
    pub async fn bearer(&self, token: &str) -> Result<Account, ApiError> {
        fetch(&self.0, with_body(call("user.bearer", Method::POST, "/internal/tokens"), &tokened(token))?).await
    }

    pub async fn account(&self, id: &str) -> Result<Account, ApiError> {
        fetch(&self.0, call("user.account", Method::GET, account_path(id))).await
    }

    pub async fn change_profile(&self, id: &str, change: &ChangeProfile) -> Result<Account, ApiError> {
        fetch(&self.0, with_body(call("user.change_profile", Method::PATCH, account_path(id)), change)?).await
    }

    /// Ends every log-in of the account but the one whose token is `keep`.
    pub async fn change_password(&self, id: &str, change: &ChangePassword) -> Result<(), ApiError> {
        let path = format!("{}/password", account_path(id));
        let reply: Result<Reply, ApiError> = send(&self.0, with_body(call("user.change_password", Method::POST, path), change)?).await;
        reply.map(drop)
    }

    /// The demonstration's accounts: one of each role, and one for every restaurant.
    pub async fn demo(&self) -> Result<Vec<Account>, ApiError> {
        fetch(&self.0, call("user.demo", Method::GET, "/internal/demo")).await
    }

    /// Logs in as one of the demonstration's accounts, without a password. The server offers it on loopback only.
    pub async fn demo_log_in(&self, id: &str) -> Result<LoggedIn, ApiError> {
        fetch(&self.0, call("user.demo_log_in", Method::POST, format!("/internal/demo/{}", path_segment(id)))).await
    }

    /// Back to the demonstration's accounts and nobody else's. Operators only.
    pub async fn reset(&self) -> Result<(), ApiError> {
        send(&self.0, call("user.reset", Method::POST, "/internal/reset")).await.map(drop)
    }
}

fn tokened(token: &str) -> Token {
    Token { token: Password::new(token) }
}

fn account_path(id: &str) -> String {
    format!("/internal/accounts/{}", path_segment(id))
}
