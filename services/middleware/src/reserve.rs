//! Quotes and reservations of whole carts: price, check, take, in one round trip each.

use crate::domain::stock::{Shortage, Take};
use crate::domain::validation;
use crate::price::{Order, Priced};
use crate::routes::State;
use crate::store::{QUOTE_TTL, Reserved, normal};
use contract::pricing::{LineRequest, PricedLine, Quote, QuoteRequest, Reservation, ReservationRequest, ReservationState};
use contract::{ApiError, Code, ItemId, QuoteId};
use opentelemetry::KeyValue;
use runtime::business::tag;
use runtime::chaos::Injected;

/// The flag that stops refills and may sell out one item.
pub const SHORTAGE: &str = "inventory-shortage";

impl State {
    /// What chaos says about stock right now.
    pub async fn shortage(&self) -> Shortage {
        match self.chaos.domain(SHORTAGE).await {
            None => Shortage::None,
            Some(active) => match active.value.get("itemId").and_then(serde_json::Value::as_str) {
                Some(item) => Shortage::SoldOut(item.into()),
                None => Shortage::NoReplenishment,
            },
        }
    }

    pub async fn quote(&self, request: QuoteRequest) -> Result<Quote, ApiError> {
        validation::check_lines(&request.lines)?;
        let order = Order {
            lines: &request.lines,
            time_zone: &request.time_zone,
            promotion: request.promotion.as_deref(),
            way: request.way.as_ref(),
            restaurant: request.restaurant_id.as_ref(),
        };
        let priced = self.price(&order).await?;
        let quote = Quote {
            quote_id: QuoteId::new(uuid::Uuid::new_v4().to_string()),
            lines: priced.lines,
            fees: priced.fees,
            discounts: priced.discounts,
            subtotal: priced.subtotal,
            total: priced.total,
            expires_at: self.clock.now() + QUOTE_TTL,
            pricing: priced.version,
            promotion: request.promotion.as_deref().and_then(normal),
            way: request.way,
        };
        self.quotes.put(&quote).await?;
        Ok(quote)
    }

    pub async fn reserve(&self, request: ReservationRequest) -> Result<Reservation, ApiError> {
        validation::check_lines(&request.lines)?;
        let priced = self.priced(&request).await?;
        let shortage = self.shortage().await;
        if let Some(line) = priced.lines.iter().find(|line| !shortage.sells(&line.item_id)) {
            self.chaos.mark(SHORTAGE, Injected::Behaviour, "/reservations");
            return Err(self.out_of_stock(&line.item_id, 0));
        }
        let draw = |line: &PricedLine| Take::draw(line.item_id.clone(), i64::from(line.quantity), &shortage, &self.chance);
        let takes: Vec<Take> = priced.lines.iter().map(draw).collect();
        let reservation = Reservation {
            order_id: request.order_id,
            state: ReservationState::Reserved,
            lines: priced.lines,
            fees: priced.fees,
            discounts: priced.discounts,
            subtotal: priced.subtotal,
            total: priced.total,
            pricing: priced.version,
        };
        match self.stock.reserve(&reservation, &takes).await? {
            Reserved::New { refills } => {
                let now = self.clock.now();
                reservation.lines.iter().for_each(|line| self.demand.add(&line.item_id, line.quantity, now));
                self.takes.add(takes.len() as u64, &[KeyValue::new("feast.outcome", "taken")]);
                self.refills.add(refills, &[]);
                if refills > 0 {
                    tag("feast.stock.refilled", "true");
                }
                Ok(reservation)
            }
            Reserved::Before(before) => Ok(before),
            Reserved::OutOfStock { item, left } => {
                if !matches!(shortage, Shortage::None) {
                    self.chaos.mark(SHORTAGE, Injected::Behaviour, "/reservations");
                }
                Err(self.out_of_stock(&item, left))
            }
            Reserved::Released => Err(ApiError::new(Code::ReservationReleased, "this order gave up its reservation")),
        }
    }

    /// The quote's price when there is one that fits, today's price otherwise.
    async fn priced(&self, request: &ReservationRequest) -> Result<Priced, ApiError> {
        let Some(id) = &request.quote_id else {
            let order = Order {
                lines: &request.lines,
                time_zone: &request.time_zone,
                promotion: request.promotion.as_deref(),
                way: request.way.as_ref(),
                restaurant: request.restaurant_id.as_ref(),
            };
            return self.price(&order).await;
        };
        let expired = || ApiError::new(Code::QuoteExpired, "the quoted price is no longer valid");
        let quote = self.quotes.get(id).await?.filter(|quote| quote.expires_at > self.clock.now()).ok_or_else(expired)?;
        let mismatch = |what: &str| Err(ApiError::new(Code::QuoteMismatch, format!("{what} since its price was quoted")));
        let quoted =
            |line: &LineRequest| quote.lines.iter().any(|quoted| quoted.item_id == line.item_id && quoted.quantity == line.quantity);
        if quote.lines.len() != request.lines.len() || !request.lines.iter().all(quoted) {
            return mismatch("the cart has changed");
        }
        if quote.way != request.way {
            return mismatch("the address has changed");
        }
        // Whoever names the quote need not repeat its promotion.
        if let Some(code) = request.promotion.as_deref().and_then(normal)
            && quote.promotion.as_ref() != Some(&code)
        {
            return mismatch("the promotion has changed");
        }
        tag("feast.pricing.algorithm", quote.pricing.clone());
        Ok(Priced {
            lines: quote.lines,
            fees: quote.fees,
            discounts: quote.discounts,
            subtotal: quote.subtotal,
            total: quote.total,
            version: quote.pricing,
        })
    }

    fn out_of_stock(&self, item: &ItemId, left: i64) -> ApiError {
        self.takes.add(1, &[KeyValue::new("feast.outcome", "out_of_stock")]);
        let message = if left > 0 { format!("only {left} of {item} are left") } else { format!("{item} is sold out") };
        ApiError::new(Code::OutOfStock, message)
    }
}
