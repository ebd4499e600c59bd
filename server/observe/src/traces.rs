//! Traces within a bound. What failed, was slow or was touched by a fault lives longer than what went well.
//!
//! A trace is decided on when its first span comes. While fewer come than are kept, that is all. Beyond, a healthy one that is not
//! chosen waits a moment for the rest of its spans, because an error makes it worth keeping; then it is let go.

use crate::entry::Entry;
use crate::facts::{Facts, Worth};
use crate::intake::span_bytes;
use crate::limits::Limits;
use crate::model::{Span, TraceId};
use crate::names::Names;
use crate::sampler::{Gone, Sampler};
use std::collections::{HashMap, VecDeque};
use std::mem::size_of;

/// An undecided trace waits so long for an error. Slow requests come in later than that, by their first span, and are kept from there.
const UNDECIDED_SECONDS: u32 = 3;
/// After so long a trace gives back the room that was for more spans.
const GROWING_SECONDS: u32 = 5;
/// Of a trace that waits, beside its spans: its place in the map, doubled because maps are half empty at worst.
const PENDING_BYTES: usize = 2 * size_of::<(TraceId, Pending)>();
/// Its place in the line, which it may leave late.
const WAITING_BYTES: usize = 2 * size_of::<(TraceId, u32)>();
/// The same for a kept one.
const PLACE_BYTES: usize = 2 * (size_of::<(TraceId, Box<Entry>)>() + 2 * size_of::<TraceId>() + size_of::<(TraceId, u32)>());

#[derive(Debug, Default)]
struct Pending {
    spans: Vec<Span>,
    bytes: usize,
}

impl Pending {
    /// Answers how many bytes it grew.
    fn push(&mut self, span: Span) -> usize {
        let room = self.spans.capacity();
        let own = span_bytes(&span) - size_of::<Span>();
        self.spans.push(span);
        let grown = own + (self.spans.capacity() - room) * size_of::<Span>();
        self.bytes += grown;
        grown
    }
}

/// Since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub sampled_out_spans: u64,
    pub evicted_spans: u64,
}

#[derive(Debug)]
pub(crate) struct Traces {
    kept: HashMap<TraceId, Box<Entry>>,
    /// Oldest first. A trace that became notable stands in both lines; its place in the first counts no more.
    healthy: VecDeque<TraceId>,
    notable: VecDeque<TraceId>,
    growing: VecDeque<(TraceId, u32)>,
    bytes: usize,
    healthy_bytes: usize,
    share: usize,
    bound: usize,
    spans: u64,
    pending: HashMap<TraceId, Pending>,
    waiting: VecDeque<(TraceId, u32)>,
    pending_bytes: usize,
    pending_bound: usize,
    gone: Gone,
    healthy_sampler: Sampler,
    people_sampler: Sampler,
    notable_sampler: Sampler,
    totals: Totals,
    now: u32,
}

impl Traces {
    pub fn new(limits: &Limits) -> Self {
        let gone = limits.pending() / 4;
        Self {
            kept: HashMap::new(),
            healthy: VecDeque::new(),
            notable: VecDeque::new(),
            growing: VecDeque::new(),
            bytes: 0,
            healthy_bytes: 0,
            share: limits.traces(),
            bound: limits.traces(),
            spans: 0,
            pending: HashMap::new(),
            waiting: VecDeque::new(),
            pending_bytes: 0,
            pending_bound: limits.pending() - gone,
            gone: Gone::new(gone),
            healthy_sampler: Sampler::new(limits.healthy_a_second),
            people_sampler: Sampler::new(limits.people_a_second),
            notable_sampler: Sampler::new(limits.notable_a_second),
            totals: Totals::default(),
            now: 0,
        }
    }

