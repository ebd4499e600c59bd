//! What flags do to deliveries: couriers stay home, and ride slowly in one city.
//!
//! Both are asked in the name of the order: of its customer, its restaurant and its city.

use crate::NAME;
use crate::domain::ride::Slowness;
use contract::Timestamp;
use runtime::business::is_among;
use runtime::chaos::{Chaos, Injected};
use runtime::context::{self, RequestContext};
use runtime::flags::Active;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

const NO_COURIERS: &str = "delivery-no-couriers";
const SLOWDOWN: &str = "delivery-regional-slowdown";

/// Where these faults are seen: the tick is what they act on.
const PLACE: &str = "tick deliveries";

/// Of which order a flag is asked.
#[derive(Clone, Copy)]
pub struct Whose<'a> {
    pub session: Option<&'a str>,
    pub synthetic: bool,
    pub restaurant: &'a str,
    pub city: &'a str,
}

#[derive(Clone)]
pub struct Faults {
    chaos: Chaos,
    /// Ways were begun slowly since the last time that nobody was slow.
    slowed: Arc<AtomicBool>,
    /// When it was last looked whose couriers stay home.
    looked_at_ms: Arc<AtomicI64>,
}

/// How often that is asked for everybody who waits, who may be thousands.
const LOOK_EVERY_MS: i64 = 1_000;

/// The share of the couriers who do not come for an order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Away {
    percent: f64,
}

impl Away {
    /// The same couriers every time, and more of them with a larger share.
    pub fn is_home(self, courier: &str) -> bool {
        is_among(courier, self.percent)
    }
}

impl Faults {
    pub fn new(chaos: Chaos) -> Self {
        Self { chaos, slowed: Arc::default(), looked_at_ms: Arc::new(AtomicI64::new(i64::MIN)) }
    }

    /// Whether couriers may stay home for anybody.
    pub fn anybody_away(&self) -> bool {
        self.chaos.flags().may_be_on(NO_COURIERS)
    }

    /// Whether couriers who stay home are to be looked for now; between two looks nobody is assigned.
    pub fn is_time_to_look(&self, now: Timestamp) -> bool {
        let is_time = now.millis() >= self.looked_at_ms.load(Ordering::Relaxed).saturating_add(LOOK_EVERY_MS);
        if is_time {
            self.looked_at_ms.store(now.millis(), Ordering::Relaxed);
        }
        is_time
    }

    /// Who does not come for this order; `None` when everybody does.
    pub async fn away(&self, whose: Whose<'_>) -> Option<Away> {
        let active = self.ask(NO_COURIERS, whose).await?;
        Some(Away { percent: active.value.get("awayPercent").and_then(Value::as_f64).unwrap_or(100.0) })
    }

    /// How slowly this order's courier rides.
    pub async fn slowness(&self, whose: Whose<'_>) -> Slowness {
        let Some(active) = self.ask(SLOWDOWN, whose).await else { return Slowness::NONE };
        let meant = active.value.get("city").and_then(Value::as_str);
        if meant.is_some_and(|city| city != whose.city) {
            return Slowness::NONE;
        }
        let slowness = active.value.get("times").and_then(Value::as_u64).map_or(Slowness::NONE, Slowness::times);
        if slowness != Slowness::NONE {
            self.slowed.store(true, Ordering::Relaxed);
        }
        slowness
    }

    /// True once after a slowdown: whoever is on the way should ride on at the usual speed. Who cannot see to it says so by [`Faults::still_slow`].
    pub fn should_hurry(&self) -> bool {
        !self.chaos.flags().may_be_on(SLOWDOWN) && self.slowed.swap(false, Ordering::Relaxed)
    }

    pub fn still_slow(&self) {
        self.slowed.store(true, Ordering::Relaxed);
    }

    /// Leaves the traces of what a tick was made to do.
    pub fn mark(&self, held: u32, slowed: usize) {
        if held > 0 {
            self.chaos.mark(NO_COURIERS, Injected::Behaviour, PLACE);
        }
        if slowed > 0 {
            self.chaos.mark(SLOWDOWN, Injected::Latency, PLACE);
        }
    }

    async fn ask(&self, flag: &str, whose: Whose<'_>) -> Option<Active> {
        if !self.chaos.flags().may_be_on(flag) {
            return None;
        }
        let context = RequestContext {
            service: NAME,
            session: whose.session.map(Into::into),
            synthetic: whose.synthetic,
            restaurant: Some(whose.restaurant.into()),
            city: Some(whose.city.into()),
            ..RequestContext::default()
        };
        context::scope(Arc::new(context), self.chaos.domain(flag)).await
    }
}

#[cfg(test)]
mod tests {
    use super::Away;

    #[test]
    fn half_of_the_couriers_of_a_city_are_about_half() {
        let couriers: Vec<String> = (1..=40).map(|n| format!("berlin-{n:02}")).collect();
        let home = |percent| couriers.iter().filter(|id| Away { percent }.is_home(id)).count();
        assert_eq!((home(0.0), home(100.0)), (0, 40));
        assert!((10..=30).contains(&home(50.0)), "{}", home(50.0));
        assert!(home(95.0) >= home(50.0));
    }
}
