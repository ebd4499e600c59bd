//! A kept trace: its spans packed, and beside them what lists and searches need.

use crate::facts::Facts;
use crate::label::route_label;
use crate::model::{Kind, Span, SpanId, TraceId};
use crate::names::Names;
use crate::pack::{put_span, read_spans};
use contract::Timestamp;
use contract::telemetry::{PLATFORM, Source, TraceSummary};
use std::mem::size_of;
use std::sync::Arc;

/// Enough for any request; what has more is a loop.
const MOST_SPANS: u32 = 2_000;
/// Enough for any trace; a stranger must not be able to grow the list.
const MOST_FLAGS: usize = 16;
const MOST_ORDERS: usize = 16;
const MOST_SERVICES: usize = 32;
const MOST_LABELS: usize = 256;

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    base_ns: u64,
    packed: Vec<u8>,
    pub first: First,
    pub spans: u32,
    pub errors: u32,
    /// Lives longer.
    pub notable: bool,
    services: Vec<Arc<str>>,
    /// Names and routes of its spans, by their numbers in [`Names`].
    labels: Vec<u32>,
    /// Some name had no number: only reading the spans tells.
    unnamed: bool,
    flags: Vec<Arc<str>>,
    orders: Vec<Arc<str>>,
}

/// The span that everything else followed: without a parent, or the earliest seen.
#[derive(Clone, Debug)]
pub(crate) struct First {
    id: SpanId,
    parent: Option<SpanId>,
    service: Arc<str>,
    name: Arc<str>,
    pub start_ns: u64,
    end_ns: u64,
    failed: bool,
    status: Option<u16>,
    /// Nobody asked for it but the platform itself.
    own: bool,
}

impl First {
    fn is_before(&self, other: &Self) -> bool {
        if other.parent == Some(self.id) {
            return true;
        }
        (self.parent.is_some(), self.start_ns) < (other.parent.is_some(), other.start_ns)
    }

    /// What the caller waited for.
    pub fn us(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns) / 1_000
    }
}

fn remember<T: PartialEq>(list: &mut Vec<T>, most: usize, item: T) {
    if list.len() < most && !list.contains(&item) {
        list.push(item);
    }
}

impl Entry {
    /// Begins with one span, which is not put in yet.
    pub fn of(span: &Span, names: &mut Names) -> Self {
        Self {
            base_ns: span.start_ns,
            packed: Vec::new(),
            first: first(span, &Facts::of(span), names),
            spans: 0,
            errors: 0,
            notable: false,
            services: Vec::new(),
            labels: Vec::new(),
            unnamed: false,
            flags: Vec::new(),
            orders: Vec::new(),
        }
    }

    /// Puts a span in; false when the trace has too many.
    pub fn add(&mut self, span: &Span, names: &mut Names) -> bool {
        if self.spans >= MOST_SPANS {
            return false;
        }
        let facts = Facts::of(span);
        let first = first(span, &facts, names);
        if first.is_before(&self.first) {
            self.first = first;
        }
        self.spans += 1;
        self.errors += u32::from(span.failed);
        remember(&mut self.services, MOST_SERVICES, names.shared(&span.service));
        self.label(&span.name, names);
        let mut buffer = String::new();
        let route = route_label(span, &facts, &mut buffer);
        if *route != *span.name {
            self.label(&Arc::from(route), names);
        }
        if let Some(flag) = facts.flag {
            remember(&mut self.flags, MOST_FLAGS, names.shared(&Arc::from(flag)));
        }
        if let Some(order) = facts.order
            && !self.orders.iter().any(|known| **known == *order)
        {
            remember(&mut self.orders, MOST_ORDERS, Arc::from(order));
        }
        put_span(&mut self.packed, span, self.base_ns, names);
        true
    }

    fn label(&mut self, name: &Arc<str>, names: &mut Names) {
        match names.id(name) {
            Some(id) if self.labels.len() < MOST_LABELS || self.labels.contains(&id) => remember(&mut self.labels, MOST_LABELS, id),
            _ => self.unnamed = true,
        }
    }

    /// Gives back the room that was for more spans.
    pub fn close(&mut self) {
        self.packed.shrink_to_fit();
        self.labels.shrink_to_fit();
        self.services.shrink_to_fit();
    }

    /// Begun by the platform itself, and nothing worth a look happened in it.
    pub fn is_routine(&self) -> bool {
        self.first.own && self.errors == 0 && self.flags.is_empty()
    }

    pub fn bytes(&self) -> usize {
        // An order's id is its own, and a flag's may be.
        let texts: usize = self.orders.iter().chain(&self.flags).map(|text| text.len() + 16).sum();
        let own = self.first.name.len() + self.first.service.len();
        let lists = (self.services.capacity() + self.flags.capacity() + self.orders.capacity()) * size_of::<Arc<str>>();
        size_of::<Self>() + self.packed.capacity() + lists + self.labels.capacity() * size_of::<u32>() + texts + own + 96
    }

    pub fn spans(&self, trace: TraceId, names: &Names) -> Vec<Span> {
        read_spans(&self.packed, trace, self.base_ns, names)
    }

    pub fn has_service(&self, service: &str) -> bool {
        self.services.iter().any(|known| **known == *service)
    }

    pub fn has_flag(&self, flag: &str) -> bool {
        self.flags.iter().any(|known| **known == *flag)
    }

    pub fn has_order(&self, order: &str) -> bool {
        self.orders.iter().any(|known| **known == *order)
    }

    /// `None` when only its spans can tell.
    pub fn has_label(&self, wanted: &[bool]) -> Option<bool> {
        let has = self.labels.iter().any(|id| wanted.get(*id as usize).copied().unwrap_or(false));
        if has || !self.unnamed { Some(has) } else { None }
    }

    pub fn summary(&self, trace: TraceId) -> TraceSummary {
        let texts = |list: &[Arc<str>]| list.iter().map(|text| text.to_string()).collect();
        TraceSummary {
            trace_id: format!("{trace:032x}"),
            name: self.first.name.to_string(),
            service: self.first.service.to_string(),
            started_at: timestamp(self.first.start_ns),
            duration_us: self.first.us(),
            spans: self.spans as usize,
            services: texts(&self.services),
            failed: self.first.failed,
            errors: self.errors as usize,
            status: self.first.status,
            flags: texts(&self.flags),
            order: self.orders.first().map(|order| order.to_string()),
            source: Source::Live,
        }
    }
}

fn first(span: &Span, facts: &Facts<'_>, names: &mut Names) -> First {
    First {
        id: span.id,
        parent: span.parent,
        service: names.shared(&span.service),
        name: names.shared(&span.name),
        start_ns: span.start_ns,
        end_ns: span.end_ns,
        failed: span.failed,
        status: facts.status,
        own: is_own(span, facts),
    }
}

/// A timer, or the console looking at what everybody else does.
fn is_own(span: &Span, facts: &Facts<'_>) -> bool {
    let of_the_console = |route: &str| ["/console", "/events/console"].iter().any(|pages| route.starts_with(pages));
    let began = match span.kind {
        Kind::Internal | Kind::Client => true,
        Kind::Server => facts.route.is_some_and(of_the_console),
        Kind::Producer | Kind::Consumer => false,
    };
    span.parent.is_none() && began && PLATFORM.contains(&&*span.service)
}

pub(crate) fn timestamp(ns: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(ns / 1_000_000).unwrap_or(i64::MAX))
}
