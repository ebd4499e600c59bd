//! Who called whom in the last minute.

use crate::GATEWAY;
use crate::counts::Counts;
use crate::label::{BROWSER, Class, LOAD, Label};
use crate::metrics::Metrics;
use crate::overview::{NOW_SECONDS, last_minute, red};
use crate::rates::Rates;
use contract::telemetry::{Edge, Node, NodeKind, Red, Topology};
use std::collections::BTreeMap;

const BUS: &str = "bus";
/// By kind and consumer: how the bus's takers count. Who gave is read from the kind, `order.created`.
const CONSUMED: &str = "feast.events.consumed";
const EVENT_KIND: &str = "event.kind";

fn add(sum: &mut Counts, counts: &Counts) {
    sum.total += counts.total;
    sum.failed += counts.failed;
    sum.sum_us += counts.sum_us;
    sum.durations.merge(&counts.durations);
}

#[derive(Default)]
struct Drawing {
    nodes: BTreeMap<String, (NodeKind, String, Counts)>,
    edges: BTreeMap<(String, String), (bool, Counts)>,
}

impl Drawing {
    fn node(&mut self, id: &str, kind: NodeKind, name: &str) -> &mut Counts {
        &mut self.nodes.entry(id.to_owned()).or_insert_with(|| (kind, name.to_owned(), Counts::default())).2
    }

    fn service(&mut self, name: &str) -> &mut Counts {
        let kind = if [BROWSER, LOAD].contains(&name) { NodeKind::Client } else { NodeKind::Service };
        self.node(name, kind, name)
    }

    fn edge(&mut self, from: &str, to: &str, events: bool, counts: &Counts) {
        add(&mut self.edges.entry((from.to_owned(), to.to_owned())).or_insert_with(|| (events, Counts::default())).1, counts);
    }

    fn draw(&mut self, label: &Label, counts: &Counts) {
        let (service, other) = (&*label.service, &*label.name);
        match label.class {
            Class::Enter => {
                add(self.service(other), counts);
                self.service(service);
                self.edge(other, service, false, counts);
            }
            Class::Call => {
                self.service(service);
                self.service(other);
                self.edge(service, other, false, counts);
            }
            Class::Store => {
                let id = format!("{service}/{other}");
                self.service(service);
                add(self.node(&id, NodeKind::Store, other), counts);
                self.edge(service, &id, false, counts);
            }
            Class::Take => {
                self.service(service);
                add(self.node(BUS, NodeKind::Bus, "events"), counts);
                self.edge(BUS, service, true, counts);
            }
            Class::Give => {
                self.service(service);
                self.node(BUS, NodeKind::Bus, "events");
                self.edge(service, BUS, true, counts);
            }
            Class::Customers => add(self.service(GATEWAY), counts),
            Class::Service if service != GATEWAY => add(self.service(service), counts),
            Class::Service | Class::Spans(_) => {}
        }
    }
}

/// `flags_of` is asked with the id of every node.
pub(crate) fn topology(rates: &Rates, metrics: &Metrics, flags_of: &dyn Fn(&str) -> Vec<String>) -> Topology {
    let now = rates.now();
    let mut drawing = Drawing::default();
    let mut takes: BTreeMap<String, Counts> = BTreeMap::new();
    for (label, seconds) in rates.each().filter(|(label, _)| !matches!(label.class, Class::Spans(_))) {
        let counts = last_minute(seconds, now);
        if counts.total > 0 {
            drawing.draw(label, &counts);
            if label.class == Class::Take {
                add(takes.entry(label.service.to_string()).or_default(), &counts);
            }
        }
    }
    let mut nodes: Vec<Node> = Vec::new();
    for (id, (kind, name, counts)) in &drawing.nodes {
        // Who is asked nothing lives by events.
        let counts = takes.get(id).filter(|_| counts.total == 0).unwrap_or(counts);
        nodes.push(Node { id: id.clone(), name: name.clone(), kind: *kind, red: red(counts), flags: flags_of(id) });
    }
    let edge = |((from, to), (events, counts)): (&(String, String), &(bool, Counts))| Edge {
        from: from.clone(),
        to: to.clone(),
        events: *events,
        red: red(counts),
    };
    let mut edges: Vec<Edge> = drawing.edges.iter().map(edge).collect();
    for (service, events) in given(metrics, now) {
        if drawing.nodes.contains_key(&service)
            && drawing.nodes.contains_key(BUS)
            && !drawing.edges.contains_key(&(service.clone(), BUS.to_owned()))
        {
            let rate = events / f64::from(NOW_SECONDS);
            let red = Red { requests: events.round() as u64, rate, ..Red::default() };
            edges.push(Edge { from: service, to: BUS.to_owned(), events: true, red });
        }
    }
    Topology { nodes, edges, seconds: u64::from(NOW_SECONDS) }
}

/// Events that services gave to the bus. Every group takes each of them, so the busiest taker of a kind tells how many there were.
fn given(metrics: &Metrics, now: u32) -> BTreeMap<String, f64> {
    let mut by_kind: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for (taker, kind, events) in metrics.growth_by(CONSUMED, EVENT_KIND, now.saturating_sub(NOW_SECONDS), now) {
        *by_kind.entry(kind).or_default().entry(taker.to_string()).or_default() += events;
    }
    let mut given: BTreeMap<String, f64> = BTreeMap::new();
    for (kind, takers) in by_kind {
        let events = takers.values().copied().fold(0.0, f64::max);
        let giver = kind.split('.').next().unwrap_or(&kind);
        if events > 0.0 {
            *given.entry(giver.to_owned()).or_default() += events;
        }
    }
    given
}
