//! What the store needs to know of a span, read from its attributes in one pass. Nothing is copied.

use crate::model::{Kind, Span, Value};
use crate::{GATEWAY, TALLIED};

/// A span that customers wait for this long is slow: its trace is worth keeping.
const SLOW_NS: u64 = 1_000_000_000;

/// What the trace of a span is worth by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// It failed, a fault touched it, or somebody waited long: it lives longer.
    Notable,
    /// A person asked, and not the load generator: it lives longer, while there are few of them.
    Person,
    Healthy,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts<'a> {
    pub method: Option<&'a str>,
    pub route: Option<&'a str>,
    pub status: Option<u16>,
    pub synthetic: bool,
    /// The last fault that touched it.
    pub flag: Option<&'a str>,
    pub order: Option<&'a str>,
    /// The store it asks: `db.system.name`, and the domain's name for it.
    pub store_system: Option<&'a str>,
    pub collection: Option<&'a str>,
    /// Who is called.
    pub peer: Option<&'a str>,
    pub messaging: Option<&'a str>,
    /// Some attribute is one of [`TALLIED`].
    pub tallied: bool,
}

impl<'a> Facts<'a> {
    pub fn of(span: &'a Span) -> Self {
        let mut facts = Self::default();
        let mut address = None;
        for (key, value) in &span.attributes {
            match &**key {
                "http.request.method" | "http.method" => facts.method = text(value),
                "http.route" => facts.route = text(value),
                "http.response.status_code" | "http.status_code" => facts.status = status(value),
                "synthetic" => facts.synthetic = matches!(value, Value::Bool(true)) || text(value) == Some("true"),
                "chaos.flag" => facts.flag = text(value).or(facts.flag),
                "order.id" | "feast.order.id" => facts.order = text(value).or(facts.order),
                "db.system.name" | "db.system" => facts.store_system = text(value),
                "db.collection.name" => facts.collection = text(value),
                "peer.service" => facts.peer = text(value),
                "server.address" => address = text(value),
                "messaging.system" => facts.messaging = text(value),
                key => facts.tallied |= key.starts_with("feast.") && TALLIED.contains(&key),
            }
        }
        if span.kind == Kind::Client && facts.store_system.is_none() {
            facts.peer = facts.peer.or(address);
        }
        facts
    }

    pub fn worth(&self, span: &Span) -> Worth {
        let slow = span.end_ns.saturating_sub(span.start_ns) > SLOW_NS;
        if span.failed || self.flag.is_some() || (slow && (span.parent.is_none() || span.kind == Kind::Server)) {
            return Worth::Notable;
        }
        let person =
            span.kind == Kind::Server && *span.service == *GATEWAY && !self.synthetic && is_for_customers(self.route.unwrap_or(&span.name));
        if person { Worth::Person } else { Worth::Healthy }
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

fn status(value: &Value) -> Option<u16> {
    match value {
        Value::Int(status) => u16::try_from(*status).ok(),
        Value::Text(status) => status.parse().ok(),
        _ => None,
    }
}

/// Console, health and telemetry: nothing a customer meets, though it goes through the gateway.
const NOT_CUSTOMERS: [&str; 25] = [
    "/console",
    "/v1/",
    "/events/console",
    "/ofrep",
    "/api/overview",
    "/api/traces",
    "/api/logs",
    "/api/topology",
    "/api/telemetry",
    "/api/proofs",
    "/api/detection",
    "/api/audit",
    "/api/policies",
    "/api/incidents",
    "/api/load",
    "/api/flags",
    "/api/ledger",
    "/api/events",
    "/api/reset",
    "/api/beacon",
    "/api/operators",
    "/pkg",
    "/assets",
    "/favicon",
    "unmatched",
];

/// Asked by machines about the process itself.
const PROBES: [&str; 4] = ["/health", "/ready", "/live", "/metrics"];

fn path(label: &str) -> &str {
    label.split_once(' ').map_or(label, |(_, path)| path)
}

/// Whether the route of an answered request, with its method, is a probe.
pub(crate) fn is_probe(label: &str) -> bool {
    PROBES.iter().any(|prefix| path(label).starts_with(prefix))
}

/// Whether the route of a gateway's span, with its method, is one for customers.
pub(crate) fn is_for_customers(label: &str) -> bool {
    let path = path(label);
    !NOT_CUSTOMERS.iter().any(|prefix| path.starts_with(prefix)) && !is_probe(label)
}

#[cfg(test)]
mod tests {
    use super::is_for_customers;

    #[test]
    fn the_consoles_own_requests_are_not_the_customers() {
        for label in ["GET /", "GET /menu", "POST /api/cart/{id}/items", "GET /events/orders/{id}", "GET /orders/{id}"] {
            assert!(is_for_customers(label), "{label}");
        }
        for label in ["GET /console/traces", "GET /api/traces/{id}", "POST /v1/traces", "GET /health", "GET unmatched"] {
            assert!(!is_for_customers(label), "{label}");
        }
    }
}
