//! Trials: tests of the whole platform that need the machine for themselves and take minutes. They are left out of an ordinary run.

use std::ffi::OsStr;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::counts::{self, Counts};
use crate::paths::Paths;
use crate::process::{Stream, cargo, tee};
use crate::report::Report;
use crate::{build, setup, test};

/// Sets up and builds what trials need, then makes them as the last stage.
pub fn command(paths: &Paths, stage: &'static str, trials: impl FnOnce() -> Result<String>) -> ExitCode {
    let mut report = Report::new();
    let _ = report.stage("test programs", || setup::for_tests(paths));
    if build::stages(paths, &mut report).is_ok() && report.stage("compile tests", || build::system_tests(paths)).is_ok() {
        let _ = report.stage(stage, trials);
    }
    report.close()
}

/// Makes the trials whose names begin so, one after the other, with these settings.
///
/// # Errors
/// There is none of that name.
pub fn make(paths: &Paths, tests: &str, settings: &[(&str, &OsStr)]) -> Result<Counts> {
    let mut trial: Command = cargo(paths);
    trial.args(["test", "--test", "system"]).args(build::PACKAGES);
    trial.args(["--", tests, "--ignored", "--nocapture", "--test-threads=1"]);
    test::environment(paths, &mut trial);
    trial.envs(settings.iter().copied());
    let (status, text) = tee(&mut trial, Stream::Stdout)?;
    let counts = counts::libtest(&text);
    if counts.passed + counts.failed == 0 {
        bail!("no trial was made ({status})");
    }
    Ok(counts)
}
