//! Buying: a cart, one to three dishes of one restaurant, second thoughts, sometimes a quote, the order, its confirmation.

use crate::book::{Intent, Seen, Told, WantedLine, quantities};
use crate::run::End;
use crate::visit::{Ask, Failure, Visit};
use contract::cart::Cart;
use contract::id::path_segment;
use contract::menu::MenuItem;
use contract::order::{CartQuote, Order, OrderLine};
use contract::{CartId, ItemId, Money, QuoteId};
use goose::goose::GooseMethod;
use serde_json::json;

/// An order without a clear answer is asked for this many times more, with the same key.
const ORDER_RETRIES: u32 = 3;
const CHANGE_PERCENT: u64 = 30;
const LOOK_AT_CART_PERCENT: u64 = 50;
const QUOTE_PERCENT: u64 = 50;
const CONFIRM_PERCENT: u64 = 50;
/// Have it brought to an address, which costs the way; the others fetch it.
const ADDRESS_PERCENT: u64 = 50;
/// House numbers of the one long street they live in.
const HOUSES: u64 = 200;
/// Enough of one dish for the discount on five and more.
const MANY_PERCENT: u64 = 10;

/// The last one is gone, or the restaurant closed since its menu was read.
const UNSERVED: &[&str] = &["OUT_OF_STOCK", "RESTAURANT_CLOSED"];
/// An earlier try of the same order is still at work: a fair answer to a repetition, and only to that.
const UNSERVED_OR_IN_FLIGHT: &[&str] = &["OUT_OF_STOCK", "RESTAURANT_CLOSED", "IDEMPOTENCY_IN_FLIGHT"];

pub async fn purchase(visit: &mut Visit<'_>) -> Result<End, Failure> {
    let abandoned = visit.run.next_purchase_is_abandoned();
    let restaurant = visit.any_restaurant().await?;
    let menu: Vec<MenuItem> = visit.menu_of(&restaurant).await?.into_iter().filter(|item| item.in_stock).collect();
    visit.think().await;
    let mut basket = Basket::open(visit).await?;
    basket.fill(visit, &menu).await?;
    if visit.shopper.chance.percent(CHANGE_PERCENT) {
        visit.think().await;
        basket.change(visit).await?;
    }
    if visit.shopper.chance.percent(LOOK_AT_CART_PERCENT) {
        visit.think().await;
        basket.look(visit).await?;
    }
    visit.think().await;
    if abandoned {
        return Ok(End::Abandoned);
    }
    let quote = match visit.shopper.chance.percent(QUOTE_PERCENT) {
        true => Some(basket.quote(visit).await?),
        false => None,
    };
    if quote.is_some() {
        visit.think().await;
    }
    let told = basket.order(visit, quote.as_ref()).await?;
    if visit.shopper.chance.percent(CONFIRM_PERCENT) {
        visit.think().await;
        confirm(visit, &told).await?;
    }
    Ok(End::Completed)
}

/// A price that was shown.
struct Shown {
    id: QuoteId,
    total: Money,
}

/// The client's side of a cart.
struct Basket {
    id: CartId,
    lines: Vec<WantedLine>,
    address: Option<String>,
}

impl Basket {
    async fn open(visit: &mut Visit<'_>) -> Result<Self, Failure> {
        let ask = Ask { expect: &[201], ..Ask::new(GooseMethod::Post, "POST /api/cart", "/api/cart") };
        let empty = |cart: &Cart| if cart.items.is_empty() { Ok(()) } else { Err("a new cart is not empty") };
        let cart = visit.ask(ask, empty).await?.value;
        let chance = &mut visit.shopper.chance;
        let address = chance.percent(ADDRESS_PERCENT).then(|| format!("Orbit Road {}", chance.between(1, HOUSES)));
        Ok(Self { id: cart.id, lines: Vec::new(), address })
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/cart/{}{rest}", path_segment(self.id.as_str()))
    }

    /// Adds one to three different dishes.
    async fn fill(&mut self, visit: &mut Visit<'_>, menu: &[MenuItem]) -> Result<(), Failure> {
        let count = visit.shopper.chance.between(1, 3) as usize;
        let dishes: Vec<ItemId> = visit.shopper.chance.pick_some(menu, count).into_iter().map(|item| item.id.clone()).collect();
        for item_id in dishes {
            let many = visit.shopper.chance.percent(MANY_PERCENT);
            let quantity = if many { visit.shopper.chance.between(5, 6) } else { visit.shopper.chance.between(1, 3) };
            self.add(visit, WantedLine { item_id, quantity: quantity as u32 }).await?;
            visit.think().await;
        }
        if self.lines.is_empty() { Err(Failure::Wrong("nothing on the menu can be ordered")) } else { Ok(()) }
    }

