//! Progress lines, and the closing table of stages and durations.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

/// What a command did so far.
pub struct Report {
    started: Instant,
    stages: Vec<Stage>,
}

struct Stage {
    name: &'static str,
    took: Duration,
    failed: bool,
    /// A few words: what was done, or the error.
    note: String,
}

impl Report {
    pub fn new() -> Self {
        Self { started: Instant::now(), stages: Vec::new() }
    }

    /// Runs one stage; its note and its duration go into the table. An error is shown at once and handed back.
    pub fn stage(&mut self, name: &'static str, work: impl FnOnce() -> Result<String>) -> Result<()> {
        eprintln!("==> {name}");
        let started = Instant::now();
        let result = work();
        let took = started.elapsed();
        let (failed, note) = match &result {
            Ok(note) => (false, note.clone()),
            Err(error) => (true, format!("{error:#}")),
        };
        if failed {
            eprintln!("==> {name} failed: {note}");
        }
        self.stages.push(Stage { name, took, failed, note });
        result.map(|_| ())
    }

    /// How many stages failed.
    pub fn failed(&self) -> usize {
        self.stages.iter().filter(|stage| stage.failed).count()
    }

    /// Prints the table; the exit code says whether all stages went well.
    pub fn close(&self) -> ExitCode {
        println!("\n{}", table(&self.stages, self.started.elapsed()));
        if self.failed() > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

fn table(stages: &[Stage], total: Duration) -> String {
    let width = stages.iter().map(|stage| stage.name.chars().count()).chain([5]).max().unwrap_or_default();
    let mut text = format!("{:width$}  result  {:>8}", "stage", "time");
    for stage in stages {
        let result = if stage.failed { "FAILED" } else { "ok" };
        // The whole error was shown when it happened; one line is enough here.
        let note = stage.note.lines().next().unwrap_or_default();
        let row = format!("{:width$}  {result:6}  {:>8}  {note}", stage.name, seconds(stage.took));
        let _ = write!(text, "\n{}", row.trim_end());
    }
    let _ = write!(text, "\n{:width$}  {:6}  {:>8}", "total", "", seconds(total));
    text
}

/// A duration as people read it: `0.4 s`, `12.3 s`, `2 m 05 s`.
pub fn seconds(duration: Duration) -> String {
    let tenths = duration.as_millis().div_ceil(100);
    if tenths < 600 {
        format!("{}.{} s", tenths / 10, tenths % 10)
    } else {
        let whole = duration.as_secs();
        format!("{} m {:02} s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(310)), "0.4 s");
        assert_eq!(seconds(Duration::from_millis(12_300)), "12.3 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 m 05 s");
    }

    #[test]
    fn the_table_has_a_row_for_each_stage_and_the_total() {
        let stage = |name, failed, note: &str| Stage { name, took: Duration::from_secs(2), failed, note: note.to_owned() };
        let stages = [stage("build", false, ""), stage("Rust tests", true, "2 failed\nmore")];
        let text = table(&stages, Duration::from_secs(4));
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows.len(), 4);
        assert_eq!(rows[1], "build       ok         2.0 s");
        assert_eq!(rows[2], "Rust tests  FAILED     2.0 s  2 failed");
        assert!(rows[3].starts_with("total"));
    }

    #[test]
    fn a_failed_stage_fails_the_report_and_later_stages_still_run() {
        let mut report = Report::new();
        assert!(report.stage("one", || anyhow::bail!("it is broken")).is_err());
        assert!(report.stage("two", || Ok(String::new())).is_ok());
        assert_eq!(report.failed(), 1);
        assert_eq!(report.stages.len(), 2);
    }
}
