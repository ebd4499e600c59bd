//! `POST /orders`: the checkout's form.

use super::see;
use crate::cookies::Cookies;
use crate::extract::{Fields, Sent};
use crate::pages::checkout;
use crate::problem;
use crate::shop::Shop;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::id::path_segment;
use contract::order::PlaceOrder;
use contract::{ApiError, CartId, Code, CustomerName, Note, QuoteId};
use std::sync::Arc;

pub async fn place(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Sent { fields, wants }: Sent) -> Response {
    // The form names its cart, so that sending it again means the same order even after the cookie has moved on.
    let Some(cart) = non_empty(&fields, "cartId").map(CartId::new).or_else(|| visit.cart.clone()) else {
        return see("/cart", &Cookies::default());
    };
    let order = match read(&fields, &cart) {
        Ok(order) => order,
        Err(error) => return again(&visit, &shop, &cart, &fields, error).await,
    };
    match shop.order.place(&order, non_empty(&fields, "idempotencyKey")).await {
        Ok(order) => {
            let mut cookies = Cookies::default();
            if visit.cart.as_ref() == Some(&cart) {
                cookies.forget_cart(&visit);
            }
            see(&format!("/orders/{}", path_segment(order.id.as_str())), &cookies)
        }
        Err(error) => match error.code {
            Code::InvalidName | Code::InvalidBody => again(&visit, &shop, &cart, &fields, error).await,
            Code::QuoteExpired | Code::QuoteMismatch => problem::new_price(&visit, &shop, &cart, &fields, &error).await,
            _ => problem::answer(&visit, &error, fields.retry("/orders"), wants),
        },
    }
}

fn non_empty(fields: &Fields, name: &str) -> Option<String> {
    Some(fields.get(name)).filter(|value| !value.is_empty()).map(ToOwned::to_owned)
}

fn read(fields: &Fields, cart: &CartId) -> Result<PlaceOrder, ApiError> {
    // Browsers send line ends as CR LF.
    let wish = fields.get("specialInstructions").replace('\r', "");
    Ok(PlaceOrder {
        customer_name: CustomerName::parse(fields.get("customerName"))?,
        cart_id: cart.clone(),
        special_instructions: (!wish.is_empty()).then(|| Note::parse(&wish)).transpose()?,
        address: None,
        payment_method: None,
        promotion: None,
        quote_id: non_empty(fields, "quoteId").map(QuoteId::new),
    })
}

/// The checkout once more, with what was typed and what is wrong with it.
async fn again(visit: &Visit, shop: &Shop, cart: &CartId, fields: &Fields, wrong: ApiError) -> Response {
    match checkout::quote(shop, cart).await {
        Ok(quote) => checkout::form_page(visit, quote, fields, Some(&wrong)),
        Err(error) => problem::response(visit, &error, fields.retry("/orders")),
    }
}
