//! `verify-flags`: every flag against the platform's own proofs, under load.
//!
//! The trial itself is a test of the server (`server/tests/system/verify`), which starts platforms as all tests of the system do.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::build;
use crate::counts::{self, Counts};
use crate::paths::Paths;
use crate::process::{Stream, cargo, tee};
use crate::report::Report;
use crate::{setup, test};

/// What to try.
pub struct Wanted {
    /// One variant of each flag, embedded, as the suite does.
    pub quick: bool,
    /// Only these flags; all when empty.
    pub only: Vec<String>,
}

/// Where the table of the last trial is, below the target folder.
const TABLE: &str = "verify-flags/table.txt";

pub fn command(paths: &Paths, wanted: &Wanted) -> Result<ExitCode> {
    let mut report = Report::new();
    let _ = report.stage("test programs", || setup::for_tests(paths));
    if build::stages(paths, &mut report).is_ok() && report.stage("compile tests", || build::system_tests(paths)).is_ok() {
        let only = wanted.only.join(",");
        let _ = report.stage("flags", || {
            let mut counts = trial(paths, "verify::suite_", &only)?;
            if !wanted.quick {
                counts += trial(paths, "verify::full_", &only)?;
            }
            summary(paths, counts)
        });
    }
    Ok(report.close())
}

/// The part of the suite: one variant of each flag, embedded, and the trial of the trial itself.
///
/// # Errors
/// A flag is not proven, or one is although nothing was done.
pub fn suite(paths: &Paths) -> Result<Counts> {
    trial(paths, "verify::suite_", "")
}

/// Where the table of the last trial is.
pub fn table(paths: &Paths) -> PathBuf {
    paths.target.join(TABLE)
}

fn trial(paths: &Paths, tests: &str, only: &str) -> Result<Counts> {
    let file = table(paths);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    if tests == "verify::suite_" {
        // The others write below what is there.
        let _ = fs::remove_file(&file);
    }
    let mut trial: Command = cargo(paths);
    trial.args(["test", "--test", "system"]).args(build::PACKAGES);
    // One at a time: each needs the machine for itself.
    trial.args(["--", tests, "--ignored", "--nocapture", "--test-threads=1"]);
    test::environment(paths, &mut trial);
    trial.env("FEAST_VERIFY_FILE", &file);
    if !only.is_empty() {
        trial.env("FEAST_VERIFY_ONLY", only);
    }
    let (status, text) = tee(&mut trial, Stream::Stdout)?;
    let counts = counts::libtest(&text);
    if counts.passed + counts.failed == 0 {
        bail!("no trial was made ({status})");
    }
    Ok(counts)
}

fn summary(paths: &Paths, counts: Counts) -> Result<String> {
    let file = table(paths);
    let file = paths.short(&file);
    if counts.failed > 0 {
        bail!("{counts}; see {file}");
    }
    Ok(format!("every flag is proven; table in {file}"))
}
