//! Accounts in memory. The cookie of a log-in is the account's id, and every password is `correct horse`.

use super::{Fake, NOW};
use app::accounts::{Accounts, SetCookie};
use async_trait::async_trait;
use contract::account::{Account, Address, ChangeProfile, LogIn, Password, SignUp};
use contract::notification::Preferences;
use contract::{ApiError, Code};
use http::{HeaderMap, HeaderValue};
use serde_json::json;

pub const PASSWORD: &str = "correct horse";

/// The accounts, as one request may use them.
pub struct People {
    pub fake: Fake,
    pub user: Option<String>,
}

/// One of each role.
pub fn demo() -> Vec<Account> {
    let account = |id: &str, name: &str, role: &str| json!({"id": id, "email": format!("{id}@feast.example"), "name": name, "role": role, "addresses": [], "createdAt": NOW});
    let mut all = [
        account("ada", "Ada <Lovelace>", "customer"),
        account("cook", "Soup <One>", "restaurant"),
        account("zoe", "Zoë", "courier"),
        account("op", "Grace", "operator"),
    ];
    all[0]["addresses"] =
        json!([{"id": "a1", "label": "Home", "text": "Orbit Road 7"}, {"id": "a2", "label": "Office", "text": "Ring Street 1"}]);
    all[1]["staffOf"] = json!("soup-one");
    all[2]["courierId"] = json!("zoe");
    serde_json::from_value(json!(all)).unwrap()
}

fn cookie(value: &str) -> SetCookie {
    SetCookie::new(
        HeaderValue::from_str(&format!("feast_login={value}; Path=/; HttpOnly; Max-Age={}", if value.is_empty() { 0 } else { 600 }))
            .unwrap(),
    )
}

fn wrong() -> ApiError {
    ApiError::new(Code::WrongPassword, "no")
}

impl People {
    fn mine(&self) -> Result<Account, ApiError> {
        let world = self.fake.0.lock().unwrap();
        let mine = world.accounts.iter().find(|account| Some(&account.id) == self.user.as_ref());
        mine.cloned().ok_or_else(|| ApiError::new(Code::Unauthorized, "no"))
    }

    fn broken(&self, call: &str) -> Result<(), ApiError> {
        self.fake.0.lock().unwrap().broken.get(call).map_or(Ok(()), |code| Err(ApiError::new(*code, "broken for a test")))
    }
}

#[async_trait]
impl Accounts for People {
    async fn sign_up(&self, request: SignUp) -> Result<(Account, SetCookie), ApiError> {
        let mut world = self.fake.0.lock().unwrap();
        if world.accounts.iter().any(|account| account.email == request.email) {
            return Err(ApiError::new(Code::EmailTaken, "no"));
        }
        if request.password.expose().len() < 8 {
            return Err(ApiError::new(Code::InvalidAccount, "a password has 8 to 200 characters"));
        }
        let id = format!("new-{}", world.accounts.len());
        let account =
            json!({"id": id, "email": request.email, "name": request.name, "role": "customer", "addresses": [], "createdAt": NOW});
        let account: Account = serde_json::from_value(account).unwrap();
        world.accounts.push(account.clone());
        Ok((account, cookie(&id)))
    }

    async fn log_in(&self, request: LogIn) -> Result<(Account, SetCookie), ApiError> {
        self.broken("user.log_in")?;
        let world = self.fake.0.lock().unwrap();
        let account = world.accounts.iter().find(|account| account.email == request.email).ok_or_else(wrong)?;
        if request.password.expose() == PASSWORD { Ok((account.clone(), cookie(&account.id))) } else { Err(wrong()) }
    }

    async fn log_out(&self, _: &HeaderMap) -> (SetCookie, Result<(), ApiError>) {
        (cookie(""), self.broken("user.log_out"))
    }

    async fn demo_accounts(&self) -> Result<Vec<Account>, ApiError> {
        Ok(self.fake.0.lock().unwrap().accounts.iter().take(demo().len()).cloned().collect())
    }

    async fn demo_log_in(&self, id: &str) -> Result<(Account, SetCookie), ApiError> {
        let account = demo().into_iter().find(|account| account.id == id).ok_or_else(|| ApiError::new(Code::AccountNotFound, "no"))?;
        Ok((account, cookie(id)))
    }

    async fn profile(&self) -> Result<Account, ApiError> {
        self.broken("user.account")?;
        self.mine()
    }

    async fn change_profile(&self, change: ChangeProfile) -> Result<Account, ApiError> {
        let mut account = self.mine()?;
        if let Some(name) = change.name {
            account.name = name;
        }
        if let Some(addresses) = change.addresses {
            let kept = addresses.into_iter().enumerate();
            account.addresses = kept.map(|(n, new)| Address { id: format!("b{n}"), label: new.label, text: new.text }).collect();
        }
        let mut world = self.fake.0.lock().unwrap();
        world.accounts.iter_mut().filter(|known| known.id == account.id).for_each(|known| *known = account.clone());
        Ok(account)
    }

    async fn change_password(&self, _: &HeaderMap, current: Password, new: Password) -> Result<(), ApiError> {
        self.mine()?;
        match (current.expose() == PASSWORD, new.expose().len() >= 8) {
            (false, _) => Err(wrong()),
            (_, false) => Err(ApiError::new(Code::InvalidAccount, "a password has 8 to 200 characters")),
            _ => Ok(()),
        }
    }

    async fn preferences(&self) -> Result<Preferences, ApiError> {
        self.broken("notification.preferences")?;
        Ok(self.fake.0.lock().unwrap().preferences)
    }

    async fn set_preferences(&self, preferences: Preferences) -> Result<Preferences, ApiError> {
        self.fake.0.lock().unwrap().preferences = preferences;
        Ok(preferences)
    }
}
