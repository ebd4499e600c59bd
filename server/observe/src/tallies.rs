//! What proofs look for beside rates: values of business attributes, requests that a fault touched, log lines by level.

use crate::TALLIED;
use crate::counts::Select;
use crate::label::{Class, Label};
use crate::model::{Span, Value};
use crate::ticks::{TICKS_SECONDS, Ticks};
use crate::windows::is_selected;
use contract::telemetry::Level;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::mem::size_of;
use std::sync::Arc;

/// More values of one attribute in one series are not told apart.
const MOST_VALUES: usize = 16;
const LONGEST_VALUE: usize = 64;
const MOST_FLAGS: usize = 128;
const MOST_SERVICES: usize = 64;
/// Beginnings and ends that are remembered of one second, for the time of the first.
const FIRST_OF_A_SECOND: usize = 4;
const ENTRY_BYTES: usize = 160;

/// How often an attribute had one value.
type Valued = (Box<str>, Ticks);

#[derive(Debug, Default)]
pub(crate) struct Tallies {
    /// By series and the attribute's place in [`TALLIED`].
    values: HashMap<(Label, u8), Vec<Valued>>,
    flags: HashMap<Box<str>, VecDeque<Touch>>,
    lines: BTreeMap<(Arc<str>, Level), Ticks>,
}

/// Spans that ended in one second and were touched by one flag.
#[derive(Debug)]
struct Touch {
    second: u32,
    count: u32,
    /// Milliseconds since 1970 of their beginnings and ends.
    first: Vec<(i64, i64)>,
}

impl Tallies {
    /// Counts the declared attributes of a span. `label` is of its own series.
    pub fn record(&mut self, span: &Span, label: &Label, second: u32) {
        for (n, (key, value)) in span.attributes.iter().enumerate() {
            let Some(attribute) = TALLIED.iter().position(|tallied| **key == **tallied) else { continue };
            // Who writes an attribute again means the last one, and it is one span.
            if span.attributes.iter().skip(n + 1).any(|(later, _)| later == key) {
                continue;
            }
            let values = self.values.entry((label.clone(), attribute as u8)).or_default();
            with_text(value, |text| {
                let known = values.iter().position(|(known, _)| **known == *text);
                let at = known.or_else(|| {
                    (values.len() < MOST_VALUES && text.len() <= LONGEST_VALUE).then(|| {
                        values.push((text.into(), Ticks::default()));
                        values.len() - 1
                    })
                });
                if let Some((_, ticks)) = at.and_then(|at| values.get_mut(at)) {
                    ticks.add(second, 1);
                }
            });
        }
    }

    pub fn touch(&mut self, flag: &str, span: &Span, second: u32) {
        if !self.flags.contains_key(flag) {
            if self.flags.len() >= MOST_FLAGS || flag.len() > LONGEST_VALUE {
                return;
            }
            self.flags.insert(flag.into(), VecDeque::new());
        }
        let Some(touches) = self.flags.get_mut(flag) else { return };
        let at = match touches.iter().rposition(|touch| touch.second <= second) {
            Some(at) if touches.get(at).is_some_and(|touch| touch.second == second) => at,
            at => {
                let at = at.map_or(0, |at| at + 1);
                touches.insert(at, Touch { second, count: 0, first: Vec::new() });
                at
            }
        };
        if let Some(touch) = touches.get_mut(at) {
            touch.count = touch.count.saturating_add(1);
            if touch.first.len() < FIRST_OF_A_SECOND {
                touch.first.push((millis(span.start_ns), millis(span.end_ns)));
            }
        }
    }

    pub fn line(&mut self, service: &Arc<str>, level: Level, second: u32) {
        let key = (service.clone(), level);
        if self.lines.len() < MOST_SERVICES * Level::ALL.len() || self.lines.contains_key(&key) {
            self.lines.entry(key).or_default().add(second, 1);
        }
    }

    /// How many of the selected spans carried `attribute` = `value`.
    pub fn tagged(&self, attribute: &str, value: &str, select: &Select, from: u32, to: u32) -> u64 {
        let with = self.values.iter().filter(|((label, index), _)| {
            TALLIED.get(usize::from(*index)).is_some_and(|tallied| *tallied == attribute) && is_tagged(label, select)
        });
        with.flat_map(|(_, values)| values).filter(|(known, _)| **known == *value).map(|(_, ticks)| ticks.sum(from, to)).sum()
    }

