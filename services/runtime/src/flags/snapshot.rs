//! What is in force now, for readers that never wait.

use super::definitions::{Definitions, DefinitionsError, NO_DEFAULT, OFF};
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
    /// `None`: whoever asks has a default of its own.
    pub default_variant: Option<String>,
    pub variants: BTreeMap<String, Value>,
    pub metadata: BTreeMap<String, Value>,
    pub site: Site,
    /// The variant that changes nothing, when it is not `off`.
    neutral: Option<String>,
    /// flagd's JSON logic as text, which is how the engine takes it.
    targeting: Option<String>,
    /// Why the engine cannot read it.
    unreadable: Option<String>,
}

/// The outcome of an evaluation.
pub struct Resolution<'a> {
    /// Variant and value; `None` when whoever asks is to take a default of its own, as for a flag that is switched off.
    pub outcome: Option<(String, &'a Value)>,
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
    /// None today: a flag that the engine does not read is off.
    pub fn of(definitions: &Definitions) -> Result<Self, DefinitionsError> {
        let document = definitions.to_json();
        let read = definitions.for_engine();
        let flags: BTreeMap<String, Flag> =
            read.map(|(key, flag)| (key.to_owned(), flag.map_or_else(Flag::unreadable, Flag::of))).collect();
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
    /// There is no such flag, or its rule fails.
    pub fn resolve(&self, operator: &Operator, key: &str, context: &EvaluationContext) -> Result<Resolution<'_>, EvaluationError> {
        let Some(flag) = self.flags.get(key) else {
            return Err(failure(EvaluationErrorCode::FlagNotFound, format!("there is no flag {key}")));
        };
        if let Some(why) = &flag.unreadable {
            return Err(failure(EvaluationErrorCode::ParseError, why.clone()));
        }
        let of_caller = |reason| Ok(Resolution { outcome: None, reason, metadata: &flag.metadata });
        if !flag.enabled {
            return of_caller(EvaluationReason::Disabled);
        }
        let (variant, reason) = match &flag.targeting {
            None => (flag.default_variant.clone(), EvaluationReason::Static),
            Some(rule) => match operator.apply(key, rule, context) {
                Ok(Some(variant)) => (Some(variant), EvaluationReason::TargetingMatch),
                Ok(None) => (flag.default_variant.clone(), EvaluationReason::Default),
                Err(error) => return Err(failure(EvaluationErrorCode::ParseError, error.to_string())),
            },
        };
        let Some(variant) = variant else { return of_caller(EvaluationReason::Default) };
        match flag.variants.get(&variant) {
            Some(value) => Ok(Resolution { outcome: Some((variant, value)), reason, metadata: &flag.metadata }),
            None => Err(failure(EvaluationErrorCode::General("no such variant".to_owned()), format!("{key} has no variant {variant}"))),
        }
    }
}

pub fn failure(code: EvaluationErrorCode, message: String) -> EvaluationError {
    EvaluationError { code, message: Some(message) }
}

fn is_off(variant: &str, value: &Value) -> bool {
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
            unreadable: None,
            site: Site::of(&metadata),
            neutral: metadata.get("neutral").and_then(Value::as_str).map(str::to_owned),
            default_variant: Some(flag.default_variant).filter(|variant| variant != NO_DEFAULT),
            variants: flag.variants.into_iter().collect(),
            metadata,
        }
    }

    /// A flag that is off, because nobody can say what it is meant to do.
    fn unreadable(why: String) -> Self {
        let (variants, metadata) = Default::default();
        let site = Site::of(&metadata);
        Self { enabled: true, default_variant: None, variants, metadata, site, neutral: None, targeting: None, unreadable: Some(why) }
    }

    fn may_be_on(&self) -> bool {
        let default = self.default_variant.as_ref().and_then(|variant| Some((variant, self.variants.get(variant)?)));
        self.enabled && (self.targeting.is_some() || default.is_some_and(|(variant, value)| !self.is_off(variant, value)))
    }

    /// Whether a variant leaves everything as it is.
    pub fn is_off(&self, variant: &str, value: &Value) -> bool {
        self.neutral.as_deref().map_or_else(|| is_off(variant, value), |neutral| variant == neutral)
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
