//! What is in force now, for readers that never wait.

use super::definitions::{Definitions, DefinitionsError, OFF, engine_flags};
use super::site::Site;
use arc_swap::ArcSwap;
use flagd_evaluation_engine::{FeatureFlag, Operator};
use open_feature::{EvaluationContext, EvaluationError, EvaluationErrorCode, EvaluationReason};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// One flag, ready to be evaluated.
pub struct Flag {
    pub enabled: bool,
    pub default_variant: String,
    pub variants: BTreeMap<String, Value>,
    pub metadata: BTreeMap<String, Value>,
    pub site: Site,
    /// flagd's JSON logic as text, which is how the engine takes it.
    targeting: Option<String>,
}

/// The outcome of an evaluation.
pub struct Resolution<'a> {
    pub variant: String,
    pub value: &'a Value,
    pub reason: EvaluationReason,
    pub metadata: &'a BTreeMap<String, Value>,
}

/// All flags at one moment.
pub struct Snapshot {
    pub flags: BTreeMap<String, Flag>,
    /// Those that may be anything but off for somebody.
    maybe_on: Vec<String>,
    /// The flagd document this was made of, flips included.
    pub document: Arc<str>,
}

impl Snapshot {
    /// # Errors
    /// The engine does not read the document.
    pub fn of(definitions: &Definitions) -> Result<Self, DefinitionsError> {
        let document = definitions.to_json();
        let flags: BTreeMap<String, Flag> = engine_flags(&document)?.into_iter().map(|(key, flag)| (key, Flag::of(flag))).collect();
        let maybe_on = flags.iter().filter(|(_, flag)| flag.may_be_on()).map(|(key, _)| key.clone()).collect();
        Ok(Self { flags, maybe_on, document: document.into() })
    }

    pub fn maybe_on(&self) -> impl Iterator<Item = (&str, &Flag)> {
        self.maybe_on.iter().filter_map(|key| Some((key.as_str(), self.flags.get(key)?)))
    }

    pub fn may_be_on(&self, key: &str) -> bool {
        self.maybe_on.iter().any(|on| on == key)
    }

    /// # Errors
    /// There is no such flag (a disabled one counts as none), or its rule fails.
    pub fn resolve(&self, operator: &Operator, key: &str, context: &EvaluationContext) -> Result<Resolution<'_>, EvaluationError> {
        let Some(flag) = self.flags.get(key).filter(|flag| flag.enabled) else {
            return Err(failure(EvaluationErrorCode::FlagNotFound, format!("there is no flag {key}")));
        };
        let (variant, reason) = match &flag.targeting {
            None => (flag.default_variant.clone(), EvaluationReason::Static),
            Some(rule) => match operator.apply(key, rule, context) {
                Ok(Some(variant)) => (variant, EvaluationReason::TargetingMatch),
                Ok(None) => (flag.default_variant.clone(), EvaluationReason::Default),
                Err(error) => return Err(failure(EvaluationErrorCode::ParseError, error.to_string())),
            },
        };
        match flag.variants.get(&variant) {
            Some(value) => Ok(Resolution { variant, value, reason, metadata: &flag.metadata }),
            None => Err(failure(EvaluationErrorCode::General("no such variant".to_owned()), format!("{key} has no variant {variant}"))),
        }
    }
}

pub fn failure(code: EvaluationErrorCode, message: String) -> EvaluationError {
    EvaluationError { code, message: Some(message) }
}

/// Whether a variant leaves everything as it is.
pub fn is_off(variant: &str, value: &Value) -> bool {
    variant == OFF || value.as_bool() == Some(false) || value.get("enabled").and_then(Value::as_bool) == Some(false)
}

impl Flag {
    fn of(flag: FeatureFlag) -> Self {
        let targeting = flag.targeting.as_ref().filter(|rule| !rule.is_null() && rule.as_object().is_none_or(|rule| !rule.is_empty()));
        // Sorted, so that the same flag is always written the same.
        let metadata: BTreeMap<String, Value> = flag.metadata.into_iter().collect();
        Self {
            enabled: flag.state == "ENABLED",
            targeting: targeting.map(Value::to_string),
            site: Site::of(&metadata),
            default_variant: flag.default_variant,
            variants: flag.variants.into_iter().collect(),
            metadata,
        }
    }

    fn may_be_on(&self) -> bool {
        let off = self.variants.get(&self.default_variant).is_none_or(|value| is_off(&self.default_variant, value));
        self.enabled && (self.targeting.is_some() || !off)
    }
}

/// The snapshot in force, shared by everybody in the process. Clones share it.
#[derive(Clone)]
pub struct Snapshots(Arc<Shared>);

struct Shared {
    current: ArcSwap<Snapshot>,
    all_off: AtomicBool,
    changes: watch::Sender<Arc<Snapshot>>,
    operator: Operator,
}

impl Snapshots {
    pub fn new(first: Snapshot) -> Self {
        let first = Arc::new(first);
        Self(Arc::new(Shared {
            all_off: AtomicBool::new(first.maybe_on.is_empty()),
            changes: watch::Sender::new(Arc::clone(&first)),
            current: ArcSwap::new(first),
            operator: Operator::new(),
        }))
    }

    pub fn publish(&self, snapshot: Snapshot) {
        let snapshot = Arc::new(snapshot);
        let all_off = snapshot.maybe_on.is_empty();
        self.0.current.store(Arc::clone(&snapshot));
        self.0.all_off.store(all_off, Ordering::Release);
        self.0.changes.send_replace(snapshot);
    }

    /// One atomic load: true when no flag can be anything but off for anybody.
    pub fn all_off(&self) -> bool {
        self.0.all_off.load(Ordering::Acquire)
    }

    pub fn current(&self) -> Arc<Snapshot> {
        self.0.current.load_full()
    }

    pub fn peek<T>(&self, look: impl FnOnce(&Snapshot) -> T) -> T {
        look(&self.0.current.load())
    }

    pub fn operator(&self) -> &Operator {
        &self.0.operator
    }

    /// Every change from now on; a slow reader sees the newest only.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.0.changes.subscribe()
    }
}
