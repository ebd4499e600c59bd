//! Who may talk to whom: the policies against the calls there are.

use crate::base::{SERVICES, list, name, named, of_kind, processes, text, workloads};
use crate::settings;
use serde_json::Value;
use std::collections::BTreeSet;

/// Caller, called, the called one's port. All there is, beside what every service does; a new call is a line here and a rule in
/// `network.yaml`.
const CALLS: [(&str, &str, u64); 37] = [
    ("web", "order", 3001),
    ("web", "middleware", 3002),
    ("web", "cart", 3003),
    ("web", "menu", 3004),
    ("web", "user", 3005),
    ("web", "payment", 3006),
    ("web", "delivery", 3007),
    ("web", "notification", 3008),
    ("web", "redis", 6379),
    ("console", "order", 3001),
    ("console", "middleware", 3002),
    ("console", "cart", 3003),
    ("console", "menu", 3004),
    ("console", "user", 3005),
    ("console", "payment", 3006),
    ("console", "delivery", 3007),
    ("console", "notification", 3008),
    ("console", "redis", 6379),
    ("order", "cart", 3003),
    ("order", "menu", 3004),
    ("order", "middleware", 3002),
    ("order", "redis", 6379),
    ("order", "postgres", 5432),
    ("middleware", "redis", 6379),
    ("middleware", "postgres", 5432),
    ("cart", "menu", 3004),
    ("cart", "redis", 6379),
    ("menu", "redis", 6379),
    ("menu", "postgres", 5432),
    ("user", "postgres", 5432),
    ("payment", "redis", 6379),
    ("payment", "postgres", 5432),
    ("delivery", "redis", 6379),
    ("delivery", "postgres", 5432),
    ("notification", "redis", 6379),
    ("notification", "postgres", 5432),
    ("loadgen", "web", 3000),
];

/// Where everybody else hears of flags.
const FLAGS: (&str, u64) = ("console", 8015);

/// Where everybody else sends telemetry.
const RECEIVER: (&str, u64) = ("console", 3000);

/// What is open to everybody, from outside the cluster too.
const DOORS: [(&str, u64); 2] = [("web", 3000), RECEIVER];

type Call = (String, String, u64);

/// Whoever has neither the flags nor the telemetry himself.
fn listeners() -> impl Iterator<Item = &'static str> {
    SERVICES.into_iter().map(|(service, _)| service).chain(["web"])
}

fn calls() -> BTreeSet<Call> {
    let flags = listeners().map(|listener| (listener, FLAGS.0, FLAGS.1));
    CALLS.into_iter().chain(flags).map(|(from, to, port)| (from.to_owned(), to.to_owned(), port)).collect()
}

#[test]
fn the_settings_name_exactly_the_calls_there_are() {
    assert_eq!(settings::addressed(), calls());
}

#[test]
fn every_caller_may_leave_for_exactly_what_it_calls() {
    let mut allowed = BTreeSet::new();
    each_rule("Egress", "egress", |from, rule| {
        for peer in list(&rule["to"]).iter().filter(|peer| peer["namespaceSelector"].is_null()) {
            for to in pods(&peer["podSelector"]) {
                allowed.extend(ports(rule).map(|port| (from.to_owned(), to.to_owned(), port)));
            }
        }
    });
    let telemetry = listeners().map(|listener| (listener.to_owned(), RECEIVER.0.to_owned(), RECEIVER.1));
    assert_eq!(allowed, calls().into_iter().chain(telemetry).collect());
}

