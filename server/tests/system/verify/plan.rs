//! Which flags are tried when, and what the platform needs for that.

use std::time::Duration;

/// A flag and its variant.
pub type Flip = (&'static str, &'static str);

/// The dish that everybody orders.
pub const DISH: &str = "nebula-latte";

/// Flips that do not meet each other. The first may need to know what is usual; the others show where there is nothing while they are off.
pub type Wave = &'static [Flip];

/// One variant of every flag, mild ones first.
pub const SUITE: &[Wave] = &[
    &[
        ("order-history-n-plus-one", "1-query-an-order"),
        ("pricing-v2", "on"),
        ("free-delivery", "every-order"),
        ("cart-ttl", "30-seconds"),
        ("checkout-express", "first"),
        ("menu-item-failure", "galaxy-mocha"),
    ],
    &[("delivery-regional-slowdown", "berlin-5-times"), ("pricing-surge", "random-10-percent")],
    &[("delivery-no-couriers", "nobody-rides"), ("order-lost-reply", "20-percent")],
    &[("events-lag", "2-s"), ("cart-chaos-errors", "15-percent-after-2s")],
    &[("payment-slow", "1-s")],
    &[("notification-memory-leak", "100-fold"), ("store-down", "cart")],
    &[("menu-cache-off", "half"), ("payment-failure", "50-percent")],
    &[("cart-slow", "300-ms"), ("order-bad-release", "50-percent-of-users")],
    &[("log-flood", "100-lines-a-request"), ("middleware-unreachable", "30-percent")],
    &[("cpu-burn", "100-percent-of-a-core"), ("payment-unreachable", "all")],
    &[("ssr-slow", "500-ms"), ("store-flaky", "20-percent")],
    &[("assets-slow", "300-ms"), ("inventory-shortage", "sold-out")],
    &[("store-slow", "order-300-ms")],
    &[("db-pool-exhaustion", "one-left")],
    &[("load-users", "10-users"), ("readiness-failure", "order")],
    &[("load-paused", "on"), ("rate-limit-tight", "every-second")],
    &[("circuit-breaker", "off")],
];

/// What has to be broken, for so long, before a flag can show anything.
pub fn needs(flag: &str) -> Option<(Flip, Duration)> {
    // A breaker does nothing while everybody answers. What is usual then has to be learnt.
    (flag == "circuit-breaker").then_some((("middleware-unreachable", "hangs"), Duration::from_secs(10)))
}

/// What an operator does to the stock of [`DISH`] while a variant is on, every second: the shelf is emptied by a great many customers.
pub fn stock(flag: &str, variant: &str) -> Option<i64> {
    match (flag, variant) {
        ("inventory-shortage", _) => Some(0),
        ("pricing-surge", "by-stock") => Some(30),
        _ => None,
    }
}

/// How long a variant may take to show, and to be gone. Queues do not grow and go at once.
pub fn patience(flag: &str) -> Duration {
    match flag {
        "delivery-no-couriers" | "events-lag" => Duration::from_secs(60),
        _ => Duration::from_secs(15),
    }
}

/// Leaves a queue behind that drains for a while: until then nothing is as usual. A minute is looked at.
pub fn leaves_a_queue(flag: &str) -> bool {
    matches!(flag, "delivery-no-couriers" | "events-lag")
}

/// What acts without a fault on any request: a new algorithm, another number of users. Their first effect is the proof itself.
pub fn is_unmarked(flag: &str) -> bool {
    matches!(flag, "pricing-v2" | "load-users" | "load-paused")
}

/// What happens seldom is touched late: the time between two occasions.
pub fn seldom(flag: &str) -> Duration {
    match flag {
        // Agents ask once a second what to do, and what they do is measured once a second.
        flag if is_unmarked(flag) => Duration::from_secs(5),
        // One cart in ten; one order in five.
        "pricing-surge" | "order-lost-reply" | "order-bad-release" | "payment-failure" => Duration::from_secs(4),
        // The shelf has to be emptied first; deliveries, browsers and pages come by every few seconds.
        "inventory-shortage" | "delivery-regional-slowdown" | "checkout-express" => Duration::from_secs(6),
        // Half of them at home is felt when the other half is on its way, and a ride takes that long.
        "delivery-no-couriers" => Duration::from_secs(20),
        _ => Duration::from_secs(1),
    }
}
