//! Log lines within a bound. Warnings and errors live longer than what is only told.

use crate::entry::timestamp;
use crate::errors::BadCursor;
use crate::limits::Limits;
use crate::model::{Log, TraceId};
use crate::names::Names;
use crate::pack::{pack_log, read_log};
use crate::text::{log_contains, show_all, trace_id};
use contract::telemetry::{Level, LogLine, LogPage, LogQuery};
use std::collections::VecDeque;
use std::mem::size_of;
use std::sync::Arc;

/// A page of lines when the question does not say, and at most.
const LINES: usize = 100;
const MOST_LINES: usize = 500;
/// Of one trace.
pub(crate) const LINES_OF_TRACE: usize = 500;
/// Header of the shared line, its place in the list (doubled: half empty at worst), header of its bytes.
const PLACE_BYTES: usize = 16 + 2 * size_of::<Arc<Line>>() + 16;

#[derive(Debug)]
pub(crate) struct Line {
    /// Grows by one a line.
    number: u64,
    at_ns: u64,
    level: Level,
    trace: Option<TraceId>,
    service: Arc<str>,
    packed: Box<[u8]>,
}

impl Line {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.packed.len() + PLACE_BYTES
    }

    pub fn log(&self, names: &Names) -> Option<Log> {
        read_log(&self.packed, self.at_ns, self.level, self.trace, names)
    }
}

#[derive(Debug)]
pub(crate) struct Logs {
    /// Oldest first.
    told: VecDeque<Arc<Line>>,
    grave: VecDeque<Arc<Line>>,
    bytes: usize,
    grave_bytes: usize,
    bound: usize,
    number: u64,
    a_second: u32,
    second: u32,
    in_second: u32,
    evicted: u64,
    left_out: u64,
}

impl Logs {
    pub fn new(limits: &Limits) -> Self {
        Self {
            told: VecDeque::new(),
            grave: VecDeque::new(),
            bytes: 0,
            grave_bytes: 0,
            bound: limits.logs(),
            number: 0,
            a_second: limits.lines_a_second,
            second: 0,
            in_second: 0,
            evicted: 0,
            left_out: 0,
        }
    }

    /// Takes a line in the second `now`. Beyond the cap a line below a warning is counted and left out.
    pub fn take(&mut self, log: &Log, now: u32, names: &mut Names) {
        if now != self.second {
            (self.second, self.in_second) = (now, 0);
        }
        if log.level < Level::Warn {
            self.in_second = self.in_second.saturating_add(1);
            if self.in_second > self.a_second {
                self.left_out += 1;
                return;
            }
        }
        self.keep(log, names);
    }

    /// Takes a line without asking how many there are.
    pub fn keep(&mut self, log: &Log, names: &mut Names) {
        self.number += 1;
        let line = Line {
            number: self.number,
            at_ns: log.at_ns,
            level: log.level,
            trace: log.trace,
            service: names.shared(&log.service),
            packed: pack_log(log, names),
        };
        self.bytes += line.bytes();
        if log.level >= Level::Warn {
            self.grave_bytes += line.bytes();
            self.grave.push_back(Arc::new(line));
        } else {
            self.told.push_back(Arc::new(line));
        }
        self.evict();
    }

    fn evict(&mut self) {
        while self.bytes > self.bound {
            let grave = self.grave_bytes > self.bound / 2 || self.told.is_empty();
            let Some(line) = (if grave { &mut self.grave } else { &mut self.told }).pop_front() else { return };
            self.bytes -= line.bytes();
            if grave {
                self.grave_bytes -= line.bytes();
            }
            self.evicted += 1;
        }
    }

    /// Newest first, those that can be told without reading them.
    fn select(&self, query: &LogQuery, below: u64) -> Vec<Arc<Line>> {
        let trace = query.trace.as_deref().map(trace_id);
        let wanted = |line: &&Arc<Line>| {
            line.number < below
                && query.level.is_none_or(|level| line.level >= level)
                && query.service.as_deref().is_none_or(|service| *line.service == *service)
                && trace.is_none_or(|trace| trace.is_some() && line.trace == trace)
        };
        let mut lines: Vec<Arc<Line>> = self.told.iter().chain(&self.grave).filter(wanted).cloned().collect();
        lines.sort_unstable_by_key(|line| std::cmp::Reverse(line.number));
        lines
    }

    pub fn of_trace(&self, trace: TraceId) -> Vec<Arc<Line>> {
        let mut lines: Vec<_> = self.told.iter().chain(&self.grave).filter(|line| line.trace == Some(trace)).cloned().collect();
        lines.sort_unstable_by_key(|line| (line.at_ns, line.number));
        lines.truncate(LINES_OF_TRACE);
        lines
    }

    /// Oldest first.
    pub fn all(&self) -> Vec<Arc<Line>> {
        let mut lines: Vec<_> = self.told.iter().chain(&self.grave).cloned().collect();
        lines.sort_unstable_by_key(|line| line.number);
        lines
    }

    pub fn len(&self) -> usize {
        self.told.len() + self.grave.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// Answers a question. `logs` and `names` give short looks at what they name: lines are read without the lock of the list.
///
/// # Errors
/// When the cursor is not one of ours.
pub(crate) fn page(
    query: &LogQuery,
    select: impl FnOnce(&dyn Fn(&Logs) -> Vec<Arc<Line>>) -> Vec<Arc<Line>>,
    read: impl Fn(&Line) -> Option<Log>,
) -> Result<LogPage, BadCursor> {
    let below = match query.cursor.as_deref().filter(|cursor| !cursor.is_empty()) {
        Some(cursor) => u64::from_str_radix(cursor, 16).map_err(|_| BadCursor)?,
        None => u64::MAX,
    };
    let limit = query.limit.unwrap_or(LINES).clamp(1, MOST_LINES);
    let text = query.text.as_deref().unwrap_or("").trim();
    let mut page = LogPage::default();
    let mut last = 0;
    for line in select(&|logs| logs.select(query, below)) {
        if page.lines.len() == limit {
            page.next = Some(format!("{last:x}"));
            break;
        }
        if let Some(log) = read(&line).filter(|log| text.is_empty() || log_contains(log, text)) {
            page.lines.push(view(&log));
            last = line.number;
        }
    }
    Ok(page)
}

pub(crate) fn view(log: &Log) -> LogLine {
    LogLine {
        at: timestamp(log.at_ns),
        level: log.level,
        service: log.service.to_string(),
        message: log.message.to_string(),
        trace_id: log.trace.map(|trace| format!("{trace:032x}")),
        span_id: log.span.map(|span| format!("{span:016x}")),
        fields: show_all(&log.attributes),
    }
}
