//! Rate, errors and durations of everything, by the second, before any sampling.

use crate::counts::{Counts, Select};
use crate::facts::{Facts, is_for_customers};
use crate::label::{CLASSES, Class, Label, further, route_label};
use crate::model::{Kind, Span};
use crate::series::{KEPT_SECONDS, Series};
use crate::slot::{Hit, Slot};
use std::collections::HashMap;
use std::mem::size_of;
use std::sync::Arc;

/// More are counted under [`OTHERS`]: a stranger who invents names must not be able to fill the store.
const MOST_SERIES: usize = 1_500;
const OTHERS: &str = "(others)";
/// Longer names are cut.
const LONGEST_NAME: usize = 200;
/// Of the map's entry and the label's texts.
const LABEL_BYTES: usize = 200;

/// Numbers of the series of a service and name, by class.
type ByClass = [u32; CLASSES];
const NONE: u32 = u32::MAX;

#[derive(Debug)]
pub(crate) struct Windows {
    series: Vec<Option<(Label, Series)>>,
    free: Vec<u32>,
    ids: HashMap<Arc<str>, HashMap<Arc<str>, ByClass>>,
    bytes: usize,
    bound: usize,
    most: usize,
    now: u32,
    buffer: String,
}

fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(LONGEST_NAME)).unwrap_or(name)
}

pub(crate) fn second_of(ns: u64) -> u32 {
    u32::try_from(ns / 1_000_000_000).unwrap_or(u32::MAX - KEPT_SECONDS)
}

impl Windows {
    pub fn new(bound: usize) -> Self {
        Self {
            series: Vec::new(),
            free: Vec::new(),
            ids: HashMap::new(),
            bytes: 0,
            bound,
            // A quarter of the room, at most, is for what series cost before anything is counted in them.
            most: MOST_SERIES.min(bound / 4 / (size_of::<Option<(Label, Series)>>() + LABEL_BYTES + 2 * LONGEST_NAME)),
            now: 0,
            buffer: String::new(),
        }
    }

    /// Counts one span. Answers the number of its own series.
    pub fn record(&mut self, span: &Span, facts: &Facts<'_>) -> u32 {
        let us = span.end_ns.saturating_sub(span.start_ns) / 1_000;
        let hit = Hit::new(us, facts.status, span.failed, facts.flag.is_some());
        let second = second_of(span.end_ns);
        let mut buffer = std::mem::take(&mut self.buffer);
        let label = route_label(span, facts, &mut buffer);
        let own = self.count(&span.service, label, Class::Spans(span.kind), second, hit);
        for (class, name) in further(span, facts, label).into_iter().flatten() {
            self.count(&span.service, name, class, second, hit);
        }
        self.buffer = buffer;
        own
    }

    fn count(&mut self, service: &str, name: &str, class: Class, second: u32, hit: Hit) -> u32 {
        let id = self.id(service, name, class);
        if let Some(Some((_, series))) = self.series.get_mut(id as usize) {
            self.bytes += series.record(second, self.now, hit);
        }
        id
    }

    /// The number of a series, new or known.
    fn id(&mut self, service: &str, name: &str, class: Class) -> u32 {
        let (service, name) = (cut(service), cut(name));
        if let Some(id) = self.known(service, name, class) {
            return id;
        }
        if self.live() >= self.most {
            // A span is counted there once.
            if !matches!(class, Class::Spans(_)) {
                return NONE;
            }
            let class = Class::Spans(Kind::Internal);
            return self.known(OTHERS, OTHERS, class).unwrap_or_else(|| self.add(OTHERS, OTHERS, class));
        }
        self.add(service, name, class)
    }

    fn known(&self, service: &str, name: &str, class: Class) -> Option<u32> {
        self.ids.get(service)?.get(name)?.get(class.index()).copied().filter(|id| *id != NONE)
    }

    fn add(&mut self, service: &str, name: &str, class: Class) -> u32 {
        let (service, name) = (self.ids.get_key_value(service).map_or_else(|| service.into(), |(key, _)| key.clone()), Arc::from(name));
        let label = Label { service, name, class };
        let id = self.free.pop().unwrap_or_else(|| {
            self.series.push(None);
            u32::try_from(self.series.len() - 1).unwrap_or(NONE)
        });
        let by_class = self.ids.entry(label.service.clone()).or_default().entry(label.name.clone()).or_insert([NONE; CLASSES]);
        if let Some(place) = by_class.get_mut(class.index()) {
            *place = id;
        }
        self.bytes += label_bytes(&label);
        if let Some(place) = self.series.get_mut(id as usize) {
            *place = Some((label, Series::new(class.is_brief())));
        }
        id
    }

    fn live(&self) -> usize {
        self.series.len() - self.free.len()
    }

