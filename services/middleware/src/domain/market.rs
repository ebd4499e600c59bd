//! What `pricing-v2` and the demand surge look at: how often an item was ordered of late, and the weather.

use super::pricing::Rule;
use contract::{ItemId, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Demand is what was ordered within this time; a minute a slot.
const SLOTS: usize = 10;
const SLOT_MS: i64 = 60_000;

/// So many of one item within the time above are high demand.
pub const HIGH_DEMAND: u32 = 60;

/// Items remembered; beyond, new ones count as not in demand. Far more than all menus together hold.
const MAX_ITEMS: usize = 10_000;

/// How much of each item was ordered in the last ten minutes, as this process saw it. Replicas each see their share, which is enough to
/// tell a rush from a lull.
#[derive(Default)]
pub struct Demand(Mutex<HashMap<ItemId, Slots>>);

#[derive(Clone, Copy, Default)]
struct Slots {
    /// Number of the newest slot since 1970.
    newest: i64,
    counts: [u32; SLOTS],
}

impl Slots {
    /// Forgets what is older than the window.
    fn advance(&mut self, slot: i64) {
        let passed = usize::try_from(slot - self.newest).unwrap_or(0).min(SLOTS);
        for step in 1..=passed {
            self.counts[index(slot - (passed - step) as i64)] = 0;
        }
        self.newest = self.newest.max(slot);
    }
}

fn index(slot: i64) -> usize {
    usize::try_from(slot.rem_euclid(SLOTS as i64)).unwrap_or(0)
}

impl Demand {
    pub fn add(&self, item: &ItemId, quantity: u32, now: Timestamp) {
        let mut items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !items.contains_key(item) && items.len() >= MAX_ITEMS {
            return;
        }
        let slot = now.millis() / SLOT_MS;
        let slots = items.entry(item.clone()).or_default();
        slots.advance(slot);
        let count = &mut slots.counts[index(slot)];
        *count = count.saturating_add(quantity);
    }

    /// Ordered within the last ten minutes.
    pub fn of(&self, item: &ItemId, now: Timestamp) -> u32 {
        let mut items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        items.get_mut(item).map_or(0, |slots| {
            slots.advance(now.millis() / SLOT_MS);
            slots.counts.iter().sum()
        })
    }

    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The most ordered of any item within the last ten minutes.
    fn most(&self, now: Timestamp) -> u32 {
        let slot = now.millis() / SLOT_MS;
        let mut items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sums = items.values_mut().map(|slots| {
            slots.advance(slot);
            slots.counts.iter().sum()
        });
        sums.max().unwrap_or(0)
    }
}

/// The sky over a city.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    Sunny,
    Cloudy,
    Rain,
    Storm,
}

/// The weather of a city changes by the hour and follows from the seed, so that a run can be repeated.
pub fn weather(seed: u64, city: &str, now: Timestamp) -> Weather {
    // SplitMix64 over city and hour: evenly spread, and the same in every process.
    let hour = u64::try_from(now.millis() / 3_600_000).unwrap_or(0);
    let city = city.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mut mixed = seed.wrapping_add(city).wrapping_add(hour.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    match (mixed ^ (mixed >> 31)) % 10 {
        0..4 => Weather::Sunny,
        4..7 => Weather::Cloudy,
        7..9 => Weather::Rain,
        _ => Weather::Storm,
    }
}

impl Weather {
    fn rule(self) -> Option<Rule> {
        match self {
            Self::Sunny => Some(Rule::new("Sunny −3 %", 97)),
            Self::Cloudy => None,
            Self::Rain => Some(Rule::new("Rain +5 %", 105)),
            Self::Storm => Some(Rule::new("Storm +8 %", 108)),
        }
    }
}

/// The rules of the new algorithm for one item: demand, weather, popularity. Between −8 % and +24 % in all.
pub fn rules(demand: &Demand, item: &ItemId, sky: Weather, now: Timestamp) -> Vec<Rule> {
    let ordered = demand.of(item, now);
    let demanded = match ordered {
        0..20 => None,
        20..HIGH_DEMAND => Some(Rule::new("In demand +5 %", 105)),
        _ => Some(Rule::new("In high demand +10 %", 110)),
    };
    let most = demand.most(now);
    let popular = match ordered {
        _ if most < 5 => None,
        0 => Some(Rule::new("Try something new −5 %", 95)),
        _ if ordered == most => Some(Rule::new("Everybody's favourite +4 %", 104)),
        _ => None,
    };
    [demanded, sky.rule(), popular].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(1_763_632_800_000 + minute * MINUTE)
    }

    #[test]
    fn demand_is_forgotten_after_ten_minutes() {
        let (demand, latte) = (Demand::default(), ItemId::new("latte"));
        demand.add(&latte, 3, at(0));
        demand.add(&latte, 2, at(5));
        assert_eq!(demand.of(&latte, at(9)), 5);
        assert_eq!(demand.of(&latte, at(10)), 2);
        assert_eq!(demand.of(&latte, at(15)), 0);
        demand.add(&latte, 7, at(500));
        assert_eq!(demand.of(&latte, at(500)), 7);
        assert_eq!(demand.of(&ItemId::new("tea"), at(500)), 0);
    }

    #[test]
    fn the_weather_is_the_same_for_everybody_and_changes() {
        let hours = || (0..200).map(|hour| weather(7, "Berlin", at(hour * 60)));
        assert!(hours().eq(hours()));
        for sky in [Weather::Sunny, Weather::Cloudy, Weather::Rain, Weather::Storm] {
            assert!(hours().any(|seen| seen == sky), "{sky:?}");
        }
        assert!(!hours().eq((0..200).map(|hour| weather(8, "Berlin", at(hour * 60)))));
    }

    #[test]
    fn favourites_cost_more_and_what_nobody_orders_less() {
        let demand = Demand::default();
        let (latte, tea, mocha) = (ItemId::new("latte"), ItemId::new("tea"), ItemId::new("mocha"));
        demand.add(&latte, HIGH_DEMAND, at(0));
        demand.add(&mocha, 25, at(0));
        let percents = |item| rules(&demand, item, Weather::Cloudy, at(1)).iter().map(|rule| rule.percent).collect::<Vec<_>>();
        assert_eq!(percents(&latte), [110, 104]);
        assert_eq!(percents(&mocha), [105]);
        assert_eq!(percents(&tea), [95]);
    }
}
