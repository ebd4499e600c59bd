//! A flag desk with three flags, or with all.

use super::{Fake, now};
use app::desk::FlagDesk;
use async_trait::async_trait;
use contract::flags::{Audience, FlagState, Flip, SetFlag, Variant};
use contract::{ApiError, Code};
use serde_json::{Value, json};

fn three() -> Vec<FlagState> {
    let state = |key: &str| FlagState {
        key: key.into(),
        description: "Adding to the cart waits, then fails.".into(),
        service: "cart".into(),
        route: "POST /cart/{id}/items".into(),
        expected: "Some additions answer 503 after two seconds; everything else is as before.".into(),
        audience_sentence: "One feature fails, the shop does not.".into(),
        default_variant: "off".into(),
        variant: "off".into(),
        variants: ["off", "low", "medium", "high"].map(|name| Variant { name: name.into(), value: json!({"errorRate": 5}) }).to_vec(),
        flip: None,
        signal: None,
    };
    ["cart-chaos-errors", "menu-item-failure", "middleware-unreachable"].map(state).to_vec()
}

/// Those that the platform has, for looking at.
fn all() -> Vec<FlagState> {
    let file: Value = serde_json::from_str(include_str!("../../../flags/feast.flagd.json")).unwrap();
    let state = |(key, flag): (&String, &Value)| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let about = |name: &str| text(&flag["metadata"][name]);
        let variants = flag["variants"].as_object().unwrap().iter();
        FlagState {
            key: key.clone(),
            description: about("description"),
            service: about("service"),
            route: about("route"),
            expected: about("expected"),
            audience_sentence: about("audience"),
            default_variant: text(&flag["defaultVariant"]),
            variant: text(&flag["defaultVariant"]),
            variants: variants.map(|(name, value)| Variant { name: name.clone(), value: value.clone() }).collect(),
            flip: None,
            signal: None,
        }
    };
    file["flags"].as_object().unwrap().iter().map(state).collect()
}

#[async_trait]
impl FlagDesk for Fake {
    async fn list(&self) -> Result<Vec<FlagState>, ApiError> {
        let world = self.0.lock().unwrap();
        let mut flags = if world.all_flags { all() } else { three() };
        for flag in &mut flags {
            if let Some((variant, flip)) = world.flips.get(&flag.key) {
                (flag.variant, flag.flip) = (variant.clone(), Some(flip.clone()));
            }
        }
        Ok(flags)
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
