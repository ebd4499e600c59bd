//! The store: one thread takes what comes in, everybody asks.

use crate::counts::{Counts, Select};
use crate::errors::{BadCursor, ImportError};
use crate::facts::Facts;
use crate::imported::Imported;
use crate::intake::{Batch, Intake, Queue};
use crate::limits::Limits;
use crate::logs::{self, Logs};
use crate::metrics::Metrics;
use crate::model::{Log, Span};
use crate::names::Names;
use crate::overview::overview;
use crate::rates::Rates;
use crate::search::search;
use crate::text::trace_id;
use crate::topology::topology;
use crate::traces::Traces;
use crate::waterfall::waterfall;
use contract::Timestamp;
use contract::telemetry::{Kept, Level, LogPage, LogQuery, Mark, Overview, Snapshot, Topology, Trace, TracePage, TraceQuery};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

/// Without anything to take, time is told this often, so that what waits is decided on.
const TICK: Duration = Duration::from_millis(250);
/// So many spans are taken under one lock: readers wait a fraction of a millisecond.
const AT_ONCE: usize = 256;

/// What the platform remembers about itself. Cheap to clone; answers take short locks and never wait for anything else.
#[derive(Clone)]
pub struct Store(Arc<Handle>);

/// The thread ends with the last of these.
struct Handle {
    inner: Arc<Inner>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.inner.queue.close();
    }
}

/// Locks are taken in this order, and none of them for long: rates, traces, logs, metrics, names.
pub(crate) struct Inner {
    pub queue: Arc<Queue>,
    pub clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    pub rates: Mutex<Rates>,
    pub traces: Mutex<Traces>,
    pub logs: Mutex<Logs>,
    pub metrics: Mutex<Metrics>,
    pub names: RwLock<Names>,
    /// Locked by itself.
    imported: Mutex<Option<Arc<Imported>>>,
    limits: Limits,
    received_spans: AtomicU64,
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    pub fn now(&self) -> u32 {
        u32::try_from((self.clock)().millis() / 1_000).unwrap_or(0)
    }

    fn take(&self, batch: Batch) {
        let now = self.now();
        self.tick(now);
        match batch {
            Batch::Spans(spans) => self.take_spans(spans),
            Batch::Logs(lines) => {
                let mut rates = locked(&self.rates);
                let mut traces = locked(&self.traces);
                let mut logs = locked(&self.logs);
                let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
                for log in &lines {
                    rates.tallies.line(&log.service, log.level, crate::windows::second_of(log.at_ns).min(now));
                    logs.take(log, now, &mut names);
                }
                rates.shrink();
                traces.set_spare(self.spare(&rates, &names));
            }
            Batch::Points(points) => {
                let mut metrics = locked(&self.metrics);
                points.iter().for_each(|point| metrics.take(point, now));
            }
        }
    }

    fn take_spans(&self, spans: Vec<Span>) {
        let mut spans = spans.into_iter();
        while !spans.as_slice().is_empty() {
            let mut rates = locked(&self.rates);
            let mut traces = locked(&self.traces);
            let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
            for span in spans.by_ref().take(AT_ONCE) {
                self.received_spans.fetch_add(1, Ordering::Relaxed);
                let facts = Facts::of(&span);
                let series = rates.record(&span, &facts);
                let worth = facts.worth(&span);
                traces.take(span, series, worth, &mut names);
            }
            rates.shrink();
            traces.set_spare(self.spare(&rates, &names));
        }
    }

    fn tick(&self, now: u32) {
        let mut rates = locked(&self.rates);
        let mut traces = locked(&self.traces);
        rates.tick(now);
        traces.tick(now);
        rates.shrink();
        traces.set_spare(self.spare(&rates, &self.names.read().unwrap_or_else(PoisonError::into_inner)));
    }

    /// What rates and names leave of their shares. Asked under their locks and that of the traces, so that the sum holds.
    pub fn spare(&self, rates: &Rates, names: &Names) -> usize {
        self.limits.spare(rates.bytes(), names.bytes())
    }

    fn run(&self) {
        let mut tidied = 0;
        while !self.queue.is_closed() {
            if let Some((batch, bytes)) = self.queue.next(TICK) {
                self.take(batch);
                self.queue.done(bytes);
            }
            let now = self.now();
            self.tick(now);
            if now != tidied {
                tidied = now;
                locked(&self.metrics).tidy(now);
            }
        }
    }
}

