//! `test`: every test there is, in stages; and `e2e`: the browser tests alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::cache;
use crate::counts::{self, Counts};
use crate::paths::Paths;
use crate::platform::{OPERATOR_TOKEN, Platform};
use crate::postgres::Server;
use crate::process::{Stream, cargo, command as program, run, tee, which};
use crate::report::Report;
use crate::{build, setup, system, verify_flags};

/// Long enough for every journey to be travelled; the presets for people are longer.
const SMOKE_DURATION: &str = "20s";

pub fn command(paths: &Paths, filter: Option<&str>) -> Result<ExitCode> {
    let mut report = Report::new();
    let mut total = Total::default();
    // A failed stage is in the report; later stages run where they can.
    let _ = report.stage("test programs", || setup::for_tests(paths));
    let _ = report.stage("format", || {
        run(cargo(paths).args(["fmt", "--all", "--check"]))?;
        Ok(String::new())
    });
    if let Ok(built) = build::stages(paths, &mut report) {
        let compiled = report.stage("compile tests", || build::tests(paths, &built)).is_ok();
        if compiled {
            let _ = report.stage("Rust tests", || rust_tests(paths, filter, &mut total));
        }
        let _ = report.stage("browser tests", || e2e(paths, filter, &mut total));
        if filter.is_none() {
            let _ = report.stage("load smoke", || load_smoke(paths, &mut total));
        }
        if compiled && filter.is_none() {
            let _ = report.stage("flags", || flags(paths, &mut total));
        }
    }
    Ok(finish(&report, &total))
}

pub fn e2e_command(paths: &Paths, filter: Option<&str>) -> Result<ExitCode> {
    let mut report = Report::new();
    let mut total = Total::default();
    let _ = report.stage("test programs", || setup::for_tests(paths));
    if build::stages(paths, &mut report).is_ok() {
        let _ = report.stage("browser tests", || e2e(paths, filter, &mut total));
    }
    Ok(finish(&report, &total))
}

/// The sum over all runners.
#[derive(Default)]
struct Total {
    counts: Counts,
    /// Stages whose failure is explained by failed tests.
    stages_with_failed_tests: usize,
}

impl Total {
    /// Adds a runner's numbers; an error says why the stage failed.
    fn judge(&mut self, counts: Counts, ok: bool, filter: Option<&str>) -> Result<String> {
        self.counts += counts;
        if counts.failed > 0 {
            self.stages_with_failed_tests += 1;
            bail!("{counts}");
        }
        if !ok {
            bail!("the runner failed although no test did ({counts})");
        }
        if counts.passed == 0 && filter.is_none() {
            bail!("no test ran");
        }
        Ok(counts.to_string())
    }

    /// A stage that failed without a failed test, such as one that does not compile, is one failure.
    fn failures(&self, failed_stages: usize) -> u64 {
        let unexplained = failed_stages.saturating_sub(self.stages_with_failed_tests);
        self.counts.failed + u64::try_from(unexplained).unwrap_or(u64::MAX)
    }
}

/// Prints the table and, as the last line, the sum over all runners.
fn finish(report: &Report, total: &Total) -> ExitCode {
    let code = report.close();
    println!("{} passed, {} failed", total.counts.passed, total.failures(report.failed()));
    code
}

fn rust_tests(paths: &Paths, filter: Option<&str>, total: &mut Total) -> Result<String> {
    let nextest = which("cargo-nextest").is_some();
    let mut tests = cargo(paths);
    if nextest {
        // The targets that the stage before has compiled, and no examples.
        tests.args(["nextest", "run", "--no-fail-fast", "--lib", "--bins", "--tests"]);
        if filter.is_some() {
            tests.arg("--no-tests=pass");
        }
    } else {
        tests.args(["test", "--no-fail-fast", "--lib", "--bins", "--tests"]);
    }
    tests.args(build::PACKAGES).args(filter);
    environment(paths, &mut tests);
    // One for the run, stopped when this function ends. Without it each test would start its own.
    let bin = system::postgres_bin().context("PostgreSQL is missing; `cargo xtask setup` installs it")?;
    let postgres = Server::start(paths, &bin)?;
    tests.env("TEST_POSTGRES_URL", postgres.url());
    // nextest reports on standard error, libtest on standard output.
    let (status, counts) = if nextest {
        let (status, text) = tee(&mut tests, Stream::Stderr)?;
        (status, counts::nextest(&text))
    } else {
        let (status, text) = tee(&mut tests, Stream::Stdout)?;
        (status, counts::libtest(&text))
    };
    total.judge(counts, status.success(), filter)
}

fn e2e(paths: &Paths, filter: Option<&str>, total: &mut Total) -> Result<String> {
    let files = browser_tests(&paths.root.join("e2e"))?;
    if files.is_empty() {
        bail!("there are no browser tests (e2e/*.test.mjs)");
    }
    let names: Vec<String> = filter.map(str::to_owned).into_iter().collect();
    let (ok, tap) = browse(paths, &files, &names);
    let counts = counts::tap(&tap);
    let failed = counts::failed_in_tap(&tap);
    if failed.is_empty() || failed.len() > SECOND_TRIES {
        return total.judge(counts, ok, filter);
    }
    // As with the Rust tests: a test that passes only the second time is told, and is to be looked at.
    eprintln!("==> once more: {}", failed.join(", "));
    let patterns: Vec<String> = failed.iter().map(|name| format!("^{}$", escaped(name))).collect();
    let again = counts::tap(&browse(paths, &files, &patterns).1);
    if again.failed > 0 || again.passed < counts.failed {
        return total.judge(counts, ok, filter);
    }
    let counts = Counts { passed: counts.passed + counts.failed, failed: 0, ..counts };
    let said = total.judge(counts, true, filter)?;
    Ok(format!("{said}; passed only the second time: {}", failed.join(", ")))
}

