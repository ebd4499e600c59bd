//! The checkout's form, with the price beside it.

use super::{OTHER, is_about_promotion};
use crate::extract::Fields;
use crate::ui::receipt::receipt;
use crate::ui::words::span;
use crate::visit::Visit;
use contract::account::Address;
use contract::order::CartQuote;
use contract::payment::{METHODS, method};
use contract::{ApiError, Code, CustomerName, Note};
use leptos::either::Either;
use leptos::prelude::*;

pub struct Shown {
    pub quote: CartQuote,
    pub typed: Fields,
    pub addresses: Vec<Address>,
    pub wrong: Option<ApiError>,
    pub why: Option<ApiError>,
}

/// Longest code anybody may type; real ones are a word.
const MAX_CODE_CHARS: usize = 40;

pub fn body(visit: &Visit, shown: Shown) -> impl IntoView + use<> {
    let Shown { quote, typed, addresses, wrong, why } = shown;
    let total = quote.total.to_string();
    let (heading, button) = if why.is_some() { ("A fresh price", "Order for ") } else { ("Checkout", "Place order · ") };
    let why = why.map(|error| view! { <p class="fresh">{reason(&error)}" Nothing was ordered. Here is what it costs now."</p> });
    let (hidden, held) = (order_fields(&quote), held(&quote, visit));
    let (name, wish) = (typed.get("customerName").to_owned(), typed.get("specialInstructions").to_owned());
    let at_name = wrong.as_ref().is_some_and(|error| error.code == Code::InvalidName).then_some("wrong");
    let mark = at_name.map(|_| "true");
    let at_promotion = wrong.as_ref().is_some_and(is_about_promotion);
    let wrong = wrong.map(|error| view! { <p class="wrong" id="wrong" role="alert">{sentence(&error, typed.get("promotion"))}</p> });
    let (above, beside) = if at_promotion { (None, wrong) } else { (wrong, None) };
    let code = typed.get("promotion").to_owned();
    view! {
        <div class="two-columns">
            <section class="panel" aria-labelledby="checkout-title">
                <h1 id="checkout-title">{heading}</h1>
                {why}
                <form class="stack" method="post" action="/orders" data-once="">
                    // The first button is what Enter presses: ordering, at the price that is shown or not at all.
                    <button class="sr-only" tabindex="-1" aria-hidden="true">"Place order"</button>
                    {hidden}
                    {above}
                    <label class="field">
                        <span>"Who is it for?"</span>
                        <input name="customerName" value=name required maxlength=CustomerName::MAX_CHARS autocomplete="name"
                            placeholder="Your name" aria-describedby=at_name aria-invalid=mark/>
                    </label>
                    {place(&typed, addresses)}
                    {payment(&typed)}
                    <label class="field">
                        <span>"A wish for the kitchen " <small>"(optional)"</small></span>
                        <textarea name="specialInstructions" rows="2" maxlength=Note::MAX_CHARS placeholder="Extra foam, no asteroids">{wish}</textarea>
                    </label>
                    <div class="code">
                        <label class="field">
                            <span>"Promotion code " <small>"(optional)"</small></span>
                            <input name="promotion" value=code maxlength=MAX_CODE_CHARS autocomplete="off" autocapitalize="characters" spellcheck="false"
                                aria-describedby=at_promotion.then_some("wrong") aria-invalid=at_promotion.then_some("true")/>
                        </label>
                        <button class="button quiet" id="update-price" formaction="/checkout" formnovalidate data-swap="">"Update price"</button>
                        {beside}
                        <p class="hint">"The price follows from address and code. If you change one of them, the order is not placed before you have seen the new price."</p>
                    </div>
                    <button class="button wide">{button}{total}</button>
                    <a class="button quiet wide" href="/cart">"Back to the cart"</a>
                </form>
            </section>
            <aside class="ticket" aria-label="Price">
                <h2>{if heading == "Checkout" { "Your price" } else { "The new price" }}</h2>
                {receipt(quote.lines, quote.fees, quote.discounts, quote.total)}
                {held}
            </aside>
        </div>
    }
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

const NO_ADDRESS: &str = "No address: handed over at the counter.";

/// One field for guests; for accounts their addresses to choose from, another one, or none.
fn place(typed: &Fields, saved: Vec<Address>) -> impl IntoView + use<> {
    let text = typed.get("address").to_owned();
    if saved.is_empty() {
        return Either::Left(view! {
            <label class="field">
                <span>"Where to? " <small>"(optional)"</small></span>
                <input name="address" value=text maxlength=Note::MAX_CHARS autocomplete="street-address" placeholder="Street and number" aria-describedby="no-address"/>
                <small id="no-address">{NO_ADDRESS}</small>
            </label>
        });
    }
    let chosen = typed.get("where").to_owned();
    let choice = |value: String, label: String, small: String, on: bool| {
        view! { <label class="choice"><input type="radio" name="where" value=value checked=on/><span>{label}" "<small>{small}</small></span></label> }
    };
    let choices: Vec<_> = saved
        .into_iter()
        .map(|address| {
            let text = String::from(address.text);
            let on = text == chosen;
            choice(text.clone(), address.label, text, on)
        })
        .collect();
    Either::Right(view! {
        <fieldset class="field where">
            <legend>"Where to?"</legend>
            {choices}
            {choice(OTHER.to_owned(), "Another address".to_owned(), String::new(), chosen == OTHER)}
            <input class="other" name="address" value=text maxlength=Note::MAX_CHARS autocomplete="street-address" placeholder="Street and number" aria-label="Another address"/>
            {choice(String::new(), "No address".to_owned(), "handed over at the counter".to_owned(), chosen.is_empty())}
        </fieldset>
    })
}

fn payment(typed: &Fields) -> impl IntoView + use<> {
    let chosen = method(typed.get("paymentMethod"));
    let choice = |(word, name): &(&'static str, &'static str)| {
        view! { <label class="choice"><input type="radio" name="paymentMethod" value=*word checked={*word == chosen}/><span>{*name}</span></label> }
    };
    let (test, real): (Vec<_>, Vec<_>) = METHODS.iter().partition(|(word, _)| word.starts_with("card-"));
    let open = chosen.starts_with("card-");
    view! {
        <fieldset class="field">
            <legend>"How do you pay?"</legend>
            {real.into_iter().map(choice).collect_view()}
            <details class="test-cards" open=open>
                <summary>"Test cards"</summary>
                <p class="hint">"They show what happens when a payment goes wrong. No real card is charged by any of these."</p>
                {test.into_iter().map(choice).collect_view()}
            </details>
        </fieldset>
    }
}

fn reason(error: &ApiError) -> &'static str {
    match error.code {
        Code::QuoteMismatch => "Cart, address or code have changed since the price was shown.",
        _ => "The price you saw was held for a few minutes, and those are over.",
    }
}

fn sentence(error: &ApiError, code: &str) -> String {
    match error.code {
        Code::InvalidName => format!("Please tell us who it is for, in up to {} ordinary characters.", CustomerName::MAX_CHARS),
        Code::PromotionUnknown => format!("We do not know the code “{code}”. Please check its spelling, or leave the field empty."),
        Code::PromotionNotApplicable => format!("The code “{code}” does not fit this order: {}.", error.message.trim_end_matches('.')),
        _ => format!("That did not work: {}.", error.message.trim_end_matches('.')),
    }
}
