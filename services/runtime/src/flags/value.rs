//! Between JSON and the values and contexts of the OpenFeature SDK.

use open_feature::{EvaluationContext, EvaluationContextFieldValue, StructValue, Value as SdkValue};
use serde_json::{Map, Value};
use std::sync::Arc;

pub fn to_json(value: SdkValue) -> Value {
    match value {
        SdkValue::Bool(value) => value.into(),
        SdkValue::Int(value) => value.into(),
        SdkValue::Float(value) => value.into(),
        SdkValue::String(value) => value.into(),
        SdkValue::Array(values) => values.into_iter().map(to_json).collect(),
        SdkValue::Struct(value) => struct_to_json(value),
    }
}

pub fn struct_to_json(value: StructValue) -> Value {
    Value::Object(value.fields.into_iter().map(|(name, value)| (name, to_json(value))).collect())
}

/// `None` for `null`, which the SDK has no word for; such a field is left out of objects and lists.
pub fn from_json(value: &Value) -> Option<SdkValue> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => SdkValue::Bool(*value),
        Value::Number(value) => match value.as_i64() {
            Some(whole) => SdkValue::Int(whole),
            None => SdkValue::Float(value.as_f64()?),
        },
        Value::String(value) => SdkValue::String(value.clone()),
        Value::Array(values) => SdkValue::Array(values.iter().filter_map(from_json).collect()),
        Value::Object(fields) => SdkValue::Struct(struct_from_json(fields)),
    })
}

pub fn struct_from_json(fields: &Map<String, Value>) -> StructValue {
    StructValue { fields: fields.iter().filter_map(|(name, value)| Some((name.clone(), from_json(value)?))).collect() }
}

/// A context as OFREP clients send it.
pub fn context_from_json(fields: &Map<String, Value>) -> EvaluationContext {
    let mut context = EvaluationContext::default();
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("targetingKey", Value::String(key)) => context.targeting_key = Some(key.clone()),
            (_, value) => {
                if let Some(value) = from_json(value) {
                    context.add_custom_field(name, field(value));
                }
            }
        }
    }
    context
}

fn field(value: SdkValue) -> EvaluationContextFieldValue {
    match value {
        SdkValue::Bool(value) => value.into(),
        SdkValue::Int(value) => value.into(),
        SdkValue::Float(value) => value.into(),
        SdkValue::String(value) => value.into(),
        SdkValue::Struct(value) => EvaluationContextFieldValue::Struct(Arc::new(value)),
        list @ SdkValue::Array(_) => EvaluationContextFieldValue::Struct(Arc::new(list)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_survives_the_sdk_except_for_null() {
        let json = serde_json::json!({"a": 1, "b": 2.5, "c": "x", "d": [true, {"e": -1}], "f": {"g": []}});
        assert_eq!(to_json(from_json(&json).unwrap()), json);
        assert_eq!(to_json(from_json(&serde_json::json!({"a": null})).unwrap()), serde_json::json!({}));
    }
}
