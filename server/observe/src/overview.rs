//! Charts of the last minutes.

use crate::GATEWAY;
use crate::counts::Counts;
use crate::facts::{is_for_customers, is_probe};
use crate::label::{Class, Label};
use crate::model::Kind;
use crate::rates::Rates;
use crate::series::Series as Seconds;
use crate::slot::Slot;
use contract::Timestamp;
use contract::telemetry::{Overview, Red, RouteRow, Series};
use std::collections::{BTreeMap, BTreeSet};

const MOST_MINUTES: u32 = 60;
/// A chart has no more points than can be told apart.
const MOST_POINTS: u32 = 180;
const STEPS_SECONDS: [u32; 6] = [1, 2, 5, 10, 30, 60];
const MOST_ROUTES: usize = 50;
/// What "now" means.
pub(crate) const NOW_SECONDS: u32 = 60;

pub(crate) fn moment(second: u32) -> Timestamp {
    Timestamp::from_millis(i64::from(second) * 1_000)
}

/// Everything but marks and what is kept.
pub(crate) fn overview(rates: &Rates, minutes: u32) -> Overview {
    let seconds = minutes.clamp(1, MOST_MINUTES) * 60;
    let step = STEPS_SECONDS.into_iter().find(|step| seconds / step <= MOST_POINTS).unwrap_or(NOW_SECONDS);
    let now = rates.now();
    // Points stand still while time goes on: they begin at multiples of the step.
    let to = now - now % step;
    let from = to.saturating_sub(seconds);
    let chart = Chart { from, to, step, now };

    let services: BTreeSet<&str> =
        rates.each().filter(|(label, _)| matches!(label.class, Class::Service | Class::Take)).map(|(label, _)| &*label.service).collect();
    let mut series = vec![chart.series(rates, GATEWAY, Class::Customers)];
    for service in services.into_iter().filter(|service| *service != GATEWAY) {
        let asked = chart.series(rates, service, Class::Service);
        // Who is asked nothing lives by events.
        let lives_by_events = asked.points.iter().all(|point| point.requests == 0) && asked.now.requests == 0;
        series.push(if lives_by_events { chart.series(rates, service, Class::Take) } else { asked });
    }
    Overview {
        from: moment(from),
        to: moment(to),
        step_seconds: u64::from(step),
        series,
        routes: routes(rates, now),
        ..Overview::default()
    }
}

struct Chart {
    from: u32,
    to: u32,
    step: u32,
    now: u32,
}

impl Chart {
    fn series(&self, rates: &Rates, service: &str, class: Class) -> Series {
        let mut points = vec![Counts::default(); ((self.to - self.from) / self.step) as usize];
        let mut now = Counts::default();
        let now_from = self.now.saturating_sub(NOW_SECONDS);
        let mut visit = |slot: &Slot| {
            let point = slot.second.checked_sub(self.from).map(|since| (since / self.step) as usize);
            if let Some(point) = point.and_then(|point| points.get_mut(point)) {
                slot.add_to(point);
            }
            if (now_from..self.now).contains(&slot.second) {
                slot.add_to(&mut now);
            }
        };
        for (_, seconds) in rates.each().filter(|(label, _)| label.class == class && *label.service == *service) {
            seconds.each(self.from.min(now_from), self.to.max(self.now), &mut visit);
        }
        let points = points.iter().map(|counts| counts.red(u64::from(self.step))).collect();
        Series { service: service.to_owned(), points, now: now.red(u64::from(NOW_SECONDS)) }
    }
}

/// What is answered for somebody: not health, not the console's own.
fn is_of_interest(label: &Label) -> bool {
    label.class == Class::Spans(Kind::Server) && !is_probe(&label.name) && (*label.service != *GATEWAY || is_for_customers(&label.name))
}

fn routes(rates: &Rates, now: u32) -> Vec<RouteRow> {
    let mut rows: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
    for (label, seconds) in rates.each().filter(|(label, _)| is_of_interest(label)) {
        if seconds.last() + NOW_SECONDS >= now {
            let row = rows.entry((&label.service, &label.name)).or_default();
            seconds.each(now.saturating_sub(NOW_SECONDS), now, |slot| slot.add_to(row));
        }
    }
    let row = |((service, route), counts): (&(&str, &str), &Counts)| RouteRow {
        service: (*service).to_owned(),
        route: (*route).to_owned(),
        red: counts.red(u64::from(NOW_SECONDS)),
    };
    let mut rows: Vec<RouteRow> = rows.iter().filter(|(_, counts)| counts.total > 0).map(row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.red.requests));
    rows.truncate(MOST_ROUTES);
    rows
}

pub(crate) fn last_minute(seconds: &Seconds, now: u32) -> Counts {
    let mut counts = Counts::default();
    seconds.each(now.saturating_sub(NOW_SECONDS), now, |slot| slot.add_to(&mut counts));
    counts
}

pub(crate) fn red(counts: &Counts) -> Red {
    counts.red(u64::from(NOW_SECONDS))
}
