//! Objectives, burn rates and causes.

use crate::promql::Query;
use crate::{list, text, yaml};
use serde_json::Value;
use std::collections::BTreeSet;

const FILES: [&str; 2] = ["objectives.yml", "causes.yml"];

/// 99.9 %
const BUDGET: &str = "0.001";

fn rules() -> Vec<Value> {
    let files = FILES.map(|file| yaml(&format!("prometheus/{file}")));
    let groups = files.iter().flat_map(|file| list(&file["groups"]));
    groups.flat_map(|group| list(&group["rules"])).cloned().collect()
}

#[test]
fn every_rule_asks_for_what_is_emitted_or_recorded() {
    let rules = rules();
    let recorded: BTreeSet<String> = rules.iter().filter_map(|rule| rule["record"].as_str()).map(str::to_owned).collect();
    for rule in &rules {
        let problems = Query::read(text(&rule["expr"])).problems(&recorded);
        assert!(problems.is_empty(), "{}{}: {problems:?}", rule["record"], rule["alert"]);
    }
    for name in &recorded {
        assert!(rules.iter().any(|rule| rule["alert"].is_string() && text(&rule["expr"]).contains(name.as_str())), "nobody uses {name}");
    }
}

#[test]
fn every_alert_says_how_grave_it_is_and_in_a_sentence_what_happens() {
    let rules = rules();
    let mut names = BTreeSet::new();
    for alert in rules.iter().filter(|rule| rule["alert"].is_string()) {
        let name = text(&alert["alert"]);
        assert!(names.insert(name) && name.starts_with("Feast"), "{name}");
        assert!(["page", "ticket", "info"].contains(&text(&alert["labels"]["severity"])), "{name}");
        assert!(!text(&alert["annotations"]["summary"]).is_empty(), "{name}");
    }
    assert!(names.len() >= 10);
}

#[test]
fn budgets_burn_over_a_long_window_and_a_short_one() {
    for objective in ["requests_failed", "orders_failed"] {
        let rules = rules();
        let alerts = rules.iter().filter(|rule| rule["alert"].is_string() && text(&rule["expr"]).contains(objective));
        let together: String = alerts.map(|alert| text(&alert["expr"])).collect();
        for (long, short, factor) in [("1h", "5m", "14.4"), ("6h", "30m", "6"), ("1d", "2h", "3"), ("3d", "6h", "1")] {
            let above = |window: &str| format!("feast:{objective}:ratio_rate{window} > ({factor} * {BUDGET})");
            assert!(together.contains(&format!("({} and {})", above(long), above(short))), "{objective} {long} {short} {factor}");
        }
    }
}

#[test]
fn the_rules_are_the_ones_that_prometheus_loads_and_their_tests_read() {
    assert_eq!(yaml("prometheus/prometheus.yml")["rule_files"], Value::from(FILES.to_vec()));
    let tests = yaml("prometheus/rules.test.yml");
    assert_eq!(tests["rule_files"], Value::from(FILES.to_vec()));
    let known = rules();
    for alert in list(&tests["tests"]).iter().flat_map(|test| list(&test["alert_rule_test"])) {
        assert!(known.iter().any(|rule| rule["alert"] == alert["alertname"]), "there is no alert {}", alert["alertname"]);
    }
}
