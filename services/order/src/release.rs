//! The release that should not have gone out: it takes the stock of an order and then fails, for some of the users.

use crate::State;
use contract::{ApiError, CartId, Code};
use runtime::business::{is_among, tag};
use runtime::chaos::Injected;
use runtime::context;
use serde_json::Value;

/// The flag that releases it. Off is the roll-back.
const FLAG: &str = "order-bad-release";

impl State {
    /// What the release in force does to an order whose stock is taken. `cart` stands for users without a session.
    ///
    /// # Errors
    /// This user is one of those for whom it fails. The order has to be given up.
    pub(crate) async fn released(&self, cart: &CartId) -> Result<(), ApiError> {
        let Some(active) = self.chaos.domain(FLAG).await else { return Ok(()) };
        tag("feast.order.release", "v2");
        let percent = active.value.get("percent").and_then(Value::as_f64).unwrap_or(100.0);
        let context = context::current();
        let user = context.session.as_deref().unwrap_or(cart.as_str());
        // Other users than those of another flag with the same share.
        if !is_among(&format!("{FLAG}/{user}"), percent) {
            return Ok(());
        }
        self.chaos.mark(FLAG, Injected::Error, "/api/orders");
        let mut error = ApiError::new(Code::FeatureFlagChaos, "the new release cannot do this; nothing was ordered and nothing is charged");
        error.flag = Some(FLAG.to_owned());
        // A defect is no overload: nobody is told when to come back.
        (error.status, error.retry_after_s) = (500, None);
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use crate::fakes::{Bench, STOCK, request};
    use crate::place::Placed;
    use contract::order::Order;
    use contract::{ApiError, CartId, Code};
    use runtime::context::{self, RequestContext};
    use std::sync::Arc;
    use testkit::flip;

    async fn place(bench: &Bench, session: Option<&str>, cart: &CartId) -> Result<Order, ApiError> {
        let context = Arc::new(RequestContext { session: session.map(Into::into), ..RequestContext::default() });
        match context::scope(context, bench.state.place(request(cart), Some(format!("key-{cart}")))).await? {
            Placed::New(order) | Placed::Replayed(order) => Ok(order),
        }
    }

    #[tokio::test]
    async fn the_bad_release_takes_nothing_and_after_the_roll_back_the_same_press_goes_through() {
        let bench = Bench::new().await;
        let cart = bench.world.cart("c");
        flip(&bench.platform, "order-bad-release", "everybody");
        for _ in 0..3 {
            let error = place(&bench, Some("ada"), &cart).await.unwrap_err();
            assert_eq!((error.code, error.status, error.retry_after_s), (Code::FeatureFlagChaos, 500, None));
            assert_eq!(error.flag.as_deref(), Some("order-bad-release"));
        }
        assert_eq!((bench.world.left(), bench.orders().await.len(), bench.unfinished().await.len()), (STOCK, 0, 0));
        flip(&bench.platform, "order-bad-release", "off");
        place(&bench, Some("ada"), &cart).await.unwrap();
        assert_eq!((bench.world.left(), bench.orders().await.len()), (STOCK - 2, 1));
    }

    #[tokio::test]
    async fn the_bad_release_fails_for_the_same_users_every_time() {
        let bench = Bench::new().await;
        flip(&bench.platform, "order-bad-release", "50-percent-of-users");
        let (mut failing, mut placed) = (0, 0);
        for user in 0..40 {
            let session = format!("session-{user}");
            let mut outcomes = Vec::new();
            for n in 0..3 {
                let cart = bench.world.cart(&format!("c-{user}-{n}"));
                outcomes.push(place(&bench, Some(&session), &cart).await.is_ok());
            }
            assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{session}: {outcomes:?}");
            if outcomes[0] { placed += 3 } else { failing += 1 }
        }
        assert!((8..=32).contains(&failing), "{failing} of 40");
        assert_eq!((bench.orders().await.len(), bench.world.left()), (placed, STOCK - 2 * placed as i64));
        // Without a session the cart stands for the user: a repeated request fails again.
        let cart = bench.world.cart("alone");
        let first = place(&bench, None, &cart).await.is_ok();
        assert_eq!(place(&bench, None, &cart).await.is_ok(), first);
    }
}
