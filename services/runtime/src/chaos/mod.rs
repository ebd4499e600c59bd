//! Faults on purpose: one layer for all services, driven by flags and their metadata, so that no handler knows of it.
//!
//! It never holds a lock while it waits, draws from the seeded [`Chance`], and marks what it does: span attributes `chaos.flag` and
//! `chaos.injected`, a log line, a count, and the error's code. While every flag is off it costs one atomic load.

mod burn;
mod connections;
mod effect;
mod flood;
mod inbound;

pub use burn::{burning, follow};
pub use connections::{Connections, Taken};
pub use inbound::inbound;

use crate::chance::Chance;
use crate::events::SELF_TEST;
use crate::flags::site::{CallEffect, Point, Site};
use crate::flags::{Active, Flags};
use contract::ApiError;
use effect::Effect;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use serde_json::Value;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Proves that proofs notice: without this layer every flag can be flipped, and none does anything.
const WITHOUT_CHAOS: &str = "without-chaos";

/// Whether and when calls are refused without being tried. The flag is on by default.
const BREAKER_FLAG: &str = "circuit-breaker";

/// The chaos layer as one service sees it. Cheap to clone.
#[derive(Clone)]
pub struct Chaos {
    flags: Flags,
    chance: Chance,
    injections: Option<Counter<u64>>,
}

/// What happens to a call to another service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientFault {
    /// Fail before anything is sent, as when nobody listens.
    Refuse,
    /// Send, wait for the reply, lose it, as when the connection breaks.
    DropReply,
    /// Send nothing and wait until the time is over, as when nobody answers.
    Hang,
}

/// What the circuit breaker of a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaking {
    /// As it does when nobody flipped anything.
    AsUsual,
    /// It opens after so many failures in a row.
    After(u32),
    /// It refuses nothing.
    Never,
}

/// A store that is down on purpose.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store is down by flag {flag}")]
pub struct StoreFault {
    pub flag: String,
}

impl From<StoreFault> for ApiError {
    fn from(fault: StoreFault) -> Self {
        let mut error = Self::store_unavailable();
        error.flag = Some(fault.flag);
        error
    }
}

/// The kinds of injected faults, as they appear in `chaos.injected`.
#[derive(Clone, Copy, Debug)]
pub enum Injected {
    Error,
    Latency,
    Refused,
    LostReply,
    NotReady,
    /// The domain itself behaves otherwise.
    Behaviour,
}

impl Injected {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Latency => "latency",
            Self::Refused => "refused",
            Self::LostReply => "lost-reply",
            Self::NotReady => "not-ready",
            Self::Behaviour => "behaviour",
        }
    }
}

impl Chaos {
    pub fn new(flags: Flags, chance: Chance) -> Self {
        let flags = if is_switched_off() { Flags::none() } else { flags };
        let injections = flags
            .meter()
            .map(|meter| meter.u64_counter("chaos.injections").with_description("Faults injected by flags").with_unit("{fault}").build());
        Self { flags, chance, injections }
    }

    /// A layer that does nothing, for tests of what stands behind it.
    pub fn none() -> Self {
        Self::new(Flags::none(), Chance::seeded(0))
    }

    pub fn flags(&self) -> &Flags {
        &self.flags
    }

    /// The fault for one attempt of a call, named as in the call-policy table.
    pub async fn client_fault(&self, call: &str) -> Option<ClientFault> {
        for (key, site) in self.sites(|site| site.point == Point::Client && site.is_on_call(self.flags.service(), call)) {
            let Some(effect) = self.effect(&key).await else { continue };
            if !self.chance.percent(effect.error_rate.unwrap_or(100.0)) {
                continue;
            }
            let chosen = effect.effect.as_deref().and_then(CallEffect::from_text).unwrap_or(site.call_effect);
            let (fault, injected) = match chosen {
                CallEffect::Refuse => (ClientFault::Refuse, Injected::Refused),
                CallEffect::DropReply => (ClientFault::DropReply, Injected::LostReply),
                CallEffect::Hang => (ClientFault::Hang, Injected::Latency),
            };
            self.mark(&key, injected, call);
            return Some(fault);
        }
        None
    }

    /// What the breaker of a client may do with this call.
    pub async fn breaking(&self) -> Breaking {
        let Some(active) = self.flags.evaluate(BREAKER_FLAG).await else { return Breaking::AsUsual };
        if active.value.get("enabled").and_then(Value::as_bool) == Some(false) {
            return Breaking::Never;
        }
        let failures = active.value.get("failures").and_then(Value::as_u64).and_then(|failures| u32::try_from(failures).ok());
        failures.map_or(Breaking::AsUsual, |failures| Breaking::After(failures.max(1)))
    }

