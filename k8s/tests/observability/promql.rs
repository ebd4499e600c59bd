//! As much of PromQL as it takes to see which metrics and labels a query names.

use crate::registry::{Kind, Metric, metrics};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Words that are no metrics.
const LANGUAGE: [&str; 22] = [
    "sum",
    "max",
    "min",
    "avg",
    "count",
    "by",
    "without",
    "rate",
    "increase",
    "histogram_quantile",
    "vector",
    "or",
    "and",
    "unless",
    "offset",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "clamp_min",
    "topk",
];

/// What Prometheus adds by itself.
const SCRAPED: (&str, [&str; 2]) = ("up", ["job", "instance"]);

/// By name in Prometheus' text: the metric, the labels its samples have, and whether it only grows.
static EXPOSED: LazyLock<BTreeMap<String, (BTreeSet<String>, bool)>> = LazyLock::new(|| {
    let mut exposed = BTreeMap::new();
    for (name, metric) in metrics() {
        let labels = labels(&metric);
        let name = metric.exposed(&name);
        match metric.kind {
            Kind::Counter => drop(exposed.insert(name, (labels, true))),
            Kind::Gauge => drop(exposed.insert(name, (labels, false))),
            Kind::Histogram => {
                for part in ["sum", "count", "bucket"] {
                    let mut labels = labels.clone();
                    labels.extend((part == "bucket").then(|| "le".to_owned()));
                    exposed.insert(format!("{name}_{part}"), (labels, true));
                }
            }
        }
    }
    exposed
});

fn labels(metric: &Metric) -> BTreeSet<String> {
    let own = metric.attributes.iter().map(|attribute| attribute.replace('.', "_"));
    own.chain(["service_name".to_owned()]).collect()
}

/// What a query is made of.
#[derive(Debug, Default, PartialEq)]
pub struct Query {
    /// Each metric with the labels it is selected by, and the function around its range.
    pub metrics: Vec<(String, Vec<String>, String)>,
    /// Labels that the outcome is grouped by.
    pub grouped: BTreeSet<String>,
}

impl Query {
    pub fn read(expression: &str) -> Self {
        let mut query = Self::default();
        let (mut rest, mut function) = (expression, String::new());
        while let Some(first) = rest.chars().next() {
            if first.is_ascii_alphabetic() || first == '_' {
                let end = rest.find(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '_' | ':'))).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                rest = after.trim_start();
                if ["by", "without", "on", "ignoring"].contains(&word) {
                    let (inside, after) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).unwrap();
                    query.grouped.extend(inside.split(',').map(|label| label.trim().to_owned()));
                    rest = after;
                } else if LANGUAGE.contains(&word) {
                    word.clone_into(&mut function);
                } else {
                    let mut selected = Vec::new();
                    if let Some(after) = rest.strip_prefix('{') {
                        let end = after.find('}').unwrap();
                        selected = selectors(&after[..end]);
                        rest = &after[end + 1..];
                    }
                    query.metrics.push((word.to_owned(), selected, function.clone()));
                }
            } else if first == '[' {
                rest = &rest[rest.find(']').unwrap() + 1..];
            } else if first.is_ascii_digit() {
                // A number, or a time such as 30s behind offset.
                rest = rest.trim_start_matches(|char: char| char.is_ascii_alphanumeric() || char == '.');
            } else {
                rest = &rest[first.len_utf8()..];
            }
        }
        query
    }

    /// Everything that is wrong with it; `known` are names of rules.
    pub fn problems(&self, known: &BTreeSet<String>) -> Vec<String> {
        let mut problems = Vec::new();
        let mut labels: BTreeSet<String> = ["le".to_owned()].into();
        for (name, selected, function) in &self.metrics {
            if known.contains(name) {
                continue;
            }
            let of_scraper = || (SCRAPED.1.map(str::to_owned).into(), false);
            let Some((has, grows)) = EXPOSED.get(name).cloned().or_else(|| (name == SCRAPED.0).then(of_scraper)) else {
                problems.push(format!("nobody emits {name}"));
                continue;
            };
            for label in selected.iter().filter(|label| !has.contains(*label)) {
                problems.push(format!("{name} has no label {label}"));
            }
            if grows != ["rate", "increase"].contains(&function.as_str()) {
                problems.push(format!("{name} in {function:?}: what grows is asked for its rate, and nothing else"));
            }
            labels.extend(has);
        }
        problems.extend(self.grouped.difference(&labels).map(|label| format!("grouped by {label}, which nothing in it has")));
        if self.metrics.is_empty() {
            problems.push("it names no metric".to_owned());
        }
        problems
    }
}

fn selectors(inside: &str) -> Vec<String> {
    let outside_quotes = inside.split('"').step_by(2);
    let labels = outside_quotes.map(|part| part.trim_matches(|char: char| !(char.is_ascii_alphanumeric() || char == '_')).to_owned());
    labels.filter(|label| !label.is_empty()).collect()
}

/// The metric of `label_values(metric, label)`.
pub fn label_values(query: &str) -> Option<(&str, &str)> {
    query.strip_prefix("label_values(")?.strip_suffix(')')?.split_once(", ")
}

pub fn has_label(metric: &str, label: &str) -> bool {
    EXPOSED.get(metric).is_some_and(|(labels, _)| labels.contains(label))
}

#[test]
fn a_query_is_taken_apart_into_metrics_labels_and_groups() {
    let query = Query::read(
        r#"histogram_quantile(0.95, sum by (service_name, le) (rate(http_server_request_duration_seconds_bucket{service_name=~"a|b",http_route!=""}[$__rate_interval] offset 30s))) > 0.5 or vector(0)"#,
    );
    let selected = ["service_name", "http_route"].map(str::to_owned).to_vec();
    assert_eq!(query.metrics, [("http_server_request_duration_seconds_bucket".to_owned(), selected, "rate".to_owned())]);
    assert_eq!(query.grouped, ["le", "service_name"].map(str::to_owned).into());
    assert_eq!(query.problems(&BTreeSet::new()), Vec::<String>::new());
}

#[test]
fn a_query_for_what_does_not_exist_is_found() {
    for (expression, problem) in [
        ("sum(rate(feast_nothing_total[1m]))", "nobody emits"),
        (r#"sum(rate(feast_orders_total{feast_city="Berlin"}[1m]))"#, "no label feast_city"),
        ("sum by (http_route) (rate(feast_orders_total[1m]))", "grouped by http_route"),
        ("sum(feast_orders_total)", "its rate"),
        ("sum(rate(feast_events_lag[1m]))", "its rate"),
        ("vector(0)", "no metric"),
    ] {
        let problems = Query::read(expression).problems(&BTreeSet::new());
        assert!(problems.iter().any(|found| found.contains(problem)), "{expression}: {problems:?}");
    }
}
