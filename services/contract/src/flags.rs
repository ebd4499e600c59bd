//! The operator's flag calls (`/api/flags`).

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Whom a flip reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", tag = "kind", content = "value")]
pub enum Audience {
    #[default]
    Everyone,
    /// Load generator traffic only.
    Synthetic,
    /// One browser, by its session id. An empty value means the browser that flips.
    Session(String),
    Restaurant(String),
    City(String),
    /// This share of sessions, 1-100.
    Percent(u8),
}

/// `PUT /api/flags/{key}`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SetFlag {
    #[cfg_attr(feature = "openapi", schema(examples("15-percent-after-2s")))]
    pub variant: String,
    /// Seconds until the flip ends by itself; 600 when absent, at most 86 400.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
}

/// A flag as operators see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FlagState {
    pub key: String,
    pub description: String,
    /// Where it acts, from the flag's metadata: service and route.
    pub service: String,
    pub route: String,
    /// What should be seen when it is on, for the presenter.
    pub expected: String,
    /// One sentence for the audience in the room.
    pub audience_sentence: String,
    pub default_variant: String,
    /// The variant in force now (the default when nothing is flipped).
    pub variant: String,
    pub variants: Vec<Variant>,
    /// Set while flipped by an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flip: Option<Flip>,
    /// What is measured to prove it. A variant may say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<Signal>,
}

impl FlagState {
    /// Whether the variant in force changes anything. Variants begin with the harmless one, which is `off` for nearly all flags.
    pub fn is_on(&self) -> bool {
        let disabled = |variant: &Variant| {
            variant.name == "off" || variant.value == Value::Bool(false) || variant.value.get("enabled") == Some(&Value::Bool(false))
        };
        let Some(harmless) = self.variants.first() else { return false };
        let Some(variant) = self.variants.iter().find(|variant| variant.name == self.variant) else { return false };
        // What is on by nature, a circuit breaker, is harmless while it is on, and a fault when it is off.
        let by_nature = !disabled(harmless) && harmless.name == self.default_variant;
        variant.name != harmless.name && (by_nature || !disabled(variant))
    }

    /// What proves this variant: the flag's signal with what the variant's value says otherwise.
    pub fn signal_of(&self, variant: &str) -> Option<Signal> {
        let value = self.variants.iter().find(|known| known.name == variant).map(|known| &known.value);
        self.signal.as_ref().map(|signal| signal.clone().with(|name| value.and_then(|value| value.get(name))))
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = FlagVariant))]
pub struct Variant {
    pub name: String,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Flip {
    pub audience: Audience,
    pub flipped_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What is measured to prove a flag: its fields `signal*`. Where a variant's value has a field of the same name, the variant's counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Signal {
    pub kind: SignalKind,
    #[serde(default)]
    pub direction: Direction,
    /// Of which service; `None` means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The matched path with its method (`POST /cart/{id}/items`) or a span's name (`order.place`); `None` means all requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// In words: "share of additions to carts that fail".
    pub says: String,
    /// `status` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `slow` only: the time in milliseconds that healthy requests stay under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// `calls` only: what the names of the counted spans begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// `tagged`: the span's attribute and its value. `level`: an attribute that the metric's points must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// `level` only: the metric's name as OpenTelemetry writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The change that is expected: a share (0.15), a number a request or a second, or a level in the metric's unit. Half of it is the
    /// least that counts as seen. The variant's field is `expect`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<f64>,
}

/// How a flag shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum SignalKind {
    /// Share of requests that answer 5xx.
    Errors,
    /// Share of requests with one status.
    Status,
    /// Share of requests slower than so many milliseconds.
    Slow,
    /// Spans of stores and calls a request.
    Calls,
    /// Share of spans with an attribute of a value.
    Tagged,
    /// A metric: the mean of a gauge, the rate a second of a sum.
    Level,
    /// Log lines a second.
    Lines,
}

/// Where the measured value goes while the flag is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    #[default]
    Up,
    Down,
}

