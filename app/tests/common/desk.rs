//! A flag desk with three flags.

use super::{Fake, now};
use app::desk::FlagDesk;
use async_trait::async_trait;
use contract::flags::{Audience, FlagState, Flip, SetFlag, Variant};
use contract::{ApiError, Code};
use serde_json::json;

#[async_trait]
impl FlagDesk for Fake {
    async fn list(&self) -> Result<Vec<FlagState>, ApiError> {
        let world = self.0.lock().unwrap();
        let flags = ["cart-chaos-errors", "menu-item-failure", "middleware-unreachable"];
        let state = |key: &str| {
            let flip = world.flips.get(key);
            FlagState {
                key: key.into(),
                description: "Adding to the cart waits, then fails.".into(),
                service: "cart".into(),
                route: "POST /cart/{id}/items".into(),
                expected: "Some additions answer 503 after two seconds; everything else is as before.".into(),
                audience_sentence: "One feature fails, the shop does not.".into(),
                default_variant: "off".into(),
                variant: flip.map_or("off".into(), |(variant, _)| variant.clone()),
                variants: ["off", "low", "medium", "high"]
                    .map(|name| Variant { name: name.into(), value: json!({"errorRate": 5}) })
                    .to_vec(),
                flip: flip.map(|(_, flip)| flip.clone()),
                signal: None,
            }
        };
        Ok(flags.iter().map(|key| state(key)).collect())
    }

    async fn set(&self, key: &str, flip: SetFlag) -> Result<FlagState, ApiError> {
        let (now, end) = (now(), now() + std::time::Duration::from_secs(flip.ttl_seconds.unwrap_or(600)));
        let state = Flip { audience: flip.audience.unwrap_or(Audience::Everyone), flipped_at: now, expires_at: end };
        self.0.lock().unwrap().flips.insert(key.into(), (flip.variant, state));
        self.list().await?.into_iter().find(|flag| flag.key == key).ok_or_else(|| ApiError::new(Code::FlagNotFound, "no"))
    }

    async fn clear(&self, key: &str) -> Result<(), ApiError> {
        self.0.lock().unwrap().flips.remove(key);
        Ok(())
    }

    async fn clear_all(&self) -> Result<(), ApiError> {
        self.0.lock().unwrap().flips.clear();
        Ok(())
    }
}
