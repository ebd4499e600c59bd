//! A flagd document: read, checked and completed.

use flagd_evaluation_engine::{FeatureFlag, FlagParser};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The definitions that are compiled in: every flag of the product, all off.
pub const BUILT_IN: &str = include_str!("../../../../flags/feast.flagd.json");

/// The variant every flag starts with, and the one that changes nothing.
pub const OFF: &str = "off";

#[derive(Debug, thiserror::Error)]
pub enum DefinitionsError {
    #[error("the flag definitions are not JSON")]
    Json(#[from] serde_json::Error),
    #[error("the flag definitions are not in flagd's format: {0}")]
    Shape(String),
}

/// A whole flagd document. Every flag in it can be evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Definitions {
    document: Map<String, Value>,
}

impl Definitions {
    pub fn built_in() -> Self {
        static PARSED: LazyLock<Definitions> = LazyLock::new(|| match Definitions::read(BUILT_IN, |_, _| {}) {
            Ok(definitions) => definitions,
            Err(error) => {
                tracing::error!(%error, "The built-in flag definitions cannot be read; there are no flags");
                Definitions { document: Map::from_iter([("flags".to_owned(), Value::Object(Map::new()))]) }
            }
        });
        PARSED.clone()
    }

    /// Reads a document of any source. A flag that cannot be evaluated is left out, which is off, and told to `left_out` with the
    /// reason; the others live. Metadata that a source does not repeat comes from the built-in definitions, because the chaos
    /// layer needs it.
    ///
    /// # Errors
    /// The text is not JSON, or holds no flags: nothing of it can be used.
    pub fn parse(text: &str, left_out: impl FnMut(&str, &str)) -> Result<Self, DefinitionsError> {
        let mut definitions = Self::read(text, left_out)?;
        if let Some(Value::Object(flags)) = definitions.document.get_mut("flags") {
            for (key, flag) in flags {
                borrow_metadata(key, flag);
            }
        }
        Ok(definitions)
    }

    fn read(text: &str, mut left_out: impl FnMut(&str, &str)) -> Result<Self, DefinitionsError> {
        let mut document: Map<String, Value> = serde_json::from_str(text)?;
        let Some(Value::Object(flags)) = document.get_mut("flags") else {
            return Err(DefinitionsError::Shape("there is no object \"flags\"".to_owned()));
        };
        flags.retain(|key, flag| match check(flag) {
            Ok(()) => true,
            Err(reason) => {
                left_out(key, reason);
                false
            }
        });
        Ok(Self { document })
    }

    pub fn flag(&self, key: &str) -> Option<&Map<String, Value>> {
        self.flags()?.get(key)?.as_object()
    }

    pub fn flag_mut(&mut self, key: &str) -> Option<&mut Map<String, Value>> {
        self.document.get_mut("flags")?.get_mut(key)?.as_object_mut()
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.document).unwrap_or_default()
    }

    fn flags(&self) -> Option<&Map<String, Value>> {
        self.document.get("flags")?.as_object()
    }
}

/// What the engine makes of a flag that has no `defaultVariant`, which it cannot read itself.
pub const NO_DEFAULT: &str = "";

impl Definitions {
    /// What the engine makes of each flag, with shared rules (`$evaluators`) put in their places; a sentence where it makes nothing of
    /// it. One by one, because the engine refuses a whole document for one wrong flag.
    pub fn for_engine(&self) -> impl Iterator<Item = (&str, Result<FeatureFlag, String>)> {
        const EVALUATORS: &str = "$evaluators";
        let evaluators = self.document.get(EVALUATORS).cloned().unwrap_or_default();
        self.flags().into_iter().flatten().map(move |(key, flag)| {
            let mut flag = flag.clone();
            if let Some(flag) = flag.as_object_mut().filter(|flag| flag.get("defaultVariant").is_none_or(Value::is_null)) {
                flag.insert("defaultVariant".to_owned(), NO_DEFAULT.into());
            }
            let document = json!({EVALUATORS: evaluators, "flags": {key: flag}}).to_string();
            let read = FlagParser::parse_string(&document).map_err(|error| error.to_string());
            let found = read.and_then(|mut parsed| parsed.flags.remove(key).ok_or_else(|| "the engine passed it over".to_owned()));
            (key.as_str(), found)
        })
    }
}

