//! The last quarter of an hour of every metric.

use crate::model::{Measure, Point};
use crate::text::show;
use crate::windows::second_of;
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::mem::size_of;
use std::sync::Arc;

const KEPT_SECONDS: u32 = 15 * 60;
/// More are not taken: a stranger who invents attributes must not be able to fill the store.
const MOST_SERIES: usize = 4_000;
const SERIES_BYTES: usize = 2 * (size_of::<u64>() + size_of::<Metric>()) + 64;

/// Equal points one after another.
#[derive(Clone, Copy, Debug)]
struct Run {
    from: u32,
    to: u32,
    points: u32,
    value: f64,
    /// Of a histogram.
    count: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Gauge,
    Sum,
    Histogram,
}

#[derive(Debug)]
struct Metric {
    service: Arc<str>,
    name: Arc<str>,
    attributes: Box<[(Arc<str>, Box<str>)]>,
    shape: Shape,
    runs: VecDeque<Run>,
}

#[derive(Debug)]
pub(crate) struct Metrics {
    hasher: RandomState,
    series: HashMap<u64, Metric>,
    bytes: usize,
    bound: usize,
}

impl Metric {
    fn bytes(&self) -> usize {
        let texts: usize = self.attributes.iter().map(|(_, value)| value.len() + 16 + size_of::<(Arc<str>, Box<str>)>()).sum();
        SERIES_BYTES + texts + self.runs.capacity() * size_of::<Run>()
    }

    fn is(&self, point: &Point) -> bool {
        *self.service == *point.service
            && *self.name == *point.name
            && self.attributes.len() == point.attributes.len()
            && self.attributes.iter().zip(&point.attributes).all(|((key, _), (other, _))| **key == **other)
    }

    fn has(&self, name: &str, service: Option<&str>, attributes: &[(&str, &str)]) -> bool {
        *self.name == *name
            && service.is_none_or(|service| *self.service == *service)
            && attributes.iter().all(|(key, value)| self.attribute(key) == Some(value))
    }

    fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| **known == *key).map(|(_, value)| &**value)
    }

    fn push(&mut self, second: u32, value: f64, count: u64) {
        match self.runs.back_mut() {
            // An older point than the last tells nothing new.
            Some(last) if second < last.to => {}
            Some(last) if last.value == value && last.count == count => (last.to, last.points) = (second, last.points.saturating_add(1)),
            _ => self.runs.push_back(Run { from: second, to: second, points: 1, value, count }),
        }
    }

    /// Points in `from..to`, and the sum of their values. A run that is cut counts in proportion.
    fn points(&self, from: u32, to: u32) -> (f64, f64) {
        let inside = self.runs.iter().filter(|run| run.from < to && run.to >= from);
        inside.fold((0.0, 0.0), |(points, sum), run| {
            let whole = f64::from(run.to - run.from + 1);
            let part = f64::from(run.to.min(to - 1) - run.from.max(from) + 1);
            let counted = f64::from(run.points) * part / whole;
            (points + counted, sum + counted * run.value)
        })
    }

    /// How much value and count grew in `from..to`. A value that falls was begun anew.
    fn growth(&self, from: u32, to: u32) -> Option<(f64, f64)> {
        let before = self.runs.iter().rev().find(|run| run.from < from);
        let mut last = before.copied();
        let (mut value, mut count) = (0.0, 0.0);
        for run in self.runs.iter().filter(|run| run.from >= from && run.from < to) {
            if let Some(last) = last {
                let anew = run.value < last.value || run.count < last.count;
                value += if anew { run.value } else { run.value - last.value };
                count += if anew { run.count } else { run.count - last.count } as f64;
            }
            last = Some(*run);
        }
        last.map(|_| (value, count))
    }

    fn drop_before(&mut self, second: u32) {
        while self.runs.front().is_some_and(|run| run.to < second) {
            self.runs.pop_front();
        }
        if self.runs.capacity() > 2 * self.runs.len() + 8 {
            self.runs.shrink_to_fit();
        }
    }
}

impl Metrics {
    pub fn new(bound: usize) -> Self {
        Self { hasher: RandomState::new(), series: HashMap::new(), bytes: 0, bound }
    }

