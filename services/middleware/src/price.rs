//! What a whole cart costs: the flags, promotions and the state of the market, applied to the rules of the domain.

use crate::domain::pricing::{self, Rule};
use crate::domain::{charges, market};
use crate::routes::State;
use contract::pricing::{Charge, LineRequest, PricedLine, Way};
use contract::{ApiError, Money, RestaurantId};
use runtime::business::tag;
use runtime::chaos::Injected;
use runtime::context::{self, RequestContext};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

/// The flag that decides whether and when demand makes prices surge.
pub const SURGE: &str = "pricing-surge";

/// The flag that gives a share of the customers the new algorithm.
pub const VERSION_2: &str = "pricing-v2";

/// The product flag that makes the way to the door cost nothing.
pub const FREE_DELIVERY: &str = "free-delivery";

/// Below this stock, `pricing-surge` by stock sees a surge.
const SCARCE_BELOW: i64 = 50;

/// How often random surge strikes, when the flag's variant names no other share.
const RANDOM_PERCENT: f64 = 10.0;

/// A cart's price.
#[derive(Clone, Debug)]
pub struct Priced {
    pub lines: Vec<PricedLine>,
    pub fees: Vec<Charge>,
    pub discounts: Vec<Charge>,
    pub subtotal: Money,
    pub total: Money,
    /// "v1" or "v2"
    pub version: String,
}

/// What is asked to be priced.
pub struct Order<'a> {
    pub lines: &'a [LineRequest],
    pub time_zone: &'a str,
    pub promotion: Option<&'a str>,
    pub way: Option<&'a Way>,
    pub restaurant: Option<&'a RestaurantId>,
}

/// Whether demand makes prices surge, as the flag says.
enum Surge {
    Off,
    /// This cart was hit by chance.
    Everything,
    /// Items of which few are left.
    Scarce(HashMap<String, i64>),
    /// Items that many ordered of late.
    Demanded,
}

impl State {
    /// # Errors
    /// `PROMOTION_UNKNOWN`, `PROMOTION_NOT_APPLICABLE`; a store is down.
    pub async fn price(&self, order: &Order<'_>) -> Result<Priced, ApiError> {
        let now = self.clock.now();
        let surge = self.surge(order.lines).await?;
        let version_2 = self.chaos.domain(VERSION_2).await.is_some();
        let time_of_day = pricing::time_of_day(pricing::local_hour(now, order.time_zone));
        let sky = market::weather(self.seed, order.way.map_or(order.time_zone, |way| &way.city), now);
        let rules = |line: &LineRequest| -> Vec<Rule> {
            let mut rules =
                if version_2 { market::rules(&self.demand, &line.item_id, sky, now) } else { time_of_day.clone().into_iter().collect() };
            let surges = match &surge {
                Surge::Off => false,
                Surge::Everything => true,
                Surge::Scarce(levels) => levels.get(line.item_id.as_str()).is_some_and(|level| *level < SCARCE_BELOW),
                Surge::Demanded => self.demand.of(&line.item_id, now) >= market::HIGH_DEMAND,
            };
            if surges {
                self.chaos.mark(SURGE, Injected::Behaviour, "/quote");
                tag("feast.pricing.surge", "true");
                rules.push(pricing::surge());
            }
            rules
        };
        let lines: Vec<PricedLine> = order.lines.iter().map(|line| pricing::price_line(line, rules(line))).collect();
        let subtotal = pricing::subtotal(&lines);
        let delivery = match charges::delivery(order.way) {
            Some(fee) if self.is_on_the_house(order, subtotal).await => Some(charges::on_the_house(&fee)),
            fee => fee,
        };
        let discounts: Vec<Charge> = match order.promotion.map(str::trim).filter(|code| !code.is_empty()) {
            None => Vec::new(),
            Some(code) => {
                let promotion = self.promotions.find(code).await?;
                vec![charges::promotion(&promotion, subtotal, delivery.as_ref(), now)?]
            }
        };
        let fees: Vec<Charge> = delivery.into_iter().collect();
        let sum = |charges: &[Charge]| charges.iter().map(|charge| charge.amount).sum::<Money>();
        let total = subtotal + sum(&fees) - sum(&discounts);
        let version = if version_2 { "v2" } else { "v1" };
        tag("feast.pricing.algorithm", version);
        Ok(Priced { lines, fees, discounts, subtotal, total, version: version.to_owned() })
    }

    /// Whether the flag gives this order its way for nothing. Regions are those of the order, whoever asks.
    async fn is_on_the_house(&self, order: &Order<'_>, subtotal: Money) -> bool {
        if !self.chaos.flags().may_be_on(FREE_DELIVERY) {
            return false;
        }
        let asking = RequestContext::clone(&context::current());
        let city = order.way.map(|way| way.city.as_str().into()).or(asking.city.clone());
        let restaurant = order.restaurant.map(|id| id.as_str().into()).or(asking.restaurant.clone());
        let ordering = Arc::new(RequestContext { city, restaurant, ..asking });
        let Some(active) = context::scope(ordering, self.chaos.domain(FREE_DELIVERY)).await else { return false };
        let minimum = active.value.get("minimum").and_then(|minimum| Money::deserialize(minimum).ok()).unwrap_or_default();
        let free = subtotal >= minimum;
        if free {
            self.chaos.mark(FREE_DELIVERY, Injected::Behaviour, "/quote");
            tag("feast.delivery.free", "true");
        }
        free
    }

    async fn surge(&self, lines: &[LineRequest]) -> Result<Surge, ApiError> {
        let Some(active) = self.chaos.domain(SURGE).await else { return Ok(Surge::Off) };
        Ok(match active.value.get("by").and_then(serde_json::Value::as_str) {
            Some("stock") => {
                let ids: Vec<_> = lines.iter().map(|line| line.item_id.clone()).collect();
                let levels = self.stock.levels_of(&ids).await?;
                Surge::Scarce(levels.into_iter().map(|level| (level.item_id.to_string(), level.current_stock)).collect())
            }
            Some("demand") => Surge::Demanded,
            _ => {
                let percent = active.value.get("percent").and_then(serde_json::Value::as_f64).unwrap_or(RANDOM_PERCENT);
                if self.chance.percent(percent) { Surge::Everything } else { Surge::Off }
            }
        })
    }
}
