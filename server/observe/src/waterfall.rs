//! A trace as it is drawn: parents before children, and the path that made it as long as it was.

use crate::facts::Facts;
use crate::model::{Kind, Span, SpanId};
use crate::text::show_all;
use contract::telemetry::{LogLine, SpanEventView, SpanKind, SpanView, Trace, TraceSummary};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// Clocks of two machines differ by so much without meaning anything.
const SKEW_NS: u64 = 1_000_000;

/// Puts the spans of a trace in order. `summary` is told beside them as it is.
pub(crate) fn waterfall(summary: TraceSummary, mut spans: Vec<Span>, logs: Vec<LogLine>) -> Trace {
    spans.sort_by_key(|span| (span.start_ns, Reverse(span.end_ns), span.id));
    let at: HashMap<SpanId, usize> = spans.iter().enumerate().map(|(index, span)| (span.id, index)).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    let (mut roots, mut orphans) = (Vec::new(), 0);
    for (index, span) in spans.iter().enumerate() {
        match span.parent.and_then(|parent| at.get(&parent)).filter(|parent| **parent != index) {
            Some(parent) => children.get_mut(*parent).into_iter().for_each(|list| list.push(index)),
            None => {
                orphans += usize::from(span.parent.is_some());
                roots.push(index);
            }
        }
    }
    // A parent seen stands first; what hangs in the air follows by its start.
    roots.sort_by_key(|index| spans.get(*index).is_some_and(|span| span.parent.is_some()));
    // The one whose parent is another's (the load generator, a browser) is a beginning and no orphan.
    if let Some(first) = roots.first().and_then(|index| spans.get(*index)) {
        orphans -= usize::from(first.parent.is_some());
    }
    let critical = roots.first().map(|root| critical_path(*root, &spans, &children)).unwrap_or_default();
    let order = depth_first(&roots, &children, spans.len());
    let start_ns = roots.first().and_then(|root| spans.get(*root)).map_or(0, |root| root.start_ns);
    let view = |(index, depth): &(usize, usize)| Some(view(spans.get(*index)?, *depth, start_ns, critical.contains(index)));
    Trace { summary, spans: order.iter().filter_map(view).collect(), logs, orphans }
}

/// Every span once, with its depth. Spans that are each other's ancestors come last, as beginnings.
fn depth_first(roots: &[usize], children: &[Vec<usize>], count: usize) -> Vec<(usize, usize)> {
    let mut order = Vec::with_capacity(count);
    let mut seen = HashSet::new();
    for root in roots.iter().copied().chain(0..count) {
        let mut stack = vec![(root, 0)];
        while let Some((index, depth)) = stack.pop() {
            if !seen.insert(index) {
                continue;
            }
            order.push((index, depth));
            stack.extend(children.get(index).into_iter().flatten().rev().map(|child| (*child, depth + 1)));
        }
    }
    order
}

/// Walks back from the end: of what a span waited for, the one that ended last was waited for last.
fn critical_path(root: usize, spans: &[Span], children: &[Vec<usize>]) -> HashSet<usize> {
    let mut critical = HashSet::new();
    let mut open = vec![root];
    while let Some(index) = open.pop() {
        let Some(span) = spans.get(index).filter(|_| critical.insert(index)) else { continue };
        // What outlives its parent was not waited for: it followed by events.
        let awaited = |child: &&usize| spans.get(**child).is_some_and(|child| child.end_ns <= span.end_ns.saturating_add(SKEW_NS));
        let mut before: Vec<usize> = children.get(index).into_iter().flatten().filter(awaited).copied().collect();
        before.sort_by_key(|child| spans.get(*child).map_or(0, |child| child.end_ns));
        let mut until = u64::MAX;
        for child in before.into_iter().rev() {
            let Some(times) = spans.get(child) else { continue };
            if times.end_ns <= until && times.end_ns > times.start_ns {
                open.push(child);
                until = times.start_ns;
            }
        }
    }
    critical
}

fn view(span: &Span, depth: usize, start_ns: u64, critical: bool) -> SpanView {
    let since_start = |ns: u64| (ns as i64).wrapping_sub(start_ns as i64) / 1_000;
    let event = |event: &crate::model::Event| SpanEventView {
        name: event.name.to_string(),
        at_us: since_start(event.at_ns),
        attributes: show_all(&event.attributes),
    };
    SpanView {
        span_id: format!("{:016x}", span.id),
        parent_id: span.parent.map(|parent| format!("{parent:016x}")),
        depth,
        service: span.service.to_string(),
        name: span.name.to_string(),
        kind: kind(span.kind),
        start_us: since_start(span.start_ns),
        duration_us: span.end_ns.saturating_sub(span.start_ns) / 1_000,
        failed: span.failed,
        message: span.message.to_string(),
        attributes: show_all(&span.attributes),
        events: span.events.iter().map(event).collect(),
        links: span.links.iter().map(|link| format!("{link:032x}")).collect(),
        flag: Facts::of(span).flag.map(str::to_owned),
        critical,
    }
}

const fn kind(kind: Kind) -> SpanKind {
    match kind {
        Kind::Internal => SpanKind::Internal,
        Kind::Server => SpanKind::Server,
        Kind::Client => SpanKind::Client,
        Kind::Producer => SpanKind::Producer,
        Kind::Consumer => SpanKind::Consumer,
    }
}
