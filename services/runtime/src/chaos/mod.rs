//! Faults on purpose: one layer for all services, driven by flags and their metadata, so that no handler knows of it.
//!
//! It never holds a lock while it waits, draws from the seeded [`Chance`], and marks what it does: span attributes `chaos.flag` and
//! `chaos.injected`, a log line, a count, and the error's code. While every flag is off it costs one atomic load.

mod effect;
mod inbound;

pub use inbound::inbound;

use crate::chance::Chance;
use crate::flags::site::{CallEffect, Point, Site};
use crate::flags::{Active, Flags};
use contract::ApiError;
use effect::Effect;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

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
            let (fault, injected) = match site.call_effect {
                CallEffect::Refuse => (ClientFault::Refuse, Injected::Refused),
                CallEffect::DropReply => (ClientFault::DropReply, Injected::LostReply),
            };
            self.mark(&key, injected, call);
            return Some(fault);
        }
        None
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
            if effect.service.as_deref().is_none_or(|meant| meant == service) {
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

    fn sites(&self, wanted: impl Fn(&Site) -> bool) -> Vec<(String, Site)> {
        self.flags.pick(|key, flag| wanted(&flag.site).then(|| (key.to_owned(), flag.site.clone())))
    }

    async fn effect(&self, key: &str) -> Option<Effect> {
        Effect::of(key, &self.flags.evaluate(key).await?.value)
    }
}
