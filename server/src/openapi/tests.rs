//! The document against the table of `access.rs`, and against itself.

use super::*;
use crate::access::{Rule, TABLE};
use contract::Code;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn whole() -> Value {
    serde_json::from_slice(&SERVED.plain).unwrap()
}

/// Every operation: method, address, itself.
fn all(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &'_ Value)| {
        let path = path.clone();
        item.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    let names: Vec<_> = paths.iter().flat_map(of).collect();
    names.into_iter().map(|(method, path)| (method.clone(), path.clone(), &document["paths"][path][method.to_lowercase()])).collect()
}

/// Whether an address of the table is the API's and not a page's.
fn is_api(address: &str) -> bool {
    let prefixes = ["/api/", "/ofrep/", "/v1/", "/events/"];
    prefixes.iter().any(|prefix| address.starts_with(prefix)) || matches!(address, "/health" | "/ready" | "/metrics")
}

fn table() -> BTreeMap<(String, String), Rule> {
    let lines = TABLE.iter().filter(|(_, address, _)| is_api(address));
    let each = |(methods, address, rule): &(&str, &str, Rule)| {
        let (address, rule) = ((*address).to_owned(), *rule);
        methods.split(' ').map(|method| ((method.to_owned(), address.clone()), rule)).collect::<Vec<_>>()
    };
    lines.flat_map(each).collect()
}

#[test]
fn the_document_has_every_call_of_the_table_and_no_other() {
    let document = whole();
    let described: BTreeSet<_> = all(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    let allowed: BTreeSet<_> = table().into_keys().collect();
    let missing: Vec<_> = allowed.difference(&described).collect();
    let unknown: Vec<_> = described.difference(&allowed).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "not described: {missing:?}\nnot in the table: {unknown:?}");
    assert!(described.len() > 80, "{}", described.len());
}

#[test]
fn a_call_says_who_may_as_the_table_has_it() {
    let (document, table) = (whole(), table());
    for (method, path, operation) in all(&document) {
        let rule = table[&(method.clone(), path.clone())];
        let security = operation["security"].as_array().unwrap();
        let names: Vec<&str> = security.iter().flat_map(|one| one.as_object().unwrap().keys().map(String::as_str)).collect();
        let (anybody, operator) = (security.is_empty() || security.contains(&serde_json::json!({})), names.contains(&refusals::OPERATOR));
        let expected = match rule {
            Rule::Public => (true, false),
            Rule::Session | Rule::Loopback => (true, true),
            Rule::Account => (false, false),
            Rule::Staff | Rule::Courier | Rule::Operator => (false, true),
        };
        assert_eq!((anybody, operator), expected, "{method} {path}: {names:?}");
        assert_eq!(
            operation["responses"].get("401").is_some(),
            !matches!(rule, Rule::Public | Rule::Session) || path == "/api/session" && method == "POST"
        );
        for name in names {
            assert!(document["components"]["securitySchemes"].get(name).is_some(), "{name}");
        }
    }
}

fn references<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_type_is_of_use() {
    let document = whole();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    let dangling: Vec<_> = found.iter().filter(|to| document.pointer(to.trim_start_matches('#')).is_none()).collect();
    assert!(dangling.is_empty(), "{dangling:?}");
    let named = document["components"]["schemas"].as_object().unwrap().keys();
    let unused: Vec<_> = named.filter(|name| !found.contains(format!("#/components/schemas/{name}").as_str())).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn no_two_types_have_one_name() {
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    for part in parts() {
        for (name, schema) in part.components.unwrap_or_default().schemas {
            let schema = serde_json::to_value(schema).unwrap();
            assert_eq!(known.entry(name.clone()).or_insert_with(|| schema.clone()), &schema, "{name}");
        }
    }
}

#[test]
fn every_call_has_a_name_of_its_own_a_summary_and_a_place() {
    let (document, mut ids) = (whole(), BTreeSet::new());
    for (method, path, operation) in all(&document) {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{method} {path}: {}", operation["operationId"]);
        let summary = operation["summary"].as_str().unwrap();
        assert!(summary.len() > 5 && !summary.ends_with('.') && !summary.contains('\n'), "{method} {path}: {summary}");
        let tags = operation["tags"].as_array().unwrap();
        assert!(tags.len() == 1 && TAGS.iter().any(|(name, _)| tags[0] == *name), "{method} {path}: {tags:?}");
        for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let named = |parameter: &Value| parameter["name"] == part && parameter["in"] == "path" && parameter["required"] == true;
            assert!(operation["parameters"].as_array().is_some_and(|parameters| parameters.iter().any(named)), "{method} {path}: {part}");
        }
    }
}

