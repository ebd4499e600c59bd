//! `lint`: formatting, clippy for both targets, and the text rules.

use std::process::ExitCode;

use anyhow::Result;

use crate::paths::Paths;
use crate::process::{cargo, run};
use crate::report::Report;
use crate::{rust_tools, setup, text_rules};

pub fn command(paths: &Paths) -> Result<ExitCode> {
    let mut report = Report::new();
    let _ = report.stage("setup", || {
        let mut note = setup::for_build(paths)?;
        for (component, subcommand) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
            if rust_tools::ensure_component(paths, component, subcommand)? {
                note = format!("{note}, {component}");
            }
        }
        Ok(note)
    });
    let _ = report.stage("format", || {
        run(cargo(paths).args(["fmt", "--all", "--check"]))?;
        Ok(String::new())
    });
    let _ = report.stage("text rules", || text_rules::check(paths));
    // In release, so that build scripts of dependencies are shared with `build`. `frontend` is checked for the
    // browser: on this machine's target it would mix the features of browser and server.
    let _ = report.stage("clippy", || {
        run(cargo(paths).args(["clippy", "--release", "--workspace", "--exclude", "frontend"]).args([
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))?;
        Ok(String::new())
    });
    let _ = report.stage("clippy wasm", || {
        run(cargo(paths)
            .args(["clippy", "--profile", "wasm-release", "-p", "frontend", "-p", "app"])
            .args(["--target", "wasm32-unknown-unknown", "--target-dir"])
            .arg(paths.target.join("front"))
            .args(["--", "-D", "warnings"]))?;
        Ok(String::new())
    });
    Ok(report.close())
}
