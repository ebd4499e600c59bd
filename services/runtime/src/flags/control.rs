//! The flags of this process: what the source says, and the operator's flips over it.

use super::change::{Change, ChangeKind, Watchers, actor};
use super::client::targeting_key;
use super::definitions::{Definitions, DefinitionsError, default_variant, has_variant, targeting};
use super::overlay;
use super::provider::SnapshotProvider;
use super::snapshot::{Flag, Snapshot, Snapshots};
use crate::clock::SharedClock;
use crate::context;
use contract::flags::{Audience, FlagState, Flip, Signal, Variant};
use contract::{ApiError, Code, Timestamp};
use futures::FutureExt;
use open_feature::OpenFeature;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// A flip ends by itself after this long, unless said otherwise.
pub const DEFAULT_TTL: Duration = Duration::from_secs(600);
/// The longest a fault may stay: nobody remembers what was flipped the day before yesterday.
pub const MAX_TTL: Duration = Duration::from_secs(86_400);
/// How long the expiry task trusts a computed end, because clocks may be moved.
const LONGEST_NAP: Duration = Duration::from_secs(1);

/// The one place where flags change. Clones share it.
#[derive(Clone)]
pub struct FlagControl(Arc<Inner>);

struct Inner {
    clock: SharedClock,
    sdk: OpenFeature,
    snapshots: Snapshots,
    state: Mutex<State>,
    flipped: Arc<Notify>,
    watchers: Watchers,
}

struct State {
    source: Definitions,
    flips: BTreeMap<String, Flipped>,
}

#[derive(Clone)]
struct Flipped {
    variant: String,
    flip: Flip,
}

impl FlagControl {
    /// Starts with the built-in definitions, all off. Call it inside the async runtime: flips end by a task that lives as long as
    /// the control does.
    ///
    /// # Errors
    /// The evaluation engine does not read the built-in definitions.
    pub fn new(clock: SharedClock) -> Result<Self, DefinitionsError> {
        let source = Definitions::built_in();
        let snapshots = Snapshots::new(Snapshot::of(&source)?);
        // An instance of its own instead of the SDK's global one: two controls in a process (tests) do not meet.
        let mut sdk = OpenFeature::default();
        // Asynchronous for a lock that nobody else can hold yet.
        let set = tokio::task::unconstrained(sdk.set_provider(SnapshotProvider::new(snapshots.clone()))).now_or_never();
        set.ok_or_else(|| DefinitionsError::Shape("the provider could not be set".to_owned()))?;
        let state = Mutex::new(State { source, flips: BTreeMap::new() });
        let control = Self(Arc::new(Inner { clock, sdk, snapshots, state, flipped: Arc::default(), watchers: Watchers::default() }));
        tokio::spawn(expire(Arc::downgrade(&control.0)));
        Ok(control)
    }

    /// Replaces what the source says; flips stay over it. A flip of what is no longer there ends.
    ///
    /// # Errors
    /// The text cannot be used; what was in force stays.
    pub fn replace_definitions(&self, text: &str) -> Result<(), DefinitionsError> {
        let definitions = Definitions::parse(text, |flag, reason| tracing::warn!(flag, reason, "Left out flag {flag}: {reason}"))?;
        let mut state = self.state();
        if state.source == definitions {
            return Ok(());
        }
        let source = definitions.clone();
        let mut flips = state.flips.clone();
        let mut ended = Vec::new();
        flips.retain(|key, flipped| {
            let there = definitions.flag(key).is_some_and(|flag| has_variant(flag, &flipped.variant));
            if !there {
                ended.push(key.clone());
            }
            there
        });
        self.publish(&mut state, State { source, flips })?;
        drop(state);
        tracing::info!(name: "flags.source_changed", "The flag source changed");
        self.tell(ChangeKind::Source, "*", "", None, ended);
        Ok(())
    }