#[test]
fn a_refusal_in_our_form_names_codes_of_its_status() {
    let document = whole();
    let mut seen = 0;
    for (method, path, operation) in all(&document) {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            if answer.pointer("/content/application~1json/schema/$ref") != Some(&Value::from("#/components/schemas/ErrorBody")) {
                continue;
            }
            for line in answer["description"].as_str().unwrap().lines() {
                let code = line.strip_prefix('`').and_then(|line| Code::from_text(line.split_once('`')?.0));
                assert_eq!(code.map(|code| code.status().to_string()).as_ref(), Some(status), "{method} {path}: {line}");
                seen += 1;
            }
        }
    }
    assert!(seen > 200, "{seen}");
}

#[test]
fn the_page_has_every_call_once_and_what_it_links_to() {
    let document = whole();
    let described: BTreeSet<_> = all(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    let calls: Vec<_> = HANDBOOK.groups.iter().flat_map(|group| &group.calls).collect();
    let shown: BTreeSet<_> = calls.iter().map(|call| (call.method.clone(), call.path.clone())).collect();
    assert_eq!((calls.len(), shown), (described.len(), described));
    assert!(HANDBOOK.groups.iter().all(|group| !group.calls.is_empty()));
    let names: BTreeSet<_> = HANDBOOK.types.iter().map(|named| named.name.as_str()).collect();
    let bodies = calls.iter().flat_map(|call| call.body.iter().chain(call.answers.iter().filter_map(|answer| answer.body.as_ref())));
    for name in bodies.filter_map(|body| body.kind.name.as_deref()) {
        assert!(names.contains(name), "{name}");
    }
}

#[test]
fn examples_of_bodies_are_json_with_the_fields_that_must_be() {
    let calls = HANDBOOK.groups.iter().flat_map(|group| &group.calls);
    let bodies = calls.flat_map(|call| call.body.iter().chain(call.answers.iter().filter_map(|answer| answer.body.as_ref())));
    for body in bodies.filter(|body| !body.example.is_empty()) {
        let example: Value = serde_json::from_str(&body.example).unwrap_or_else(|error| panic!("{error}: {}", body.example));
        for field in body.fields.iter().filter(|field| field.required) {
            assert!(example.get(&field.name).is_some(), "{}: {}", field.name, body.example);
        }
    }
}

#[test]
fn a_copy_that_is_known_is_not_sent_again() {
    let known = HeaderMap::from_iter([(IF_NONE_MATCH, format!("\"{}\"", SERVED.etag).parse().unwrap())]);
    assert_eq!(SERVED.reply(&known).status(), StatusCode::NOT_MODIFIED);
    let packed = SERVED.reply(&HeaderMap::from_iter([(ACCEPT_ENCODING, "br, gzip".parse().unwrap())]));
    assert_eq!((packed.status(), packed.headers()[CONTENT_ENCODING].as_bytes()), (StatusCode::OK, b"gzip".as_slice()));
    assert!(SERVED.packed.len() * 4 < SERVED.plain.len());
    assert!(!SERVED.reply(&HeaderMap::new()).headers().contains_key(CONTENT_ENCODING));
}
