//! What the suite's sentences mean.

use crate::gherkin::{Scenario, Step};
use axum::body::Body;
use contract::Timestamp;
use http::Request;
use http_body_util::BodyExt;
use open_feature::{Client, EvaluationContext, EvaluationContextFieldValue, EvaluationDetails, EvaluationResult, StructValue};
use runtime::clock::ManualClock;
use runtime::flags::{FlagControl, Flags, ofrep};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tower::ServiceExt;

const FLAGS: &str = include_str!("flagd/testbed/testkit-flags.json");

/// How the evaluator is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Ofrep,
    Sdk,
}

pub const WAYS: [Way; 2] = [Way::Ofrep, Way::Sdk];

/// What came of an evaluation; the value is the fallback where the evaluator has none.
#[derive(Debug, Default)]
struct Details {
    value: Value,
    /// `None` where the way cannot carry one.
    reason: Option<String>,
    error: Option<String>,
    metadata: Option<Map<String, Value>>,
}

/// The evaluator with the suite's flags. Made once: it is the same for every scenario.
pub fn evaluator() -> FlagControl {
    let control = FlagControl::new(Arc::new(ManualClock::at(Timestamp::from_millis(1_760_000_000_000)))).unwrap();
    control.replace_definitions(FLAGS).unwrap();
    control
}

pub struct World {
    way: Way,
    control: FlagControl,
    /// Key, type and fallback.
    flag: (String, String, Value),
    context: Map<String, Value>,
    details: Details,
}

impl World {
    pub fn new(control: FlagControl, way: Way) -> Self {
        Self { way, control, flag: Default::default(), context: Map::new(), details: Details::default() }
    }

    /// # Errors
    /// The first step that is not as it should be.
    pub async fn run(mut self, scenario: &Scenario) -> Result<(), String> {
        for step in &scenario.steps {
            self.step(step).await.map_err(|failure| format!("{}: {failure}: {:?}", step.text, self.details))?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        // The words between the quoted arguments say which step it is. A quoted object has quotes of its own.
        let (first, last) = (step.text.find('"'), step.text.rfind('"'));
        let quoted: Vec<&str> = step.text.split('"').skip(1).step_by(2).collect();
        let only = first.zip(last).map_or("", |(first, last)| step.text.get(first + 1..last).unwrap_or_default());
        let starts = |words: &str| step.text.starts_with(words);
        if starts("an evaluator") {
            Ok(())
        } else if let Some((kind, rest)) = step.text.split_once("-flag with key \"") {
            let (key, rest) = rest.split_once("\" and a fallback value \"").ok_or("no fallback")?;
            let kind = kind.trim_start_matches("a ");
            self.flag = (key.to_owned(), kind.to_owned(), typed(kind, &unescaped(rest.trim_end_matches('"')))?);
            Ok(())
        } else if starts("a context containing a key") {
            let [key, kind, value] = quoted[..] else { return Err("three words".to_owned()) };
            self.context.insert(key.to_owned(), typed(kind, value)?);
            Ok(())
        } else if starts("a context containing a nested property") {
            let [outer, inner, value] = quoted[..] else { return Err("three words".to_owned()) };
            self.context.insert(outer.to_owned(), json!({inner: value}));
            Ok(())
        } else if starts("a context containing a targeting key") {
            self.context.insert("targetingKey".to_owned(), only.into());
            Ok(())
        } else if starts("the flag was evaluated with details") {
            self.details = self.evaluated().await;
            Ok(())
        } else if starts("the resolved details value should be") {
            let wanted = typed(&self.flag.1, &unescaped(only))?;
            same(&self.details.value, &wanted)
        } else if starts("the reason should be") {
            self.details.reason.as_ref().map_or(Ok(()), |reason| same(reason, &only.to_owned()))
        } else if starts("the error-code should be") {
            same(&self.details.error, &Some(only.to_owned()))
        } else if starts("the resolved metadata should contain") {
            self.metadata_contains(&step.table[1..])
        } else if starts("the resolved metadata is empty") {
            self.details.metadata.as_ref().map_or(Ok(()), |metadata| same(metadata, &Map::new()))
        } else {
            Err("nobody knows this step".to_owned())
        }
    }

    fn metadata_contains(&self, rows: &[Vec<String>]) -> Result<(), String> {
        let Some(metadata) = &self.details.metadata else { return Ok(()) };
        for row in rows {
            let [key, kind, value] = &row[..] else { return Err("three columns".to_owned()) };
            same(&metadata.get(key).cloned(), &Some(typed(kind, value)?))?;
        }
        Ok(())
    }

    async fn evaluated(&self) -> Details {
        match self.way {
            Way::Ofrep => self.by_ofrep().await,
            Way::Sdk => self.by_sdk().await,
        }
    }

    /// As an OFREP client does it: type and fallback are the client's business, everything else is the answer's.
    async fn by_ofrep(&self) -> Details {
        let (key, kind, fallback) = &self.flag;
        let request = Request::post(format!("/ofrep/v1/evaluate/flags/{key}"))
            .header("content-type", "application/json")
            .body(Body::from(json!({"context": self.context}).to_string()))
            .unwrap();
        let answer = ofrep::router(self.control.clone()).oneshot(request).await.unwrap().into_body().collect().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.to_bytes()).unwrap();
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        let value = answer.get("value").cloned();
        let mismatch = value.as_ref().is_some_and(|value| !is_of(kind, value));
        let error = if mismatch { Some("TYPE_MISMATCH".to_owned()) } else { text("errorCode") };
        Details {
            value: value.filter(|_| error.is_none()).unwrap_or_else(|| fallback.clone()),
            reason: Some(if error.is_some() { "ERROR".to_owned() } else { text("reason").unwrap_or_default() }),
            error,
            metadata: answer["metadata"].as_object().cloned(),
        }
    }

