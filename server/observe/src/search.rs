//! Finding traces.

use crate::entry::Entry;
use crate::errors::BadCursor;
use crate::model::TraceId;
use crate::names::Names;
use crate::text::{contains, span_contains};
use crate::traces::Traces;
use contract::telemetry::{Outcome, TracePage, TraceQuery, TraceSummary};
use std::sync::{Mutex, PoisonError, RwLock};

const TRACES: usize = 50;
const MOST_TRACES: usize = 200;
/// So many traces are read under one lock.
const READ_AT_ONCE: usize = 32;

/// Where a trace stands in the list: by its start, then by its id.
type Place = (u64, TraceId);

fn cursor(place: Place) -> String {
    format!("{:x}-{:x}", place.0, place.1)
}

fn place(cursor: &str) -> Result<Place, BadCursor> {
    let (start, trace) = cursor.split_once('-').ok_or(BadCursor)?;
    Ok((u64::from_str_radix(start, 16).map_err(|_| BadCursor)?, u128::from_str_radix(trace, 16).map_err(|_| BadCursor)?))
}

/// A question, and what is the same for all traces.
struct Question<'q> {
    query: &'q TraceQuery,
    /// Of every name, whether the wanted route is a part of it.
    labels: Option<Vec<bool>>,
    route: &'q str,
    text: &'q str,
    below: Option<Place>,
}

enum Fits {
    No,
    Yes,
    /// Its spans must be read.
    Maybe,
}

impl Question<'_> {
    fn fits(&self, trace: TraceId, entry: &Entry) -> Fits {
        let query = self.query;
        let us = entry.first.us();
        let start_ms = i64::try_from(entry.first.start_ns / 1_000_000).unwrap_or(i64::MAX);
        let end_ms = start_ms.saturating_add_unsigned(us / 1_000);
        let fits = self.below.is_none_or(|below| (entry.first.start_ns, trace) < below)
            && !(query.requests && entry.is_routine())
            && wanted(query.service.as_ref(), |service| entry.has_service(service))
            && query.outcome.is_none_or(|outcome| (outcome == Outcome::Error) == (entry.errors > 0))
            && query.min_ms.is_none_or(|ms| us >= ms.saturating_mul(1_000))
            && query.max_ms.is_none_or(|ms| us <= ms.saturating_mul(1_000))
            && wanted(query.flag.as_ref(), |flag| entry.has_flag(flag))
            && wanted(query.order.as_ref(), |order| entry.has_order(order))
            && query.from.is_none_or(|from| end_ms >= from.millis())
            && query.to.is_none_or(|to| start_ms < to.millis());
        let labelled = self.labels.as_ref().map_or(Some(true), |labels| entry.has_label(labels));
        match (fits, labelled) {
            (false, _) | (_, Some(false)) => Fits::No,
            (true, None) => Fits::Maybe,
            (true, Some(true)) if self.text.is_empty() => Fits::Yes,
            (true, Some(true)) => Fits::Maybe,
        }
    }

    /// What only the spans tell.
    fn fits_within(&self, trace: TraceId, entry: &Entry, names: &Names) -> bool {
        let spans = entry.spans(trace, names);
        let routed = self.labels.as_ref().is_none_or(|labels| entry.has_label(labels) == Some(true))
            || spans.iter().any(|span| span_contains(span, self.route));
        routed && (self.text.is_empty() || spans.iter().any(|span| span_contains(span, self.text)))
    }
}

/// Forms send an empty text for what nobody filled in.
fn wanted(text: Option<&String>, holds: impl FnOnce(&str) -> bool) -> bool {
    text.map(|text| text.trim()).filter(|text| !text.is_empty()).is_none_or(holds)
}

fn trimmed(text: Option<&String>) -> &str {
    text.map_or("", |text| text.trim())
}

/// Newest first.
///
/// # Errors
/// When the cursor is not one of ours.
pub(crate) fn search(traces: &Mutex<Traces>, names: &RwLock<Names>, query: &TraceQuery) -> Result<TracePage, BadCursor> {
    let below = Some(trimmed(query.cursor.as_ref())).filter(|cursor| !cursor.is_empty()).map(place).transpose()?;
    let limit = query.limit.unwrap_or(TRACES).clamp(1, MOST_TRACES);
    let (route, text) = (trimmed(query.route.as_ref()), trimmed(query.text.as_ref()));
    let read_names = || names.read().unwrap_or_else(PoisonError::into_inner);
    let labels = (!route.is_empty()).then(|| read_names().which(|name| contains(name, route)));
    let question = Question { query, labels, route, text, below };

    let mut candidates: Vec<(Place, bool)> = Vec::new();
    {
        let traces = traces.lock().unwrap_or_else(PoisonError::into_inner);
        for (trace, entry) in traces.each() {
            match question.fits(trace, entry) {
                Fits::No => {}
                fits => candidates.push(((entry.first.start_ns, trace), matches!(fits, Fits::Yes))),
            }
        }
    }
    candidates.sort_unstable_by(|a, b| b.cmp(a));

    let mut found: Vec<(Place, TraceSummary)> = Vec::new();
    for some in candidates.chunks(READ_AT_ONCE) {
        if found.len() > limit {
            break;
        }
        let traces = traces.lock().unwrap_or_else(PoisonError::into_inner);
        let names = read_names();
        for (place, sure) in some {
            // It may be gone meanwhile.
            let Some(entry) = traces.get(place.1) else { continue };
            if *sure || question.fits_within(place.1, entry, &names) {
                found.push((*place, entry.summary(place.1)));
            }
        }
    }
    let next = if found.len() > limit { found.get(limit - 1).map(|(place, _)| cursor(*place)) } else { None };
    Ok(TracePage { traces: found.into_iter().take(limit).map(|(_, summary)| summary).collect(), next })
}