    /// Flips a flag for a while. A flip to what the source says to everybody anyway ends the flip instead.
    ///
    /// # Errors
    /// `FLAG_NOT_FOUND`; `INVALID_BODY` for an unknown variant, a time to live out of range or an audience that is nobody.
    pub fn set(&self, key: &str, variant: &str, ttl: Option<Duration>, audience: Audience) -> Result<FlagState, ApiError> {
        let ttl = ttl.unwrap_or(DEFAULT_TTL);
        if ttl.is_zero() || ttl > MAX_TTL {
            return Err(invalid(format!("ttlSeconds must be from 1 to {}", MAX_TTL.as_secs())));
        }
        let audience = checked(audience)?;
        let now = self.0.clock.now();
        let mut state = self.state();
        let flag = state.source.flag(key).ok_or_else(|| unknown(key))?;
        if !has_variant(flag, variant) {
            let variants = flag.get("variants").and_then(serde_json::Value::as_object);
            let names: Vec<&str> = variants.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            return Err(invalid(format!("{key} has no variant {variant:?}; it has {}", names.join(", "))));
        }
        let changes_nothing = audience == Audience::Everyone && targeting(flag).is_none() && default_variant(flag) == variant;
        let mut flips = state.flips.clone();
        let expires_at = now + ttl;
        if changes_nothing {
            flips.remove(key);
        } else {
            let flip = Flip { audience: audience.clone(), flipped_at: now, expires_at };
            flips.insert(key.to_owned(), Flipped { variant: variant.to_owned(), flip });
        }
        let source = state.source.clone();
        self.publish(&mut state, State { source, flips }).map_err(|_| ApiError::internal())?;
        let after = self.described(&state, key).ok_or_else(|| unknown(key));
        drop(state);
        self.0.flipped.notify_one();
        audit(ChangeKind::Flipped, key, variant, Some((&audience, expires_at)));
        match changes_nothing {
            true => self.tell(ChangeKind::Cleared, key, "", None, vec![key.to_owned()]),
            false => self.tell(ChangeKind::Flipped, key, variant, Some((audience, expires_at)), Vec::new()),
        }
        after
    }

    /// Ends a flip; doing it twice is no error.
    ///
    /// # Errors
    /// `FLAG_NOT_FOUND`
    pub fn clear(&self, key: &str) -> Result<FlagState, ApiError> {
        let mut state = self.state();
        if state.source.flag(key).is_none() {
            return Err(unknown(key));
        }
        let ended = self.end(&mut state, |flipped, _| flipped != key).map_err(|_| ApiError::internal())?;
        let after = self.described(&state, key).ok_or_else(|| unknown(key));
        drop(state);
        audit(ChangeKind::Cleared, key, "", None);
        self.tell(ChangeKind::Cleared, key, "", None, ended);
        after
    }

    /// All clear: ends every flip and answers how many there were.
    ///
    /// # Errors
    /// `INTERNAL` when the source's definitions cannot be read any more.
    pub fn clear_all(&self) -> Result<usize, ApiError> {
        let ended = self.end(&mut self.state(), |_, _| false).map_err(|_| ApiError::internal())?;
        audit(ChangeKind::AllClear, "*", "", None);
        let flips = ended.len();
        self.tell(ChangeKind::AllClear, "*", "", None, ended);
        Ok(flips)
    }

    /// Ends the flips whose time is over. Runs by itself; tests that moved the clock need not wait for it.
    pub fn tick(&self) {
        let now = self.0.clock.now();
        let ended = self.end(&mut self.state(), |_, flipped| flipped.flip.expires_at > now);
        match ended {
            Ok(ended) => {
                for key in ended {
                    tracing::info!(name: "flag.expired", flag = key, "The flip of {key} ended by itself");
                    self.tell(ChangeKind::Expired, &key, "", None, vec![key.clone()]);
                }
            }
            Err(error) => tracing::error!(%error, "Flips could not be ended"),
        }
    }

    /// Every flag as operators see it, by key.
    pub fn list(&self) -> Vec<FlagState> {
        let state = self.state();
        let keys = self.0.snapshots.peek(|now| now.flags.keys().cloned().collect::<Vec<_>>());
        keys.iter().filter_map(|key| self.described(&state, key)).collect()
    }

    /// # Errors
    /// `FLAG_NOT_FOUND`
    pub fn get(&self, key: &str) -> Result<FlagState, ApiError> {
        self.described(&self.state(), key).ok_or_else(|| unknown(key))
    }

    /// flagd's JSON of what is in force, flips included.
    pub fn definitions(&self) -> Arc<str> {
        self.0.snapshots.peek(|now| Arc::clone(&now.document))
    }

