//! `build`: the browser part, then all binaries, in the one profile that is tested and shipped.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::deps_cache::{self, Units};
use crate::paths::Paths;
use crate::process::{Stream, cargo, each_line, line};
use crate::report::Report;
use crate::{frontend, setup};

/// What cargo builds and tests, always the same packages: with others it would choose other features for the
/// dependencies and compile them a second time. `frontend` is for the browser only.
pub const PACKAGES: [&str; 4] = ["--release", "--workspace", "--exclude", "frontend"];

pub fn command(paths: &Paths) -> Result<ExitCode> {
    let mut report = Report::new();
    let _ = stages(paths, &mut report);
    Ok(report.close())
}

/// The stages that every command needs that runs a binary; gives what cargo used.
pub fn stages(paths: &Paths, report: &mut Report) -> Result<Units> {
    report.stage("setup", || setup::for_build(paths))?;
    let mut units = Units::default();
    report.stage("browser part", || {
        deps_cache::seed(paths);
        frontend::ensure(paths, &mut units)
    })?;
    report.stage("binaries", || {
        cargo_build(paths, &["build", "--bins"], &mut units)?;
        deps_cache::save(paths, &units);
        Ok(format!("in {}", paths.short(&paths.bin_dir())))
    })?;
    Ok(units)
}

/// Compiles the tests of all packages, after a build that used `built`.
pub fn tests(paths: &Paths, built: &Units) -> Result<String> {
    let mut units = Units::default();
    cargo_build(paths, &["test", "--no-run", "--lib", "--bins", "--tests"], &mut units)?;
    deps_cache::save(paths, &units);
    let again: Vec<&str> = built.compiled_again_in(&units).into_iter().collect();
    Ok(match again.is_empty() {
        true => String::new(),
        false => format!("development dependencies add features, so that these are compiled twice: {}", again.join(", ")),
    })
}

/// The tests of the whole platform alone.
pub fn system_tests(paths: &Paths) -> Result<String> {
    cargo_build(paths, &["test", "--no-run", "--test", "system"], &mut Units::default())?;
    Ok(String::new())
}

fn cargo_build(paths: &Paths, args: &[&str], units: &mut Units) -> Result<()> {
    let mut cargo = cargo(paths);
    cargo.args(args).args(PACKAGES).arg("--message-format=json-render-diagnostics");
    let status = each_line(&mut cargo, Stream::Stdout, |line| units.add_message(line))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(&cargo));
    }
    Ok(())
}
