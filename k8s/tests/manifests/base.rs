//! The rendered base and ways to look into it.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

pub use manifests::SERVICES;

/// What is not ours and keeps everybody's state.
pub const STORES: [&str; 2] = ["redis", "postgres"];

pub static OBJECTS: LazyLock<Vec<Value>> = LazyLock::new(|| manifests::render(&folder()).unwrap_or_else(|error| panic!("{error:#}")));

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("base")
}

/// What runs the server's program: as many web replicas as wanted, and one console.
pub const ROLES: [&str; 2] = ["web", "console"];

/// The services and the processes in front of them.
pub fn processes() -> impl Iterator<Item = &'static str> {
    SERVICES.into_iter().map(|(service, _)| service).chain(ROLES)
}

/// The program of a container of ours: its image is named for it.
pub fn program_of(container: &Value) -> &str {
    let image = manifests::split_reference(text(&container["image"])).0;
    image.strip_prefix("feast-flow/").unwrap_or_else(|| panic!("{image} is none of ours"))
}

pub fn of_kind(kind: &str) -> impl Iterator<Item = &'static Value> {
    OBJECTS.iter().filter(move |object| object["kind"] == kind)
}

pub fn named(kind: &str, name: &str) -> Option<&'static Value> {
    of_kind(kind).find(|object| object["metadata"]["name"] == name)
}

pub fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_else(|| panic!("an object without a name: {object}"))
}

/// Everything that runs pods.
pub fn workloads() -> impl Iterator<Item = &'static Value> {
    OBJECTS.iter().filter(|object| object["kind"] == "Deployment" || object["kind"] == "StatefulSet")
}

pub fn workload(name: &str) -> &'static Value {
    workloads().find(|workload| self::name(workload) == name).unwrap_or_else(|| panic!("nothing runs {name}"))
}

pub fn pod(workload: &Value) -> &Value {
    &workload["spec"]["template"]["spec"]
}

pub fn containers(workload: &Value) -> &[Value] {
    list(&pod(workload)["containers"])
}

/// The items of an array; none when the field is absent.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// A container's port by number or by name.
pub fn container_port(workload: &Value, port: &Value) -> Option<u64> {
    containers(workload)
        .iter()
        .flat_map(|container| list(&container["ports"]))
        .find(|have| have["containerPort"] == *port || have["name"] == *port)
        .and_then(|have| have["containerPort"].as_u64())
}

/// The workload behind a Service and its container port, for one port of the Service.
pub fn behind(service: &str, port: u64) -> Option<(&'static str, u64)> {
    let service = named("Service", service)?;
    let port = list(&service["spec"]["ports"]).iter().find(|have| have["port"] == port)?;
    let target = if port["targetPort"].is_null() { &port["port"] } else { &port["targetPort"] };
    let workload = workloads().find(|workload| selects(&service["spec"]["selector"], workload))?;
    Some((name(workload), container_port(workload, target)?))
}

/// Whether the pods of `workload` carry all `labels`.
pub fn selects(labels: &Value, workload: &Value) -> bool {
    let have = &workload["spec"]["template"]["metadata"]["labels"];
    labels.as_object().is_some_and(|labels| labels.iter().all(|(key, value)| have[key] == *value))
}
