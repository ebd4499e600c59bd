//! Values as texts, and looking for a text in them.

use crate::model::{Event, Log, Span, Value};
use std::sync::Arc;

pub(crate) fn show(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
    }
}

pub(crate) fn show_all(attributes: &[(Arc<str>, Value)]) -> Vec<(String, String)> {
    attributes.iter().map(|(key, value)| (key.to_string(), show(value))).collect()
}

/// Whatever the case of its ASCII letters.
pub(crate) fn contains(text: &str, wanted: &str) -> bool {
    wanted.is_empty() || text.as_bytes().windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted.as_bytes()))
}

fn attributes_contain(attributes: &[(Arc<str>, Value)], wanted: &str) -> bool {
    attributes.iter().any(|(key, value)| {
        contains(key, wanted)
            || match value {
                Value::Text(text) => contains(text, wanted),
                other => contains(&show(other), wanted),
            }
    })
}

/// Some name, attribute or message of the span contains it.
pub(crate) fn span_contains(span: &Span, wanted: &str) -> bool {
    let in_event = |event: &Event| contains(&event.name, wanted) || attributes_contain(&event.attributes, wanted);
    contains(&span.name, wanted)
        || contains(&span.service, wanted)
        || contains(&span.message, wanted)
        || attributes_contain(&span.attributes, wanted)
        || span.events.iter().any(in_event)
}

pub(crate) fn log_contains(log: &Log, wanted: &str) -> bool {
    contains(&log.message, wanted) || attributes_contain(&log.attributes, wanted)
}

/// An identifier of W3C trace context: 32 hexadecimal digits.
pub(crate) fn trace_id(text: &str) -> Option<u128> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digits { u128::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_whatever_its_case() {
        assert!(contains("POST /Cart/{id}", "cart"));
        assert!(contains("x", ""));
        assert!(!contains("cart", "carts"));
    }

    #[test]
    fn a_trace_id_has_32_digits() {
        assert_eq!(trace_id("0000000000000000000000000000002a"), Some(42));
        for wrong in ["2a", "+000000000000000000000000000002a", "zz00000000000000000000000000002a"] {
            assert_eq!(trace_id(wrong), None);
        }
    }
}
