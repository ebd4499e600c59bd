//! The registry of everything that is emitted: the tables of `docs/telemetry.md`. Read by the tests of what is emitted, and of who asks for it.

use std::collections::{BTreeMap, BTreeSet};

const DOCUMENT: &str = include_str!("../../../docs/telemetry.md");

/// How a metric is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

pub struct Metric {
    pub kind: Kind,
    pub unit: String,
    pub attributes: BTreeSet<String>,
}

/// Spans that are made in one place.
#[allow(dead_code, reason = "dashboards ask for metrics only")]
pub struct Span {
    /// server, client, consumer, internal
    pub kind: String,
    /// The attribute that tells this span from others of its kind.
    pub told_by: String,
    /// With `{}` around what differs.
    pub name: String,
    pub attributes: BTreeSet<String>,
}

/// The rows of the table below this heading, a list of cells each.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let lines = DOCUMENT.lines().skip_while(|line| *line != heading).skip(1).take_while(|line| !line.starts_with('#'));
    let table = lines.filter(|line| line.starts_with('|')).skip(2);
    let rows: Vec<Vec<&str>> = table.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect();
    assert!(!rows.is_empty(), "docs/telemetry.md has no table below {heading}");
    rows
}

/// What stands between backticks.
fn words(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

fn word(cell: &str) -> String {
    words(cell).next().unwrap_or_else(|| panic!("{cell} names nothing"))
}

/// By OpenTelemetry's name.
pub fn metrics() -> BTreeMap<String, Metric> {
    let metric = |row: Vec<&str>| {
        let kind = match row[1] {
            "counter" => Kind::Counter,
            "gauge" => Kind::Gauge,
            "histogram" => Kind::Histogram,
            other => panic!("{other} is no kind of metric"),
        };
        (word(row[0]), Metric { kind, unit: words(row[2]).next().unwrap_or_default(), attributes: words(row[3]).collect() })
    };
    rows("### Metrics").into_iter().map(metric).collect()
}

#[allow(dead_code, reason = "dashboards ask for metrics only")]
pub fn spans() -> Vec<Span> {
    let span = |row: Vec<&str>| Span {
        kind: row[1].to_owned(),
        told_by: word(row[2]),
        name: word(row[0]),
        attributes: words(row[3]).chain([word(row[2])]).collect(),
    };
    rows("### Spans").into_iter().map(span).collect()
}

/// Names and attributes of the events of spans.
#[allow(dead_code, reason = "dashboards ask for metrics only")]
pub fn events() -> BTreeMap<String, BTreeSet<String>> {
    rows("### Events").into_iter().map(|row| (word(row[0]), words(row[1]).collect())).collect()
}

/// Attributes of log lines.
#[allow(dead_code, reason = "dashboards ask for metrics only")]
pub fn log_attributes() -> BTreeSet<String> {
    rows("### Attributes of log lines").into_iter().flat_map(|row| words(row[0]).collect::<Vec<_>>()).collect()
}

impl Metric {
    /// The name in Prometheus' text.
    #[allow(dead_code, reason = "a full run is compared by OpenTelemetry's names")]
    pub fn exposed(&self, name: &str) -> String {
        let mut exposed = name.replace('.', "_");
        exposed.push_str(match self.unit.as_str() {
            "s" => "_seconds",
            "By" => "_bytes",
            "1" => "_ratio",
            "m/s" => "_meters_per_second",
            _ => "",
        });
        if self.kind == Kind::Counter {
            exposed.push_str("_total");
        }
        exposed
    }
}
