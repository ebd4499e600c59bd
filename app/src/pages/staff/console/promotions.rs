//! `/console/promotions`: codes that take something off.

mod form;

use super::{Place, frame, wide};
use crate::extract::{Asked, Fields};
use crate::pages::console::sign_in;
use crate::pages::staff::{meta_of, sentence};
use crate::render::page;
use crate::routes::error_page;
use crate::shop::Shop;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::id::path_segment;
use contract::pricing::{Gift, Promotion};
use contract::{ApiError, Timestamp};
pub use form::read;
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

/// `?edit=CODE` fills the form with a promotion there is.
pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Asked(query): Asked) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    show_with(&visit, &shop, query.get("edit"), None).await
}

/// With a form that was refused, and why.
pub async fn show_with(visit: &Visit, shop: &Shop, edit: &str, refused: Option<(Fields, ApiError)>) -> Response {
    let promotions = match shop.middleware.promotions().await {
        Ok(promotions) => promotions,
        Err(error) => return error_page(&error, visit),
    };
    let meta = meta_of("Promotions", "Codes that take something off.", refused.as_ref().map(|(_, error)| error));
    page(visit, meta, || body(promotions, edit, refused, visit.now))
}

fn body(promotions: Vec<Promotion>, edit: &str, refused: Option<(Fields, ApiError)>, now: Timestamp) -> impl IntoView + use<> {
    let known = promotions.iter().find(|promotion| promotion.code == edit);
    let editing = known.map(|promotion| promotion.code.clone());
    let (typed, wrong) = match refused {
        Some((typed, error)) => (typed, Some(sentence(&error))),
        None => (known.map(form::fields_of).unwrap_or_else(form::empty), None),
    };
    let list = if promotions.is_empty() {
        Either::Left(view! { <p class="nothing">"There are no promotions yet."</p> })
    } else {
        let rows: Vec<_> = promotions.into_iter().map(|promotion| row(promotion, now)).collect();
        Either::Right(wide(
            "Promotions",
            view! {
                <table class="numbers-table">
                    <thead><tr><th scope="col">"Code"</th><th scope="col">"Gives"</th><th scope="col">"From"</th><th scope="col">"Ends"</th><th scope="col">"State"</th><th scope="col"><span class="sr-only">"Change"</span></th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            },
        ))
    };
    let title = editing.as_ref().map_or_else(|| "A new code".to_owned(), |code| format!("Change {code}"));
    let fresh = editing.is_some().then(|| view! { <p class="after-form"><a href="/console/promotions">"Write a new one instead"</a></p> });
    frame(
        Place::Promotions,
        "Customers type a code at the checkout. One that is switched off is refused at once; orders that used it stay as they are.",
        view! {
            {list}
            <section class="panel narrow" aria-labelledby="write-title" id="write">
                <h2 id="write-title">{title}</h2>
                {form::form(&typed, wrong, editing.is_some())}
                {fresh}
            </section>
        },
    )
}

fn gives(gift: Gift) -> String {
    match gift {
        Gift::Percent { percent } => format!("{percent} % off"),
        Gift::Amount { amount } => format!("{amount} off"),
        Gift::FreeDelivery => "free delivery".to_owned(),
    }
}

fn row(promotion: Promotion, now: Timestamp) -> impl IntoView {
    let minimum = if promotion.minimum.cents() == 0 { "any order".to_owned() } else { promotion.minimum.to_string() };
    let over = promotion.ends_at.is_some_and(|end| end < now);
    let ends = promotion.ends_at.map_or_else(|| "never".to_owned(), |end| end.to_string().chars().take(10).collect());
    let state = match (promotion.active, over) {
        (true, false) => Either::Left(view! { <span class="mark-holds">"on"</span> }),
        (true, true) => Either::Right(view! { <span class="hint">"over"</span> }),
        (false, _) => Either::Right(view! { <span class="hint">"off"</span> }),
    };
    let (text, next) = if promotion.active { ("Switch off", "false") } else { ("Switch on", "true") };
    let code = promotion.code.clone();
    let edit = format!("/console/promotions?edit={}#write", path_segment(&code));
    view! {
        <tr>
            <th scope="row"><code>{code.clone()}</code><span class="says">{promotion.says}</span></th>
            <td>{gives(promotion.gives)}</td>
            <td>{minimum}</td>
            <td>{ends}</td>
            <td>{state}</td>
            <td>
                <form class="row-actions" method="post" action="/console/promotions/switch" data-swap="">
                    <input type="hidden" name="code" value=code.clone()/>
                    <button class="link-button" id=format!("switch-{}", path_segment(&code).replace('%', "_")) name="active" value=next>{text}<span class="sr-only">" "{code.clone()}</span></button>
                    <a href=edit>"Edit"<span class="sr-only">" "{code}</span></a>
                </form>
            </td>
        </tr>
    }
}
