//! A flagd document: read, checked and completed.

use flagd_evaluation_engine::{FeatureFlag, FlagParser};
use serde_json::{Map, Value};
use std::collections::HashMap;
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
        flags.retain(|key, flag| match complete(flag) {
            Ok(()) => true,
            Err(reason) => {
                left_out(key, reason);
                false
            }
        });
        let definitions = Self { document };
        // The engine has the last word: what it does not read must not replace what is in force.
        engine_flags(&definitions.to_json())?;
        Ok(definitions)
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

/// What the engine makes of a document, with shared rules (`$evaluators`) put in their places.
pub fn engine_flags(document: &str) -> Result<HashMap<String, FeatureFlag>, DefinitionsError> {
    match FlagParser::parse_string(document) {
        Ok(parsed) => Ok(parsed.flags),
        Err(error) => Err(DefinitionsError::Shape(error.to_string())),
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

/// Makes a flag one that the engine reads, or says why it cannot be.
fn complete(flag: &mut Value) -> Result<(), &'static str> {
    let flag = flag.as_object_mut().ok_or("it is not an object")?;
    if !matches!(flag.get("state").and_then(Value::as_str), Some("ENABLED" | "DISABLED")) {
        return Err("its state is neither ENABLED nor DISABLED");
    }
    if !flag.get("variants").is_some_and(Value::is_object) {
        return Err("it has no variants");
    }
    if flag.get("defaultVariant").is_none_or(Value::is_null) {
        // flagd reads this as "the default of the code", and that is off everywhere. The engine reads it as an error.
        flag.insert("defaultVariant".to_owned(), OFF.into());
    }
    if !has_variant(flag, default_variant(flag)) {
        return Err("its default variant is not one of its variants");
    }
    Ok(())
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

    #[test]
    fn the_built_in_definitions_hold_every_flag_default_off_with_its_metadata() {
        let definitions = Definitions::parse(BUILT_IN, |key, reason| panic!("{key}: {reason}")).unwrap();
        let flags = definitions.flags().unwrap();
        let keys: Vec<&str> = flags.keys().map(String::as_str).collect();
        let mut expected = [
            "cart-chaos-errors",
            "cart-slow",
            "events-lag",
            "inventory-shortage",
            "menu-item-failure",
            "middleware-unreachable",
            "order-lost-reply",
            "pricing-surge",
            "pricing-v2",
            "readiness-failure",
            "store-down",
            "store-slow",
        ];
        expected.sort_unstable();
        assert_eq!(keys, expected);
        for (key, flag) in flags {
            let flag = flag.as_object().unwrap();
            assert_eq!(default_variant(flag), OFF, "{key}");
            assert_eq!(flag["state"], "ENABLED", "{key}");
            assert!(targeting(flag).is_none(), "{key}");
            assert_eq!(flag["variants"][OFF], serde_json::json!({"enabled": false}), "{key}");
            let graded = flag["variants"].as_object().unwrap();
            assert!(graded.len() >= if key == "pricing-v2" { 2 } else { 3 }, "{key} has grades");
            assert!(graded.iter().all(|(name, value)| name == OFF || value["enabled"] == true), "{key}");
            for name in ["description", "service", "route", "expected", "audience", "point"] {
                assert!(flag["metadata"][name].as_str().is_some_and(|text| !text.is_empty()), "{key} says its {name}");
            }
            // flagd's schema: metadata is flat.
            assert!(flag["metadata"].as_object().unwrap().values().all(|value| !value.is_object() && !value.is_array()), "{key}");
            let allowed = ["state", "defaultVariant", "variants", "targeting", "metadata"];
            assert!(flag.keys().all(|name| allowed.contains(&name.as_str())), "{key}");
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