    /// Every change from now on.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.0.snapshots.subscribe()
    }

    /// Calls `watcher` after every flip, clearing, expiry and change of the source, from whatever task did it. It must not wait.
    pub fn watch(&self, watcher: impl Fn(&Change) + Send + Sync + 'static) {
        self.0.watchers.add(Arc::new(watcher));
    }

    fn tell(&self, kind: ChangeKind, flag: &str, variant: &str, until: Option<(Audience, Timestamp)>, ended: Vec<String>) {
        let (at, flag, variant) = (self.0.clock.now(), flag.to_owned(), variant.to_owned());
        self.0.watchers.tell(&Change { at, who: actor(), kind, flag, variant, until, ended });
    }

    pub(super) fn snapshots(&self) -> &Snapshots {
        &self.0.snapshots
    }

    pub(super) fn sdk(&self) -> &OpenFeature {
        &self.0.sdk
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the flips that `keep` does not keep, and answers their keys.
    fn end(&self, state: &mut State, keep: impl Fn(&str, &Flipped) -> bool) -> Result<Vec<String>, DefinitionsError> {
        let (mut flips, mut ended) = (state.flips.clone(), Vec::new());
        flips.retain(|key, flipped| {
            let kept = keep(key, flipped);
            if !kept {
                ended.push(key.clone());
            }
            kept
        });
        if !ended.is_empty() {
            let source = state.source.clone();
            self.publish(state, State { source, flips })?;
        }
        Ok(ended)
    }

    /// Puts `next` in force; on an error everything stays as it was. The caller holds the lock, so that changes are seen in order.
    fn publish(&self, state: &mut State, next: State) -> Result<(), DefinitionsError> {
        let mut effective = next.source.clone();
        for (key, flipped) in &next.flips {
            overlay::apply(&mut effective, key, &flipped.variant, &flipped.flip.audience);
        }
        self.0.snapshots.publish(Snapshot::of(&effective)?);
        *state = next;
        Ok(())
    }

    fn described(&self, state: &State, key: &str) -> Option<FlagState> {
        let default = default_variant(state.source.flag(key)?).to_owned();
        let flipped = state.flips.get(key);
        self.0.snapshots.peek(|now| {
            let flag = now.flags.get(key)?;
            let text = |name: &str| flag.metadata.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
            Some(FlagState {
                key: key.to_owned(),
                description: text("description"),
                service: text("service"),
                route: text("route"),
                expected: text("expected"),
                audience_sentence: text("audience"),
                variant: flipped.map_or_else(|| default.clone(), |flipped| flipped.variant.clone()),
                default_variant: default.clone(),
                variants: variants(flag),
                flip: flipped.map(|flipped| flipped.flip.clone()),
                signal: Signal::of(|name| flag.metadata.get(name)),
            })
        })
    }
}

/// Variants from harmless to grave: off first, then by the number their name starts with.
fn variants(flag: &Flag) -> Vec<Variant> {
    let mut variants: Vec<Variant> =
        flag.variants.iter().map(|(name, value)| Variant { name: name.clone(), value: value.clone() }).collect();
    variants.sort_by_key(|variant| {
        let digits: String = variant.name.chars().take_while(char::is_ascii_digit).collect();
        (!flag.is_off(&variant.name, &variant.value), digits.parse::<u64>().unwrap_or(u64::MAX), variant.name.clone())
    });
    variants
}

fn checked(audience: Audience) -> Result<Audience, ApiError> {
    let nobody = |what: &str| Err(invalid(format!("audience: {what}")));
    match audience {
        Audience::Session(session) if session.is_empty() => nobody("a session needs its id"),
        Audience::Session(session) => Ok(Audience::Session(targeting_key(&session))),
        Audience::Restaurant(name) if name.is_empty() => nobody("a restaurant needs its id"),
        Audience::City(name) if name.is_empty() => nobody("a city needs its name"),
        Audience::Percent(share) if !(1..=100).contains(&share) => nobody("percent must be from 1 to 100"),
        audience => Ok(audience),
    }
}

fn unknown(key: &str) -> ApiError {
    ApiError::new(Code::FlagNotFound, format!("there is no flag {key:?}"))
}

fn invalid(message: String) -> ApiError {
    ApiError::new(Code::InvalidBody, message)
}

/// Who did what, and when: the log line carries the time and the request.
fn audit(kind: ChangeKind, flag: &str, variant: &str, until: Option<(&Audience, Timestamp)>) {
    let (request, operator, action) = (context::current(), actor(), kind.action());
    let (audience, expires_at) = match until {
        Some((audience, expires_at)) => (format!("{audience:?}"), expires_at.to_string()),
        None => Default::default(),
    };
    tracing::info!(name: "flag.audit", action, flag, variant, audience, expires_at, operator, request.id = &*request.request_id, "Operator: {action} {flag} {variant}");
}

/// Ends flips when their time is over, for as long as somebody holds the control.
async fn expire(control: Weak<Inner>) {
    loop {
        // The control itself is held only for the moment, so that dropping the last handle ends this task.
        let (nap, flipped) = {
            let Some(inner) = control.upgrade() else { return };
            let control = FlagControl(inner);
            control.tick();
            let next = control.state().flips.values().map(|flipped| flipped.flip.expires_at).min();
            let nap = next.map_or(LONGEST_NAP, |end| end.since(control.0.clock.now()).min(LONGEST_NAP));
            (nap, Arc::clone(&control.0.flipped))
        };
        tokio::select! {
            () = tokio::time::sleep(nap) => {}
            () = flipped.notified() => {}
        }
    }
}
