//! The registry of `docs/telemetry.md` against what a full run emits: nothing nameless, nothing made up.

#[path = "../../../k8s/tests/observability/registry.rs"]
mod registry;

mod journey;
mod receiver;

use crate::harness::{Mode, Options, REPLICAS, run};
use receiver::{Emitted, Receiver};
use std::collections::BTreeSet;

/// Declared and rarely emitted, and why no run of half a minute brings it about.
const RARE: [(&str, &str); 1] = [("feast.orders.swept", "an order service has to die between two statements")];

/// Attributes that tell of trouble which the run does not make.
const RARE_ATTRIBUTES: [&str; 0] = [];

#[test]
fn what_is_emitted_is_what_is_declared() {
    let mut emitted = Emitted::default();
    for mode in [Mode::Embedded, Mode::Split] {
        let receiver = Receiver::start();
        run(mode, sending_to(&receiver), async |platform| {
            journey::travel(platform, &receiver).await;
            // What is on its way leaves when a process ends.
            platform.stop(std::time::Duration::from_secs(20)).await;
        });
        emitted.merge(receiver.seen());
    }
    // A process with a store keeps what browsers saw; a web replica passes it on.
    let receiver = Receiver::start();
    run(Mode::Split, Options { replicas: true, ..sending_to(&receiver) }, async |platform| {
        journey::watched(&platform.door(REPLICAS[0])).await;
        platform.stop(std::time::Duration::from_secs(20)).await;
    });
    emitted.merge(receiver.seen());
    let mut problems = Vec::new();
    metrics(&emitted, &mut problems);
    spans(&emitted, &mut problems);
    events(&emitted, &mut problems);
    logs(&emitted, &mut problems);
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

fn sending_to(receiver: &Receiver) -> Options {
    let settings = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
        ("OTEL_BLRP_SCHEDULE_DELAY", "100".to_owned()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "500".to_owned()),
    ];
    Options { settings, ..Options::default() }
}

fn is_rare(name: &str) -> bool {
    RARE.iter().any(|(rare, _)| *rare == name)
}

fn beyond(what: &str, found: &BTreeSet<String>, declared: &BTreeSet<String>, problems: &mut Vec<String>) {
    let undeclared: Vec<&String> = found.difference(declared).collect();
    if !undeclared.is_empty() {
        problems.push(format!("{what}: not declared: {undeclared:?}"));
    }
}

fn missing(what: &str, found: &BTreeSet<String>, declared: &BTreeSet<String>, problems: &mut Vec<String>) {
    let missing: Vec<&String> = declared.difference(found).filter(|name| !RARE_ATTRIBUTES.contains(&name.as_str())).collect();
    if !missing.is_empty() {
        problems.push(format!("{what}: declared and not emitted: {missing:?}"));
    }
}

fn metrics(emitted: &Emitted, problems: &mut Vec<String>) {
    let declared = registry::metrics();
    for (name, metric) in &emitted.metrics {
        let Some(wanted) = declared.get(name) else {
            problems.push(format!("metric {name} is not declared: {} {:?} {:?}", metric.unit, metric.kind, metric.attributes));
            continue;
        };
        if (wanted.kind, &wanted.unit) != (metric.kind, &metric.unit) {
            problems.push(format!("metric {name}: {:?} in {:?}", metric.kind, metric.unit));
        }
        let what = format!("metric {name}");
        beyond(&what, &metric.attributes, &wanted.attributes, problems);
        missing(&what, &metric.attributes, &wanted.attributes, problems);
    }
    problems.extend(
        declared
            .keys()
            .filter(|name| !emitted.metrics.contains_key(*name) && !is_rare(name))
            .map(|name| format!("metric {name} is declared and not emitted")),
    );
}

fn spans(emitted: &Emitted, problems: &mut Vec<String>) {
    let declared = registry::spans();
    let mut found = vec![BTreeSet::new(); declared.len()];
    for span in &emitted.spans {
        let fits = |row: &registry::Span| row.kind == span.kind && span.attributes.contains(&row.told_by) && matches(&row.name, &span.name);
        match declared.iter().position(fits) {
            Some(at) => found[at].extend(span.attributes.iter().cloned()),
            None => problems.push(format!("span {:?} ({}) is not declared: {:?}", span.name, span.kind, span.attributes)),
        }
    }
    for (row, found) in declared.iter().zip(found) {
        let what = format!("span {:?}", row.name);
        beyond(&what, &found, &row.attributes, problems);
        missing(&what, &found, &row.attributes, problems);
    }
}

fn events(emitted: &Emitted, problems: &mut Vec<String>) {
    let declared = registry::events();
    for (name, attributes) in &emitted.events {
        match declared.get(name) {
            Some(wanted) => {
                beyond(&format!("event {name}"), attributes, wanted, problems);
                missing(&format!("event {name}"), attributes, wanted, problems);
            }
            // A log line inside a span is an event of the span as well, named by its text.
            None if emitted.lines.contains(name) => {}
            None => problems.push(format!("event {name:?} is not declared")),
        }
    }
    problems.extend(
        declared.keys().filter(|name| !emitted.events.contains_key(*name)).map(|name| format!("event {name} is declared and not emitted")),
    );
}

/// Most lines tell of trouble, so that a run without trouble proves nothing about what is missing.
fn logs(emitted: &Emitted, problems: &mut Vec<String>) {
    beyond("log lines", &emitted.log_attributes, &registry::log_attributes(), problems);
}

/// Whether a name is as declared: `{}` stands for anything that is not empty.
fn matches(pattern: &str, name: &str) -> bool {
    let mut rest = name;
    let mut anything = false;
    for part in pattern.split('{').flat_map(|part| match part.split_once('}') {
        Some((_, literal)) => vec![None, Some(literal)],
        None => vec![Some(part)],
    }) {
        match part {
            None => anything = true,
            Some("") => {}
            Some(literal) => {
                let at = if anything { rest.get(1..).and_then(|rest| rest.find(literal)).map(|at| at + 1) } else { rest.find(literal) };
                match at {
                    Some(at) if anything || at == 0 => rest = &rest[at + literal.len()..],
                    _ => return false,
                }
                anything = false;
            }
        }
    }
    if anything { !rest.is_empty() } else { rest.is_empty() }
}

#[test]
fn a_pattern_matches_names_of_its_shape() {
    for (pattern, name) in
        [("process events", "process events"), ("{method} {route}", "GET /a/{id}"), ("{operation} payment", "charge payment")]
    {
        assert!(matches(pattern, name), "{pattern} {name}");
    }
    for (pattern, name) in [("process events", "process"), ("{method} {route}", "GET "), ("{operation} payment", " payment"), ("a", "ab")] {
        assert!(!matches(pattern, name), "{pattern} {name}");
    }
}
