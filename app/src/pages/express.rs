//! One press that orders what is in the cart: to whom and where the last order went, at a price that is held.

use super::checkout;
use crate::accounts::SharedAccounts;
use crate::features::{EXPRESS, Features};
use crate::shop::Shop;
use crate::visit::Visit;
use contract::CartId;
use contract::order::{CartQuote, QuoteCart};
use contract::payment::METHODS;
use contract::{CustomerName, Note};
use leptos::prelude::*;

/// Where the button stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before the way to the checkout.
    First,
    Below,
}

/// Everything an order needs, without asking.
pub struct Offer {
    pub place: Place,
    quote: CartQuote,
    to: Remembered,
}

/// What can be offered; `None` for those whom the flag does not reach, of whom too little is remembered, or whose cart has no price now.
pub async fn offer(features: &dyn Features, visit: &Visit, shop: &Shop, accounts: &SharedAccounts, cart: &CartId) -> Option<Offer> {
    let place = features.of(EXPRESS, "place").await?;
    let remembered = remembered(visit, shop, accounts).await?;
    let wanted = QuoteCart { cart_id: cart.clone(), promotion: None, address: remembered.address.clone() };
    let quote = shop.order.quote(&wanted).await.ok()?;
    features.note(EXPRESS, "offered");
    let place = if place == "first" { Place::First } else { Place::Below };
    Some(Offer { place, quote, to: remembered })
}

struct Remembered {
    name: CustomerName,
    address: Option<Note>,
    /// Whether the account keeps the address: the checkout's form has it among its choices then.
    kept: bool,
    /// The method's word and its name.
    pays_by: (&'static str, &'static str),
}

/// From the last order of this browser or account, and from the account itself, which knows better where somebody lives.
async fn remembered(visit: &Visit, shop: &Shop, accounts: &SharedAccounts) -> Option<Remembered> {
    let (addresses, orders) = futures::join!(checkout::addresses(visit, accounts), shop.order.list(None));
    let last = orders.ok().and_then(|(orders, _)| orders.into_iter().next());
    let kept = addresses.into_iter().next().map(|address| address.text);
    let is_kept = kept.is_some();
    let named = visit.name.as_deref().and_then(|name| CustomerName::parse(name).ok());
    let (name, address, method) = match last {
        Some(order) => (named.or(order.customer_name), kept.or(order.address), order.payment_method),
        None => (named.filter(|_| kept.is_some()), kept, None),
    };
    // Nobody pays with a test card without choosing it.
    let real = |word: &str| METHODS.iter().find(|(known, _)| *known == word && !known.starts_with("card-")).copied();
    let pays_by = method.as_deref().and_then(real).or_else(|| METHODS.first().copied())?;
    Some(Remembered { name: name?, address, kept: is_kept, pays_by })
}

/// The form: the same fields as the checkout's, filled in, to the same address. What goes wrong ends in the checkout.
pub fn form(offer: Offer, visit: &Visit) -> impl IntoView + use<> {
    let Offer { place, quote, to: Remembered { name, address, kept, pays_by: (method, paid) } } = offer;
    let (name, address) = (String::from(name), address.map(String::from));
    let to = match &address {
        Some(address) => format!("For {name}, to {address}. Paid by {}.", paid.to_lowercase()),
        None => format!("For {name}, handed over at the counter. Paid by {}.", paid.to_lowercase()),
    };
    let total = quote.total.to_string();
    let class = if place == Place::First { "button wide" } else { "button quiet wide" };
    view! {
        <form class="stack" method="post" action="/orders" data-once="">
            {checkout::order_fields(&quote)}
            <input type="hidden" name="customerName" value=name/>
            {address.map(|address| view! { <input type="hidden" name=if kept { "where" } else { "address" } value=address/> })}
            <input type="hidden" name="paymentMethod" value=method/>
            <input type="hidden" name="express" value="yes"/>
            <button class=class aria-describedby="express">"Order now · "{total}</button>
            <p class="hint" id="express">{to}" With delivery and all rules; nothing else to fill in."</p>
            {checkout::held(&quote, visit)}
        </form>
    }
}
