//! `/cart`: what has been chosen so far.

use crate::problem::{self, Retry};
use crate::render::{Meta, page};
use crate::shop::Shop;
use crate::ui::art::plate;
use crate::ui::forms::line_form;
use crate::ui::words::count;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::cart::{Cart, CartLine};
use contract::id::path_segment;
use leptos::prelude::*;
use std::sync::Arc;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>) -> Response {
    let Some(id) = &visit.cart else { return empty(&visit) };
    match shop.cart.get(id).await {
        Ok(cart) if cart.items.is_empty() => empty(&visit),
        Ok(cart) => full(&visit, cart),
        Err(error) => problem::response(&visit, &error, Retry::Visit),
    }
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

fn full(visit: &Visit, cart: Cart) -> Response {
    let mut meta = Meta::new("Your cart", "What you have chosen so far.");
    // The badge may have been behind: the cart itself knows best.
    let told = Visit { cart_count: cart.count(), ..visit.clone() };
    meta.cookies.cart(visit, &cart.id, cart.count());
    page(&told, meta, || body(cart))
}

fn body(cart: Cart) -> impl IntoView {
    let (n, subtotal) = (u64::from(cart.count()), cart.subtotal());
    let more = cart.restaurant_id.as_ref().map(|id| {
        view! { <a class="button quiet" href=format!("/restaurants/{}", path_segment(id.as_str()))>"Add more dishes"</a> }
    });
    view! {
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
                <a class="button wide" href="/checkout">"Go to checkout"</a>
                {more}
            </aside>
        </div>
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
                <p>{line.base_price.to_string()}" each"</p>
            </div>
            <p class="price">{total}</p>
            {form}
        </li>
    }
}
