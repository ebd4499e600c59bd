//! `/metrics` of every process: Prometheus' text format, and what `promtool check metrics` asks of names, units and help.

use crate::harness::{LATTE, Platform, on_both_platforms};
use std::collections::{BTreeMap, BTreeSet};

on_both_platforms! {
    the_metrics_of_every_process_pass_the_lint,
}

async fn the_metrics_of_every_process_pass_the_lint(platform: &Platform) {
    platform.flip("store-slow", "all-300-ms").await;
    let cart = platform.cart_with(&[(LATTE, 2)]).await;
    platform.order(&cart).send().await.expect(201);
    for (name, http) in platform.doors() {
        let answer = http.get("/metrics").send().await;
        assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"), "{name}: {}", answer.header("content-type"));
        let problems = problems(&answer.body);
        assert!(problems.is_empty(), "{name}:\n{}", problems.join("\n"));
    }
}

/// Units that have a base unit, which is the one to use, and how people shorten them.
const NOT_BASE: [&str; 22] = [
    "milliseconds",
    "microseconds",
    "nanoseconds",
    "minutes",
    "hours",
    "days",
    "kilobytes",
    "megabytes",
    "gigabytes",
    "kibibytes",
    "mebibytes",
    "gibibytes",
    "bits",
    "percent",
    "fahrenheit",
    "celcius",
    "kilometers",
    "miles",
    "ms",
    "us",
    "mb",
    "kb",
];
const ABBREVIATIONS: [&str; 12] = ["s", "sec", "ns", "m", "min", "h", "hr", "d", "b", "gb", "pct", "tb"];
const TYPES: [&str; 4] = ["counter", "gauge", "histogram", "summary"];

#[derive(Default)]
struct Family<'t> {
    help: Option<&'t str>,
    kind: Option<&'t str>,
    samples: Vec<Sample<'t>>,
}

struct Sample<'t> {
    name: &'t str,
    labels: BTreeMap<&'t str, String>,
    value: f64,
}

/// Everything that is wrong, as sentences.
fn problems(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if !text.ends_with('\n') {
        problems.push("the last line has no end".to_owned());
    }
    match read(text) {
        Ok(families) => families.iter().for_each(|(name, family)| judge(name, family, &mut problems)),
        Err(problem) => problems.push(problem),
    }
    problems
}

fn read(text: &str) -> Result<BTreeMap<&str, Family<'_>>, String> {
    let mut families: BTreeMap<&str, Family<'_>> = BTreeMap::new();
    let mut current = "";
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (Some(what), Some(name)) = (words.next(), words.next()) else { return Err(format!("odd comment: {line}")) };
            if name != current && families.contains_key(name) {
                return Err(format!("{name} stands in two places"));
            }
            current = name;
            let family = families.entry(name).or_default();
            let place = if what == "HELP" { &mut family.help } else { &mut family.kind };
            if place.replace(words.next().unwrap_or_default()).is_some() {
                return Err(format!("{name} has {what} twice"));
            }
        } else {
            let sample = sample(line).ok_or_else(|| format!("odd line: {line}"))?;
            let family = families.get_mut(current).ok_or_else(|| format!("a sample before its family: {line}"))?;
            let suffix = sample.name.strip_prefix(current);
            let fits = match family.kind {
                Some("histogram") => matches!(suffix, Some("_bucket" | "_sum" | "_count")),
                _ => suffix == Some(""),
            };
            if !fits {
                return Err(format!("a sample that is not of {current}: {line}"));
            }
            family.samples.push(sample);
        }
    }
    Ok(families)
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let (series, value) = line.rsplit_once(' ')?;
    let value = if value == "+Inf" { f64::INFINITY } else { value.parse().ok()? };
    let (name, mut rest) = series.split_once('{').unwrap_or((series, "}"));
    let mut labels = BTreeMap::new();
    while rest != "}" {
        let (label, after) = rest.trim_start_matches(',').split_once("=\"")?;
        let mut escaped = false;
        let end = after.char_indices().find(|(_, char)| {
            let closes = *char == '"' && !escaped;
            escaped = *char == '\\' && !escaped;
            closes
        })?;
        if labels.insert(label, after[..end.0].to_owned()).is_some() {
            return None;
        }
        rest = &after[end.0 + 1..];
    }
    Some(Sample { name, labels, value })
}

