//! `/api/docs`: the API for people. The server reads it from the API's own description; here it becomes a page.

mod calls;
mod types;

use crate::render::{self, Meta};
use crate::visit::Visit;
use axum::response::Response;
use contract::Code;
use leptos::prelude::*;

/// Where it is.
pub const ADDRESS: &str = "/api/docs";
/// The same for programs.
pub const DOCUMENT: &str = "/api/openapi.json";

/// Everything the API answers.
#[derive(Clone, Debug, Default)]
pub struct Handbook {
    pub version: String,
    pub groups: Vec<Group>,
    /// By name.
    pub types: Vec<Named>,
}

/// Calls for the same people, about the same things.
#[derive(Clone, Debug, Default)]
pub struct Group {
    pub name: String,
    pub about: String,
    pub calls: Vec<Call>,
}

#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The operation's id in the document, and its place on the page: `addCartItem`.
    pub id: String,
    pub method: String,
    /// `/api/cart/{id}/items`
    pub path: String,
    pub summary: String,
    pub about: String,
    /// Who may, in words.
    pub who: String,
    pub parameters: Vec<Parameter>,
    pub body: Option<Body>,
    /// By their status.
    pub answers: Vec<Answer>,
    /// A line for a shell, where `$FEAST` is the server's address.
    pub curl: String,
}

#[derive(Clone, Debug, Default)]
pub struct Parameter {
    /// "path", "query", "header".
    pub place: String,
    pub field: Field,
}

/// What is sent or answered.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// "application/json"; several when there is a choice.
    pub media: Vec<String>,
    pub kind: Kind,
    pub about: String,
    /// Of an object; empty for everything else.
    pub fields: Vec<Field>,
    /// JSON for people; empty for what is not JSON.
    pub example: String,
}

#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub about: String,
    /// What refuses the call; then `about` is empty.
    pub codes: Vec<Code>,
    /// The name of a header, and what it says.
    pub headers: Vec<(String, String)>,
    pub body: Option<Body>,
}

/// A type as a sentence, around the name of one that has a place on the page: "array of " `Order`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    pub before: String,
    pub name: Option<String>,
    pub after: String,
}

#[derive(Clone, Debug, Default)]
pub struct Field {
    pub name: String,
    pub kind: Kind,
    pub required: bool,
    pub about: String,
    /// The only values there are, when they are few words.
    pub values: Vec<String>,
}

/// A type with a place of its own.
#[derive(Clone, Debug, Default)]
pub struct Named {
    pub name: String,
    pub about: String,
    /// What it is, when it is no object.
    pub kind: Kind,
    pub values: Vec<String>,
    /// What it may look like: one for an object, several where it is one of several.
    pub shapes: Vec<Shape>,
}

#[derive(Clone, Debug, Default)]
pub struct Shape {
    pub about: String,
    pub fields: Vec<Field>,
}

/// The page. It is large, and asked for by few.
pub fn page(visit: &Visit, handbook: &Handbook) -> Response {
    let meta = Meta::new("The API", "Every call of Feast Flow's API: who may, what it takes, what it answers.");
    render::page(visit, meta, || body(handbook))
}

fn body(handbook: &Handbook) -> impl IntoView + use<> {
    let groups: Vec<_> = handbook.groups.iter().map(calls::group).collect();
    view! {
        <div class="handbook">
            {contents(handbook)}
            <div class="chapters">
                {foreword(handbook)}
                {groups}
                {codes()}
                {types::chapter(&handbook.types)}
            </div>
        </div>
    }
}

/// Where a group, a code or a type is on the page.
fn anchor(kind: &str, name: &str) -> String {
    format!("{kind}-{}", name.to_lowercase().replace([' ', '_'], "-"))
}

fn contents(handbook: &Handbook) -> impl IntoView + use<> {
    let entry = |group: &Group| {
        let to = format!("#{}", anchor("calls", &group.name));
        let calls = group.calls.iter().map(|call| {
            view! { <li><a href=format!("#{}", call.id)>{verb(&call.method)}{call.summary.clone()}</a></li> }
        });
        let calls: Vec<_> = calls.collect();
        view! {
            <li><a href=to>{group.name.clone()}</a><details><summary>{group.calls.len()}" calls"</summary><ol>{calls}</ol></details></li>
        }
    };
    let entries: Vec<_> = handbook.groups.iter().map(entry).collect();
    view! {
        <nav class="toc" aria-label="Contents">
            <ol>
                <li><a href="#begin">"To begin with"</a></li>
                {entries}
                <li><a href="#codes">"Error codes"</a></li>
                <li><a href="#types">"Types"</a></li>
                <li><a href=DOCUMENT>"openapi.json"</a></li>
            </ol>
        </nav>
    }
}

