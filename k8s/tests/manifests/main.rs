//! What the manifests must say, read from the rendered base. Nothing here needs a cluster, kubectl or a network.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says what it could not compare")]

mod base;
mod kustomize;
mod network;
mod schema;
mod settings;
mod workloads;
