//! Dashboards, alerts and the full stack: what can be known about them without running any of it.
//!
//! Above all: every query names a metric that the platform emits, and labels which that metric has. What is emitted is the registry of
//! `docs/telemetry.md`, which a test of the whole platform holds against a full run.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod compose;
mod dashboards;
mod promql;
mod registry;
mod rules;

use serde_yaml_ng::Value as Yaml;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("observability")
}

fn read(path: &str) -> String {
    let path = folder().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A file with its anchors and merges worked in.
fn yaml(path: &str) -> serde_json::Value {
    let mut value: Yaml = serde_yaml_ng::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    value.apply_merge().unwrap();
    serde_json::to_value(value).unwrap()
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

fn list(value: &serde_json::Value) -> &[serde_json::Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
