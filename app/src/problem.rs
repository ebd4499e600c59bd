//! Designed pages for everything that can go wrong: what happened, what it means for the order, and what to press next.

mod scenes;

use crate::extract::Wants;
use crate::render::{Meta, page};
use crate::shop::Shop;
use crate::ui::forms::hidden_fields;
use crate::visit::Visit;
use axum::Json;
use axum::response::{IntoResponse, Response};
use contract::cart::AddItem;
use contract::error::ErrorBody;
use contract::id::path_segment;
use contract::{ApiError, Code};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use leptos::either::Either;
use leptos::prelude::*;
use scenes::{Next, scene};

/// What the page's button repeats.
#[derive(Clone, Debug)]
pub enum Retry {
    /// Nothing: the same again would end the same.
    No,
    /// The same address.
    Visit,
    /// The same form, field by field, idempotency key included.
    Form { action: String, fields: Vec<(String, String)> },
}

fn status(error: &ApiError) -> StatusCode {
    StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn meta(title: &str, error: &ApiError) -> Meta {
    let mut meta = Meta::new(title, "Something did not work.");
    meta.status = status(error);
    meta.retry_after_s = error.retry_after_s;
    meta
}

/// The page, or the one error shape for a sender that takes JSON alone.
pub fn answer(visit: &Visit, error: &ApiError, retry: Retry, wants: Wants) -> Response {
    if wants != (Wants::Json { page_on_error: false }) {
        return response(visit, error, retry);
    }
    let body = ErrorBody { error: error.message.clone(), code: error.code.as_str().to_owned(), request_id: visit.request_id.clone() };
    let mut response = (status(error), Json(body)).into_response();
    if let Some(seconds) = error.retry_after_s {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The page of an error, with the right status.
pub fn response(visit: &Visit, error: &ApiError, retry: Retry) -> Response {
    let scene = scene(error);
    let mut meta = meta(scene.title, error);
    let mut told = visit.clone();
    if matches!(error.code, Code::CartNotFound | Code::CartAlreadyOrdered) {
        meta.cookies.forget_cart(visit);
        told.cart_count = 0;
    }
    page(&told, meta, || {
        let retry = match scene.next {
            Next::Retry => retry_button(visit, retry),
            _ => None,
        };
        let (to, text) = scene.next.link(&visit.path);
        let class = if retry.is_some() { "button quiet" } else { "button" };
        let link = view! { <a class=class href=to>{text}</a> };
        view! {
            <section class=format!("scene {}", scene.tone)>
                <p class="scene-art" aria-hidden="true">{scene.art}</p>
                <h1>{scene.title}</h1>
                <p>{scene.text}</p>
                <div class="scene-actions">{retry}{link}</div>
                {reference(visit, error)}
            </section>
        }
    })
}

fn retry_button(visit: &Visit, retry: Retry) -> Option<impl IntoView + use<>> {
    match retry {
        Retry::No => None,
        Retry::Visit => Some(Either::Left(view! { <a class="button" href=visit.path.clone()>"Try again"</a> })),
        Retry::Form { action, fields } => {
            let button = view! { <form method="post" action=action data-swap="">{hidden_fields(fields)}<button class="button">"Try again"</button></form> };
            Some(Either::Right(button))
        }
    }
}

/// What to quote when asking for help; operators see where to look.
fn reference(visit: &Visit, error: &ApiError) -> impl IntoView + use<> {
    let trace = visit.trace_id.clone().filter(|_| visit.operator).map(|id| {
        let to = format!("/console/traces/{}", path_segment(&id));
        view! { " · trace "<a href=to><code>{id}</code></a> }
    });
    let flag = error.flag.clone().filter(|_| visit.operator).map(|flag| view! { " · injected by "<code>{flag}</code> });
    view! { <p class="reference">{error.code.as_str()}" · request "<code>{visit.request_id.clone()}</code>{trace}{flag}</p> }
}

/// One cart holds the dishes of one restaurant: keep the old cart, or start a new one with this dish.
pub async fn other_restaurant(visit: &Visit, shop: &Shop, item: &AddItem, error: &ApiError, back: &str, wants: Wants) -> Response {
    if wants == (Wants::Json { page_on_error: false }) {
        return answer(visit, error, Retry::No, wants);
    }
    // Names make the choice clearer; the page works without them.
    let dish = shop.menu.item(&item.item_id).await.map_or_else(|_| "this dish".to_owned(), |item| item.name);
    page(visit, meta("One cart, one planet", error), || {
        let mut fields = vec![
            ("itemId".to_owned(), item.item_id.to_string()),
            ("quantity".to_owned(), item.quantity.get().to_string()),
            ("return".to_owned(), back.to_owned()),
        ];
        fields.extend(item.choice.clone().map(|choice| ("choice".to_owned(), choice)));
        view! {
            <section class="scene">
                <p class="scene-art" aria-hidden="true">"🪐"</p>
                <h1>"One cart, one planet"</h1>
                <p>"Your cart holds dishes of another restaurant, and a courier flies to one kitchen at a time. You can keep that cart, or start a new one with "<strong>{dish}</strong>"."</p>
                <div class="scene-actions">
                    <form method="post" action="/cart/new" data-swap="">{hidden_fields(fields)}<button class="button">"Start a new cart"</button></form>
                    <a class="button quiet" href="/cart">"Keep my cart"</a>
                </div>
                {reference(visit, error)}
            </section>
        }
    })
}