    pub fn take(&mut self, point: &Point, now: u32) {
        let (value, count, shape) = match &point.measure {
            Measure::Gauge(value) => (*value, 0, Shape::Gauge),
            Measure::Sum(value) => (*value, 0, Shape::Sum),
            Measure::Histogram { count, sum, .. } => (*sum, *count, Shape::Histogram),
        };
        if !value.is_finite() {
            return;
        }
        let texts: Vec<String> = point.attributes.iter().map(|(_, value)| show(value)).collect();
        let key = self.hasher.hash_one((
            &point.service,
            &point.name,
            point.attributes.iter().map(|(key, _)| key).zip(&texts).collect::<Vec<_>>(),
        ));
        let full = self.series.len() >= MOST_SERIES.min(self.bound / (2 * SERIES_BYTES));
        if full && !self.series.contains_key(&key) {
            return;
        }
        let mut added = 0;
        let metric = self.series.entry(key).or_insert_with(|| {
            let attributes = point.attributes.iter().zip(texts).map(|((key, _), text)| (key.clone(), text.into())).collect();
            let metric = Metric { service: point.service.clone(), name: point.name.clone(), attributes, shape, runs: VecDeque::new() };
            added = metric.bytes();
            metric
        });
        self.bytes += added;
        if metric.shape != shape || !metric.is(point) {
            return;
        }
        let before = metric.bytes();
        metric.push(second_of(point.at_ns).min(now), value, count);
        self.bytes = self.bytes + metric.bytes() - before;
        self.shrink(now);
    }

    /// Drops what nobody asks for any more, and series that are not told any more.
    pub fn tidy(&mut self, now: u32) {
        self.drop_before(now.saturating_sub(KEPT_SECONDS));
    }

    fn drop_before(&mut self, second: u32) {
        self.series.retain(|_, metric| {
            metric.drop_before(second);
            !metric.runs.is_empty()
        });
        self.bytes = self.series.values().map(Metric::bytes).sum();
    }

    /// Keeps the bound by remembering a shorter time.
    fn shrink(&mut self, now: u32) {
        let mut seconds = KEPT_SECONDS;
        while self.bytes > self.bound {
            seconds /= 2;
            self.drop_before(now.saturating_sub(seconds).saturating_add(u32::from(seconds == 0)));
        }
    }

    /// See [`crate::Store::level`].
    pub fn level(&self, name: &str, service: Option<&str>, attributes: &[(&str, &str)], from: u32, to: u32) -> Option<(f64, u64)> {
        let metrics: Vec<&Metric> = self.series.values().filter(|metric| metric.has(name, service, attributes)).collect();
        let points = metrics.iter().map(|metric| metric.points(from, to).0).fold(0.0, f64::max).round() as u64;
        if to <= from {
            return None;
        }
        if points == 0 {
            return self.nothing_counted(name, service, attributes, from, to);
        }
        let shape = metrics.first()?.shape;
        let grown = || metrics.iter().filter_map(|metric| metric.growth(from, to));
        let level = match shape {
            Shape::Gauge => metrics
                .iter()
                .map(|metric| metric.points(from, to))
                .filter(|(points, _)| *points > 0.0)
                .map(|(points, sum)| sum / points)
                .sum(),
            Shape::Sum => grown().map(|(value, _)| value).sum::<f64>() / f64::from(to - from),
            Shape::Histogram => {
                let (sum, count) = grown().fold((0.0, 0.0), |(sum, count), (value, of)| (sum + value, count + of));
                if count == 0.0 {
                    return None;
                }
                sum / count
            }
        };
        Some((level, points))
    }

    /// A counter has no series of a kind that never happened: as long as others of it are counted, that is none, and not unknown.
    fn nothing_counted(&self, name: &str, service: Option<&str>, attributes: &[(&str, &str)], from: u32, to: u32) -> Option<(f64, u64)> {
        let others = self.series.values().filter(|metric| metric.shape == Shape::Sum && metric.has(name, service, &[]));
        let points = others.map(|metric| metric.points(from, to).0).fold(0.0, f64::max).round() as u64;
        (points > 0 && !attributes.is_empty()).then_some((0.0, points))
    }

    /// Growth of every series of `name`, with its service and the value of `attribute`.
    pub fn growth_by(&self, name: &str, attribute: &str, from: u32, to: u32) -> Vec<(Arc<str>, String, f64)> {
        let metrics = self.series.values().filter(|metric| *metric.name == *name);
        metrics
            .filter_map(|metric| {
                let (value, _) = metric.growth(from, to)?;
                Some((metric.service.clone(), metric.attribute(attribute)?.to_owned(), value))
            })
            .collect()
    }

    pub fn len(&self) -> usize {
        self.series.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
