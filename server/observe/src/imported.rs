//! A snapshot that was read: it answers what a store answers, with the times it was written with, and never changes. Nothing of it is in
//! the store beside it, so that no rate, proof or alert counts it, and no live trace has to go for it.

use crate::entry::timestamp;
use crate::errors::{BadCursor, ImportError};
use crate::label::{Class, Label};
use crate::limits::Limits;
use crate::logs::{self, Logs};
use crate::metrics::Metrics;
use crate::names::Names;
use crate::overview::overview;
use crate::rates::Rates;
use crate::search::search;
use crate::slot::Slot;
use crate::snapshot::{Header, Piece, read, slot};
use crate::store::locked;
use crate::text::trace_id;
use crate::topology::topology;
use crate::traces::Traces;
use crate::waterfall::waterfall;
use contract::Timestamp;
use contract::telemetry::{LogPage, LogQuery, Overview, Snapshot, Source, Topology, Trace, TracePage, TraceQuery};
use std::sync::{Mutex, PoisonError, RwLock};

/// Longer words about who wrote a file are cut: they are shown.
const LONGEST_PLATFORM: usize = 120;

/// What a file of [`crate::Store::export`] held.
#[derive(Debug)]
pub struct Imported {
    about: Snapshot,
    rates: Rates,
    // Searching shares code with the store, which must lock what changes.
    traces: Mutex<Traces>,
    names: RwLock<Names>,
    logs: Logs,
}

/// What is read so far.
struct Reader {
    rates: Rates,
    traces: Traces,
    names: Names,
    logs: Logs,
    limits: Limits,
}

impl Reader {
    fn new(limits: &Limits) -> Self {
        Self {
            rates: Rates::new(limits),
            traces: Traces::new(limits),
            names: Names::new(limits.names()),
            logs: Logs::new(limits),
            limits: limits.clone(),
        }
    }

    fn take(&mut self, header: &Header, piece: Piece) {
        match piece {
            Piece::Trace { id, spans } => {
                let Some(trace) = trace_id(&id) else { return };
                self.traces.restore(spans.into_iter().map(|span| span.span(trace)).collect(), &mut self.names);
            }
            Piece::Log(log) => self.logs.keep(&log.log(), &mut self.names),
            Piece::Rates { service, name, class, slots } => {
                let Some(class) = Class::from_index(class) else { return };
                // What ended after the file was written was never measured.
                let last = second_of(header.exported_at);
                let slots: Vec<Slot> = slots.into_iter().map(slot).filter(|slot| slot.second <= last).collect();
                if !slots.is_empty() {
                    self.rates.restore(&Label { service: service.into(), name: name.into(), class }, slots);
                }
            }
        }
        // Of what a store needs and a file does not (queue, metrics, undecided traces), traces may have everything.
        let unused = self.limits.queue() + self.limits.metrics() + self.limits.pending();
        self.traces.set_spare(unused + self.limits.spare(self.rates.bytes(), self.names.bytes()));
    }
}

fn second_of(moment: Timestamp) -> u32 {
    u32::try_from(moment.millis() / 1_000).unwrap_or(0)
}

impl Imported {
    /// # Errors
    /// When the file is not a snapshot, or one of another version.
    pub(crate) fn read(file: &[u8], limits: &Limits, now: Timestamp) -> Result<Self, ImportError> {
        let mut reader = Reader::new(limits);
        let header = read(file, |header, piece| reader.take(header, piece))?;
        let Reader { mut rates, traces, names, logs, .. } = reader;
        // Its time stands still at the moment it was written. What happened within the second is within the chart.
        rates.tick(second_of(header.exported_at).saturating_add(1));
        let starts = || traces.each().map(|(_, entry)| timestamp(entry.first.start_ns));
        let end = header.platform.floor_char_boundary(LONGEST_PLATFORM);
        let about = Snapshot {
            platform: header.platform.get(..end).unwrap_or_default().to_owned(),
            exported_at: header.exported_at,
            imported_at: now,
            from: starts().min(),
            to: starts().max(),
            traces: traces.len() as u64,
            spans: traces.spans(),
            logs: logs.len() as u64,
            series: rates.len() as u64,
            left_out: traces.totals().evicted_spans + traces.totals().sampled_out_spans + logs.evicted(),
            bytes: (rates.bytes() + traces.bytes() + names.bytes() + logs.bytes()) as u64,
        };
        Ok(Self { about, rates, traces: Mutex::new(traces), names: RwLock::new(names), logs })
    }

    pub const fn about(&self) -> &Snapshot {
        &self.about
    }

    /// Charts of the `minutes` (1-60) before the file was written.
    pub fn overview(&self, minutes: u32) -> Overview {
        Overview { imported: Some(self.about.clone()), ..overview(&self.rates, minutes) }
    }

    /// As [`crate::Store::traces`].
    ///
    /// # Errors
    /// When the cursor is not one of ours.
    pub fn traces(&self, query: &TraceQuery) -> Result<TracePage, BadCursor> {
        let mut page = search(&self.traces, &self.names, query)?;
        page.traces.iter_mut().for_each(|trace| trace.source = Source::Imported);
        Ok(page)
    }

    /// One trace with its logs.
    pub fn trace(&self, id: &str) -> Option<Trace> {
        let id = trace_id(id)?;
        let traces = locked(&self.traces);
        let entry = traces.get(id)?;
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        let mut summary = entry.summary(id);
        summary.source = Source::Imported;
        let lines = self.logs.of_trace(id);
        let lines = lines.iter().filter_map(|line| line.log(&names)).map(|log| logs::view(&log)).collect();
        Some(waterfall(summary, entry.spans(id, &names), lines))
    }

    /// As [`crate::Store::logs`].
    ///
    /// # Errors
    /// When the cursor is not one of ours.
    pub fn logs(&self, query: &LogQuery) -> Result<LogPage, BadCursor> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        logs::page(query, |select| select(&self.logs), |line| line.log(&names))
    }

    /// Who called whom in the minute before the file was written.
    pub fn topology(&self) -> Topology {
        topology(&self.rates, &Metrics::new(0), &|_| Vec::new())
    }
}
