//! `setup`: everything that building and testing need and that is not there yet.

use std::process::ExitCode;

use anyhow::Result;

use crate::paths::Paths;
use crate::process::which;
use crate::report::Report;
use crate::{node, rust_tools, system};

pub fn command(paths: &Paths) -> Result<ExitCode> {
    let mut report = Report::new();
    // Both, whatever comes of the first: each failure is shown, with the command that mends it.
    let _ = report.stage("build tools", || for_build(paths));
    let _ = report.stage("test programs", || for_tests(paths));
    Ok(report.close())
}

/// What building and the demo need.
pub fn for_build(paths: &Paths) -> Result<String> {
    if (which("node").is_none() || which("npm").is_none())
        && let Some(apt) = system::Apt::find(paths)
        && let Err(error) = apt.install(&["nodejs", "npm"])
    {
        eprintln!("    {error:#}");
    }
    // The quick checks first, so that a missing Node.js is not found after minutes of compiling.
    let mut added = node::ensure(paths)?;
    added.extend(rust_tools::ensure(paths)?);
    Ok(note(&added))
}

/// What only tests need.
pub fn for_tests(paths: &Paths) -> Result<String> {
    let mut added = system::ensure(paths)?;
    for (component, subcommand) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if rust_tools::ensure_component(paths, component, subcommand)? {
            added.push(component.to_owned());
        }
    }
    Ok(note(&added))
}

fn note(added: &[String]) -> String {
    if added.is_empty() { "all there".to_owned() } else { added.join(", ") }
}