    /// Adds a dish. When that fails for now, the client cannot know whether the dish is in: it waits as it was asked to and looks.
    async fn add(&mut self, visit: &mut Visit<'_>, line: WantedLine) -> Result<(), Failure> {
        let body = json!({"itemId": line.item_id, "quantity": line.quantity});
        let ask = Ask { expect: &[200, 201], ..Ask::post("POST /api/cart/{id}/items", self.path("/items"), body) };
        let mut wanted = self.lines.clone();
        wanted.push(line);
        match visit.ask(ask, |cart: &Cart| same_cart(cart, &self.id, &wanted)).await {
            Ok(_) => self.lines = wanted,
            Err(failure) if failure.retry_after().is_some() => {
                visit.wait_after(&failure).await;
                self.learn(visit).await?;
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// Another quantity for one dish, or none of it at all.
    async fn change(&mut self, visit: &mut Visit<'_>) -> Result<(), Failure> {
        let last = self.lines.len().saturating_sub(1) as u64;
        let at = visit.shopper.chance.between(0, last) as usize;
        let least = if self.lines.len() > 1 { 0 } else { 1 };
        let quantity = visit.shopper.chance.between(least, 4) as u32;
        let Some(item) = self.lines.get(at).map(|line| line.item_id.clone()) else { return Ok(()) };
        let mut wanted = self.lines.clone();
        match quantity {
            0 => drop(wanted.remove(at)),
            _ => wanted[at].quantity = quantity,
        }
        let path = self.path(&format!("/items/{}", path_segment(item.as_str())));
        let ask =
            Ask { body: Some(json!({"quantity": quantity})), ..Ask::new(GooseMethod::Patch, "PATCH /api/cart/{id}/items/{itemId}", path) };
        match visit.ask(ask, |cart: &Cart| same_cart(cart, &self.id, &wanted)).await {
            Ok(_) => self.lines = wanted,
            Err(failure) if failure.retry_after().is_some() => {
                visit.wait_after(&failure).await;
                self.learn(visit).await?;
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// The cart is what this client made of it.
    async fn look(&self, visit: &mut Visit<'_>) -> Result<(), Failure> {
        let ask = Ask::get("GET /api/cart/{id}", self.path(""));
        visit.ask(ask, |cart: &Cart| same_cart(cart, &self.id, &self.lines)).await.map(drop)
    }

    /// Takes the server's word for what is in the cart.
    async fn learn(&mut self, visit: &mut Visit<'_>) -> Result<(), Failure> {
        let ask = Ask::get("GET /api/cart/{id}", self.path(""));
        let same = |cart: &Cart| if cart.id == self.id { Ok(()) } else { Err("it is another cart") };
        let cart = visit.ask(ask, same).await?.value;
        self.lines = cart.items.into_iter().map(|line| WantedLine { item_id: line.item_id, quantity: line.quantity }).collect();
        Ok(())
    }

    async fn quote(&self, visit: &mut Visit<'_>) -> Result<Shown, Failure> {
        let body = json!({"cartId": self.id, "address": self.address});
        let ask = Ask { expect: &[200, 201], fair: UNSERVED, ..Ask::post("POST /api/quotes", "/api/quotes", body) };
        let sound = |quote: &CartQuote| {
            same_lines(&quote.lines, &self.lines, "the quote has other dishes than the cart")?;
            let fees: Money = quote.fees.iter().map(|charge| charge.amount).sum();
            let discounts: Money = quote.discounts.iter().map(|charge| charge.amount).sum();
            let adds_up = quote.subtotal + fees - discounts == quote.total;
            if adds_up { Ok(()) } else { Err("the quote does not add up") }
        };
        let quote = visit.ask(ask, sound).await?.value;
        Ok(Shown { id: quote.quote_id, total: quote.total })
    }

    /// Orders, and asks again with the same key as long as the answer is not clear. The intent is in the book before the first
    /// try and says at the end what the client saw.
    async fn order(&self, visit: &mut Visit<'_>, quote: Option<&Shown>) -> Result<Told, Failure> {
        let shopper = &mut *visit.shopper;
        let key = format!("{}-{}", shopper.name, shopper.intents.len() + 1);
        let mut body = json!({"customerName": shopper.name, "cartId": self.id, "specialInstructions": key, "address": self.address});
        if let Some(quote) = quote {
            body["quoteId"] = json!(quote.id);
        }
        let book_at = shopper.intents.len();
        shopper.intents.push(Intent {
            key: key.clone(),
            cart_id: self.id.clone(),
            lines: self.lines.clone(),
            seen: Seen::Unknown("never answered"),
        });
        let mut tries = 0;
        let (seen, outcome) = loop {
            let mut told = None;
            let fair = if tries == 0 { UNSERVED } else { UNSERVED_OR_IN_FLIGHT };
            let ask =
                Ask { expect: &[201], fair, idempotency_key: Some(&key), ..Ask::post("POST /api/orders", "/api/orders", body.clone()) };
            let customer = visit.shopper.name.clone();
            let sound = |order: &Order| {
                told = Some(Told::of(order));
                same_lines(&order.items, &self.lines, "the order has other dishes than the cart")?;
                if order.customer_name.as_ref().is_some_and(|name| name.as_str() != customer) {
                    return Err("the order is somebody else's");
                }
                let as_shown = quote.is_none_or(|quote| quote.total == order.total_price);
                if as_shown { Ok(()) } else { Err("the price differs from what was quoted") }
            };
            let outcome = visit.ask(ask, sound).await.map(drop);
            match (told, outcome) {
                // Also when the 201 was not sound: the client was told that it has an order.
                (Some(told), outcome) => break (Seen::Accepted(told.clone()), outcome.map(|()| told)),
                (None, Err(failure)) if tries < ORDER_RETRIES && failure.retry_after().is_some() => {
                    tries += 1;
                    visit.wait_after(&failure).await;
                }
                (None, Err(failure)) => break (seen_of(&failure), Err(failure)),
                (None, Ok(())) => break (Seen::Unknown("not understood"), Err(Failure::Wrong("not understood"))),
            }
        };
        if let Seen::Accepted(told) = &seen {
            visit.run.ordered();
            visit.shopper.latest = Some(told.order_id.clone());
        }
        if let Some(intent) = visit.shopper.intents.get_mut(book_at) {
            intent.seen = seen;
        }
        outcome
    }
}

/// What a client knows after its last try.
fn seen_of(failure: &Failure) -> Seen {
    match failure {
        Failure::NoReply(why) => Seen::Unknown(why),
        Failure::Status { code, .. } if code == "IDEMPOTENCY_IN_FLIGHT" => Seen::Unknown("still in flight"),
        Failure::Status { status, code, .. } => Seen::Refused { status: *status, code: code.clone() },
        Failure::Wrong(_) => Seen::Unknown("not understood"),
        Failure::Left => Seen::Unknown("never answered"),
    }
}

/// The confirmation says what the 201 said. By now the kitchen may be at work, so the status may be any.
async fn confirm(visit: &mut Visit<'_>, told: &Told) -> Result<(), Failure> {
    let ask = Ask::get("GET /api/orders/{id}", format!("/api/orders/{}", path_segment(told.order_id.as_str())));
    let same = |order: &Order| if Told::of(order) == *told { Ok(()) } else { Err("the order is not as it was answered") };
    visit.ask(ask, same).await.map(drop)
}

fn same_cart(cart: &Cart, id: &CartId, wanted: &[WantedLine]) -> Result<(), &'static str> {
    if cart.id != *id {
        return Err("it is another cart");
    }
    let has = quantities(cart.items.iter().map(|line| (&line.item_id, line.quantity)));
    if has == wanted_quantities(wanted) { Ok(()) } else { Err("the cart is not what was put into it") }
}

fn same_lines(lines: &[OrderLine], wanted: &[WantedLine], complaint: &'static str) -> Result<(), &'static str> {
    let has = quantities(lines.iter().map(|line| (&line.item_id, line.quantity)));
    if has == wanted_quantities(wanted) { Ok(()) } else { Err(complaint) }
}

fn wanted_quantities(wanted: &[WantedLine]) -> std::collections::BTreeMap<&ItemId, u32> {
    quantities(wanted.iter().map(|line| (&line.item_id, line.quantity)))
}
