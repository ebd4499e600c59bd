//! `/checkout`: the exact price, held for a few minutes, and the last form before the food.

use crate::extract::Fields;
use crate::problem::{self, Retry};
use crate::render::{Meta, page};
use crate::shop::Shop;
use crate::ui::receipt::receipt;
use crate::ui::words::span;
use crate::visit::Visit;
use axum::Extension;
use axum::response::{IntoResponse, Redirect, Response};
use contract::order::{CartQuote, QuoteCart};
use contract::{ApiError, CartId, Code, CustomerName, Note};
use http::StatusCode;
use leptos::prelude::*;
use std::sync::Arc;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>) -> Response {
    let Some(cart) = &visit.cart else { return Redirect::to("/cart").into_response() };
    match quote(&shop, cart).await {
        Ok(quote) => form_page(&visit, quote, &Fields::default(), None),
        Err(error) if error.code == Code::CartEmpty => Redirect::to("/cart").into_response(),
        Err(error) => problem::response(&visit, &error, Retry::Visit),
    }
}

/// The price of a cart as it is now.
pub async fn quote(shop: &Shop, cart: &CartId) -> Result<CartQuote, ApiError> {
    shop.order.quote(&QuoteCart { cart_id: cart.clone(), promotion: None, address: None }).await
}

/// The form, with what was typed before and what was wrong with it.
pub fn form_page(visit: &Visit, quote: CartQuote, typed: &Fields, wrong: Option<&ApiError>) -> Response {
    let mut meta = Meta::new("Checkout", "The exact price, and who it is for.");
    if let Some(error) = wrong {
        meta.status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    }
    page(visit, meta, || body(visit, quote, typed, wrong))
}

/// What identifies an order while it is being placed. The key is the quote's own: it is new with every price that is shown, and the same
/// however often its form is sent.
pub fn order_fields(quote: &CartQuote) -> impl IntoView + use<> {
    let (cart, quote) = (quote.cart_id.to_string(), quote.quote_id.to_string());
    let key = format!("checkout-{quote}");
    view! {
        <input type="hidden" name="cartId" value=cart/>
        <input type="hidden" name="quoteId" value=quote/>
        <input type="hidden" name="idempotencyKey" value=key/>
    }
}

/// "Held for 4 min 59 s", counting down where scripts run.
pub fn held(quote: &CartQuote, visit: &Visit) -> impl IntoView + use<> {
    let left = quote.expires_at.since(visit.now);
    let expires_at = quote.expires_at.to_string();
    view! { <p class="hint">"This price is held for " <time datetime=expires_at data-countdown=left.as_secs()>{span(left)}</time> "."</p> }
}

fn body(visit: &Visit, quote: CartQuote, typed: &Fields, wrong: Option<&ApiError>) -> impl IntoView + use<> {
    let wrong = wrong.map(|error| view! { <p class="wrong" id="wrong" role="alert">{sentence(error)}</p> });
    let described_by = wrong.is_some().then_some("wrong");
    let (name, wish) = (typed.get("customerName").to_owned(), typed.get("specialInstructions").to_owned());
    let (fields, held, total) = (order_fields(&quote), held(&quote, visit), quote.total);
    view! {
        <div class="two-columns">
            <section class="panel" aria-labelledby="checkout-title">
                <h1 id="checkout-title">"Checkout"</h1>
                <form class="stack" method="post" action="/orders" data-once="">
                    {fields}
                    {wrong}
                    <label class="field">
                        <span>"Who is it for?"</span>
                        <input name="customerName" value=name required maxlength=CustomerName::MAX_CHARS autocomplete="name"
                            placeholder="Your name" aria-describedby=described_by aria-invalid=described_by.map(|_| "true")/>
                    </label>
                    <label class="field">
                        <span>"A wish for the kitchen " <small>"(optional)"</small></span>
                        <textarea name="specialInstructions" rows="3" maxlength=Note::MAX_CHARS placeholder="Extra foam, no asteroids">{wish}</textarea>
                    </label>
                    <button class="button wide">"Place order · "{total.to_string()}</button>
                    <a class="button quiet wide" href="/cart">"Back to the cart"</a>
                </form>
            </section>
            <aside class="ticket" aria-label="Price">
                <h2>"Your price"</h2>
                {receipt(quote.lines, quote.fees, quote.discounts, quote.total)}
                {held}
            </aside>
        </div>
    }
}

fn sentence(error: &ApiError) -> String {
    match error.code {
        Code::InvalidName => format!("Please tell us who it is for, in up to {} ordinary characters.", CustomerName::MAX_CHARS),
        _ => format!("That did not work: {}.", error.message),
    }
}