/// More failures than this are no accident.
const SECOND_TRIES: usize = 3;

/// Runs the tests of these names, all without any; answers whether all was well, and what was found as TAP.
fn browse(paths: &Paths, files: &[PathBuf], names: &[String]) -> (bool, String) {
    let tap = paths.target.join("e2e.tap");
    let mut node = program(paths, "node");
    node.args(["--test", "--test-concurrency=1", "--test-timeout=400000"])
        .args(["--test-reporter=spec", "--test-reporter-destination=stdout"])
        .arg("--test-reporter=tap")
        .arg(format!("--test-reporter-destination={}", tap.display()))
        .args(names.iter().map(|name| format!("--test-name-pattern={name}")))
        .args(files);
    environment(paths, &mut node);
    let _ = fs::remove_file(&tap);
    let ok = run(&mut node).is_ok();
    (ok, fs::read_to_string(&tap).unwrap_or_default())
}

/// As a regular expression that means this text.
fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| (c.is_ascii_punctuation()).then_some('\\').into_iter().chain([c])).collect()
}

/// A short load run against a platform of its own, which counts as one test: limits hold and no order is lost.
fn load_smoke(paths: &Paths, total: &mut Total) -> Result<String> {
    let platform = Platform::start(paths, "load-smoke")?;
    let mut loadgen = program(paths, paths.bin("loadgen"));
    loadgen
        .args(["--host", &platform.url(), "--operator-token", OPERATOR_TOKEN])
        .args(["--preset", "smoke", "--duration", SMOKE_DURATION, "--seed", "1", "--report-dir"])
        .arg(paths.target.join("load-smoke/report"));
    let ok = run(&mut loadgen).is_ok();
    let counts = Counts { passed: u64::from(ok), failed: u64::from(!ok), skipped: 0 };
    total.judge(counts, ok, None)?;
    platform.stop()?;
    Ok(format!("report in {}", paths.short(&paths.target.join("load-smoke/report"))))
}

/// Every flag in one variant, after everything else: it needs the machine for itself.
fn flags(paths: &Paths, total: &mut Total) -> Result<String> {
    let counts = verify_flags::suite(paths)?;
    total.judge(counts, counts.failed == 0, None)?;
    Ok(format!("every flag is proven; table in {}", paths.short(&verify_flags::table(paths))))
}

/// Every `*.test.mjs` in a folder, by name.
fn browser_tests(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = cache::read_dir(dir)?;
    files.retain(|file| file.to_string_lossy().ends_with(".test.mjs"));
    files.sort();
    Ok(files)
}

/// What tests may rely on: where the real binaries and the real programs are.
pub fn environment(paths: &Paths, command: &mut Command) {
    command.env("FEAST_BIN_DIR", paths.bin_dir());
    if let Some(redis) = system::redis_server() {
        command.env("FEAST_REDIS_SERVER", redis);
    }
    if let Some(chromium) = system::chromium() {
        command.env("FEAST_CHROMIUM", chromium);
    }
    if let Some(bin) = system::postgres_bin() {
        command.env("FEAST_POSTGRES_BIN", bin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::tests::Scratch;

    #[test]
    fn a_name_is_its_own_pattern() {
        assert_eq!(super::escaped("the way: 2 (of 3)"), "the way\\: 2 \\(of 3\\)");
    }

    fn counts(passed: u64, failed: u64) -> Counts {
        Counts { passed, failed, skipped: 0 }
    }

    #[test]
    fn every_stage_that_breaks_without_a_failed_test_is_one_failure() {
        let mut total = Total::default();
        assert_eq!(total.failures(0), 0);
        assert_eq!(total.failures(2), 2);
        assert!(total.judge(counts(5, 3), false, None).is_err());
        assert_eq!(total.failures(1), 3);
        assert_eq!(total.failures(2), 4);
    }

    #[test]
    fn a_runner_must_run_something_unless_tests_were_chosen() {
        let mut total = Total::default();
        assert!(total.judge(counts(0, 0), true, None).is_err());
        assert!(total.judge(counts(0, 0), true, Some("cart")).is_ok());
        assert!(total.judge(counts(2, 0), false, None).is_err());
        assert!(total.judge(counts(2, 1), true, None).is_err());
        assert!(total.judge(counts(2, 0), true, None).is_ok());
        assert_eq!(total.counts, counts(6, 1));
    }

    #[test]
    fn the_harness_is_not_a_browser_test() {
        let dir = Scratch::new("e2e");
        dir.write("harness.mjs", "");
        dir.write("order.test.mjs", "");
        dir.write("cart.test.mjs", "");
        let names: Vec<_> =
            browser_tests(&dir.0).unwrap().iter().filter_map(|file| file.file_name()?.to_str().map(str::to_owned)).collect();
        assert_eq!(names, ["cart.test.mjs", "order.test.mjs"]);
    }
}
