//! What the shop offers to some and not to others: product flags, as pages ask for them.

use async_trait::async_trait;
use std::sync::Arc;

/// The one press that orders, in the cart.
pub const EXPRESS: &str = "checkout-express";

/// Evaluated for whoever asks. Pages work without: then there is nothing but what everybody gets.
#[async_trait]
pub trait Features: Send + Sync {
    /// The field of the variant that reaches whoever asks, as text; `None` when the flag is off for them.
    async fn of(&self, flag: &str, field: &str) -> Option<String>;

    /// Says about this visit what became of the express checkout: `offered`, `ordered`.
    fn note(&self, flag: &str, what: &'static str);
}

/// How handlers receive it.
pub type SharedFeatures = Arc<dyn Features>;
