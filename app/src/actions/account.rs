//! Forms about accounts. A password is never shown again, not even to whoever typed it.

use super::see;
use crate::accounts::{SetCookie, SharedAccounts, home_of};
use crate::cookies::Cookies;
use crate::extract::{Fields, Segment, Sent};
use crate::pages::account::{MAX_LABEL_CHARS, MOST_ADDRESSES, Refused, show_with};
use crate::pages::login::{log_in_page, next_of, sign_up_page};
use crate::problem::{self, Retry};
use crate::visit::{Notice, Visit};
use axum::Extension;
use axum::response::Response;
use contract::account::{Account, ChangeProfile, LogIn, NewAddress, Password, SignUp};
use contract::notification::Preferences;
use contract::{ApiError, Code, CustomerName, Note};
use http::HeaderMap;
use std::sync::Arc;

type Who = Extension<Arc<Visit>>;
type Desk = Extension<SharedAccounts>;

fn welcome(visit: &Visit, account: &Account, cookie: SetCookie, next: Option<String>, notice: Notice) -> Response {
    let mut cookies = Cookies::default();
    cookies.notice(visit, notice);
    let mut response = see(&next.unwrap_or_else(|| home_of(account.role).to_owned()), &cookies);
    cookie.write(response.headers_mut());
    response
}

/// Whether the person in front of the form can do something about it.
fn is_about_the_form(error: &ApiError) -> bool {
    matches!(
        error.code,
        Code::WrongPassword | Code::EmailTaken | Code::InvalidAccount | Code::InvalidName | Code::InvalidBody | Code::RateLimited
    )
}

/// The page of an error of ours. Its button leads back to the form and does not send it again: a password is typed, not kept.
fn trouble(visit: &Visit, error: &ApiError, form: &str) -> Response {
    let visit = Visit { path: form.to_owned(), ..visit.clone() };
    problem::response(&visit, error, Retry::Visit)
}

/// `POST /login`: `email`, `password`, perhaps `next`.
pub async fn log_in(Extension(visit): Who, Extension(accounts): Desk, Sent { fields, .. }: Sent) -> Response {
    let request = LogIn { email: fields.get("email").to_owned(), password: password(&fields, "password") };
    match accounts.log_in(request).await {
        Ok((account, cookie)) => welcome(&visit, &account, cookie, next_of(&fields), Notice::LoggedIn),
        Err(error) if is_about_the_form(&error) => log_in_page(&visit, &accounts, &fields, Some(error)).await,
        Err(error) => trouble(&visit, &error, "/login"),
    }
}

/// `POST /login/demo`: `id` of a demo account.
pub async fn demo(Extension(visit): Who, Extension(accounts): Desk, Sent { fields, .. }: Sent) -> Response {
    match accounts.demo_log_in(fields.get("id")).await {
        Ok((account, cookie)) => welcome(&visit, &account, cookie, None, Notice::LoggedIn),
        Err(error) => trouble(&visit, &error, "/login"),
    }
}

/// `POST /signup`: `name`, `email`, `password`, perhaps `next`.
pub async fn sign_up(Extension(visit): Who, Extension(accounts): Desk, Sent { fields, .. }: Sent) -> Response {
    let outcome = match CustomerName::parse(fields.get("name")) {
        Ok(name) => accounts.sign_up(SignUp { email: fields.get("email").to_owned(), name, password: password(&fields, "password") }).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok((account, cookie)) => welcome(&visit, &account, cookie, next_of(&fields), Notice::SignedUp),
        Err(error) if is_about_the_form(&error) => sign_up_page(&visit, &fields, Some(error)),
        Err(error) => trouble(&visit, &error, "/signup"),
    }
}

/// Spaces at the ends of a password belong to it.
fn password(fields: &Fields, name: &str) -> Password {
    Password::new(fields.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.as_str()))
}

/// `POST /logout`
pub async fn log_out(Extension(visit): Who, Extension(accounts): Desk, headers: HeaderMap) -> Response {
    let (cookie, ended) = accounts.log_out(&headers).await;
    let mut response = match ended {
        Ok(()) => {
            let mut cookies = Cookies::default();
            cookies.notice(&visit, Notice::LoggedOut);
            see("/", &cookies)
        }
        Err(error) => problem::response(&visit, &error, Retry::Form { action: "/logout".to_owned(), fields: Vec::new() }),
    };
    cookie.write(response.headers_mut());
    response
}