#[test]
fn everybody_lets_in_exactly_its_callers() {
    let (mut allowed, mut open) = (BTreeSet::new(), BTreeSet::new());
    each_rule("Ingress", "ingress", |to, rule| {
        for port in ports(rule) {
            if rule["from"].is_null() {
                open.insert((to.to_owned(), port));
            }
            for peer in list(&rule["from"]) {
                assert!(peer["namespaceSelector"].is_null() && peer["ipBlock"].is_null(), "{to} lets in {peer}");
                allowed.extend(pods(&peer["podSelector"]).map(|from| (from.to_owned(), to.to_owned(), port)));
            }
        }
    });
    assert_eq!(open, DOORS.into_iter().map(|(to, port)| (to.to_owned(), port)).collect());
    let expected: BTreeSet<Call> = calls().into_iter().filter(|(_, to, port)| !DOORS.contains(&(to.as_str(), *port))).collect();
    assert_eq!(allowed, expected);
}

#[test]
fn nothing_is_allowed_unless_a_rule_says_so() {
    let deny = named("NetworkPolicy", "default-deny").unwrap();
    assert_eq!(deny["spec"], serde_json::json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}));
}

#[test]
fn out_of_the_namespace_lead_only_dns_and_telemetry() {
    let mut leading_out = BTreeSet::new();
    each_rule("Egress", "egress", |from, rule| {
        assert!(!list(&rule["to"]).is_empty(), "{from} may go anywhere");
        for peer in list(&rule["to"]) {
            assert!(peer["ipBlock"].is_null(), "{from} may go to {peer}");
            if let Some(labels) = peer["namespaceSelector"]["matchLabels"].as_object() {
                let label = labels.keys().next().unwrap().as_str();
                leading_out.extend(ports(rule).map(|port| (from.to_owned(), label.to_owned(), port)));
            }
        }
    });
    let dns = processes().chain(["loadgen"]).map(|from| (from.to_owned(), "kubernetes.io/metadata.name".to_owned(), 53));
    let telemetry = processes().map(|from| (from.to_owned(), "feast-flow/telemetry".to_owned(), 4318));
    assert_eq!(leading_out, dns.chain(telemetry).collect());
}

/// Every rule of one direction, once for each workload that it is for.
fn each_rule(direction: &str, field: &str, mut look: impl FnMut(&str, &Value)) {
    for policy in of_kind("NetworkPolicy") {
        let rules = list(&policy["spec"][field]);
        let declared = list(&policy["spec"]["policyTypes"]).iter().any(|one| one == direction);
        assert!(declared || rules.is_empty(), "{}: {field} rules that are not in force", name(policy));
        for workload in pods(&policy["spec"]["podSelector"]) {
            rules.iter().for_each(|rule| look(workload, rule));
        }
    }
}

/// The workloads that a label selector picks. A selector that picks nothing is a mistake.
fn pods(selector: &Value) -> impl Iterator<Item = &'static str> {
    let picked: Vec<&str> = workloads().filter(|workload| matches(selector, workload)).map(name).collect();
    assert!(!picked.is_empty(), "{selector} picks nothing");
    picked.into_iter()
}

fn matches(selector: &Value, workload: &Value) -> bool {
    let selector = selector.as_object().unwrap_or_else(|| panic!("not a selector: {selector}"));
    let labels = &workload["spec"]["template"]["metadata"]["labels"];
    selector.iter().all(|(kind, terms)| match kind.as_str() {
        "matchLabels" => terms.as_object().is_some_and(|terms| terms.iter().all(|(key, value)| labels[key] == *value)),
        "matchExpressions" => list(terms).iter().all(|term| {
            let listed = list(&term["values"]).contains(&labels[text(&term["key"])]);
            match text(&term["operator"]) {
                "In" => listed,
                "NotIn" => !listed,
                other => panic!("operator {other} is not read here"),
            }
        }),
        other => panic!("{other} is not read here"),
    })
}

fn ports(rule: &Value) -> impl Iterator<Item = u64> {
    let ports = list(&rule["ports"]);
    assert!(!ports.is_empty(), "a rule for every port: {rule}");
    ports.iter().map(|port| {
        assert!(port["endPort"].is_null());
        port["port"].as_u64().unwrap_or_else(|| panic!("not a number: {port}"))
    })
}