impl Signal {
    /// Reads a flag's metadata. `None` when it has no `signal`, or one of no known kind.
    pub fn of<'v>(field: impl Fn(&str) -> Option<&'v Value>) -> Option<Self> {
        let kind = SignalKind::deserialize(field("signal")?).ok()?;
        let empty = Self {
            kind,
            direction: Direction::Up,
            service: None,
            route: None,
            says: String::new(),
            status: None,
            ms: None,
            call: None,
            attribute: None,
            value: None,
            metric: None,
            expect: None,
        };
        Some(empty.with(field))
    }

    /// With the fields that `field` knows in the place of its own. `*` means any.
    #[must_use]
    pub fn with<'v>(mut self, field: impl Fn(&str) -> Option<&'v Value>) -> Self {
        let text = |name: &str, own: Option<String>| match field(name).and_then(Value::as_str) {
            Some("*") => None,
            Some(text) => Some(text.to_owned()),
            None => own,
        };
        let number = |name: &str| field(name).and_then(Value::as_u64);
        if let Some(kind) = field("signal").and_then(|kind| SignalKind::deserialize(kind).ok()) {
            self.kind = kind;
        }
        if let Some(direction) = field("signalDirection").and_then(|direction| Direction::deserialize(direction).ok()) {
            self.direction = direction;
        }
        self.service = text("signalService", self.service);
        self.route = text("signalRoute", self.route);
        self.says = text("signalSays", Some(self.says)).unwrap_or_default();
        self.status = number("signalStatus").and_then(|status| u16::try_from(status).ok()).or(self.status);
        self.ms = number("signalMs").or(self.ms);
        self.call = text("signalCall", self.call);
        self.attribute = text("signalAttribute", self.attribute);
        self.value = text("signalValue", self.value);
        self.metric = text("signalMetric", self.metric);
        self.expect = field("expect").and_then(Value::as_f64).or(self.expect);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_variant_says_otherwise_where_it_says_something() {
        let metadata =
            json!({"signal": "slow", "signalService": "order", "signalRoute": "POST /orders", "signalMs": 250, "signalSays": "slow"});
        let state = FlagState {
            key: "store-slow".into(),
            description: String::new(),
            service: "*".into(),
            route: "*".into(),
            expected: String::new(),
            audience_sentence: String::new(),
            default_variant: "off".into(),
            variant: "off".into(),
            variants: vec![
                Variant { name: "all".into(), value: json!({"enabled": true}) },
                Variant {
                    name: "cart".into(),
                    value: json!({"signalService": "cart", "signalRoute": "*", "expect": 0.9, "signalMs": 900}),
                },
            ],
            flip: None,
            signal: Signal::of(|name| metadata.get(name)),
        };
        let all = state.signal_of("all").unwrap();
        assert_eq!((all.kind, all.direction, all.service.as_deref(), all.ms), (SignalKind::Slow, Direction::Up, Some("order"), Some(250)));
        assert_eq!((all.route.as_deref(), all.expect), (Some("POST /orders"), None));
        let cart = state.signal_of("cart").unwrap();
        assert_eq!((cart.service.as_deref(), cart.route, cart.ms, cart.expect), (Some("cart"), None, Some(900), Some(0.9)));
    }

    #[test]
    fn a_flag_is_on_when_it_is_not_as_harmless_as_it_can_be() {
        let state = |variants: &Value, default: &str, variant: &str| FlagState {
            key: "x".into(),
            description: String::new(),
            service: String::new(),
            route: String::new(),
            expected: String::new(),
            audience_sentence: String::new(),
            default_variant: default.into(),
            variant: variant.into(),
            variants: variants
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| Variant { name: name.clone(), value: value.clone() })
                .collect(),
            flip: None,
            signal: None,
        };
        let fault = json!({"off": {"enabled": false}, "x": {"enabled": true}, "y": {"enabled": false}});
        assert!(!state(&fault, "off", "off").is_on() && state(&fault, "off", "x").is_on() && !state(&fault, "off", "y").is_on());
        let breaker = json!({"0-on": {"enabled": true}, "off": {"enabled": false}});
        assert!(!state(&breaker, "0-on", "0-on").is_on() && state(&breaker, "0-on", "off").is_on());
        let product = json!({"off": false, "on": true});
        assert!(state(&product, "on", "on").is_on() && !state(&product, "on", "off").is_on());
    }

    #[test]
    fn a_flag_without_a_known_signal_has_none() {
        assert_eq!(Signal::of(|_| None), None);
        let odd = json!("noise");
        assert_eq!(Signal::of(|name| (name == "signal").then_some(&odd)), None);
    }
}
