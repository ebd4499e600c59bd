//! `/cart`: what has been chosen so far.

use super::express::{self, Offer, Place};
use super::stock::Shelf;
use crate::accounts::SharedAccounts;
use crate::extract::Asked;
use crate::features::SharedFeatures;
use crate::problem::{self, Retry};
use crate::render::{Meta, page};
use crate::shop::Shop;
use crate::ui::art::plate;
use crate::ui::forms::line_form;
use crate::ui::picks;
use crate::ui::words::count;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::ItemId;
use contract::cart::{Cart, CartLine};
use contract::id::path_segment;
use contract::menu::MenuItem;
use leptos::prelude::*;
use std::sync::Arc;

/// Most dishes named by `?without=`: more than anybody reads.
const MOST_NAMED: usize = 20;

/// `?without=a,b` names dishes of an earlier order that could not be put in again.
pub async fn show(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(shop): Extension<Shop>,
    Extension(accounts): Extension<SharedAccounts>,
    features: Option<Extension<SharedFeatures>>,
    Asked(query): Asked,
) -> Response {
    let Some(id) = &visit.cart else { return empty(&visit) };
    let express = async {
        match &features {
            Some(Extension(features)) => express::offer(&**features, &visit, &shop, &accounts, id).await,
            None => None,
        }
    };
    match shop.cart.get(id).await {
        Ok(cart) if cart.items.is_empty() => empty(&visit),
        Ok(cart) => {
            let (with, without, express) = futures::join!(goes_with(&shop, &cart), names(&shop, query.get("without")), express);
            full(&visit, Filled { cart, with, without, express })
        }
        Err(error) => problem::response(&visit, &error, Retry::Visit),
    }
}

/// What others order with what is in the cart; nothing when that is not known.
async fn goes_with(shop: &Shop, cart: &Cart) -> Vec<MenuItem> {
    let Some(restaurant) = &cart.restaurant_id else { return Vec::new() };
    let told = picks::recommendations(shop, restaurant).await;
    let there: Vec<&ItemId> = cart.items.iter().map(|line| &line.item_id).collect();
    let ids: Vec<&ItemId> = told.together.iter().filter(|pair| there.contains(&&pair.item)).flat_map(|pair| &pair.with).collect();
    if ids.is_empty() {
        return Vec::new();
    }
    let (known, shelf) = futures::join!(shop.menu.items(&ids), Shelf::load(shop));
    picks::together(&told, &there, &shelf.left_of(&known.map(|reply| reply.items).unwrap_or_default()))
}

/// Dishes by name; those that left the menu go without one.
async fn names(shop: &Shop, list: &str) -> Vec<String> {
    let ids: Vec<ItemId> = list.split(',').filter(|id| !id.is_empty()).take(MOST_NAMED).map(ItemId::new).collect();
    if ids.is_empty() {
        return Vec::new();
    }
    let known = shop.menu.items(&ids.iter().collect::<Vec<_>>()).await.map(|reply| reply.items).unwrap_or_default();
    let name = |id: &ItemId| {
        known.iter().find(|item| item.id == *id).map_or_else(|| "a dish that left the menu".to_owned(), |item| item.name.clone())
    };
    ids.iter().map(name).collect()
}

fn empty(visit: &Visit) -> Response {
    page(visit, Meta::new("Your cart", "What you have chosen so far."), || {
        view! {
            <section class="scene">
                <p class="scene-art drift" aria-hidden="true">"🛸"</p>
                <h1>"Your cart is floating empty"</h1>
                <p>"Nothing in it yet. A whole galaxy of kitchens is waiting to change that."</p>
                <p class="scene-actions"><a class="button" href="/">"Find something to eat"</a></p>
            </section>
        }
    })
}

/// A cart with something in it.
struct Filled {
    cart: Cart,
    /// Dishes that go with it.
    with: Vec<MenuItem>,
    /// Names of dishes that could not be put in again.
    without: Vec<String>,
    express: Option<Offer>,
}

fn full(visit: &Visit, filled: Filled) -> Response {
    let cart = &filled.cart;
    let mut meta = Meta::new("Your cart", "What you have chosen so far.");
    // The badge may have been behind: the cart itself knows best.
    let told = Visit { cart_count: cart.count(), ..visit.clone() };
    meta.cookies.cart(visit, &cart.id, cart.count());
    page(&told, meta, || body(visit, filled))
}

fn body(visit: &Visit, filled: Filled) -> impl IntoView + use<> {
    let Filled { cart, with, without, express } = filled;
    let left_out = (!without.is_empty()).then(|| {
        let what = format!(" Left out, because it is sold out or gone from the menu: {}.", without.join(", "));
        view! {
            <p class="sorry" role="status">
                <span aria-hidden="true">"🍽️"</span>
                <span><strong>"Not everything could be had again."</strong>{what}</span>
            </p>
        }
    });
    let (n, subtotal) = (u64::from(cart.count()), cart.subtotal());
    let first = express.as_ref().is_some_and(|offer| offer.place == Place::First);
    let express = express.map(|offer| express::form(offer, visit));
    let (before, after) = if first { (express, None) } else { (None, express) };
    let checkout = if first { "button quiet wide" } else { "button wide" };
    let more = cart.restaurant_id.as_ref().map(|id| {
        view! { <a class="button quiet" href=format!("/restaurants/{}", path_segment(id.as_str()))>"Add more dishes"</a> }
    });
    view! {
        {left_out}
        <div class="two-columns">
            <section aria-labelledby="cart-title">
                <div class="section-head">
                    <h1 id="cart-title">"Your cart"</h1>
                    <form method="post" action="/cart/clear" data-swap=""><button class="link-button">"Empty the cart"</button></form>
                </div>
                <ul class="lines">{cart.items.into_iter().map(line).collect_view()}</ul>
            </section>
            <aside class="panel" aria-label="Checkout">
                <p class="sum"><span>{count(n, "thing", "things")}</span><strong>{subtotal.to_string()}</strong></p>
                <p class="hint">"Menu prices. Time of day and large orders may change them: the checkout shows the exact total before you order."</p>
                {before}
                <a class=checkout href="/checkout">"Go to checkout"</a>
                {after}
                {more}
            </aside>
        </div>
        {picks::row("Goes well with that", with)}
    }
}

fn line(line: CartLine) -> impl IntoView {
    let total = line.base_price.times(line.quantity).to_string();
    let form = line_form(&line);
    view! {
        <li class="line">
            {plate(&line.item_emoji, "plate plate-s")}
            <div class="line-text">
                <h2><a href=format!("/items/{}", path_segment(line.item_id.as_str()))>{line.item_name}</a></h2>
                {line.choice.map(|choice| view! { <p class="chosen">{choice}</p> })}
                <p>{line.base_price.to_string()}" each"</p>
            </div>
            <p class="price">{total}</p>
            {form}
        </li>
    }
}
