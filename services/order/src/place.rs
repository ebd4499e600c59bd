//! How a cart becomes an order: intent, cart, prices, reservation, commit.
//!
//! Whatever happens in between, one of two things is true at the end: the order stands and its stock is taken, or there is no order
//! and no stock is missing. The intent row is written first and turned into the order by compare-and-set in the same transaction that
//! stores the order and its outbox event; giving up goes through the state `aborting`, after which a late commit fails.

use crate::store::{Begun, Intent, NewOrder, Whose};
use crate::{State, owner_key};
use contract::cart::Cart;
use contract::geo::locate;
use contract::menu::{ItemsReply, MenuItem, Restaurant};
use contract::order::{CartQuote, Order, OrderLine, OrderStatus, PlaceOrder, QuoteCart, Step};
use contract::pricing::{LineRequest, PricedLine, QuoteRequest, Reservation, ReservationRequest, Way};
use contract::{ApiError, CartId, Code, ItemId, Note, OrderId, Timestamp, payment};
use opentelemetry::KeyValue;
use runtime::business::tag;
use runtime::context;
use runtime::telemetry::propagation;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tracing::{Instrument, Span};

/// The outcome of a request to order.
pub enum Placed {
    New(Order),
    /// The same request was answered before; this is that answer.
    Replayed(Order),
}

impl State {
    pub async fn place(&self, request: PlaceOrder, key: Option<String>) -> Result<Placed, ApiError> {
        let now = self.clock.now();
        let intent = intent(&request, key, now)?;
        Span::current().record("order.id", intent.order_id.as_str());
        Span::current().record("cart.id", request.cart_id.as_str());
        let mut begun = self.book.begin(&intent).await?;
        if let Begun::GivenUp(before) = &begun {
            // Whoever asks again need not wait for the sweeper.
            self.abandon(before).await?;
            begun = self.book.begin(&intent).await?;
        }
        match begun {
            Begun::Started => {}
            Begun::Replay(order) => return Ok(Placed::Replayed(*order)),
            Begun::InFlight | Begun::GivenUp(_) => {
                return Err(ApiError::new(Code::IdempotencyInFlight, "this order is being placed; ask again in a moment"));
            }
            Begun::OtherBody => return Err(ApiError::new(Code::IdempotencyMismatch, "this Idempotency-Key was used with another body")),
            Begun::CartOrdered(order) => {
                return Err(ApiError::new(Code::CartAlreadyOrdered, format!("this cart became order {order} already")));
            }
        }
        // A task of its own, because what has begun is brought to its end also when the customer hangs up.
        let (state, id) = (self.clone(), intent.order_id);
        let work = context::scope(context::current(), async move { state.fulfil(&request, &id, now).await });
        match tokio::spawn(work.in_current_span()).await.unwrap_or_else(|_| Err(ApiError::internal())) {
            Ok(order) => Ok(Placed::New(order)),
            Err(error) => {
                self.metrics.refused.add(1, &[KeyValue::new("error.type", error.code.as_str())]);
                Err(error)
            }
        }
    }

    async fn fulfil(&self, request: &PlaceOrder, id: &OrderId, now: Timestamp) -> Result<Order, ApiError> {
        let draft = match self.draft(&request.cart_id, request.address.as_ref()).await {
            Ok(draft) => draft,
            Err(error) => {
                // Nothing was reserved: the intent can go as if it had never been. If the store is down, the sweeper does it.
                let _ = self.book.discard(id).await;
                return Err(error);
            }
        };
        let reservation = ReservationRequest {
            order_id: id.clone(),
            lines: draft.lines(),
            time_zone: draft.restaurant.time_zone.clone(),
            quote_id: request.quote_id.clone(),
            restaurant_id: Some(draft.restaurant.id.clone()),
            promotion: request.promotion.clone(),
            way: draft.way.clone(),
        };
        let reserved = match self.middleware.reserve(&reservation).await {
            Ok(reserved) => reserved,
            Err(error) => {
                // Even a refused connection may have been a lost reply: releasing what was never taken is harmless.
                let _ = self.abandon(id).await;
                return Err(error);
            }
        };
        if let Err(error) = self.released(&request.cart_id).await {
            let _ = self.abandon(id).await;
            return Err(error);
        }
        let order = draft.order(request, id, reserved, now);
        let context = context::current();
        let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        let whose = Whose {
            owner: owner_key(&context),
            session: text(&context.session),
            user: text(&context.user),
            synthetic: context.synthetic,
            traceparent: propagation::traceparent(&Span::current()),
        };
        match self.book.commit(&NewOrder { order: order.clone(), cart_id: request.cart_id.clone(), whose }).await {
            Ok(true) => {
                self.accepted(&order, &draft.cart, now);
                Ok(order)
            }
            Ok(false) => {
                let _ = self.abandon(id).await;
                Err(ApiError::new(Code::ServiceUnavailable, "the order took too long and was given up; nothing was charged"))
            }
            Err(error) => {
                // The answer of the store was lost, perhaps not the commit: only compare-and-set knows.
                let _ = self.abandon(id).await;
                match self.book.find(id).await {
                    Ok(Some(record)) => Ok(record.order),
                    _ => Err(error.into()),
                }
            }
        }
    }

