//! Every object against the Kubernetes API's own types, strictly.
//!
//! An object is read into its type and written back. What is lost on the way is unknown to Kubernetes; what is gained is
//! required and was missing.

use crate::base::OBJECTS;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use manifests::identity;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

#[test]
fn every_object_is_what_kubernetes_understands() {
    assert!(OBJECTS.len() > 60, "only {} objects were rendered", OBJECTS.len());
    let faults: Vec<String> = OBJECTS.iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_object_stands_once_and_in_the_namespace() {
    let mut seen = std::collections::BTreeSet::new();
    for object in OBJECTS.iter() {
        assert!(seen.insert(identity(object)), "{} stands twice", identity(object));
        let metadata = &object["metadata"];
        let place = if object["kind"] == "Namespace" { &metadata["name"] } else { &metadata["namespace"] };
        assert_eq!(place, "feast-flow", "{}", identity(object));
        assert_eq!(metadata["labels"]["app.kubernetes.io/part-of"], "feast-flow", "{}", identity(object));
    }
}

#[test]
fn an_unknown_field_is_found_with_its_path() {
    let faults = faults_of("apiVersion: v1\nkind: Service\nmetadata: {name: cart}\nspec: {selektor: {a: b}}");
    assert_eq!(faults, ["Service/cart: spec.selektor is unknown"]);
    let deep = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart}\nspec:\n  selector: {}\n  template:\n    spec:\n      \
                containers: [{name: cart, readinessProbe: {httpGet: {path: /ready, port: http, timeout: 3}}}]";
    assert_eq!(faults_of(deep), ["Deployment/cart: spec.template.spec.containers.0.readinessProbe.httpGet.timeout is unknown"]);
}

#[test]
fn a_missing_required_field_is_found_with_its_path() {
    let faults = faults_of("apiVersion: v1\nkind: Service\nmetadata: {name: cart}\nspec: {ports: [{name: http}]}");
    assert_eq!(faults, ["Service/cart: spec.ports.0.port is missing"]);
}

#[test]
fn a_wrong_type_is_found() {
    let faults = faults_of("apiVersion: v1\nkind: Service\nmetadata: {name: cart}\nspec: {ports: [{port: \"3003\"}]}");
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("Service/cart: ") && faults[0].contains("3003"), "{faults:?}");
}

#[test]
fn a_key_that_stands_twice_is_found() {
    assert!(manifests::parse("metadata: {name: a}\nmetadata: {name: b}").is_err());
}

fn faults_of(yaml: &str) -> Vec<String> {
    manifests::parse(yaml).unwrap().iter().flat_map(faults).collect()
}

fn faults(object: &Value) -> Vec<String> {
    let check = match (object["apiVersion"].as_str(), object["kind"].as_str()) {
        (Some("v1"), Some("Namespace")) => strict::<Namespace>,
        (Some("v1"), Some("ServiceAccount")) => strict::<ServiceAccount>,
        (Some("v1"), Some("Service")) => strict::<Service>,
        (Some("v1"), Some("ConfigMap")) => strict::<ConfigMap>,
        (Some("apps/v1"), Some("Deployment")) => strict::<Deployment>,
        (Some("apps/v1"), Some("StatefulSet")) => strict::<StatefulSet>,
        (Some("autoscaling/v2"), Some("HorizontalPodAutoscaler")) => strict::<HorizontalPodAutoscaler>,
        (Some("policy/v1"), Some("PodDisruptionBudget")) => strict::<PodDisruptionBudget>,
        (Some("networking.k8s.io/v1"), Some("NetworkPolicy")) => strict::<NetworkPolicy>,
        other => return vec![format!("{}: no type is known for {other:?}", identity(object))],
    };
    check(object).into_iter().map(|fault| format!("{}: {fault}", identity(object))).collect()
}

fn strict<T: DeserializeOwned + Serialize>(object: &Value) -> Vec<String> {
    let typed: T = match serde_json::from_value(object.clone()) {
        Ok(typed) => typed,
        Err(error) => return vec![error.to_string()],
    };
    let mut faults = Vec::new();
    compare(object, &serde_json::to_value(typed).unwrap(), "", &mut faults);
    faults
}

fn compare(written: &Value, understood: &Value, path: &str, faults: &mut Vec<String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (written, understood) {
        (Value::Object(written), Value::Object(understood)) => {
            for (key, value) in written {
                match understood.get(key) {
                    Some(other) => compare(value, other, &below(key), faults),
                    None => faults.push(format!("{} is unknown", below(key))),
                }
            }
            for key in understood.keys().filter(|key| !written.contains_key(*key)) {
                faults.push(format!("{} is missing", below(key)));
            }
        }
        (Value::Array(written), Value::Array(understood)) if written.len() == understood.len() => {
            for (index, (value, other)) in written.iter().zip(understood).enumerate() {
                compare(value, other, &below(&index.to_string()), faults);
            }
        }
        _ if written == understood => {}
        _ => faults.push(format!("{path} is {written} and is understood as {understood}")),
    }
}
