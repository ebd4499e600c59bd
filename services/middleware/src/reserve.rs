//! Quotes and reservations of whole carts: price, check, take, in one round trip each.

use crate::domain::stock::{Shortage, Take};
use crate::domain::{pricing, validation};
use crate::routes::State;
use crate::store::{QUOTE_TTL, Reserved};
use contract::pricing::{PricedLine, Quote, QuoteRequest, Reservation, ReservationRequest, ReservationState};
use contract::{ApiError, Code, ItemId, QuoteId};
use opentelemetry::KeyValue;
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

    pub async fn quote(&self, request: &QuoteRequest) -> Result<Quote, ApiError> {
        validation::check_lines(&request.lines)?;
        pricing::check_promotion(request.promotion.as_deref())?;
        let now = self.clock.now();
        let hour = pricing::local_hour(now, &request.time_zone);
        let lines: Vec<PricedLine> = request.lines.iter().map(|line| pricing::price_line(line, hour)).collect();
        let total = pricing::total(&lines);
        let quote = Quote {
            quote_id: QuoteId::new(uuid::Uuid::new_v4().to_string()),
            lines,
            fees: Vec::new(),
            discounts: Vec::new(),
            subtotal: total,
            total,
            expires_at: now + QUOTE_TTL,
            pricing: "v1".to_owned(),
        };
        self.quotes.put(&quote).await?;
        Ok(quote)
    }

    pub async fn reserve(&self, request: ReservationRequest) -> Result<Reservation, ApiError> {
        validation::check_lines(&request.lines)?;
        pricing::check_promotion(request.promotion.as_deref())?;
        let lines = self.priced(&request).await?;
        let shortage = self.shortage().await;
        if let Some(line) = lines.iter().find(|line| !shortage.sells(&line.item_id)) {
            self.chaos.mark(SHORTAGE, Injected::Behaviour, "/reservations");
            return Err(self.out_of_stock(&line.item_id, 0));
        }
        let takes: Vec<Take> =
            lines.iter().map(|line| Take::draw(line.item_id.clone(), i64::from(line.quantity), &shortage, &self.chance)).collect();
        let total = pricing::total(&lines);
        let reservation = Reservation {
            order_id: request.order_id,
            state: ReservationState::Reserved,
            lines,
            fees: Vec::new(),
            discounts: Vec::new(),
            subtotal: total,
            total,
            pricing: "v1".to_owned(),
        };
        match self.stock.reserve(&reservation, &takes).await? {
            Reserved::New { refills } => {
                self.takes.add(takes.len() as u64, &[KeyValue::new("feast.outcome", "taken")]);
                self.refills.add(refills, &[]);
                Ok(reservation)
            }
            Reserved::Before(before) => Ok(before),
            Reserved::OutOfStock { item, left } => Err(self.out_of_stock(&item, left)),
            Reserved::Released => Err(ApiError::new(Code::ReservationReleased, "this order gave up its reservation")),
        }
    }

    /// The quote's prices when there is one that fits, today's prices otherwise.
    async fn priced(&self, request: &ReservationRequest) -> Result<Vec<PricedLine>, ApiError> {
        let Some(id) = &request.quote_id else {
            let hour = pricing::local_hour(self.clock.now(), &request.time_zone);
            return Ok(request.lines.iter().map(|line| pricing::price_line(line, hour)).collect());
        };
        let expired = || ApiError::new(Code::QuoteExpired, "the quoted price is no longer valid");
        let quote = self.quotes.get(id).await?.filter(|quote| quote.expires_at > self.clock.now()).ok_or_else(expired)?;
        let fits = quote.lines.len() == request.lines.len()
            && request
                .lines
                .iter()
                .all(|line| quote.lines.iter().any(|quoted| quoted.item_id == line.item_id && quoted.quantity == line.quantity));
        if !fits {
            return Err(ApiError::new(Code::QuoteMismatch, "the cart has changed since its price was quoted"));
        }
        Ok(quote.lines)
    }

    fn out_of_stock(&self, item: &ItemId, left: i64) -> ApiError {
        self.takes.add(1, &[KeyValue::new("feast.outcome", "out_of_stock")]);
        let message = if left > 0 { format!("only {left} of {item} are left") } else { format!("{item} is sold out") };
        ApiError::new(Code::OutOfStock, message)
    }
}
