//! What a line costs: rules in percent, multiplied in whole cents, rounded half up once a line.
//!
//! Version 1 knows the time of day; version 2 knows demand, weather and popularity instead. Bulk and surge hold for both.

use contract::Money;
use contract::Timestamp;
use contract::pricing::{LineRequest, PricedLine};
use jiff::tz::TimeZone;

/// This many of one item, or more, are cheaper.
pub const BULK_FROM: u32 = 5;

/// A factor in percent with the reason people are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub name: String,
    pub percent: i64,
}

impl Rule {
    pub fn new(name: impl Into<String>, percent: i64) -> Self {
        Self { name: name.into(), percent }
    }
}

/// By the restaurant's own clock: rush 07-09 and 12-13, quiet afternoon 14-16. The end of a range is not part of it.
pub fn time_of_day(hour: i8) -> Option<Rule> {
    match hour {
        7..9 | 12 => Some(Rule::new("Rush hour +10 %", 110)),
        14..16 => Some(Rule::new("Quiet afternoon −15 %", 85)),
        _ => None,
    }
}

pub fn bulk(quantity: u32) -> Option<Rule> {
    (quantity >= BULK_FROM).then(|| Rule::new("Five or more −10 %", 90))
}

/// Demand surge, whoever decided that there is one.
pub fn surge() -> Rule {
    Rule::new("High demand +20 %", 120)
}

/// The hour (0-23) at `now` in an IANA time zone; UTC when the zone is unknown.
pub fn local_hour(now: Timestamp, time_zone: &str) -> i8 {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    jiff::Timestamp::from_millisecond(now.millis()).map_or(0, |moment| moment.to_zoned(zone).hour())
}

/// Applies `rules`, then bulk, to one line.
pub fn price_line(line: &LineRequest, rules: impl IntoIterator<Item = Rule>) -> PricedLine {
    let rules: Vec<Rule> = rules.into_iter().chain(bulk(line.quantity)).collect();
    let numerator = rules.iter().map(|rule| rule.percent).product();
    let denominator = 100_i64.pow(u32::try_from(rules.len()).unwrap_or(0));
    PricedLine {
        item_id: line.item_id.clone(),
        quantity: line.quantity,
        base_price: line.base_price,
        total: line.base_price.times(line.quantity).ratio(numerator, denominator),
        rules: rules.into_iter().map(|rule| rule.name).collect(),
    }
}

/// All rules together as a factor, for people and for `priceMultiplier`.
pub fn multiplier(quantity: u32, hour: i8) -> f64 {
    [time_of_day(hour), bulk(quantity)].into_iter().flatten().map(|rule| rule.percent as f64 / 100.0).product()
}

pub fn subtotal(lines: &[PricedLine]) -> Money {
    lines.iter().map(|line| line.total).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(cents: i64, quantity: u32) -> LineRequest {
        LineRequest { item_id: "latte".into(), quantity, base_price: Money::from_cents(cents) }
    }

    fn at(line: &LineRequest, hour: i8) -> PricedLine {
        price_line(line, time_of_day(hour))
    }

    #[test]
    fn prices_follow_the_hours_of_the_restaurant() {
        for (hour, expected) in [(6, 599), (7, 659), (8, 659), (9, 599), (11, 599), (12, 659), (13, 599), (14, 509), (15, 509), (16, 599)] {
            assert_eq!(at(&line(599, 1), hour).total.cents(), expected, "at {hour}");
        }
    }

    #[test]
    fn five_of_one_item_are_ten_percent_cheaper_and_the_rules_combine() {
        assert_eq!(at(&line(599, 4), 10).total.cents(), 2_396);
        assert_eq!(at(&line(599, 5), 10).total.cents(), 2_696); // 2995 × 0.9 = 2695.5, half up
        assert_eq!(at(&line(599, 5), 8).total.cents(), 2_965); // 2995 × 1.1 × 0.9 = 2965.05
        assert_eq!(at(&line(599, 5), 8).rules.len(), 2);
        let surged = price_line(&line(599, 5), time_of_day(8).into_iter().chain([surge()]));
        assert_eq!(surged.total.cents(), 3_558); // 2995 × 1.1 × 1.2 × 0.9 = 3558.06
        assert_eq!(surged.rules, ["Rush hour +10 %", "High demand +20 %", "Five or more −10 %"]);
    }

    #[test]
    fn the_same_moment_is_another_hour_elsewhere() {
        let noon_utc = Timestamp::from_millis(1_763_640_000_000); // 2025-11-20T12:00:00Z
        assert_eq!((local_hour(noon_utc, "UTC"), local_hour(noon_utc, "Asia/Tokyo"), local_hour(noon_utc, "No/Where")), (12, 21, 12));
    }

    proptest! {
        /// The model: exact fractions in 128 bits.
        #[test]
        fn a_line_costs_what_exact_arithmetic_says(cents in 0i64..100_000, quantity in 1u32..=10, hour in 0i8..24, surged: bool) {
            let time = if (7..9).contains(&hour) || hour == 12 { 110 } else if (14..16).contains(&hour) { 85 } else { 100 };
            let bulk = if quantity >= 5 { 90 } else { 100 };
            let demand = if surged { 120 } else { 100 };
            let exact = i128::from(cents) * i128::from(quantity) * time * bulk * demand;
            let expected = (exact + 500_000).div_euclid(1_000_000);
            let rules = time_of_day(hour).into_iter().chain(surged.then(surge));
            prop_assert_eq!(i128::from(price_line(&line(cents, quantity), rules).total.cents()), expected);
        }
    }
}