/// Back to the account, or the account with what was typed and what is wrong with it.
async fn answer(
    visit: &Visit,
    accounts: &SharedAccounts,
    section: &'static str,
    typed: Fields,
    outcome: Result<(), ApiError>,
    notice: Notice,
) -> Response {
    match outcome {
        Ok(()) => {
            let mut cookies = Cookies::default();
            cookies.notice(visit, notice);
            see("/account", &cookies)
        }
        Err(error) if is_about_the_form(&error) => show_with(visit, accounts, Some(Refused { section, typed, error })).await,
        Err(error) => trouble(visit, &error, "/account"),
    }
}

/// `POST /account/name`: `name`
pub async fn set_name(Extension(visit): Who, Extension(accounts): Desk, Sent { fields, .. }: Sent) -> Response {
    let outcome = match CustomerName::parse(fields.get("name")) {
        Ok(name) => accounts.change_profile(ChangeProfile { name: Some(name), addresses: None }).await.map(drop),
        Err(error) => Err(error),
    };
    answer(&visit, &accounts, "name", fields, outcome, Notice::NameChanged).await
}

/// `POST /account/addresses`: `label`, `text`
pub async fn add_address(Extension(visit): Who, Extension(accounts): Desk, Sent { fields, .. }: Sent) -> Response {
    let outcome = keep_address(&accounts, &fields).await;
    answer(&visit, &accounts, "addresses", fields, outcome, Notice::AddressAdded).await
}

async fn keep_address(accounts: &SharedAccounts, fields: &Fields) -> Result<(), ApiError> {
    let wrong = |what: String| ApiError::new(Code::InvalidBody, what);
    let (label, text) = (fields.get("label"), fields.get("text"));
    if label.is_empty() || text.is_empty() || label.chars().count() > MAX_LABEL_CHARS {
        return Err(wrong(format!("an address has a text and a label of at most {MAX_LABEL_CHARS} characters")));
    }
    let text = Note::parse(&text.replace('\r', ""))
        .map_err(|_| wrong(format!("an address has at most {} ordinary characters", Note::MAX_CHARS)))?;
    let mut addresses = kept(accounts.profile().await?, None);
    if addresses.len() >= MOST_ADDRESSES {
        return Err(wrong(format!("an account keeps at most {MOST_ADDRESSES} addresses")));
    }
    addresses.push(NewAddress { label: label.to_owned(), text });
    accounts.change_profile(ChangeProfile { name: None, addresses: Some(addresses) }).await.map(drop)
}

/// The account's addresses, without one of them.
fn kept(account: Account, without: Option<&str>) -> Vec<NewAddress> {
    let addresses = account.addresses.into_iter().filter(|address| Some(address.id.as_str()) != without);
    addresses.map(|address| NewAddress { label: address.label, text: address.text }).collect()
}

/// `POST /account/addresses/{id}/remove`. One that is gone is a success.
pub async fn remove_address(Extension(visit): Who, Extension(accounts): Desk, Segment(id): Segment) -> Response {
    let outcome = match accounts.profile().await {
        Ok(account) => {
            let change = ChangeProfile { name: None, addresses: Some(kept(account, Some(&id))) };
            accounts.change_profile(change).await.map(drop)
        }
        Err(error) => Err(error),
    };
    answer(&visit, &accounts, "addresses", Fields::default(), outcome, Notice::AddressRemoved).await
}

/// `POST /account/preferences`: `email`, `sms`, `push`; a box that is not ticked is not sent.
pub async fn set_preferences(Extension(visit): Who, Extension(accounts): Desk, Sent { fields, .. }: Sent) -> Response {
    let preferences = Preferences { email: fields.has("email"), sms: fields.has("sms"), push: fields.has("push") };
    let outcome = accounts.set_preferences(preferences).await.map(drop);
    answer(&visit, &accounts, "preferences", fields, outcome, Notice::PreferencesChanged).await
}

/// `POST /account/password`: `current`, `new`
pub async fn change_password(Extension(visit): Who, Extension(accounts): Desk, headers: HeaderMap, Sent { fields, .. }: Sent) -> Response {
    let outcome = accounts.change_password(&headers, password(&fields, "current"), password(&fields, "new")).await;
    answer(&visit, &accounts, "password", Fields::default(), outcome, Notice::PasswordChanged).await
}
