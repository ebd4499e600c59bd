//! Pages for those who work here: kitchens, couriers, operators.
//!
//! Who may be where is decided by the server's table of rules, and by the services again. The pages check it too, because they have to
//! know whose work they show.

pub mod board;
mod chart;
mod city;
pub mod console;
pub mod courier;
pub mod dish;
pub mod hours;
pub mod kitchen;
pub mod menu;
pub mod reject;
pub mod today;

use crate::render::{Meta, page};
use crate::visit::Visit;
use axum::response::Response;
use contract::ApiError;
use contract::id::path_segment;
use http::StatusCode;
use leptos::prelude::*;

/// The page for whoever has no business here: guests are shown where to log in and come back afterwards, others what they would have to be.
pub fn refuse(visit: &Visit, who_may: &'static str) -> Response {
    let guest = visit.user.is_none();
    let mut meta = Meta::new("For staff", "This page belongs to somebody else's work.");
    meta.status = if guest { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
    let here = format!("/login?next={}", path_segment(&visit.path));
    let (title, text, way) = if guest {
        ("Log in first", format!("This page is for {who_may}. Log in, and it opens."), "Log in")
    } else {
        (
            "This door is another one's",
            format!("You are logged in, but this page is for {who_may}. Nothing was changed."),
            "Log in as somebody else",
        )
    };
    page(visit, meta, || {
        view! {
            <section class="scene">
                <p class="scene-art" aria-hidden="true">"🔑"</p>
                <h1>{title}</h1>
                <p>{text}</p>
                <div class="scene-actions"><a class="button" href=here>{way}</a><a class="button quiet" href="/">"To the restaurants"</a></div>
            </section>
        }
    })
}

/// The status of a page that shows a form again, because of this.
pub fn meta_of(title: impl Into<String>, description: &str, wrong: Option<&ApiError>) -> Meta {
    let mut meta = Meta::new(title, description);
    if let Some(error) = wrong {
        meta.status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
        meta.retry_after_s = error.retry_after_s;
    }
    meta
}

/// An error's message as a sentence: "The name must have 1 to 80 characters."
pub fn sentence(error: &ApiError) -> String {
    let message = error.message.trim_end_matches('.');
    let mut chars = message.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), chars.as_str()))
}

/// What is wrong with a form, where its fields can name it as their description.
pub fn wrong_line(wrong: Option<String>) -> impl IntoView {
    wrong.map(|text| view! { <p class="wrong" id="wrong" role="alert">{text}</p> })
}

/// A place of a navigation among pages that belong together.
pub struct Tab {
    pub to: String,
    pub picture: &'static str,
    pub text: &'static str,
    pub here: bool,
}

pub fn tabs(label: &'static str, tabs: Vec<Tab>) -> impl IntoView {
    let entry = |tab: Tab| {
        let current = tab.here.then_some("page");
        view! { <li><a href=tab.to aria-current=current><span aria-hidden="true">{tab.picture}</span>{tab.text}</a></li> }
    };
    view! { <nav class="staff-tabs" aria-label=label><ul>{tabs.into_iter().map(entry).collect_view()}</ul></nav> }
}

/// A switch that is one press: what it is now stands on it, what the press does is its value.
pub fn switch(action: String, hidden: Vec<(String, String)>, name: &'static str, on: bool, label: &'static str) -> impl IntoView {
    let pressed = if on { "true" } else { "false" };
    let next = if on { "false" } else { "true" };
    let id = format!("switch-{name}");
    view! {
        <form class="switch-form" method="post" action=action data-swap="">
            {crate::ui::forms::hidden_fields(hidden)}
            <button class="switch" id=id name=name value=next aria-pressed=pressed><span class="knob" aria-hidden="true"></span>{label}</button>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;
    use contract::{ApiError, Code};

    #[test]
    fn a_message_becomes_a_sentence_once() {
        let told = |message: &str| sentence(&ApiError::new(Code::InvalidMenu, message));
        assert_eq!(told("the name is too long"), "The name is too long.");
        assert_eq!(told("Already one."), "Already one.");
        assert_eq!(told(""), "");
    }
}