    /// Takes a span; `series` is the number of its own series.
    pub fn take(&mut self, span: Span, series: u32, worth: Worth, names: &mut Names) {
        let trace = span.trace;
        if self.kept.contains_key(&trace) {
            self.join(&span, worth == Worth::Notable, names);
            return;
        }
        if worth == Worth::Notable {
            self.take_notable(span, series, names);
        } else if worth == Worth::Person && self.people_sampler.admit(trace, series, self.now) {
            let mut spans = self.take_pending(trace);
            spans.push(span);
            self.begin(trace, spans, true, names);
        } else if let Some(pending) = self.pending.get_mut(&trace) {
            self.pending_bytes += pending.push(span);
        } else if self.gone.contains(trace) {
            self.totals.sampled_out_spans += 1;
        } else if self.healthy_sampler.admit(trace, series, self.now) {
            self.begin(trace, [span], false, names);
        } else {
            let mut pending = Pending { spans: Vec::new(), bytes: PENDING_BYTES };
            pending.push(span);
            self.pending_bytes += pending.bytes;
            self.pending.insert(trace, pending);
            self.waiting.push_back((trace, self.now));
        }
        self.let_go();
        self.evict();
    }

    fn take_notable(&mut self, span: Span, series: u32, names: &mut Names) {
        let trace = span.trace;
        let mut spans = self.take_pending(trace);
        spans.push(span);
        if self.notable_sampler.admit(trace, series, self.now) {
            self.begin(trace, spans, true, names);
        } else {
            self.totals.sampled_out_spans += spans.len() as u64;
            self.gone.add(trace);
        }
    }

    /// What waited of a trace.
    fn take_pending(&mut self, trace: TraceId) -> Vec<Span> {
        let Some(pending) = self.pending.remove(&trace) else { return Vec::new() };
        self.pending_bytes -= pending.bytes;
        pending.spans
    }

    /// Keeps a trace from now on.
    fn begin(&mut self, trace: TraceId, spans: impl IntoIterator<Item = Span>, notable: bool, names: &mut Names) {
        let mut spans = spans.into_iter().peekable();
        let Some(first) = spans.peek() else { return };
        let entry = Box::new(Entry::of(first, names));
        self.bytes += entry.bytes() + PLACE_BYTES;
        self.healthy_bytes += entry.bytes() + PLACE_BYTES;
        self.kept.insert(trace, entry);
        self.healthy.push_back(trace);
        self.growing.push_back((trace, self.now));
        spans.for_each(|span| self.join(&span, notable, names));
    }

    /// Adds a span to a kept trace, and says whether it makes the trace live longer.
    fn join(&mut self, span: &Span, notable: bool, names: &mut Names) {
        let Some(entry) = self.kept.get_mut(&span.trace) else { return };
        let (before, was_notable) = (entry.bytes(), entry.notable);
        entry.notable |= notable;
        if entry.add(span, names) {
            self.spans += 1;
        } else {
            self.totals.sampled_out_spans += 1;
        }
        let after = entry.bytes();
        let notable = entry.notable;
        self.bytes = self.bytes + after - before;
        if !was_notable {
            self.healthy_bytes = self.healthy_bytes + after - before;
        }
        if notable && !was_notable {
            self.healthy_bytes -= after + PLACE_BYTES;
            self.notable.push_back(span.trace);
        }
        self.evict();
    }

    /// Takes a whole trace of a snapshot. Nothing is added to one that is here already.
    pub fn restore(&mut self, spans: Vec<Span>, names: &mut Names) {
        let Some(trace) = spans.first().map(|span| span.trace).filter(|trace| !self.kept.contains_key(trace)) else { return };
        let notable = spans.iter().any(|span| Facts::of(span).worth(span) == Worth::Notable);
        self.begin(trace, spans, notable, names);
        self.close(trace);
        self.evict();
    }

    /// How much it may use beside its own share: what others leave of theirs.
    pub fn set_spare(&mut self, spare: usize) {
        self.bound = self.share + spare;
        self.evict();
    }