fn foreword(handbook: &Handbook) -> impl IntoView + use<> {
    let calls: usize = handbook.groups.iter().map(|group| group.calls.len()).sum();
    let first = "curl -X POST \"$FEAST/api/cart\"";
    view! {
        <header class="foreword" id="begin">
            <p class="eyebrow">"Version "{handbook.version.clone()}</p>
            <h1>"The API"</h1>
            <p class="lead">{calls}" calls, described by the code that answers them. Programs read the same as "<a href=DOCUMENT>"openapi.json"</a>" (OpenAPI 3.1)."</p>
            <ul class="rules">
                <li>"Bodies are JSON in camelCase. Amounts are dollars with two decimals, moments RFC 3339 in UTC."</li>
                <li>"Every error has one shape, "<code>"{\"error\", \"code\", \"requestId\"}"</code>", and one of "<a href="#codes">"these codes"</a>". 429 and 503 say in "<code>"Retry-After"</code>" when to try again."</li>
                <li>"Operators send "<code>"Authorization: Bearer $OPERATOR_TOKEN"</code>". People log in and send the cookie back; a change with a cookie needs "<code>"Origin"</code>" or "<code>"Sec-Fetch-Site"</code>" of our own pages."</li>
                <li>"Lists are paged: the next page's address stands in the "<code>"Link"</code>" header, or in the body's field "<code>"next"</code>"."</li>
            </ul>
            <p>"The lines below are for a shell, where "<code>"FEAST"</code>" is this server's address:"</p>
            <pre class="shell" tabindex="0"><code>"export FEAST=http://localhost:3000\n"{first}</code></pre>
        </header>
    }
}

fn codes() -> impl IntoView {
    let row = |code: &Code| {
        let word = code.as_str();
        view! { <tr id=anchor("code", word)><th scope="row"><code>{word}</code></th><td>{code.status()}</td><td>{words(code.meaning())}</td></tr> }
    };
    let rows: Vec<_> = Code::ALL.iter().map(row).collect();
    view! {
        <section id="codes" aria-labelledby="codes-title">
            <h2 id="codes-title">"Error codes"</h2>
            <p>"The words stay; there may be more of them one day."</p>
            <div class="table-wrap" tabindex="0" role="group" aria-label="All codes">
                <table class="terms"><thead><tr><th scope="col">"Code"</th><th scope="col">"Status"</th><th scope="col">"Means"</th></tr></thead><tbody>{rows}</tbody></table>
            </div>
        </section>
    }
}

/// A method as a badge.
fn verb(method: &str) -> impl IntoView + use<> {
    let (method, named) = (method.to_owned(), method.to_owned());
    view! { <span class="verb" data-method=named>{method}</span> }
}

/// Text in which what stands between backticks is code.
fn words(text: &str) -> impl IntoView + use<> {
    let part = |(at, part): (usize, &str)| {
        let part = part.to_owned();
        if at % 2 == 1 { leptos::either::Either::Left(view! { <code>{part}</code> }) } else { leptos::either::Either::Right(part) }
    };
    text.split('`').enumerate().map(part).collect::<Vec<_>>()
}

/// A type, with the way to it.
fn kind(kind: &Kind) -> impl IntoView + use<> {
    let name = kind.name.as_ref().map(|name| view! { <a href=format!("#{}", anchor("type", name))>{name.clone()}</a> });
    view! { <span class="kind">{kind.before.clone()}{name}{kind.after.clone()}</span> }
}

/// A table of fields.
fn fields(of: &[Field]) -> impl IntoView + use<> {
    let row = |field: &Field| {
        let must = field.required.then(|| view! { <span class="must" title="must be there">"*"</span> });
        let values = (!field.values.is_empty()).then(|| {
            let values: Vec<_> = field.values.iter().map(|value| view! { <code>{value.clone()}</code>" " }).collect();
            view! { <span class="values">{values}</span> }
        });
        view! { <tr><th scope="row"><code>{field.name.clone()}</code>{must}</th><td>{kind(&field.kind)}</td><td>{words(&field.about)}{values}</td></tr> }
    };
    let rows: Vec<_> = of.iter().map(row).collect();
    view! {
        <table class="terms fields"><thead class="sr-only"><tr><th scope="col">"Field"</th><th scope="col">"Type"</th><th scope="col">"About"</th></tr></thead><tbody>{rows}</tbody></table>
    }
}
