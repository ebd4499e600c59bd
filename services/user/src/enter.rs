//! Signing up, logging in, staying logged in.

use crate::State;
use crate::domain::{self, Email, account_not_found, check_password, email_taken, token_hash, wrong_password};
use crate::password::new_token;
use crate::store::{Change, NewSession};
use contract::account::{Account, ChangePassword, ChangeProfile, LogIn, LoggedIn, Password, SignUp};
use contract::{ApiError, Code, Role, Timestamp};
use opentelemetry::KeyValue;
use runtime::context;
use std::time::Duration;

/// A log-in ends when it was not used for so long.
pub const SESSION_TTL: Duration = Duration::from_secs(30 * 24 * 3_600);

/// How often its use is written down. More often would make every page a write.
const SEEN_EVERY: Duration = Duration::from_secs(3_600);

fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_millis(now.millis().saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}

impl State {
    pub async fn sign_up(&self, request: SignUp) -> Result<LoggedIn, ApiError> {
        let email = Email::parse(&request.email)?;
        check_password(&request.password)?;
        self.count_try(email.as_str())?;
        let email = email.free()?;
        // Known before the hash is paid for; the database decides between two who come at once.
        if self.book.by_email(&email).await?.is_some() {
            return Err(email_taken());
        }
        let password = self.hasher.hash(request.password).await?;
        let account = Account {
            id: uuid::Uuid::now_v7().to_string(),
            email: email.as_str().to_owned(),
            name: request.name,
            role: Role::Customer,
            staff_of: None,
            courier_id: None,
            addresses: Vec::new(),
            created_at: self.clock.now(),
        };
        if !self.book.add(&account, &password).await? {
            return Err(email_taken());
        }
        self.entered("signed_up");
        tracing::info!(user.id = account.id, "Made account {}", account.id);
        self.begin_session(account).await
    }

    pub async fn log_in(&self, request: LogIn) -> Result<LoggedIn, ApiError> {
        let email = Email::parse(&request.email).ok();
        self.count_try(email.as_ref().map_or("", Email::as_str))?;
        let record = match &email {
            Some(email) => self.book.by_email(email).await?,
            None => None,
        };
        let hash = record.as_ref().and_then(|record| record.password.clone());
        // Hashed for an address that nobody has, too: the time it takes must not tell which addresses have an account.
        let fits = self.hasher.fits(request.password, hash).await?;
        match record.filter(|_| fits) {
            Some(record) => {
                self.entered("logged_in");
                self.begin_session(record.account).await
            }
            None => {
                self.entered("refused");
                Err(wrong_password())
            }
        }
    }

    fn count_try(&self, account: &str) -> Result<(), ApiError> {
        self.tries.count(context::current().client.as_deref(), account).inspect_err(|_| self.entered("limited"))
    }

    fn entered(&self, outcome: &'static str) {
        self.entries.add(1, &[KeyValue::new("feast.entry.outcome", outcome)]);
    }

    async fn begin_session(&self, account: Account) -> Result<LoggedIn, ApiError> {
        let token = new_token()?;
        let session = NewSession { token_hash: token_hash(&token), account_id: account.id.clone(), at: self.clock.now() };
        if !self.book.open(&session).await? {
            return Err(account_not_found());
        }
        Ok(LoggedIn { token, account })
    }

    /// Who holds this token.
    pub async fn session(&self, token: &Password) -> Result<Account, ApiError> {
        let (hash, now) = (token_hash(token), self.clock.now());
        let session = self.book.session(&hash, earlier(now, SESSION_TTL)).await?.ok_or_else(ApiError::log_in_first)?;
        if now.since(session.last_seen) >= SEEN_EVERY
            && let Err(error) = self.book.touch(&hash, now).await
        {
            // The next use tries again; there are thirty days for it.
            tracing::warn!(%error, "The use of a log-in could not be noted");
        }
        Ok(session.account)
    }

    pub async fn log_out(&self, token: &Password) -> Result<(), ApiError> {
        Ok(self.book.end(&token_hash(token)).await?)
    }

    pub async fn demo_log_in(&self, id: &str) -> Result<LoggedIn, ApiError> {
        let record = self.book.find(id).await?.filter(|record| record.account.is_demo()).ok_or_else(account_not_found)?;
        self.entered("demo");
        self.begin_session(record.account).await
    }

    /// The account a token of the issuer stands for.
    pub async fn bearer(&self, token: &Password) -> Result<Account, ApiError> {
        let Some(issuer) = &self.issuer else {
            return Err(ApiError::new(Code::Unauthorized, "bearer tokens are not taken here"));
        };
        let person = issuer.person(token).await?;
        Ok(self.book.known(&person, &uuid::Uuid::now_v7().to_string(), self.clock.now()).await?)
    }

    pub async fn change(&self, id: &str, request: ChangeProfile) -> Result<Account, ApiError> {
        let addresses = request.addresses.map(domain::addresses).transpose()?;
        let change = Change { name: request.name, addresses };
        self.book.change(id, &change).await?.ok_or_else(account_not_found)
    }

    pub async fn change_password(&self, id: &str, request: ChangePassword) -> Result<(), ApiError> {
        check_password(&request.new)?;
        self.tries.count(None, id)?;
        let record = self.book.find(id).await?.ok_or_else(account_not_found)?;
        let Some(old) = record.password else { return Err(wrong_password()) };
        if !self.hasher.fits(request.current, Some(old.clone())).await? {
            return Err(wrong_password());
        }
        let new = self.hasher.hash(request.new).await?;
        let keep = request.keep.as_ref().map(token_hash);
        if !self.book.set_password(id, &old, &new, keep.as_deref()).await? {
            return Err(ApiError::new(Code::Conflict, "the password was changed somewhere else in between"));
        }
        tracing::info!(user.id = id, "Account {id} has a new password");
        Ok(())
    }

    pub async fn reset(&self) -> Result<(), ApiError> {
        let accounts = crate::demo::accounts(self.clock.now())?;
        Ok(self.book.reset(&accounts, crate::demo::PASSWORD_HASH).await?)
    }

    /// Removes log-ins that ended by themselves. Many replicas may do it at once.
    pub async fn sweep(&self) {
        match self.book.forget_sessions(earlier(self.clock.now(), SESSION_TTL)).await {
            Ok(0) => {}
            Ok(ended) => tracing::info!("Removed {ended} log-ins that nobody used for thirty days"),
            Err(error) => tracing::warn!(%error, "Old log-ins could not be removed"),
        }
    }
}