/// The variant a flag has when nothing targets anybody.
pub fn default_variant(flag: &Map<String, Value>) -> &str {
    flag.get("defaultVariant").and_then(Value::as_str).unwrap_or(OFF)
}

/// A flag's targeting rule; an empty one is none.
pub fn targeting(flag: &Map<String, Value>) -> Option<&Value> {
    flag.get("targeting").filter(|rule| !rule.is_null() && rule.as_object().is_none_or(|rule| !rule.is_empty()))
}

pub fn has_variant(flag: &Map<String, Value>, variant: &str) -> bool {
    flag.get("variants").and_then(|variants| variants.get(variant)).is_some()
}

/// Says why a flag cannot be evaluated.
fn check(flag: &Value) -> Result<(), &'static str> {
    let flag = flag.as_object().ok_or("it is not an object")?;
    if !matches!(flag.get("state").and_then(Value::as_str), Some("ENABLED" | "DISABLED")) {
        return Err("its state is neither ENABLED nor DISABLED");
    }
    if !flag.get("variants").is_some_and(Value::is_object) {
        return Err("it has no variants");
    }
    match flag.get("defaultVariant") {
        // flagd reads this as "the default of the code", and with us that is off.
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(variant)) if has_variant(flag, variant) => Ok(()),
        Some(_) => Err("its default variant is not one of its variants"),
    }
}