    /// As a service does it. The Rust SDK has neither fallbacks nor, in our provider, metadata: an evaluation without a value is an
    /// error, and the reason with it is lost.
    async fn by_sdk(&self) -> Details {
        let flags = Flags::for_service(&self.control, "conformance", &opentelemetry::global::meter("conformance"));
        let (client, context) = (flags.client().unwrap(), self.sdk_context());
        let (key, kind, _) = &self.flag;
        let context = Some(&context);
        match kind.as_str() {
            "Boolean" => self.of_sdk(client.get_bool_details(key, context, None).await, Value::from),
            "String" => self.of_sdk(client.get_string_details(key, context, None).await, Value::from),
            "Integer" => self.of_sdk(client.get_int_details(key, context, None).await, Value::from),
            "Float" => self.of_sdk(client.get_float_details(key, context, None).await, Value::from),
            "Object" => self.objects(client, context).await,
            other => panic!("{other} is no type"),
        }
    }

    async fn objects(&self, client: &Client, context: Option<&EvaluationContext>) -> Details {
        self.of_sdk(client.get_struct_details::<StructValue>(&self.flag.0, context, None).await, |value| {
            value.fields.into_iter().map(|(name, value)| (name, of_sdk(value))).collect()
        })
    }

    fn of_sdk<T>(&self, outcome: EvaluationResult<EvaluationDetails<T>>, json: impl FnOnce(T) -> Value) -> Details {
        match outcome {
            Ok(details) => {
                let reason = details.reason.map(|reason| reason.to_string());
                Details { value: json(details.value), reason, ..Details::default() }
            }
            Err(error) => {
                let (value, error) = (self.flag.2.clone(), Some(error.code.to_string()));
                Details { value, error, ..Details::default() }
            }
        }
    }

    fn sdk_context(&self) -> EvaluationContext {
        let mut context = EvaluationContext::default();
        for (name, value) in &self.context {
            let value = match value {
                Value::String(text) if name == "targetingKey" => {
                    context.targeting_key = Some(text.clone());
                    continue;
                }
                Value::String(text) => text.clone().into(),
                Value::Number(number) if number.is_i64() => number.as_i64().unwrap().into(),
                Value::Number(number) => number.as_f64().unwrap().into(),
                Value::Bool(value) => (*value).into(),
                Value::Object(fields) => {
                    let fields = fields.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().into())).collect();
                    EvaluationContextFieldValue::Struct(Arc::new(StructValue { fields }))
                }
                other => panic!("{other} is not in any context"),
            };
            context.add_custom_field(name, value);
        }
        context
    }
}

fn of_sdk(value: open_feature::Value) -> Value {
    use open_feature::Value as Sdk;
    match value {
        Sdk::Bool(value) => value.into(),
        Sdk::Int(value) => value.into(),
        Sdk::Float(value) => value.into(),
        Sdk::String(value) => value.into(),
        Sdk::Array(values) => values.into_iter().map(of_sdk).collect(),
        Sdk::Struct(value) => value.fields.into_iter().map(|(name, value)| (name, of_sdk(value))).collect(),
    }
}

fn unescaped(text: &str) -> String {
    text.replace("\\\"", "\"")
}

fn typed(kind: &str, text: &str) -> Result<Value, String> {
    let read = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| format!("{text:?}: {error}"));
    match kind {
        "String" => Ok(text.into()),
        "Float" => text.parse::<f64>().map(Value::from).map_err(|error| format!("{text:?}: {error}")),
        "Boolean" | "Integer" | "Object" => read(text),
        other => Err(format!("{other} is no type")),
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "Boolean" => value.is_boolean(),
        "String" => value.is_string(),
        "Integer" => value.is_i64(),
        "Float" => value.is_number(),
        _ => value.is_object(),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(found: &T, wanted: &T) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{found:?} instead of {wanted:?}")) }
}
