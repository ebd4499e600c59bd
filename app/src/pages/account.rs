//! `/account`: name, addresses, how to be told, password.

use super::login::sentence;
use crate::accounts::SharedAccounts;
use crate::extract::Fields;
use crate::problem::{self, Retry};
use crate::render::{Meta, page};
use crate::visit::Visit;
use axum::Extension;
use axum::response::{IntoResponse, Redirect, Response};
use contract::account::{Account, Address};
use contract::id::path_segment;
use contract::notification::Preferences;
use contract::{ApiError, Code, CustomerName, Note};
use http::StatusCode;
use leptos::prelude::*;
use std::sync::Arc;

/// Addresses one account keeps at most: nobody has more doors.
pub const MOST_ADDRESSES: usize = 10;
/// "Home", "Office": longer is not a label.
pub const MAX_LABEL_CHARS: usize = 40;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(accounts): Extension<SharedAccounts>) -> Response {
    show_with(&visit, &accounts, None).await
}

/// A form of the page that was refused: which one, what was typed, and why.
pub struct Refused {
    pub section: &'static str,
    pub typed: Fields,
    pub error: ApiError,
}

pub async fn show_with(visit: &Visit, accounts: &SharedAccounts, refused: Option<Refused>) -> Response {
    let (account, preferences) = futures::join!(accounts.profile(), accounts.preferences());
    let account = match account {
        Ok(account) => account,
        Err(error) if error.code == Code::Unauthorized => return Redirect::to("/login?next=%2Faccount").into_response(),
        Err(error) => return problem::response(visit, &error, Retry::Visit),
    };
    let mut meta = Meta::new("Your account", "Name, addresses, news and password.");
    if let Some(refused) = &refused {
        meta.status = StatusCode::from_u16(refused.error.status).unwrap_or(StatusCode::BAD_REQUEST);
        meta.retry_after_s = refused.error.retry_after_s;
    }
    page(visit, meta, || body(account, preferences.ok(), refused))
}

fn body(account: Account, preferences: Option<Preferences>, refused: Option<Refused>) -> impl IntoView {
    let wrong = |section: &str| {
        let error = refused.as_ref().filter(|refused| refused.section == section).map(|refused| sentence_for(section, &refused.error));
        error.map(|text| view! { <p class="wrong" role="alert">{text}</p> })
    };
    let typed = |section: &str, field: &str| {
        refused
            .as_ref()
            .filter(|refused| refused.section == section)
            .map_or_else(String::new, |refused| refused.typed.get(field).to_owned())
    };
    let name = account.name.to_string();
    let full = account.addresses.len() >= MOST_ADDRESSES;
    let add = (!full).then(|| add_address(typed("addresses", "label"), typed("addresses", "text")));
    view! {
        <div class="account-head">
            <div><p class="eyebrow">{account.email}</p><h1>"Hello, "<bdi>{name.clone()}</bdi></h1></div>
            <form method="post" action="/logout" data-once=""><button class="button quiet">"Log out"</button></form>
        </div>
        <div class="account">
            <section class="panel" aria-labelledby="addresses">
                <h2 id="addresses">"Addresses"</h2>
                {wrong("addresses")}
                <ul class="addresses">{account.addresses.into_iter().map(address).collect_view()}</ul>
                {add}
            </section>
            <section class="panel" aria-labelledby="name">
                <h2 id="name">"Name"</h2>
                {wrong("name")}
                <form class="stack" method="post" action="/account/name" data-swap="">
                    <label class="field"><span>"How shall we call you?"</span>
                        <input name="name" value=name required maxlength=CustomerName::MAX_CHARS autocomplete="name"/></label>
                    <button class="button quiet">"Keep the name"</button>
                </form>
            </section>
            <section class="panel" aria-labelledby="news">
                <h2 id="news">"News about your orders"</h2>
                {wrong("preferences")}
                {channels(preferences)}
            </section>
            <section class="panel" aria-labelledby="password">
                <h2 id="password">"Password"</h2>
                {wrong("password")}
                {password()}
            </section>
            <section class="panel" aria-labelledby="history">
                <h2 id="history">"Orders"</h2>
                <p><a class="button quiet" href="/orders">"See your orders"</a></p>
            </section>
        </div>
    }
}

fn sentence_for(section: &str, error: &ApiError) -> String {
    if section == "password" && error.code == Code::WrongPassword {
        return "The current password is another one.".to_owned();
    }
    sentence(error)
}

fn address(address: Address) -> impl IntoView {
    let label = format!("Remove the address {}", address.label);
    view! {
        <li>
            <p><strong><bdi>{address.label}</bdi></strong>" "<bdi>{String::from(address.text)}</bdi></p>
            <form method="post" action=format!("/account/addresses/{}/remove", path_segment(&address.id)) data-swap=""><button class="link-button" aria-label=label>"Remove"</button></form>
        </li>
    }
}

fn add_address(label: String, text: String) -> impl IntoView {
    view! {
        <form class="new-address" method="post" action="/account/addresses" data-swap="">
            <label class="field"><span>"Call it"</span><input name="label" value=label required maxlength=MAX_LABEL_CHARS placeholder="Home"/></label>
            <label class="field"><span>"Address"</span><input name="text" value=text required maxlength=Note::MAX_CHARS autocomplete="street-address" placeholder="Street and number"/></label>
            <button class="button quiet">"Keep the address"</button>
        </form>
    }
}

fn channels(preferences: Option<Preferences>) -> impl IntoView {
    let Some(preferences) = preferences else {
        return leptos::either::Either::Left(
            view! { <p class="hint">"These settings cannot be reached at the moment. Nothing of them was changed."</p> },
        );
    };
    let channel = |name: &'static str, text: &'static str, on: bool| {
        view! { <label class="choice"><input type="checkbox" name=name value="on" checked=on/><span>{text}</span></label> }
    };
    leptos::either::Either::Right(view! {
        <form class="stack" method="post" action="/account/preferences" data-swap="">
            <fieldset class="field">
                <legend class="sr-only">"Tell me by"</legend>
                {channel("email", "E-mail", preferences.email)}
                {channel("sms", "Text message", preferences.sms)}
                {channel("push", "Push message", preferences.push)}
            </fieldset>
            <button class="button quiet">"Keep these"</button>
        </form>
    })
}

fn password() -> impl IntoView {
    view! {
        <form class="stack" method="post" action="/account/password" data-once="">
            <label class="field"><span>"Current password"</span><input type="password" name="current" required autocomplete="current-password"/></label>
            <label class="field"><span>"New password"</span><input type="password" name="new" required autocomplete="new-password"/></label>
            <button class="button quiet">"Change the password"</button>
        </form>
    }
}
