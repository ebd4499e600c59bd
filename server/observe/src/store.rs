//! The store: one thread takes what comes in, everybody asks.

use crate::counts::{Counts, Select};
use crate::errors::{BadCursor, ImportError};
use crate::intake::Intake;
use crate::limits::Limits;
use contract::Timestamp;
use contract::telemetry::{Kept, Level, LogPage, LogQuery, Mark, Overview, Topology, Trace, TracePage, TraceQuery};
use std::sync::Arc;
use std::time::Duration;

/// What the platform remembers about itself. Cheap to clone; answers take short locks and never wait for anything else.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner;

impl Store {
    /// Starts the thread that takes what comes in. It ends when neither a store nor an intake is left.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(limits: Limits, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> std::io::Result<(Self, Intake)> {
        let _ = clock;
        Ok((Self(Arc::new(Inner)), Intake::new(limits.queue())))
    }

    /// Waits until everything that was handed in before is stored; false when that takes longer than `at_most`.
    /// For tests and for the end of a process: it blocks the thread.
    pub fn settle(&self, at_most: Duration) -> bool {
        let _ = at_most;
        true
    }

    /// Charts of the last `minutes` (1-60).
    pub fn overview(&self, minutes: u32, marks: Vec<Mark>) -> Overview {
        let _ = minutes;
        Overview { marks, ..Overview::default() }
    }

    /// # Errors
    /// When the cursor is not one of ours.
    pub fn traces(&self, query: &TraceQuery) -> Result<TracePage, BadCursor> {
        let _ = query;
        Ok(TracePage::default())
    }

    /// One trace with its logs; `None` when it is not kept, or the id is none.
    pub fn trace(&self, id: &str) -> Option<Trace> {
        let _ = id;
        None
    }

    /// # Errors
    /// When the cursor is not one of ours.
    pub fn logs(&self, query: &LogQuery) -> Result<LogPage, BadCursor> {
        let _ = query;
        Ok(LogPage::default())
    }

    /// Who called whom in the last minute. `flags_of` names the flags that act in a service now.
    pub fn topology(&self, flags_of: &dyn Fn(&str) -> Vec<String>) -> Topology {
        let _ = flags_of;
        Topology::default()
    }

    pub fn kept(&self) -> Kept {
        Kept::default()
    }

    /// Traces, logs and rates as a file: gzip of versioned JSON.
    pub fn export(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Adds what a file of [`Store::export`] holds, moved in time so that its newest moment is now. Its rates are shown by overview
    /// and map, and not counted for proofs and detection.
    ///
    /// # Errors
    /// When the file is not a snapshot, or one of another version. Nothing is taken then.
    pub fn import(&self, file: &[u8]) -> Result<Kept, ImportError> {
        let _ = file;
        Ok(self.kept())
    }

    /// Spans that ended in seconds that begin within `from..to`, exact, whatever was sampled out. One second is the resolution
    /// for the last 15 minutes, ten seconds up to an hour.
    pub fn counts(&self, select: &Select, from: Timestamp, to: Timestamp) -> Counts {
        let _ = (select, from, to);
        Counts::default()
    }

    /// Of the selected spans, how many carried `attribute` = `value`, and how many there were. Only for attributes of [`crate::TALLIED`].
    pub fn tagged(&self, attribute: &str, value: &str, select: &Select, from: Timestamp, to: Timestamp) -> (u64, u64) {
        let _ = (attribute, value, select, from, to);
        (0, 0)
    }

    /// Spans that carried `chaos.flag` with this flag.
    pub fn touched(&self, flag: &str, from: Timestamp, to: Timestamp) -> u64 {
        let _ = (flag, from, to);
        0
    }

    /// When the first span touched by the flag's fault began, at or after `since`; its end when it began before.
    pub fn first_touched(&self, flag: &str, since: Timestamp) -> Option<Timestamp> {
        let _ = (flag, since);
        None
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
        let _ = (name, service, attributes, from, to);
        None
    }

    /// Log lines of this level or a graver one.
    pub fn lines(&self, service: Option<&str>, level: Option<Level>, from: Timestamp, to: Timestamp) -> u64 {
        let _ = (service, level, from, to);
        0
    }
}