    /// A call went out that the breaker would have refused.
    pub fn breaker_was_passed(&self, call: &str) {
        self.mark(BREAKER_FLAG, Injected::Behaviour, call);
    }

    /// A connection for one operation of a store, while a flag leaves few of them.
    ///
    /// # Errors
    /// None was free in time.
    pub async fn connection(&self, pool: &Connections, service: &str, store: &str) -> Result<Option<Taken>, StoreFault> {
        for (key, _) in self.sites(|site| site.point == Point::Pool && site.is_in(service)) {
            let Some(effect) = self.effect(&key).await else { continue };
            let Some(left) = effect.connections else { continue };
            if !effect.store.as_deref().is_none_or(|meant| meant == service || meant == store) {
                continue;
            }
            self.mark(&key, Injected::Latency, store);
            return match pool.take(left, effect.wait(), effect.hold(), || self.flags.may_be_on(&key)).await {
                Some(taken) => Ok(Some(taken)),
                None => {
                    self.mark(&key, Injected::Error, store);
                    Err(StoreFault { flag: key })
                }
            };
        }
        Ok(None)
    }

    /// Stands before every operation of every store, whatever it is made of. `store` is the domain's name for it ("carts").
    ///
    /// # Errors
    /// The store is to be seen as down; it was not touched.
    pub async fn store(&self, service: &str, store: &str, operation: &str) -> Result<(), StoreFault> {
        for (key, _) in self.sites(|site| site.point == Point::Store) {
            let Some(effect) = self.effect(&key).await else { continue };
            if !effect.store.as_deref().is_none_or(|meant| meant == service || meant == store) {
                continue;
            }
            let place = format!("{store}.{operation}");
            if self.chance.percent(effect.error_rate.unwrap_or(0.0)) {
                self.mark(&key, Injected::Error, &place);
                return Err(StoreFault { flag: key });
            }
            self.slow_down(&key, &effect, &place).await;
        }
        Ok(())
    }

    /// False when a flag says that `service` is not ready.
    pub async fn readiness(&self, service: &str) -> bool {
        for (key, _) in self.sites(|site| site.point == Point::Ready) {
            let Some(effect) = self.effect(&key).await else { continue };
            if effect.is_for(service) {
                self.mark(&key, Injected::NotReady, service);
                return false;
            }
        }
        true
    }

    /// A flag that the domain itself acts on (`inventory-shortage`). Nothing is marked until [`Chaos::mark`] says what was done.
    pub async fn domain(&self, flag: &str) -> Option<Active> {
        self.flags.evaluate(flag).await
    }

    /// Leaves traces of an injected fault: span attributes, log line, count. `place` is a route, a call or a store's operation.
    pub fn mark(&self, flag: &str, injected: Injected, place: &str) {
        let span = Span::current();
        for (name, value) in [("chaos.flag", flag), ("chaos.injected", injected.as_str())] {
            if span.has_field(name) {
                span.record(name, value);
            } else {
                span.set_attribute(name, value.to_owned());
            }
        }
        let service = self.flags.service();
        tracing::warn!(flag, service, route = place, injected = injected.as_str(), "Feature flag triggered chaos");
        if let Some(injections) = &self.injections {
            injections.add(1, &[KeyValue::new("chaos.flag", flag.to_owned()), KeyValue::new("chaos.injected", injected.as_str())]);
        }
    }

    /// Waits as long as a flag says that this server does not find by a route.
    pub async fn delay(&self, flag: &str, place: &str) {
        if let Some(effect) = self.effect(flag).await {
            self.slow_down(flag, &effect, place).await;
        }
    }

    fn sites(&self, wanted: impl Fn(&Site) -> bool) -> Vec<(String, Site)> {
        self.flags.pick(|key, flag| wanted(&flag.site).then(|| (key.to_owned(), flag.site.clone())))
    }

    async fn effect(&self, key: &str) -> Option<Effect> {
        Effect::of(key, &self.flags.evaluate(key).await?.value)
    }
}

fn is_switched_off() -> bool {
    let off = std::env::var(SELF_TEST).as_deref() == Ok(WITHOUT_CHAOS);
    if off {
        tracing::error!("{SELF_TEST}={WITHOUT_CHAOS}: flags can be flipped, and NONE DOES ANYTHING. Never run a demo like this");
    }
    off
}