fn judge(name: &str, family: &Family<'_>, problems: &mut Vec<String>) {
    let mut say = |problem: &str| problems.push(format!("{name}: {problem}"));
    let kind = family.kind.unwrap_or_default();
    let words: Vec<&str> = name.split('_').collect();
    if family.help.is_none_or(str::is_empty) {
        say("no help text");
    }
    if !TYPES.contains(&kind) {
        say("no type");
    }
    if name.chars().any(|char| !(char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_')) {
        say("not snake_case, or a colon, which belongs to recording rules");
    }
    if name.contains("__") || name.starts_with('_') || name.ends_with('_') {
        say("an empty word in the name");
    }
    if (kind == "counter") != name.ends_with("_total") {
        say("counters, and only counters, end in _total");
    }
    if ["_count", "_sum", "_bucket", "_info"].iter().any(|suffix| name.ends_with(suffix)) {
        say("a suffix that belongs to others");
    }
    if words.iter().any(|word| TYPES.contains(word)) {
        say("the name says its type");
    }
    if words.iter().any(|word| NOT_BASE.contains(word)) {
        say("not a base unit");
    }
    if words.last().is_some_and(|word| ABBREVIATIONS.contains(word)) {
        say("an abbreviated unit");
    }
    if family.samples.is_empty() {
        say("no samples");
    }
    let mut series = BTreeSet::new();
    for sample in &family.samples {
        for label in sample.labels.keys() {
            if label.chars().any(|char| !(char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_')) {
                say(&format!("label {label} is not snake_case"));
            }
            // Prometheus puts these on everything it scrapes.
            if ["job", "instance"].contains(label) || label.starts_with("__") {
                say(&format!("label {label} is the scraper's"));
            }
            if *label == "le" && !sample.name.ends_with("_bucket") {
                say("le on what is no bucket");
            }
        }
        if !sample.labels.contains_key("service_name") {
            say("a sample of no service");
        }
        if !series.insert((sample.name, sample.labels.clone())) {
            say(&format!("twice: {} {:?}", sample.name, sample.labels));
        }
        if !sample.value.is_finite() || (kind == "counter" && sample.value < 0.0) {
            say(&format!("{} is no value", sample.value));
        }
    }
    if kind == "histogram" {
        buckets(family).iter().for_each(|problem| say(problem));
    }
}

/// Buckets rise to the count, which is the last of them.
fn buckets(family: &Family<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut of: BTreeMap<BTreeMap<&str, String>, Vec<(f64, f64)>> = BTreeMap::new();
    for bucket in family.samples.iter().filter(|sample| sample.name.ends_with("_bucket")) {
        let mut labels = bucket.labels.clone();
        let bound = labels.remove("le").unwrap_or_default();
        let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().unwrap_or(f64::NAN) };
        of.entry(labels).or_default().push((bound, bucket.value));
    }
    for count in family.samples.iter().filter(|sample| sample.name.ends_with("_count")) {
        let buckets = of.remove(&count.labels).unwrap_or_default();
        if !buckets.is_sorted_by(|one, next| one.0 < next.0 && one.1 <= next.1) {
            problems.push(format!("buckets do not rise: {:?}", count.labels));
        }
        if buckets.last() != Some(&(f64::INFINITY, count.value)) {
            problems.push(format!("the last bucket is not the count: {:?}", count.labels));
        }
    }
    if !of.is_empty() {
        problems.push("buckets without a count".to_owned());
    }
    problems
}

#[test]
fn the_lint_finds_what_promtool_finds() {
    let good = "# HELP feast_things_total Things\n# TYPE feast_things_total counter\nfeast_things_total{service_name=\"a\",say=\"\\\"x, y\\\"\"} 1\n";
    assert_eq!(problems(good), Vec::<String>::new());
    for (from, to, problem) in [
        ("# HELP feast_things_total Things\n", "", "no help text"),
        ("feast_things_total", "feast_things", "_total"),
        (" counter", " gauge", "_total"),
        ("feast_things_total", "feast_thingsMade_total", "snake_case"),
        ("feast_things_total", "feast_wait_milliseconds_total", "base unit"),
        ("say=", "job=", "the scraper's"),
        ("} 1", "}1", "odd line"),
        ("} 1\n", "} 1\nfeast_things_total{service_name=\"a\",say=\"\\\"x, y\\\"\"} 2\n", "twice"),
        ("} 1\n", "} 1\nother_total 2\n", "not of"),
        ("service_name", "service", "no service"),
    ] {
        let spoiled = good.replace(from, to);
        assert!(problems(&spoiled).iter().any(|found| found.contains(problem)), "{problem}: {:?}\n{spoiled}", problems(&spoiled));
    }
}
