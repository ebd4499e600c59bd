//! Product flags for pages, asked in the name of whoever looks.

use app::features::Features;
use async_trait::async_trait;
use runtime::business::tag;
use runtime::chaos::{Chaos, Injected};
use serde_json::Value;

pub struct Offered(pub Chaos);

#[async_trait]
impl Features for Offered {
    async fn of(&self, flag: &str, field: &str) -> Option<String> {
        let active = self.0.domain(flag).await?;
        Some(active.value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    fn note(&self, flag: &str, what: &'static str) {
        tag("feast.checkout.express", what);
        // What was offered may be taken after the flag is off, and is no effect of it then.
        if self.0.flags().may_be_on(flag) {
            self.0.mark(flag, Injected::Behaviour, what);
        }
    }
}