fn borrow_metadata(key: &str, flag: &mut Value) {
    let built_in = Definitions::built_in();
    let Some(known) = built_in.flag(key).and_then(|flag| flag.get("metadata")).and_then(Value::as_object) else { return };
    let Some(flag) = flag.as_object_mut() else { return };
    let own = flag.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(own) = own {
        for (name, value) in known {
            own.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::flags::{Signal, SignalKind};

    #[test]
    fn the_built_in_definitions_hold_every_flag_default_off_with_its_metadata() {
        let definitions = Definitions::parse(BUILT_IN, |key, reason| panic!("{key}: {reason}")).unwrap();
        let flags = definitions.flags().unwrap();
        let keys: Vec<&str> = flags.keys().map(String::as_str).collect();
        let expected = [
            "assets-slow",
            "cart-chaos-errors",
            "cart-slow",
            "cart-ttl",
            "checkout-express",
            "circuit-breaker",
            "cpu-burn",
            "db-pool-exhaustion",
            "delivery-no-couriers",
            "delivery-regional-slowdown",
            "events-lag",
            "free-delivery",
            "inventory-shortage",
            "load-paused",
            "load-users",
            "log-flood",
            "menu-cache-off",
            "menu-item-failure",
            "middleware-unreachable",
            "notification-memory-leak",
            "order-bad-release",
            "order-history-n-plus-one",
            "order-lost-reply",
            "payment-failure",
            "payment-slow",
            "payment-unreachable",
            "pricing-surge",
            "pricing-v2",
            "rate-limit-tight",
            "readiness-failure",
            "ssr-slow",
            "store-down",
            "store-flaky",
            "store-slow",
        ];
        assert_eq!(keys, expected);
        for (key, flag) in flags {
            let flag = flag.as_object().unwrap();
            let metadata = &flag["metadata"];
            let neutral = metadata["neutral"].as_str().unwrap_or(OFF);
            assert_eq!(default_variant(flag), neutral, "{key}");
            assert_eq!(flag["state"], "ENABLED", "{key}");
            assert!(targeting(flag).is_none(), "{key}");
            assert_eq!(flag["variants"][OFF], serde_json::json!({"enabled": false}), "{key}");
            let graded = flag["variants"].as_object().unwrap();
            let switch = ["pricing-v2", "load-paused"].contains(&key.as_str());
            assert!(graded.len() >= if switch { 2 } else { 3 }, "{key} has grades");
            assert!(graded.iter().all(|(name, value)| name == OFF || value["enabled"] == true), "{key}");
            for name in ["description", "service", "route", "expected", "audience", "point", "signalSays", "signalService"] {
                assert!(metadata[name].as_str().is_some_and(|text| !text.is_empty()), "{key} says its {name}");
            }
            for (variant, value) in graded.iter().filter(|(name, _)| *name != neutral) {
                let signal = Signal::of(|name| metadata.get(name)).map(|signal| signal.with(|name| value.get(name)));
                let signal = signal.unwrap_or_else(|| panic!("{key} has a signal"));
                let whole = match signal.kind {
                    SignalKind::Errors | SignalKind::Lines => true,
                    SignalKind::Status => signal.status.is_some(),
                    SignalKind::Slow => signal.ms.is_some(),
                    SignalKind::Calls => signal.call.is_some(),
                    SignalKind::Tagged => signal.attribute.is_some() && signal.value.is_some(),
                    SignalKind::Level => signal.metric.is_some() && signal.attribute.is_some() == signal.value.is_some(),
                };
                assert!(whole, "{key} {variant}: {signal:?}");
                assert!(signal.expect.is_none_or(|expect| expect > 0.0), "{key} {variant}");
            }
            // flagd's schema: metadata is flat.
            assert!(metadata.as_object().unwrap().values().all(|value| !value.is_object() && !value.is_array()), "{key}");
            let allowed = ["state", "defaultVariant", "variants", "targeting", "metadata"];
            assert!(flag.keys().all(|name| allowed.contains(&name.as_str())), "{key}");
        }
    }

    #[test]
    fn the_documentation_names_every_flag_with_its_variants() {
        let documentation = include_str!("../../../../docs/flags.md");
        let definitions = Definitions::built_in();
        for (key, flag) in definitions.flags().unwrap() {
            let row =
                documentation.lines().find(|line| line.starts_with(&format!("| `{key}` |"))).unwrap_or_else(|| panic!("{key} is missing"));
            let neutral = flag["metadata"]["neutral"].as_str().unwrap_or(OFF);
            for variant in flag["variants"].as_object().unwrap().keys().filter(|name| *name != neutral) {
                assert!(row.contains(variant), "{key} {variant}");
            }
        }
    }

    #[test]
    fn a_flag_that_cannot_be_evaluated_is_left_out_and_the_others_live() {
        let text = r#"{"flags": {
            "no-default": {"state": "ENABLED", "variants": {"off": {"enabled": false}}},
            "null-default": {"state": "ENABLED", "defaultVariant": null, "variants": {"off": {"enabled": false}}},
            "wrong-default": {"state": "ENABLED", "defaultVariant": "x", "variants": {"off": {"enabled": false}}},
            "no-variants": {"state": "ENABLED", "defaultVariant": "off"},
            "odd-state": {"state": "on", "defaultVariant": "off", "variants": {"off": {"enabled": false}}}
        }}"#;
        let mut left_out = Vec::new();
        let definitions = Definitions::parse(text, |key, _| left_out.push(key.to_owned())).unwrap();
        left_out.sort();
        assert_eq!(left_out, ["no-variants", "odd-state", "wrong-default"]);
        assert!(definitions.flag("no-default").is_some() && definitions.flag("null-default").is_some());
    }

    #[test]
    fn a_rule_that_refers_to_nothing_takes_no_other_flag_along() {
        let text = r#"{"flags": {
            "lost": {"state": "ENABLED", "defaultVariant": "off", "variants": {"off": {"enabled": false}}, "targeting": {"$ref": "nowhere"}},
            "found": {"state": "ENABLED", "defaultVariant": "off", "variants": {"off": {"enabled": false}}}
        }}"#;
        let definitions = Definitions::parse(text, |key, reason| panic!("{key}: {reason}")).unwrap();
        let read: Vec<(&str, bool)> = definitions.for_engine().map(|(key, flag)| (key, flag.is_ok())).collect();
        assert_eq!(read, [("found", true), ("lost", false)]);
    }

    #[test]
    fn a_document_without_flags_or_cut_in_half_is_refused_whole() {
        for text in ["", "{", "[]", "{}", r#"{"flags": []}"#, &BUILT_IN[..BUILT_IN.len() / 2]] {
            assert!(Definitions::parse(text, |_, _| {}).is_err(), "{text}");
        }
    }

    #[test]
    fn metadata_a_source_does_not_repeat_is_the_built_in_one() {
        let text = r#"{"flags": {"cart-slow": {"state": "ENABLED", "defaultVariant": "off", "metadata": {"expected": "mine"},
            "variants": {"off": {"enabled": false}}}}}"#;
        let definitions = Definitions::parse(text, |_, _| {}).unwrap();
        let metadata = &definitions.flag("cart-slow").unwrap()["metadata"];
        assert_eq!((&metadata["expected"], &metadata["service"]), (&"mine".into(), &"cart".into()));
    }
}