    fn remove(&mut self, id: u32) {
        let Some((label, series)) = self.series.get_mut(id as usize).and_then(Option::take) else { return };
        self.bytes -= series.bytes() + label_bytes(&label);
        self.free.push(id);
        let Some(names) = self.ids.get_mut(&label.service) else { return };
        if let Some(by_class) = names.get_mut(&label.name) {
            if let Some(place) = by_class.get_mut(label.class.index()) {
                *place = NONE;
            }
            if by_class.iter().all(|id| *id == NONE) {
                names.remove(&label.name);
            }
        }
        if names.is_empty() {
            self.ids.remove(&label.service);
        }
    }

    /// Tells the time in seconds. It never goes back.
    pub fn tick(&mut self, now: u32) {
        if now <= self.now {
            return;
        }
        self.now = now;
        let mut idle = Vec::new();
        for (id, place) in self.series.iter_mut().enumerate() {
            let Some((_, series)) = place else { continue };
            let before = series.bytes();
            series.tidy(now);
            self.bytes = self.bytes + series.bytes() - before;
            if series.oldest().is_none() {
                idle.push(id as u32);
            }
        }
        idle.into_iter().for_each(|id| self.remove(id));
    }

    /// Drops the oldest stretch of all series until it fits again.
    pub fn shrink(&mut self) {
        while self.bytes > self.bound {
            let Some(oldest) = self.each().filter_map(|(_, series)| series.oldest()).min() else { return };
            let mut emptied = Vec::new();
            for (id, place) in self.series.iter_mut().enumerate() {
                let Some((_, series)) = place else { continue };
                // The stretches of two resolutions begin at different seconds; a minute's difference is the same age.
                while series.oldest().is_some_and(|from| from <= oldest.saturating_add(59)) {
                    let before = series.bytes();
                    series.drop_oldest();
                    self.bytes -= before - series.bytes();
                    if self.bytes <= self.bound {
                        return;
                    }
                }
                if series.oldest().is_none() {
                    emptied.push(id as u32);
                }
            }
            emptied.into_iter().for_each(|id| self.remove(id));
        }
    }

    pub fn each(&self) -> impl Iterator<Item = (&Label, &Series)> {
        self.series.iter().flatten().map(|(label, series)| (label, series))
    }

    pub fn label(&self, id: u32) -> Option<&Label> {
        self.series.get(id as usize)?.as_ref().map(|(label, _)| label)
    }

    /// Adds what the selected spans of the seconds `from..to` were.
    pub fn counts(&self, select: &Select, from: u32, to: u32) -> Counts {
        let mut counts = Counts::default();
        for (label, series) in self.each() {
            if is_selected(label, select) {
                series.each(from, to, |slot| slot.add_to(&mut counts));
            }
        }
        counts
    }

    /// Takes a series of a snapshot, and adds it to what is known of the same.
    pub fn restore(&mut self, label: &Label, mut slots: Vec<Slot>) {
        let id = self.id(&label.service, &label.name, label.class);
        if let Some(Some((known, series))) = self.series.get_mut(id as usize)
            && known.class == label.class
        {
            series.each(0, u32::MAX, |slot| slots.push(slot.clone()));
            slots.sort_by_key(|slot| slot.second);
            let before = series.bytes();
            *series = Series::new(label.class.is_brief());
            slots.iter().for_each(|slot| series.restore(slot));
            self.bytes = self.bytes + series.bytes() - before;
        }
        self.shrink();
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn len(&self) -> usize {
        self.live()
    }
}

/// Texts, their places in the maps, and the series itself; doubled where maps and lists are half empty at worst.
fn label_bytes(label: &Label) -> usize {
    2 * size_of::<Option<(Label, Series)>>() + LABEL_BYTES + 2 * size_of::<ByClass>() + label.service.len() + label.name.len()
}

pub(crate) fn is_selected(label: &Label, select: &Select) -> bool {
    let service = select.service.as_deref().is_none_or(|service| *label.service == *service);
    if !service {
        return false;
    }
    match (&select.route, label.class) {
        // Whole services are counted once more by themselves.
        (None, Class::Customers) => select.customers,
        (None, Class::Service) => !select.customers && select.kind == Some(Kind::Server),
        (None, Class::Spans(kind)) => {
            !select.customers && select.kind != Some(Kind::Server) && select.kind.is_none_or(|wanted| wanted == kind)
        }
        (Some(route), Class::Spans(kind)) => {
            let named = route.strip_suffix('*').map_or_else(|| *label.name == **route, |begin| label.name.starts_with(begin));
            let customers = !select.customers || (kind == Kind::Server && is_for_customers(&label.name));
            named && customers && select.kind.is_none_or(|wanted| wanted == kind)
        }
        _ => false,
    }
}
