//! `/login` and `/signup`.

use crate::accounts::SharedAccounts;
use crate::extract::{Asked, Fields};
use crate::render::{Meta, page};
use crate::visit::{Visit, own_path};
use axum::Extension;
use axum::response::Response;
use contract::account::Account;
use contract::{ApiError, Code, CustomerName, Role};
use http::StatusCode;
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

pub async fn log_in(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(accounts): Extension<SharedAccounts>,
    Asked(query): Asked,
) -> Response {
    log_in_page(&visit, &accounts, &query, None).await
}

/// The form, with the address that was typed and what was wrong. The password is typed again.
pub async fn log_in_page(visit: &Visit, accounts: &SharedAccounts, typed: &Fields, wrong: Option<ApiError>) -> Response {
    // One click is a convenience: without it there is a form.
    let demo = accounts.demo_accounts().await.unwrap_or_default();
    page(visit, meta("Log in", "Your orders and addresses, everywhere.", wrong.as_ref()), || {
        let email = typed.get("email").to_owned();
        let next = next_of(typed);
        let described_by = wrong.is_some().then_some("wrong");
        let here = visit.name.clone().map(|name| view! { <p class="hint">"You are logged in as "<bdi>{name}</bdi>"."</p> });
        view! {
            <div class="two-columns">
                <section class="panel" aria-labelledby="login-title">
                    <h1 id="login-title">"Log in"</h1>
                    {here}
                    <form class="stack" method="post" action="/login" data-once="">
                        {wrong_line(wrong.as_ref())}
                        {hidden_next(next.clone())}
                        <label class="field"><span>"E-mail address"</span>
                            <input type="email" name="email" value=email required autocomplete="username" aria-describedby=described_by/></label>
                        <label class="field"><span>"Password"</span>
                            <input type="password" name="password" required autocomplete="current-password" aria-describedby=described_by/></label>
                        <button class="button wide">"Log in"</button>
                    </form>
                    <p class="hint">"New here? "<a href=with_next("/signup", next.as_deref())>"Make an account"</a>". Ordering works without one, too."</p>
                </section>
                {one_click(demo)}
            </div>
        }
    })
}

/// A button for every demo account, by role.
fn one_click(demo: Vec<Account>) -> impl IntoView {
    if demo.is_empty() {
        return Either::Left(view! { <div></div> });
    }
    let groups = Role::ALL.into_iter().filter_map(|role| {
        let of_role: Vec<_> = demo.iter().filter(|account| account.role == role).cloned().map(demo_button).collect();
        let heading = match role {
            Role::Customer => "Customers",
            Role::Restaurant => "Restaurants",
            Role::Courier => "Couriers",
            Role::Operator => "Operators",
        };
        (!of_role.is_empty()).then(|| view! { <h3>{heading}</h3> <ul class="demo-list">{of_role}</ul> })
    });
    Either::Right(view! {
        <aside class="panel demo" aria-labelledby="demo-title">
            <h2 id="demo-title">"For a demonstration"</h2>
            <p class="hint">"One click, no password. Offered on this machine only."</p>
            {groups.collect_view()}
        </aside>
    })
}

fn demo_button(account: Account) -> impl IntoView {
    view! {
        <li><form method="post" action="/login/demo" data-once=""><button class="button quiet" name="id" value=account.id><bdi>{String::from(account.name)}</bdi></button></form></li>
    }
}

pub async fn sign_up(Extension(visit): Extension<Arc<Visit>>, Asked(query): Asked) -> Response {
    sign_up_page(&visit, &query, None)
}

/// Shortest password the user service takes; the service decides, this is a hint for people.
const SHORTEST_PASSWORD: usize = 8;

pub fn sign_up_page(visit: &Visit, typed: &Fields, wrong: Option<ApiError>) -> Response {
    page(visit, meta("Make an account", "Your orders and addresses, everywhere.", wrong.as_ref()), || {
        let (name, email) = (typed.get("name").to_owned(), typed.get("email").to_owned());
        let next = next_of(typed);
        let described_by = wrong.is_some().then_some("wrong");
        view! {
            <section class="panel narrow" aria-labelledby="signup-title">
                <h1 id="signup-title">"Make an account"</h1>
                <form class="stack" method="post" action="/signup" data-once="">
                    {wrong_line(wrong.as_ref())}
                    {hidden_next(next.clone())}
                    <label class="field"><span>"Your name"</span>
                        <input name="name" value=name required maxlength=CustomerName::MAX_CHARS autocomplete="name" aria-describedby=described_by/></label>
                    <label class="field"><span>"E-mail address"</span>
                        <input type="email" name="email" value=email required autocomplete="username" aria-describedby=described_by/></label>
                    <label class="field"><span>"Password"</span>
                        <input type="password" name="password" required minlength=SHORTEST_PASSWORD autocomplete="new-password" aria-describedby="password-hint"/>
                        <small id="password-hint">{format!("{SHORTEST_PASSWORD} characters or more. A sentence is a good one.")}</small></label>
                    <button class="button wide">"Make the account"</button>
                </form>
                <p class="hint">"What you have ordered in this browser comes along. Have one already? "<a href=with_next("/login", next.as_deref())>"Log in"</a>"."</p>
            </section>
        }
    })
}

fn meta(title: &str, description: &str, wrong: Option<&ApiError>) -> Meta {
    let mut meta = Meta::new(title, description);
    if let Some(error) = wrong {
        meta.status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
        meta.retry_after_s = error.retry_after_s;
    }
    meta
}

/// Where to go afterwards, when somebody was sent here from a page of ours.
pub fn next_of(fields: &Fields) -> Option<String> {
    own_path(fields.get("next")).map(ToOwned::to_owned)
}

fn hidden_next(next: Option<String>) -> impl IntoView {
    next.map(|next| view! { <input type="hidden" name="next" value=next/> })
}

fn with_next(to: &'static str, next: Option<&str>) -> String {
    next.map_or_else(|| to.to_owned(), |next| format!("{to}?next={}", contract::id::path_segment(next)))
}

fn wrong_line(wrong: Option<&ApiError>) -> impl IntoView + use<> {
    wrong.map(|error| view! { <p class="wrong" id="wrong" role="alert">{sentence(error)}</p> })
}

/// What was wrong with a form about an account.
pub fn sentence(error: &ApiError) -> String {
    match error.code {
        Code::WrongPassword => "E-mail address and password do not belong together.".to_owned(),
        Code::EmailTaken => "There is an account with this e-mail address already. Log in instead.".to_owned(),
        Code::InvalidName => format!("Please tell us your name, in up to {} ordinary characters.", CustomerName::MAX_CHARS),
        Code::RateLimited => "That was a lot of tries. Take a breath, then try again.".to_owned(),
        _ => format!("That did not work: {}.", error.message.trim_end_matches('.')),
    }
}
