//! Forms about orders: place, cancel, order again.

use super::see;
use crate::accounts::SharedAccounts;
use crate::cookies::Cookies;
use crate::extract::{Fields, Segment, Sent};
use crate::features::{EXPRESS, SharedFeatures};
use crate::pages::checkout::{self, Attempt};
use crate::pages::stock::Shelf;
use crate::problem::{self, Retry};
use crate::shop::Shop;
use crate::ui::forms::Stock;
use crate::visit::{Notice, Visit};
use axum::Extension;
use axum::response::Response;
use contract::cart::{AddItem, Cart};
use contract::id::path_segment;
use contract::order::{Order, OrderLine, PlaceOrder};
use contract::{ApiError, CartId, Code, CustomerName, ItemId, Note, OrderId, Quantity, QuoteId};
use std::sync::Arc;

fn order_path(id: &str) -> String {
    format!("/orders/{}", path_segment(id))
}

/// `POST /orders`: the checkout's form.
pub async fn place(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(shop): Extension<Shop>,
    Extension(accounts): Extension<SharedAccounts>,
    features: Option<Extension<SharedFeatures>>,
    Sent { fields, wants }: Sent,
) -> Response {
    let Some(cart) = checkout::cart_of(&fields, &visit) else { return see("/cart", &Cookies::default()) };
    let outcome = match read(&fields, &cart) {
        Ok(order) => shop.order.place(&order, fields.filled("idempotencyKey")).await,
        Err(error) => Err(error),
    };
    let (wrong, why) = match outcome {
        Ok(order) => {
            let mut cookies = Cookies::default();
            if visit.cart.as_ref() == Some(&cart) {
                cookies.forget_cart(&visit);
            }
            if let Some(Extension(features)) = features.filter(|_| fields.has("express")) {
                features.note(EXPRESS, "ordered");
            }
            return see(&order_path(order.id.as_str()), &cookies);
        }
        Err(error) => match error.code {
            Code::InvalidName | Code::InvalidBody | Code::PromotionUnknown | Code::PromotionNotApplicable => (Some(error), None),
            Code::QuoteExpired | Code::QuoteMismatch => (None, Some(error)),
            _ => return problem::answer(&visit, &error, fields.retry("/orders"), wants),
        },
    };
    let addresses = checkout::addresses(&visit, &accounts).await;
    checkout::again(&visit, &shop, addresses, Attempt { cart, typed: fields, wrong, why }).await
}

fn read(fields: &Fields, cart: &CartId) -> Result<PlaceOrder, ApiError> {
    // Browsers send line ends as CR LF.
    let wish = fields.get("specialInstructions").replace('\r', "");
    Ok(PlaceOrder {
        customer_name: CustomerName::parse(fields.get("customerName"))?,
        cart_id: cart.clone(),
        special_instructions: (!wish.is_empty()).then(|| Note::parse(&wish)).transpose()?,
        address: checkout::address(fields)?,
        payment_method: fields.filled("paymentMethod").map(|word| Note::parse(&word)).transpose()?,
        promotion: fields.filled("promotion"),
        quote_id: fields.filled("quoteId").map(QuoteId::new),
    })
}

/// `POST /orders/{id}/cancel`
pub async fn cancel(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Segment(id): Segment) -> Response {
    let page = order_path(&id);
    match shop.order.cancel(&OrderId::new(id)).await {
        Ok(_) => {
            let mut cookies = Cookies::default();
            cookies.notice(&visit, Notice::Cancelled);
            see(&page, &cookies)
        }
        // The page of the order, which says where it is by now, is the way on.
        Err(error) => {
            let visit = Visit { path: page.clone(), ..(*visit).clone() };
            problem::response(&visit, &error, Retry::Form { action: format!("{page}/cancel"), fields: Vec::new() })
        }
    }
}

/// `POST /orders/{id}/reorder`: a new cart with the same dishes; the old cart is let go. What cannot be had any more is left out and told.
pub async fn reorder(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Segment(id): Segment) -> Response {
    let retry = Retry::Form { action: format!("{}/reorder", order_path(&id)), fields: Vec::new() };
    let (cart, left_out) = match refill(&shop, &OrderId::new(id)).await {
        Ok(filled) => filled,
        Err(error) => return problem::response(&visit, &error, retry),
    };
    if let Some(old) = &visit.cart {
        // Best effort: an old cart that stays ends by itself.
        let _ = shop.cart.delete(old).await;
    }
    let mut cookies = Cookies::default();
    cookies.cart(&visit, &cart.id, cart.count());
    cookies.notice(&visit, Notice::Reordered);
    if left_out.is_empty() {
        return see("/cart", &cookies);
    }
    let list: Vec<String> = left_out.iter().map(|id| path_segment(id.as_str())).collect();
    see(&format!("/cart?without={}", list.join(",")), &cookies)
}

/// A cart with what of the order can still be had, and the dishes that cannot.
async fn refill(shop: &Shop, id: &OrderId) -> Result<(Cart, Vec<ItemId>), ApiError> {
    let order = shop.order.get(id).await?;
    let (there, mut left_out) = on_the_shelf(shop, order).await?;
    if there.is_empty() {
        return Err(ApiError::new(Code::OutOfStock, "nothing of that order can be had today"));
    }
    let mut cart = shop.cart.create().await?;
    for line in there {
        match add(shop, &cart.id, &line).await {
            Ok(fuller) => cart = fuller,
            Err(error) if matches!(error.code, Code::ItemNotFound | Code::OutOfStock) => left_out.push(line.item_id),
            Err(error) => return Err(error),
        }
    }
    if cart.items.is_empty() {
        Err(ApiError::new(Code::OutOfStock, "nothing of that order can be had today"))
    } else {
        Ok((cart, left_out))
    }
}

/// The order's lines that the menu offers still, with enough left; and the dishes of the others.
async fn on_the_shelf(shop: &Shop, order: Order) -> Result<(Vec<OrderLine>, Vec<ItemId>), ApiError> {
    let ids: Vec<&ItemId> = order.items.iter().map(|line| &line.item_id).collect();
    let (menu, shelf) = futures::join!(shop.menu.items(&ids), Shelf::load(shop));
    let menu = menu?.items;
    let there = |line: &OrderLine| {
        menu.iter().find(|item| item.id == line.item_id).is_some_and(|item| match shelf.of(item) {
            Stock::SoldOut => false,
            Stock::Low(left) => left >= i64::from(line.quantity),
            Stock::Plenty => true,
        })
    };
    let (there, gone): (Vec<_>, Vec<_>) = order.items.iter().cloned().partition(there);
    Ok((there, gone.into_iter().map(|line| line.item_id).collect()))
}

/// A choice that is not offered any more becomes the first one.
async fn add(shop: &Shop, cart: &CartId, line: &OrderLine) -> Result<Cart, ApiError> {
    let quantity = Quantity::new(i64::from(line.quantity.min(Quantity::MAX)))?;
    let mut item = AddItem { item_id: line.item_id.clone(), quantity, choice: line.choice.clone() };
    match shop.cart.add_item(cart, &item).await {
        Err(error) if error.status == 400 && item.choice.is_some() => {
            item.choice = None;
            shop.cart.add_item(cart, &item).await
        }
        other => other,
    }
}
