//! A chapter of calls.

use super::{Answer, Body, Call, Group, Parameter, anchor, fields, kind, verb, words};
use contract::Code;
use leptos::either::Either;
use leptos::prelude::*;

pub fn group(group: &Group) -> impl IntoView + use<> {
    let id = anchor("calls", &group.name);
    let (title, titled) = (format!("{id}-title"), format!("{id}-title"));
    let calls: Vec<_> = group.calls.iter().map(call).collect();
    view! {
        <section id=id aria-labelledby=titled>
            <h2 id=title>{group.name.clone()}</h2>
            <p>{words(&group.about)}</p>
            {calls}
        </section>
    }
}

/// Closed, a call is one line. Its place is inside, so that a link to it opens it.
fn call(call: &Call) -> impl IntoView + use<> {
    let about = (!call.about.is_empty()).then(|| view! { <p>{words(&call.about)}</p> });
    let parameters = (!call.parameters.is_empty()).then(|| parameters(&call.parameters));
    let takes = call.body.as_ref().map(|sent| view! { <h4>"Body"</h4>{body(sent, true)} });
    let answers: Vec<_> = call.answers.iter().map(answer).collect();
    view! {
        <details class="call">
            <summary>
                {verb(&call.method)}
                <h3><code>{path(&call.path)}</code><span>{call.summary.clone()}</span></h3>
                <span class="may">{call.who.clone()}</span>
            </summary>
            <div class="told" id=call.id.clone()>
                {about}
                {parameters}
                {takes}
                <h4>"Answers"</h4>
                <ul class="answers">{answers}</ul>
                <h4>"From a shell"</h4>
                <pre class="shell" tabindex="0"><code>{call.curl.clone()}</code></pre>
            </div>
        </details>
    }
}

/// An address that may break before each of its parts.
fn path(path: &str) -> impl IntoView + use<> {
    let parts = path.split('/').skip(1).map(|part| view! { <wbr/>"/"{part.to_owned()} });
    parts.collect::<Vec<_>>()
}

fn parameters(of: &[Parameter]) -> impl IntoView + use<> {
    let places = ["path", "query", "header"].into_iter().filter_map(|place| {
        let fields_there: Vec<_> = of.iter().filter(|one| one.place == place).map(|one| one.field.clone()).collect();
        let title = match place {
            "path" => "In the address",
            "query" => "Behind the question mark",
            _ => "Headers",
        };
        (!fields_there.is_empty()).then(|| view! { <h4>{title}</h4>{fields(&fields_there)} })
    });
    places.collect::<Vec<_>>()
}

fn body(of: &Body, with_fields: bool) -> impl IntoView + use<> {
    let media = of.media.join(" or ");
    let media = (media != "application/json").then(|| view! { <span class="media">{media}</span> });
    let about = (!of.about.is_empty()).then(|| words(&of.about));
    let fields = (with_fields && !of.fields.is_empty()).then(|| fields(&of.fields));
    let example = (!of.example.is_empty()).then(|| {
        view! { <details class="example"><summary>"Example"</summary><pre tabindex="0"><code>{of.example.clone()}</code></pre></details> }
    });
    view! { <p class="body">{kind(&of.kind)}" "{media}" "{about}</p>{fields}{example} }
}

fn answer(answer: &Answer) -> impl IntoView + use<> {
    let class = match answer.status {
        0..300 => "good",
        300..400 => "same",
        400..500 => "theirs",
        _ => "ours",
    };
    let headers = answer.headers.iter().map(|(name, about)| {
        view! { <p class="header"><code>{name.clone()}</code>" "{words(about)}</p> }
    });
    let headers: Vec<_> = headers.collect();
    let says = if answer.codes.is_empty() {
        let body = answer.body.as_ref().map(|answered| body(answered, false));
        Either::Left(view! { <p>{words(&answer.about)}</p>{headers}{body} })
    } else {
        Either::Right(view! { <p class="codes">{answer.codes.iter().map(code).collect::<Vec<_>>()}</p> })
    };
    view! { <li><span class="number" data-class=class>{answer.status}</span><div>{says}</div></li> }
}

fn code(code: &Code) -> impl IntoView + use<> {
    let word = code.as_str();
    view! { <a href=format!("#{}", anchor("code", word)) title=code.meaning()><code>{word}</code></a>" " }
}
