//! How long a cart lives when it is used now.

use super::TTL;
use runtime::business::tag;
use runtime::chaos::{Chaos, Injected};
use serde_json::Value;
use std::time::Duration;

/// The flag that makes carts live for a shorter time.
const FLAG: &str = "cart-ttl";

/// A cart's time begins anew with every use, and the flag decides how long it is then. So a cart that nobody touches keeps the time
/// it has, and the first use after the flag is off gives back the whole hour.
#[derive(Clone)]
pub struct Lifespan(Chaos);

impl Lifespan {
    pub fn new(chaos: Chaos) -> Self {
        Self(chaos)
    }

    /// The time from this use on; never longer than [`TTL`], never shorter than a second. `operation` is for the trace.
    pub(super) async fn time_left(&self, operation: &str) -> Duration {
        let Some(active) = self.0.domain(FLAG).await else { return TTL };
        let seconds = active.value.get("ttlSeconds").and_then(Value::as_u64).unwrap_or(TTL.as_secs());
        let ttl = Duration::from_secs(seconds.clamp(1, TTL.as_secs()));
        if ttl < TTL {
            self.0.mark(FLAG, Injected::Behaviour, operation);
            tag("feast.cart.lifetime", "short");
        }
        ttl
    }
}