/// Whole seconds that begin within a stretch of time.
fn seconds(from: Timestamp, to: Timestamp) -> (u32, u32) {
    let second = |moment: Timestamp| {
        let millis = moment.millis().max(0);
        u32::try_from(millis / 1_000 + i64::from(millis % 1_000 > 0)).unwrap_or(u32::MAX)
    };
    (second(from), second(to))
}

impl Store {
    /// Starts the thread that takes what comes in. It ends when the last clone of the store is dropped.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(limits: Limits, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> std::io::Result<(Self, Intake)> {
        let intake = Intake::new(limits.queue());
        let inner = Arc::new(Inner {
            queue: intake.queue(),
            clock: Box::new(clock),
            rates: Mutex::new(Rates::new(&limits)),
            traces: Mutex::new(Traces::new(&limits)),
            logs: Mutex::new(Logs::new(&limits)),
            metrics: Mutex::new(Metrics::new(limits.metrics())),
            names: RwLock::new(Names::new(limits.names())),
            imported: Mutex::default(),
            limits,
            received_spans: AtomicU64::new(0),
        });
        inner.tick(inner.now());
        let worker = inner.clone();
        std::thread::Builder::new().name("telemetry".to_owned()).spawn(move || worker.run())?;
        Ok((Self(Arc::new(Handle { inner })), intake))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0.inner
    }

    /// Waits until everything that was handed in before is stored; false when that takes longer than `at_most`.
    /// For tests and for the end of a process: it blocks the thread.
    pub fn settle(&self, at_most: Duration) -> bool {
        self.inner().queue.settle(at_most)
    }

    /// Charts of the last `minutes` (1-60). A point is of the seconds that begin within its step.
    pub fn overview(&self, minutes: u32, marks: Vec<Mark>) -> Overview {
        let inner = self.inner();
        let mut overview = {
            let mut rates = locked(&inner.rates);
            rates.tick(inner.now());
            overview(&rates, minutes)
        };
        overview.marks = marks;
        overview.kept = self.kept();
        overview.imported = self.imported().map(|imported| imported.about().clone());
        overview
    }

    /// Newest first, by the start of their first spans. Durations are those of the first span, as in the list.
    ///
    /// # Errors
    /// When the cursor is not one of ours.
    pub fn traces(&self, query: &TraceQuery) -> Result<TracePage, BadCursor> {
        search(&self.inner().traces, &self.inner().names, query)
    }

    /// One trace with its logs; `None` when it is not kept, or the id is none.
    pub fn trace(&self, id: &str) -> Option<Trace> {
        let inner = self.inner();
        let id = trace_id(id)?;
        let (summary, spans) = {
            let traces = locked(&inner.traces);
            if let Some(entry) = traces.get(id) {
                let names = inner.names.read().unwrap_or_else(PoisonError::into_inner);
                (entry.summary(id), entry.spans(id, &names))
            } else {
                let mut names = Names::new(0);
                let spans = traces.undecided(id)?.to_vec();
                let mut entry = crate::entry::Entry::of(spans.first()?, &mut names);
                spans.iter().for_each(|span| {
                    entry.add(span, &mut names);
                });
                (entry.summary(id), spans)
            }
        };
        let lines = locked(&inner.logs).of_trace(id);
        let logs = lines.iter().filter_map(|line| self.read_line(line)).map(|log| logs::view(&log)).collect();
        Some(waterfall(summary, spans, logs))
    }

    fn read_line(&self, line: &logs::Line) -> Option<Log> {
        line.log(&self.inner().names.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// # Errors
    /// When the cursor is not one of ours.
    pub fn logs(&self, query: &LogQuery) -> Result<LogPage, BadCursor> {
        logs::page(query, |select| select(&locked(&self.inner().logs)), |line| self.read_line(line))
    }

    /// Who called whom in the last minute. `flags_of` is asked with every node's id and names the flags that act in it now.
    pub fn topology(&self, flags_of: &dyn Fn(&str) -> Vec<String>) -> Topology {
        let inner = self.inner();
        let mut rates = locked(&inner.rates);
        rates.tick(inner.now());
        topology(&rates, &locked(&inner.metrics), flags_of)
    }

    /// What is held, and what could not be. Lines that were left out or refused count as evicted.
    pub fn kept(&self) -> Kept {
        let inner = self.inner();
        let rates = locked(&inner.rates);
        // Traces use what rates leave: both are looked at in the same moment.
        let traces = locked(&inner.traces);
        let (metrics_bytes, metrics) = {
            let metrics = locked(&inner.metrics);
            (metrics.bytes(), metrics.len())
        };
        let (log_bytes, logs, evicted_logs, left_out_logs) = {
            let logs = locked(&inner.logs);
            (logs.bytes(), logs.len(), logs.evicted(), logs.left_out())
        };
        let name_bytes = inner.names.read().unwrap_or_else(PoisonError::into_inner).bytes();
        let (waiting, refused) = inner.queue.bytes_and_refused();
        let totals = traces.totals();
        Kept {
            traces: traces.len() as u64,
            spans: traces.spans(),
            logs: logs as u64,
            series: (rates.len() + metrics) as u64,
            bytes: (rates.bytes() + metrics_bytes + log_bytes + name_bytes + waiting + traces.bytes()) as u64,
            bound_bytes: inner.limits.bytes,
            received_spans: inner.received_spans.load(Ordering::Relaxed) + refused.spans,
            sampled_out_spans: totals.sampled_out_spans,
            refused_spans: refused.spans,
            evicted_spans: totals.evicted_spans,
            evicted_logs: evicted_logs + left_out_logs + refused.logs,
        }
    }

    /// Traces, logs and rates as a file: gzip of versioned JSON, one document a line. It takes a second or so of computing. `platform` says
    /// whose it is.
    pub fn export(&self, platform: &str) -> Vec<u8> {
        crate::exchange::export(self.inner(), platform).unwrap_or_else(|error| {
            // Memory takes every byte, and every piece has a form in JSON.
            tracing::error!(%error, "The snapshot could not be packed");
            Vec::new()
        })
    }

    /// Reads a file of [`Store::export`], beside what is live and in place of the one before. It may use as much memory as the store itself.
    ///
    /// # Errors
    /// When the file is not a snapshot, or one of another version. The one before stays then.
    pub fn import(&self, file: &[u8]) -> Result<Snapshot, ImportError> {
        let inner = self.inner();
        let imported = Imported::read(file, &inner.limits, (inner.clock)())?;
        let about = imported.about().clone();
        *locked(&inner.imported) = Some(Arc::new(imported));
        Ok(about)
    }

    /// What [`Store::import`] read.
    pub fn imported(&self) -> Option<Arc<Imported>> {
        locked(&self.inner().imported).clone()
    }

    /// Lets go of it; false when there was none.
    pub fn forget_imported(&self) -> bool {
        locked(&self.inner().imported).take().is_some()
    }

    /// Spans that ended in seconds that begin within `from..to`, exact, whatever was sampled out. One second is the resolution
    /// for the last 15 minutes, ten seconds up to an hour.
    pub fn counts(&self, select: &Select, from: Timestamp, to: Timestamp) -> Counts {
        let (from, to) = seconds(from, to);
        locked(&self.inner().rates).counts(select, from, to)
    }

    /// Of the selected spans, how many carried `attribute` = `value`, and how many there were. Only for attributes of
    /// [`crate::TALLIED`], of the last 15 minutes.
    pub fn tagged(&self, attribute: &str, value: &str, select: &Select, from: Timestamp, to: Timestamp) -> (u64, u64) {
        let (from, to) = seconds(from, to);
        let rates = locked(&self.inner().rates);
        (rates.tallies.tagged(attribute, value, select, from, to), rates.counts(select, from, to).total)
    }

    /// Spans that carried `chaos.flag` with this flag, of the last 15 minutes.
    pub fn touched(&self, flag: &str, from: Timestamp, to: Timestamp) -> u64 {
        let (from, to) = seconds(from, to);
        locked(&self.inner().rates).tallies.touched(flag, from, to)
    }

    /// When the first span touched by the flag's fault began, at or after `since`; its end when it began before.
    pub fn first_touched(&self, flag: &str, since: Timestamp) -> Option<Timestamp> {
        locked(&self.inner().rates).tallies.first_touched(flag, since.millis()).map(Timestamp::from_millis)
    }

    /// A metric's mean (gauges), its growth a second (sums), or the mean of what was recorded (histograms); and of how many points
    /// that is. Series that have all of `attributes` are added up. `None` without a point.
    pub fn level(
        &self,
        name: &str,
        service: Option<&str>,
        attributes: &[(&str, &str)],
        from: Timestamp,
        to: Timestamp,
    ) -> Option<(f64, u64)> {
        let (from, to) = seconds(from, to);
        locked(&self.inner().metrics).level(name, service, attributes, from, to)
    }

    /// Log lines of this level or a graver one, of the last 15 minutes.
    pub fn lines(&self, service: Option<&str>, level: Option<Level>, from: Timestamp, to: Timestamp) -> u64 {
        let (from, to) = seconds(from, to);
        locked(&self.inner().rates).tallies.lines(service, level, from, to)
    }
}