    fn accepted(&self, order: &Order, cart: &Cart, now: Timestamp) {
        tag("feast.order.status", order.status.as_str());
        self.moved(&[(order.id.clone(), OrderStatus::Pending)]);
        self.metrics.revenue.add(u64::try_from(order.total_price.cents()).unwrap_or(0), &[]);
        self.metrics.cart_items.record(u64::from(cart.count()), &[]);
        self.metrics.cart_duration.record(now.since(cart.created_at).as_secs_f64(), &[]);
        tracing::info!(order.id = %order.id, restaurant.id = %order.restaurant_id, total_cents = order.total_price.cents(), "Accepted order {}", order.id);
    }

    /// Gives an order up and its stock back. What cannot be done now, the sweeper does, or whoever asks again.
    ///
    /// # Errors
    /// The order book or the middleware service is down.
    pub async fn abandon(&self, id: &OrderId) -> Result<(), ApiError> {
        let later = |error: &dyn std::fmt::Display| tracing::warn!(order.id = %id, %error, "Order {id} is given up later, by the sweeper");
        match self.book.abort(id).await {
            Ok(true) => {}
            // The order stands, or the row is gone: nothing to give back.
            Ok(false) => return Ok(()),
            Err(error) => {
                later(&error);
                return Err(error.into());
            }
        }
        self.middleware.release(id).await.inspect_err(|error| later(error))?;
        Ok(self.book.forget(id).await.inspect_err(|error| later(error))?)
    }

    pub async fn quote(&self, request: &QuoteCart) -> Result<CartQuote, ApiError> {
        let draft = self.draft(&request.cart_id, request.address.as_ref()).await?;
        let quote = QuoteRequest {
            lines: draft.lines(),
            time_zone: draft.restaurant.time_zone.clone(),
            restaurant_id: Some(draft.restaurant.id.clone()),
            promotion: request.promotion.clone(),
            way: draft.way.clone(),
        };
        let quote = self.middleware.quote(&quote).await?;
        Ok(CartQuote {
            quote_id: quote.quote_id.clone(),
            cart_id: request.cart_id.clone(),
            restaurant_id: draft.restaurant.id.clone(),
            lines: draft.named(&quote.lines),
            fees: quote.fees,
            discounts: quote.discounts,
            subtotal: quote.subtotal,
            total: quote.total,
            expires_at: quote.expires_at,
        })
    }

    /// Reads the cart and what the menu says of its items now.
    async fn draft(&self, cart_id: &CartId, address: Option<&Note>) -> Result<Draft, ApiError> {
        let cart = self.carts.get(cart_id).await?;
        let Some(restaurant_id) = cart.restaurant_id.clone().filter(|_| !cart.items.is_empty()) else {
            return Err(ApiError::new(Code::CartEmpty, "the cart is empty"));
        };
        let ids: Vec<&ItemId> = cart.items.iter().map(|line| &line.item_id).collect();
        let ItemsReply { items: menu, restaurants } = self.menu.items(&ids).await?;
        for line in &cart.items {
            match menu.iter().find(|item| item.id == line.item_id) {
                Some(item) if item.in_stock => {}
                Some(item) => return Err(ApiError::new(Code::OutOfStock, format!("{} is not served today", item.name))),
                None => return Err(ApiError::item_not_found(&line.item_id)),
            }
        }
        let restaurant = restaurants.into_iter().find(|restaurant| restaurant.id == restaurant_id);
        let restaurant = restaurant.ok_or_else(|| ApiError::restaurant_not_found(&restaurant_id))?;
        if restaurant.paused || !restaurant.open {
            return Err(ApiError::new(Code::RestaurantClosed, format!("{} takes no orders right now", restaurant.name)));
        }
        let way = said(address).map(|address| Way {
            city: restaurant.city.clone(),
            from: restaurant.location,
            to: locate(&restaurant.city, address.as_str()),
        });
        Ok(Draft { cart, menu, restaurant, way })
    }
}

