//! Who may call what, how long it may take, and how often it may be tried. There is no retry outside this table.

use super::breaker::{FAILURES_TO_OPEN, OPEN_FOR};
use std::time::Duration;

/// Calls to one service that may be in flight at once from one process (the bulkhead).
pub const MAX_IN_FLIGHT: usize = 1_024;

/// Wait before the n-th retry is n times this.
pub const BACK_OFF: Duration = Duration::from_millis(25);

/// A body that is passed on as it comes is given up when nothing of it has come for so long. Longer than the pause between two signs of
/// life on a stream of events (15 s); an order's or a restaurant's page is there at once.
pub const STREAM_IDLE: Duration = Duration::from_secs(20);

/// The rule for one call.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// `service.call`
    pub name: &'static str,
    /// Longest wait for the response, its body included, in milliseconds; the caller's own deadline shortens it. Of an answer that is
    /// passed on as it comes, this is for the head, and [`STREAM_IDLE`] for each piece of the body.
    pub timeout_ms: u64,
    /// How often it is sent at most. More than once only when idempotent.
    pub attempts: u32,
    /// Sending it twice has the same outcome as sending it once.
    pub idempotent: bool,
}

impl Policy {
    pub const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// Calls to its service that may be in flight at once from one process.
    pub const fn bulkhead(&self) -> usize {
        MAX_IN_FLIGHT
    }

    /// When calls to its service stop being made, in words; the same for all.
    pub fn breaker(&self) -> String {
        format!("after {FAILURES_TO_OPEN} failures in a row, for {} ms", OPEN_FOR.as_millis())
    }
}

const fn once(name: &'static str, timeout_ms: u64) -> Policy {
    Policy { name, timeout_ms, attempts: 1, idempotent: false }
}

const fn again(name: &'static str, timeout_ms: u64) -> Policy {
    Policy { name, timeout_ms, attempts: 2, idempotent: true }
}

/// Every call there is.
pub const POLICIES: &[Policy] = &[
    again("menu.restaurants", 2_000),
    again("menu.restaurant_menu", 2_000),
    again("menu.item", 2_000),
    again("menu.items", 2_000),
    // Creating twice leaves an empty cart behind that expires; adding twice adds twice.
    once("cart.create", 2_000),
    again("cart.get", 2_000),
    once("cart.add_item", 5_000),
    again("cart.set_quantity", 5_000),
    again("cart.remove_item", 5_000),
    again("cart.delete", 2_000),
    again("middleware.quote", 2_000),
    // Idempotent by the order's id.
    again("middleware.reserve", 3_000),
    again("middleware.confirm", 3_000),
    again("middleware.release", 3_000),
    again("middleware.inventory", 2_000),
    again("middleware.set_stock", 2_000),
    again("order.quote", 4_000),
    // Idempotent by key, but the decision to repeat is the client's: it shows what a lost reply means.
    once("order.place", 8_000),
    again("order.get", 3_000),
    again("order.list", 3_000),
    again("order.customers", 3_000),
    once("order.set_status", 3_000),
    // Staff write what they see: a second write of the same is the same, a second item is not.
    once("menu.add_item", 3_000),
    again("menu.change_restaurant", 3_000),
    again("menu.replace_item", 3_000),
    again("menu.change_item", 3_000),
    again("menu.delete_item", 3_000),
    again("menu.recommendations", 2_000),
    again("menu.figures", 3_000),
    again("middleware.promotions", 2_000),
    again("middleware.put_promotion", 2_000),
    again("middleware.pricing_variants", 2_000),
    // A second attempt would find the order moved and answer 409.
    once("order.cancel", 3_000),
    again("order.board", 3_000),
    again("order.set_autopilot", 3_000),
    again("order.claim", 3_000),
    // Hashing a password takes its time on purpose, and waits for its turn.
    once("user.sign_up", 8_000),
    once("user.log_in", 8_000),
    once("user.change_password", 8_000),
    again("user.session", 2_000),
    again("user.log_out", 2_000),
    again("user.bearer", 4_000),
    again("user.account", 2_000),
    again("user.change_profile", 3_000),
    again("user.demo", 2_000),
    once("user.demo_log_in", 3_000),
    again("user.reset", 8_000),
    again("payment.get", 2_000),
    again("payment.settlement", 5_000),
    again("delivery.get", 2_000),
    again("delivery.couriers", 2_000),
    again("delivery.courier", 2_000),
    again("delivery.set_courier", 2_000),
    again("delivery.advance", 3_000),
    again("notification.messages", 2_000),
    again("notification.preferences", 2_000),
    again("notification.set_preferences", 2_000),
    again("order.ledger", 3_000),
    again("menu.ledger", 3_000),
    again("middleware.ledger", 3_000),
    again("payment.ledger", 3_000),
    again("delivery.ledger", 3_000),
    again("notification.ledger", 3_000),
    again("upkeep.lag", 2_000),
    again("upkeep.parked", 3_000),
    again("upkeep.replay", 5_000),
    // Resetting twice leaves the same as resetting once.
    again("upkeep.reset", 8_000),
    Policy { name: "health.ready", timeout_ms: 900, attempts: 1, idempotent: true },
    // What the gateway passes on from outside is repeated by whoever sent it, never by us.
    once("gateway.proxy", 9_000),
];

/// The rule for a call by name. A call nobody wrote a rule for is sent once, with the shortest time-out.
pub fn policy(name: &str) -> &'static Policy {
    const UNKNOWN: Policy = once("unknown", 1_000);
    static FALLBACK: Policy = UNKNOWN;
    POLICIES.iter().find(|policy| policy.name == name).unwrap_or(&FALLBACK)
}

#[cfg(test)]
mod tests {
    use super::POLICIES;

    #[test]
    fn only_idempotent_calls_are_ever_sent_twice() {
        for policy in POLICIES {
            assert!(policy.attempts == 1 || policy.idempotent, "{}", policy.name);
        }
    }

    #[test]
    fn names_are_unique_and_time_outs_are_shorter_than_the_gateways() {
        let gateway = super::policy("gateway.proxy").timeout_ms;
        for (at, policy) in POLICIES.iter().enumerate() {
            assert!(POLICIES[at + 1..].iter().all(|other| other.name != policy.name), "{}", policy.name);
            assert!(policy.timeout_ms <= gateway, "{}", policy.name);
        }
    }
}
