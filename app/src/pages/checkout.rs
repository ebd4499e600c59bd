//! `/checkout`: the exact price, held for a few minutes, and the last form before the food.
//!
//! There is one form with two buttons. "Update price" posts it to this address, which answers the same form with the price of what was
//! typed; "Place order" posts it to `/orders`. Either way everything that was typed stays. It is a POST and not a query, because an
//! address in a URL is an address in a log.

mod form;

pub use form::{held, order_fields};

use crate::accounts::SharedAccounts;
use crate::extract::{Fields, Sent};
use crate::problem::{self, Retry};
use crate::render::{Meta, page};
use crate::shop::Shop;
use crate::visit::Visit;
use axum::Extension;
use axum::response::{IntoResponse, Redirect, Response};
use contract::account::Address;
use contract::order::{CartQuote, QuoteCart};
use contract::{ApiError, CartId, Code, Note};
use http::StatusCode;
use std::sync::Arc;

/// The value of the choice "another address": what is typed beside it counts.
const OTHER: &str = "+other";

type Desk = Extension<SharedAccounts>;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Extension(accounts): Desk) -> Response {
    let Some(cart) = visit.cart.clone() else { return Redirect::to("/cart").into_response() };
    let addresses = addresses(&visit, &accounts).await;
    let mut typed = vec![("customerName".to_owned(), visit.name.clone().unwrap_or_default())];
    typed.extend(addresses.first().map(|address| ("where".to_owned(), address.text.to_string())));
    again(&visit, &shop, addresses, Attempt { cart, typed: Fields(typed), wrong: None, why: None }).await
}

/// `POST /checkout`: the form again, at the price of what was typed.
pub async fn update(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(shop): Extension<Shop>,
    Extension(accounts): Desk,
    Sent { fields, .. }: Sent,
) -> Response {
    let Some(cart) = cart_of(&fields, &visit) else { return Redirect::to("/cart").into_response() };
    let addresses = addresses(&visit, &accounts).await;
    again(&visit, &shop, addresses, Attempt { cart, typed: fields, wrong: None, why: None }).await
}

/// A checkout that is to be shown: what was typed so far, what was wrong with it, and why the price is another than before.
pub struct Attempt {
    pub cart: CartId,
    pub typed: Fields,
    pub wrong: Option<ApiError>,
    pub why: Option<ApiError>,
}

/// The form names its cart, so that sending it again means the same order even after the cookie has moved on.
pub fn cart_of(fields: &Fields, visit: &Visit) -> Option<CartId> {
    fields.filled("cartId").map(CartId::new).or_else(|| visit.cart.clone())
}

/// Saved addresses of whoever is logged in. The checkout works without them.
pub async fn addresses(visit: &Visit, accounts: &SharedAccounts) -> Vec<Address> {
    if visit.user.is_none() {
        return Vec::new();
    }
    accounts.profile().await.map(|account| account.addresses).unwrap_or_default()
}

/// Where the order goes; `None` is the counter.
///
/// # Errors
/// `INVALID_BODY` for a text that is too long.
pub fn address(typed: &Fields) -> Result<Option<Note>, ApiError> {
    let chosen = if typed.has("where") { typed.get("where") } else { OTHER };
    let text = if chosen == OTHER { typed.get("address") } else { chosen };
    let note = (!text.is_empty()).then(|| Note::parse(&text.replace('\r', ""))).transpose();
    note.map_err(|_| ApiError::new(Code::InvalidBody, format!("an address has at most {} ordinary characters", Note::MAX_CHARS)))
}

/// The price of what was typed. What does not fit is told, and left out of the price.
async fn price(shop: &Shop, cart: &CartId, typed: &Fields) -> Result<(CartQuote, Option<ApiError>), ApiError> {
    let ask = async |promotion, address| shop.order.quote(&QuoteCart { cart_id: cart.clone(), promotion, address }).await;
    let (address, wrong) = match address(typed) {
        Ok(address) => (address, None),
        Err(error) => (None, Some(error)),
    };
    match ask(typed.filled("promotion"), address.clone()).await {
        Ok(quote) => Ok((quote, wrong)),
        Err(error) if is_about_promotion(&error) => Ok((ask(None, address).await?, Some(error))),
        Err(error) => Err(error),
    }
}

pub fn is_about_promotion(error: &ApiError) -> bool {
    matches!(error.code, Code::PromotionUnknown | Code::PromotionNotApplicable)
}

/// The form, priced afresh, with everything that was typed.
pub async fn again(visit: &Visit, shop: &Shop, addresses: Vec<Address>, attempt: Attempt) -> Response {
    let Attempt { cart, typed, wrong, why } = attempt;
    let (quote, misfit) = match price(shop, &cart, &typed).await {
        Ok(priced) => priced,
        Err(error) if error.code == Code::CartEmpty => return Redirect::to("/cart").into_response(),
        Err(error) => return problem::response(visit, &error, Retry::Visit),
    };
    let wrong = wrong.or(misfit);
    let mut meta = Meta::new(if why.is_some() { "A fresh price" } else { "Checkout" }, "The exact price, and who it is for.");
    if let Some(error) = wrong.as_ref().or(why.as_ref()) {
        meta.status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    }
    page(visit, meta, || form::body(visit, form::Shown { quote, typed, addresses, wrong, why }))
}
