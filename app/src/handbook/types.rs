//! The chapter of types.

use super::{Named, Shape, anchor, fields, kind, words};
use leptos::either::Either;
use leptos::prelude::*;

pub fn chapter(types: &[Named]) -> impl IntoView + use<> {
    let types: Vec<_> = types.iter().map(named).collect();
    view! {
        <section id="types" aria-labelledby="types-title">
            <h2 id="types-title">"Types"</h2>
            <p>"A field with "<span class="must">"*"</span>" is always there in an answer, and must be there in a request; of the others a request may leave out any."</p>
            {types}
        </section>
    }
}

fn named(of: &Named) -> impl IntoView + use<> {
    let shapes = if of.shapes.is_empty() {
        let values: Vec<_> = of.values.iter().map(|value| view! { <code>{value.clone()}</code>" " }).collect();
        Either::Left(view! { <p>{kind(&of.kind)}</p><p class="values">{values}</p> })
    } else {
        Either::Right(of.shapes.iter().map(shape).collect::<Vec<_>>())
    };
    view! {
        <article class="type" id=anchor("type", &of.name)>
            <h3>{of.name.clone()}</h3>
            <p>{words(&of.about)}</p>
            {shapes}
        </article>
    }
}

fn shape(shape: &Shape) -> impl IntoView + use<> {
    let about = (!shape.about.is_empty()).then(|| view! { <p>{words(&shape.about)}</p> });
    view! { {about}{fields(&shape.fields)} }
}
