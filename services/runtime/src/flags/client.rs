//! How a service asks for a flag.

use super::control::FlagControl;
use super::hook::EvaluationHook;
use super::snapshot::{Flag, Snapshot, Snapshots};
use super::value::{struct_to_json, to_json};
use crate::context;
use open_feature::{Client, EvaluationContext, EvaluationDetails, EvaluationResult, StructValue};
use opentelemetry::metrics::Meter;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A flag that is on for this request.
#[derive(Clone, Debug, PartialEq)]
pub struct Active {
    pub variant: String,
    pub value: Value,
}

/// What the place of an evaluation knows beyond the running request's [`context`].
#[derive(Clone, Copy, Debug, Default)]
pub struct At<'a> {
    /// The matched route.
    pub route: Option<&'a str>,
    /// Stands in for the session of a caller without one: a cart's or an order's id.
    pub key: Option<&'a str>,
}

/// The flags as one service sees them: one OpenFeature client. Cheap to clone.
#[derive(Clone)]
pub struct Flags(Option<Arc<Inner>>);

struct Inner {
    service: &'static str,
    client: Client,
    snapshots: Snapshots,
    meter: Meter,
}

impl Flags {
    /// `meter` is the service's own; evaluations are counted on it.
    pub fn for_service(control: &FlagControl, service: &'static str, meter: &Meter) -> Self {
        let client = control.sdk().create_named_client(service).with_hook(EvaluationHook::new(meter));
        Self(Some(Arc::new(Inner { service, client, snapshots: control.snapshots().clone(), meter: meter.clone() })))
    }

    /// Flags that are always off.
    pub fn none() -> Self {
        Self(None)
    }

    pub fn service(&self) -> &'static str {
        self.0.as_ref().map_or("", |inner| inner.service)
    }

    /// The OpenFeature client itself, for those who bring a context of their own; `None` for flags that are always off.
    pub fn client(&self) -> Option<&Client> {
        self.0.as_ref().map(|inner| &inner.client)
    }

    /// Where the service counts; `None` for flags that are always off.
    pub(crate) fn meter(&self) -> Option<&Meter> {
        self.0.as_ref().map(|inner| &inner.meter)
    }

    /// True when no flag can be on for anybody. One atomic load.
    pub fn all_off(&self) -> bool {
        self.0.as_ref().is_none_or(|inner| inner.snapshots.all_off())
    }

    /// False when this flag can be on for nobody. One atomic load while all flags are off.
    pub fn may_be_on(&self, key: &str) -> bool {
        self.0.as_ref().is_some_and(|inner| !inner.snapshots.all_off() && inner.snapshots.peek(|now| now.may_be_on(key)))
    }

    /// The flag's variant for the running request; `None` when it is off, disabled, unknown or cannot be evaluated.
    pub async fn evaluate(&self, key: &str) -> Option<Active> {
        self.evaluate_at(key, At::default()).await
    }

    /// [`Flags::evaluate`] with what the place knows.
    pub async fn evaluate_at(&self, key: &str, at: At<'_>) -> Option<Active> {
        let inner = self.0.as_ref()?;
        if !self.may_be_on(key) {
            return None;
        }
        let context = evaluation_context(inner.service, at);
        let (variant, value) = inner.details(key, &context).await?;
        let off = inner.snapshots.peek(|now| now.flags.get(key).is_none_or(|flag| flag.is_off(&variant, &value)));
        (!off).then_some(Active { variant, value })
    }

    /// The flags that may be on and that `wanted` picks, by name and place.
    pub(crate) fn pick<T>(&self, wanted: impl Fn(&str, &Flag) -> Option<T>) -> Vec<T> {
        match &self.0 {
            Some(inner) if !inner.snapshots.all_off() => {
                inner.snapshots.peek(|now: &Snapshot| now.maybe_on().filter_map(|(key, flag)| wanted(key, flag)).collect())
            }
            _ => Vec::new(),
        }
    }
}

impl Inner {
    /// The SDK has one call per type; a flag's variants say which.
    async fn details(&self, key: &str, context: &EvaluationContext) -> Option<(String, Value)> {
        let sample = self.snapshots.peek(|now| now.flags.get(key).and_then(|flag| flag.variants.values().next().cloned()))?;
        let (client, context) = (&self.client, Some(context));
        match sample {
            Value::Object(_) => outcome(client.get_struct_details::<StructValue>(key, context, None).await, struct_to_json),
            Value::Bool(_) => outcome(client.get_bool_details(key, context, None).await, Value::from),
            Value::String(_) => outcome(client.get_string_details(key, context, None).await, Value::from),
            Value::Number(number) if number.is_f64() => {
                outcome(client.get_float_details(key, context, None).await, |value| to_json(value.into()))
            }
            Value::Number(_) => outcome(client.get_int_details(key, context, None).await, Value::from),
            Value::Array(_) | Value::Null => None,
        }
    }
}

fn outcome<T>(details: EvaluationResult<EvaluationDetails<T>>, json: impl FnOnce(T) -> Value) -> Option<(String, Value)> {
    let details = details.ok()?;
    Some((details.variant?, json(details.value)))
}

fn evaluation_context(service: &'static str, at: At<'_>) -> EvaluationContext {
    let request = context::current();
    let mut context = EvaluationContext::default().with_custom_field("service", service).with_custom_field("synthetic", request.synthetic);
    context.targeting_key = request.session.as_deref().or(at.key).map(targeting_key);
    for (name, value) in [("route", at.route), ("restaurant", request.restaurant.as_deref()), ("city", request.city.as_deref())] {
        if let Some(value) = value {
            context.add_custom_field(name, value);
        }
    }
    context
}

/// A session's targeting key: a fingerprint, because the session id itself opens the session's orders, and targeting keys are
/// written to traces, shown to operators and sent to flag subscribers. What looks like a fingerprint is taken as one.
pub fn targeting_key(session: &str) -> String {
    const BYTES: usize = 8;
    if session.len() == 2 * BYTES && session.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return session.to_owned();
    }
    Sha256::digest(session).iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::targeting_key;

    #[test]
    fn a_targeting_key_does_not_tell_the_session_and_is_stable() {
        let key = targeting_key("5157782b-2203-4c80-a857-dbbd5e7761db");
        assert!(key.len() == 16 && !key.contains("5157782b"));
        assert_eq!(targeting_key(&key), key);
    }
}
