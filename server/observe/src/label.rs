//! What a series is of.

use crate::GATEWAY;
use crate::facts::{Facts, is_for_customers, is_probe};
use crate::model::{Kind, Span};
use std::sync::Arc;

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Spans of one service with one name or route.
    Spans(Kind),
    /// All requests a service answered, but for probes.
    Service,
    /// What customers met at the gateway.
    Customers,
    /// Calls of a service to another.
    Call,
    /// What a service asked a store.
    Store,
    /// Events that the bus gave to a service.
    Take,
    /// Events that a service gave to the bus.
    Give,
    /// Requests of those outside to the gateway.
    Enter,
}

pub(crate) const CLASSES: usize = 12;

impl Class {
    pub const fn index(self) -> usize {
        match self {
            Self::Spans(Kind::Internal) => 0,
            Self::Spans(Kind::Server) => 1,
            Self::Spans(Kind::Client) => 2,
            Self::Spans(Kind::Producer) => 3,
            Self::Spans(Kind::Consumer) => 4,
            Self::Service => 5,
            Self::Customers => 6,
            Self::Call => 7,
            Self::Store => 8,
            Self::Take => 9,
            Self::Give => 10,
            Self::Enter => 11,
        }
    }

    pub fn from_index(index: usize) -> Option<Self> {
        let kinds = [Kind::Internal, Kind::Server, Kind::Client, Kind::Producer, Kind::Consumer].map(Self::Spans);
        let others = [Self::Service, Self::Customers, Self::Call, Self::Store, Self::Take, Self::Give, Self::Enter];
        kinds.into_iter().chain(others).nth(index)
    }

    /// Who calls whom: asked for of the last minute only. What a service takes is its chart when nobody asks it anything.
    pub const fn is_brief(self) -> bool {
        matches!(self, Self::Call | Self::Store | Self::Give | Self::Enter)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Label {
    pub service: Arc<str>,
    /// Route or span's name; whoever is at the other end of an edge; empty for a whole service.
    pub name: Arc<str>,
    pub class: Class,
}

/// Who comes in from outside.
pub(crate) const BROWSER: &str = "browser";
pub(crate) const LOAD: &str = "loadgen";

/// What an answered request is called: its method and its route. Mostly that is the span's name already.
pub(crate) fn route_label<'a>(span: &'a Span, facts: &Facts<'a>, buffer: &'a mut String) -> &'a str {
    let (Kind::Server, Some(method), Some(route)) = (span.kind, facts.method, facts.route) else { return &span.name };
    if span.name.strip_prefix(method).and_then(|rest| rest.strip_prefix(' ')) == Some(route) {
        return &span.name;
    }
    buffer.clear();
    buffer.push_str(method);
    buffer.push(' ');
    buffer.push_str(route);
    buffer
}

/// Everything but its own series that a span is counted in: class, service, and the other end.
pub(crate) fn further<'a>(span: &'a Span, facts: &Facts<'a>, label: &str) -> [Option<(Class, &'a str)>; 3] {
    match span.kind {
        Kind::Server => {
            let gateway = &*span.service == GATEWAY;
            let customers = gateway && is_for_customers(label);
            let from = if facts.synthetic { LOAD } else { BROWSER };
            [
                (!is_probe(label)).then_some((Class::Service, "")),
                customers.then_some((Class::Customers, "")),
                customers.then_some((Class::Enter, from)),
            ]
        }
        Kind::Consumer => [Some((Class::Take, facts.messaging.unwrap_or(""))), None, None],
        Kind::Producer => [Some((Class::Give, facts.messaging.unwrap_or(""))), None, None],
        Kind::Client | Kind::Internal => {
            let store = facts.store_system.map(|system| (Class::Store, facts.collection.unwrap_or(system)));
            // Those outside are counted where they come in.
            let outside = [BROWSER, LOAD].contains(&&*span.service);
            let call = facts.peer.filter(|_| span.kind == Kind::Client && !outside).map(|peer| (Class::Call, peer));
            [store.or(call), None, None]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_an_index_of_its_own() {
        for index in 0..CLASSES {
            assert_eq!(Class::from_index(index).unwrap().index(), index);
        }
        assert_eq!(Class::from_index(CLASSES), None);
    }
}
