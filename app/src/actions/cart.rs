//! Forms that change the cart.

use super::{json, see};
use crate::cookies::Cookies;
use crate::extract::{Fields, Segment, Sent, Wants};
use crate::problem;
use crate::shop::Shop;
use crate::ui::words::count;
use crate::visit::{Notice, Visit};
use axum::Extension;
use axum::response::Response;
use contract::cart::{AddItem, Cart};
use contract::{ApiError, Code, ItemId, Money, Quantity};
use serde::Serialize;
use std::sync::Arc;

/// What islands get instead of a page.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    count: u32,
    total: Money,
    notice: String,
}

fn done(visit: &Visit, cart: &Cart, notice: Notice, wants: Wants, back: &str) -> Response {
    let mut cookies = Cookies::default();
    cookies.cart(visit, &cart.id, cart.count());
    if let Wants::Json { .. } = wants {
        // With the number in it, a second sentence differs from the first, and is read out again.
        let notice = format!("{} {} in it.", notice.text(), count(u64::from(cart.count()), "thing is", "things are"));
        return json(&Told { count: cart.count(), total: cart.subtotal(), notice }, &cookies);
    }
    cookies.notice(visit, notice);
    see(back, &cookies)
}

/// Back to the page the form stands on, or to the cart where that is not known.
fn back(visit: &Visit, fields: &Fields) -> String {
    let here = if visit.path.starts_with("/cart/") { "/cart" } else { &visit.path };
    fields.back(here)
}

/// What the form asks for: `itemId`, `quantity`, `choice` and whatever else begins with that.
fn wanted(fields: &Fields) -> Result<AddItem, ApiError> {
    let quantity = fields.quantity().and_then(Quantity::new)?;
    Ok(AddItem { item_id: ItemId::new(fields.get("itemId")), quantity, choice: fields.choice() })
}

/// `POST /cart/items`: `itemId`, `quantity`, `choice…`, perhaps `return`. Without a cart, or with one that has expired, a new one is made.
pub async fn add(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Sent { fields, wants }: Sent) -> Response {
    let back = back(&visit, &fields);
    let fail = |error: ApiError| problem::answer(&visit, &error, fields.and("return", &back).retry("/cart/items"), wants);
    let item = match wanted(&fields) {
        Ok(item) => item,
        Err(error) => return fail(error),
    };
    let mut notice = Notice::Added;
    if let Some(id) = &visit.cart {
        match shop.cart.add_item(id, &item).await {
            Ok(cart) => return done(&visit, &cart, notice, wants, &back),
            Err(error) if error.code == Code::CartNotFound => notice = Notice::Renewed,
            Err(error) if error.code == Code::CartOtherRestaurant => {
                return problem::other_restaurant(&visit, &shop, &item, &error, &back, wants).await;
            }
            Err(error) => return fail(error),
        }
    }
    let cart = match shop.cart.create().await {
        Ok(cart) => cart,
        Err(error) => return fail(error),
    };
    match shop.cart.add_item(&cart.id, &item).await {
        Ok(cart) => done(&visit, &cart, notice, wants, &back),
        Err(error) => {
            // The new cart is kept, so that trying again does not make another.
            let mut response = fail(error);
            let mut cookies = Cookies::default();
            cookies.cart(&visit, &cart.id, 0);
            cookies.write(response.headers_mut());
            response
        }
    }
}

/// `POST /cart/new`: as [`add`], but into a new cart; the old one is let go.
pub async fn replace(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Sent { fields, wants }: Sent) -> Response {
    let back = back(&visit, &fields);
    let fail = |error: ApiError| problem::answer(&visit, &error, fields.retry("/cart/new"), wants);
    let item = match wanted(&fields) {
        Ok(item) => item,
        Err(error) => return fail(error),
    };
    let made = match shop.cart.create().await {
        Ok(cart) => shop.cart.add_item(&cart.id, &item).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(cart) => {
            if let Some(old) = &visit.cart {
                // Best effort: an old cart that stays ends by itself.
                let _ = shop.cart.delete(old).await;
            }
            done(&visit, &cart, Notice::Replaced, wants, &back)
        }
        Err(error) => fail(error),
    }
}

/// `POST /cart/items/{itemId}`: `quantity`; zero removes the line.
pub async fn set_quantity(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(shop): Extension<Shop>,
    Segment(id): Segment,
    Sent { fields, wants }: Sent,
) -> Response {
    let action = format!("/cart/items/{}", contract::id::path_segment(&id));
    let fail = |error: ApiError| problem::answer(&visit, &error, fields.retry(&action), wants);
    let Some(cart) = &visit.cart else { return see("/cart", &Cookies::default()) };
    let quantity = match fields.quantity() {
        Ok(quantity) if quantity <= i64::from(Quantity::MAX) => quantity,
        Ok(_) => return fail(ApiError::new(Code::InvalidQuantity, "quantity must be a whole number from 1 to 10")),
        Err(error) => return fail(error),
    };
    let notice = if quantity <= 0 { Notice::Removed } else { Notice::Updated };
    match shop.cart.set_quantity(cart, &ItemId::new(id), quantity).await {
        Ok(cart) => done(&visit, &cart, notice, wants, &fields.back("/cart")),
        Err(error) => fail(error),
    }
}

/// `POST /cart/clear`
pub async fn clear(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Sent { fields, wants }: Sent) -> Response {
    if let Some(cart) = &visit.cart
        && let Err(error) = shop.cart.delete(cart).await
    {
        return problem::answer(&visit, &error, fields.retry("/cart/clear"), wants);
    }
    let mut cookies = Cookies::default();
    cookies.forget_cart(&visit);
    cookies.notice(&visit, Notice::Cleared);
    see("/cart", &cookies)
}