    pub fn touched(&self, flag: &str, from: u32, to: u32) -> u64 {
        let touches = self.flags.get(flag).into_iter().flatten();
        touches.filter(|touch| (from..to).contains(&touch.second)).map(|touch| u64::from(touch.count)).sum()
    }

    /// Milliseconds since 1970.
    pub fn first_touched(&self, flag: &str, since: i64) -> Option<i64> {
        let touches = self.flags.get(flag)?.iter().flat_map(|touch| &touch.first);
        touches.filter_map(|(start, end)| if *start >= since { Some(*start) } else { Some(*end).filter(|end| *end >= since) }).min()
    }

    pub fn lines(&self, service: Option<&str>, level: Option<Level>, from: u32, to: u32) -> u64 {
        let wanted = self
            .lines
            .iter()
            .filter(|((known, of), _)| service.is_none_or(|service| **known == *service) && level.is_none_or(|level| *of >= level));
        wanted.map(|(_, ticks)| ticks.sum(from, to)).sum()
    }

    /// Drops what nobody asks for any more.
    pub fn tidy(&mut self, now: u32) {
        self.drop_before(now.saturating_sub(TICKS_SECONDS));
    }

    fn drop_before(&mut self, second: u32) {
        self.values.retain(|_, values| {
            values.retain_mut(|(_, ticks)| {
                ticks.drop_before(second);
                !ticks.is_empty()
            });
            !values.is_empty()
        });
        self.flags.retain(|_, touches| {
            while touches.front().is_some_and(|touch| touch.second < second) {
                touches.pop_front();
            }
            if touches.capacity() > 4 * (touches.len() + 16) {
                touches.shrink_to_fit();
            }
            !touches.is_empty()
        });
        self.lines.retain(|_, ticks| {
            ticks.drop_before(second);
            !ticks.is_empty()
        });
    }

    /// Keeps `bound` by remembering a shorter time.
    pub fn shrink(&mut self, now: u32, bound: usize) {
        let mut seconds = TICKS_SECONDS;
        while self.bytes() > bound {
            if seconds == 0 {
                *self = Self::default();
                return;
            }
            seconds /= 2;
            self.drop_before(now.saturating_sub(seconds).saturating_add(u32::from(seconds == 0)));
            self.values.shrink_to_fit();
            self.flags.values_mut().for_each(VecDeque::shrink_to_fit);
        }
    }

    pub fn bytes(&self) -> usize {
        let of_ticks = |ticks: &Ticks| ENTRY_BYTES + ticks.bytes();
        let values: usize = self.values.values().flatten().map(|(_, ticks)| of_ticks(ticks)).sum();
        let first = FIRST_OF_A_SECOND * size_of::<(i64, i64)>() + 16;
        let touches = |touches: &VecDeque<Touch>| touches.capacity() * size_of::<Touch>() + touches.len() * first;
        let flags: usize = self.flags.values().map(|of_flag| ENTRY_BYTES + touches(of_flag)).sum();
        let lines: usize = self.lines.values().map(of_ticks).sum();
        self.values.capacity() * ENTRY_BYTES + values + flags + lines
    }
}

/// Series of a whole service have no attributes of their own.
fn is_tagged(label: &Label, select: &Select) -> bool {
    let any_kind = Select { customers: false, kind: None, ..select.clone() };
    is_selected(label, &any_kind) && select.kind.is_none_or(|kind| label.class == Class::Spans(kind))
}

fn millis(ns: u64) -> i64 {
    i64::try_from(ns / 1_000_000).unwrap_or(i64::MAX)
}

fn with_text(value: &Value, use_it: impl FnOnce(&str)) {
    match value {
        Value::Text(text) => use_it(text),
        Value::Bool(yes) => use_it(if *yes { "true" } else { "false" }),
        Value::Int(number) => use_it(&number.to_string()),
        Value::Float(number) => use_it(&number.to_string()),
    }
}
