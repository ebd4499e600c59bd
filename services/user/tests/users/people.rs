//! The service as the gateway calls it: in the process, under a context of its own for each caller.

use contract::account::{Account, LogIn, LoggedIn, Password, SignUp};
use contract::client::UserClient;
use contract::{ApiError, CustomerName, Role};
use runtime::Platform;
use runtime::clock::ManualClock;
use runtime::config::Settings;
use runtime::context::{self, RequestContext};
use std::sync::Arc;

pub const PASSWORD: &str = "correct horse battery";

pub struct Users {
    /// Its background work ends with it.
    _platform: Platform,
    pub clock: ManualClock,
    pub client: UserClient,
}

impl Users {
    pub async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Self {
        let (platform, clock) = testkit::platform_with(Settings { database_url: Some("sqlite::memory:".to_owned()), ..settings });
        let service = user::build(&platform).await.unwrap();
        platform.embed(&service);
        let client = UserClient::new(platform.transport("server", "user").unwrap());
        Self { _platform: platform, clock, client }
    }

    pub async fn sign_up(&self, name: &str) -> Result<LoggedIn, ApiError> {
        let request =
            SignUp { email: format!("{name}@example.com"), name: CustomerName::parse(name).unwrap(), password: Password::new(PASSWORD) };
        as_guest(self.client.sign_up(&request)).await
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Result<LoggedIn, ApiError> {
        as_guest(self.client.log_in(&LogIn { email: email.to_owned(), password: Password::new(password) })).await
    }

    pub async fn whose(&self, token: &Password) -> Result<Account, ApiError> {
        as_guest(self.client.session(token.expose())).await
    }
}

/// As somebody who is not logged in, at one address.
pub async fn as_guest<F: Future>(call: F) -> F::Output {
    from("192.0.2.1", call).await
}

pub async fn from<F: Future>(client: &str, call: F) -> F::Output {
    let context = RequestContext { service: "server", client: Some(client.into()), ..RequestContext::default() };
    context::scope(Arc::new(context), call).await
}

pub async fn as_account<F: Future>(account: &Account, call: F) -> F::Output {
    let context = RequestContext {
        service: "server",
        client: Some("192.0.2.1".into()),
        user: Some(account.id.as_str().into()),
        role: account.role,
        ..RequestContext::default()
    };
    context::scope(Arc::new(context), call).await
}

pub async fn as_operator<F: Future>(call: F) -> F::Output {
    let context = RequestContext { service: "server", client: Some("192.0.2.1".into()), role: Role::Operator, ..RequestContext::default() };
    context::scope(Arc::new(context), call).await
}