/// What was written, unless it is nothing.
fn said(note: Option<&Note>) -> Option<Note> {
    note.filter(|note| !note.as_str().trim().is_empty()).cloned()
}

/// A cart joined with its menu.
struct Draft {
    cart: Cart,
    menu: Vec<MenuItem>,
    restaurant: Restaurant,
    /// To the address, when there is one.
    way: Option<Way>,
}

impl Draft {
    /// Prices are the menu's; the cart's copies are for display.
    fn lines(&self) -> Vec<LineRequest> {
        let price = |id: &ItemId| self.menu.iter().find(|item| item.id == *id).map(|item| item.base_price);
        let lines = self.cart.items.iter().filter_map(|line| {
            Some(LineRequest { item_id: line.item_id.clone(), quantity: line.quantity, base_price: price(&line.item_id)? })
        });
        lines.collect()
    }

    /// Lines with the names of the menu and the choices of the cart.
    fn named(&self, lines: &[PricedLine]) -> Vec<OrderLine> {
        let named = lines.iter().map(|line| {
            let item = self.menu.iter().find(|item| item.id == line.item_id);
            let (name, emoji) =
                item.map_or_else(|| (line.item_id.to_string(), String::new()), |item| (item.name.clone(), item.emoji.clone()));
            let choice = self.cart.items.iter().find(|chosen| chosen.item_id == line.item_id).and_then(|chosen| chosen.choice.clone());
            OrderLine { choice, ..OrderLine::from_priced(line, name, emoji) }
        });
        named.collect()
    }

    fn order(&self, request: &PlaceOrder, id: &OrderId, reservation: Reservation, now: Timestamp) -> Order {
        Order {
            id: id.clone(),
            customer_name: Some(request.customer_name.clone()),
            restaurant_id: self.restaurant.id.clone(),
            restaurant_name: self.restaurant.name.clone(),
            items: self.named(&reservation.lines),
            total_price: reservation.total,
            subtotal: reservation.subtotal,
            fees: reservation.fees,
            discounts: reservation.discounts,
            status: OrderStatus::Pending,
            timestamp: now,
            updated_at: now,
            city: self.restaurant.city.clone(),
            history: vec![Step { status: OrderStatus::Pending, at: now }],
            reason: None,
            payment_method: Some(payment::method(request.payment_method.as_ref().map_or("", Note::as_str)).to_owned()),
            promotion: request.promotion.clone().filter(|code| !code.trim().is_empty()),
            pricing: Some(reservation.pricing).filter(|pricing| !pricing.is_empty()),
            from: Some(self.restaurant.location),
            to: self.way.as_ref().map(|way| way.to),
            special_instructions: said(request.special_instructions.as_ref()),
            address: said(request.address.as_ref()),
        }
    }
}

/// Longest key anybody needs.
const MAX_KEY_CHARS: usize = 200;

fn intent(request: &PlaceOrder, key: Option<String>, now: Timestamp) -> Result<Intent, ApiError> {
    if key.as_ref().is_some_and(|key| key.is_empty() || key.chars().count() > MAX_KEY_CHARS) {
        return Err(ApiError::new(Code::InvalidBody, format!("an Idempotency-Key has 1 to {MAX_KEY_CHARS} characters")));
    }
    let body = serde_json::to_vec(request).map_err(|_| ApiError::internal())?;
    let context = context::current();
    let millis = u64::try_from(now.millis()).unwrap_or(0);
    let order_id = uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, millis / 1_000, (millis % 1_000) as u32 * 1_000_000));
    Ok(Intent {
        order_id: OrderId::new(order_id.to_string()),
        scope: context.client.as_deref().unwrap_or("direct").to_owned(),
        // Without a key, sending the same cart again is the same request.
        key: key.unwrap_or_else(|| format!("cart:{}", request.cart_id)),
        cart_id: request.cart_id.clone(),
        body_hash: Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect(),
        at: now,
    })
}

#[cfg(test)]
mod tests;