    /// Tells the time in seconds.
    pub fn tick(&mut self, now: u32) {
        self.now = self.now.max(now);
        self.gone.tick(self.now);
        while let Some((trace, _)) = self.growing.front().filter(|(_, since)| since + GROWING_SECONDS <= self.now).copied() {
            self.growing.pop_front();
            self.close(trace);
        }
        self.let_go();
        self.shrink();
    }

    /// Gives back places that a storm needed.
    fn shrink(&mut self) {
        fn is_roomy(capacity: usize, len: usize) -> bool {
            capacity > 4 * len + 256
        }
        if is_roomy(self.kept.capacity(), self.kept.len()) {
            self.kept.shrink_to(2 * self.kept.len());
        }
        if is_roomy(self.pending.capacity(), self.pending.len()) {
            self.pending.shrink_to(2 * self.pending.len());
        }
        for line in [&mut self.healthy, &mut self.notable] {
            if is_roomy(line.capacity(), line.len()) {
                line.shrink_to(2 * line.len());
            }
        }
        for line in [&mut self.waiting, &mut self.growing] {
            if is_roomy(line.capacity(), line.len()) {
                line.shrink_to(2 * line.len());
            }
        }
    }

    fn close(&mut self, trace: TraceId) {
        let Some(entry) = self.kept.get_mut(&trace) else { return };
        let before = entry.bytes();
        entry.close();
        let freed = before - entry.bytes();
        self.bytes -= freed;
        if !entry.notable {
            self.healthy_bytes -= freed;
        }
    }

    /// Lets go of undecided traces that waited long enough, or have no room.
    fn let_go(&mut self) {
        while let Some((trace, since)) = self.waiting.front().copied() {
            if self.undecided_bytes() <= self.pending_bound && since + UNDECIDED_SECONDS > self.now {
                return;
            }
            self.waiting.pop_front();
            if let Some(pending) = self.pending.remove(&trace) {
                self.pending_bytes -= pending.bytes;
                self.totals.sampled_out_spans += pending.spans.len() as u64;
                self.gone.add(trace);
            }
        }
    }

    fn undecided_bytes(&self) -> usize {
        self.pending_bytes + self.waiting.len() * WAITING_BYTES
    }

    /// Drops the oldest: healthy ones first, until they have a quarter of the room, which notable ones must not take from them.
    fn evict(&mut self) {
        while self.bytes > self.bound {
            let healthy_first = self.healthy_bytes > self.bound / 4 || self.notable.is_empty();
            let line = if healthy_first { &mut self.healthy } else { &mut self.notable };
            let Some(trace) = line.pop_front() else { return };
            // It moved to the other line when it became notable.
            if self.kept.get(&trace).is_none_or(|entry| entry.notable == healthy_first) {
                continue;
            }
            if let Some(entry) = self.kept.remove(&trace) {
                let bytes = entry.bytes() + PLACE_BYTES;
                self.bytes -= bytes;
                if healthy_first {
                    self.healthy_bytes -= bytes;
                }
                self.spans -= u64::from(entry.spans);
                self.totals.evicted_spans += u64::from(entry.spans);
                self.gone.add(trace);
            }
        }
    }

    pub fn get(&self, trace: TraceId) -> Option<&Entry> {
        self.kept.get(&trace).map(|entry| &**entry)
    }

    /// Spans of a trace that is not decided on.
    pub fn undecided(&self, trace: TraceId) -> Option<&[Span]> {
        self.pending.get(&trace).map(|pending| &*pending.spans)
    }

    pub fn each(&self) -> impl Iterator<Item = (TraceId, &Entry)> {
        self.kept.iter().map(|(trace, entry)| (*trace, &**entry))
    }

    pub fn len(&self) -> usize {
        self.kept.len()
    }

    pub fn spans(&self) -> u64 {
        self.spans
    }

    pub fn totals(&self) -> Totals {
        self.totals
    }

    pub fn bytes(&self) -> usize {
        self.bytes + self.undecided_bytes() + self.gone.bytes()
    }
}
