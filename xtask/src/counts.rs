//! How many tests passed and failed, read from what the test runners print.

use std::ops::AddAssign;

use crate::process::without_colors;

/// Numbers of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// cargo-nextest's line `Summary [ 0.005s] 4 tests run: 2 passed (1 slow), 1 failed, 1 timed out, 0 skipped`.
pub fn nextest(text: &str) -> Counts {
    let text = without_colors(text);
    let Some(summary) = text.lines().rev().find(|line| line.trim_start().starts_with("Summary [")) else {
        return Counts::default();
    };
    let results = summary.split_once("run:").map_or("", |(_, results)| results);
    let mut counts = Counts::default();
    for part in without_parentheses(results).split(',') {
        let Some((number, what)) = part.trim().split_once(' ') else {
            continue;
        };
        let number = number.parse().unwrap_or(0);
        match what.trim() {
            "passed" => counts.passed += number,
            "skipped" => counts.skipped += number,
            // "failed", "timed out", "exec failed", ...: whatever is not a success is a failure.
            _ => counts.failed += number,
        }
    }
    counts
}

/// The sum of libtest's lines `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out`.
pub fn libtest(text: &str) -> Counts {
    let mut counts = Counts::default();
    for line in without_colors(text).lines() {
        let Some((_, results)) = line.trim_start().strip_prefix("test result:").and_then(|rest| rest.split_once(". ")) else {
            continue;
        };
        for part in results.split(';') {
            let Some((number, what)) = part.trim().split_once(' ') else {
                continue;
            };
            let number = number.parse().unwrap_or(0);
            match what {
                "passed" => counts.passed += number,
                "failed" => counts.failed += number,
                "ignored" => counts.skipped += number,
                _ => {}
            }
        }
    }
    counts
}

/// The closing lines of Node's TAP report: `# pass 3`, `# fail 1`, `# cancelled 0`, `# skipped 0`, `# todo 0`.
pub fn tap(text: &str) -> Counts {
    let number = |what: &str| -> u64 {
        let start = format!("# {what} ");
        text.lines().rev().find_map(|line| line.strip_prefix(&start)?.trim().parse().ok()).unwrap_or(0)
    };
    Counts { passed: number("pass"), failed: number("fail") + number("cancelled"), skipped: number("skipped") + number("todo") }
}

/// The names of failed tests in Node's TAP report: `not ok 7 - a cart survives a reload`.
pub fn failed_in_tap(text: &str) -> Vec<String> {
    let name = |line: &str| {
        let (_, name) = line.trim_start().strip_prefix("not ok ")?.split_once(" - ")?;
        Some(name.split_once(" # ").map_or(name, |(name, _)| name).to_owned())
    };
    text.lines().filter_map(name).collect()
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0_u32;
    text.chars()
        .filter(|c| match c {
            '(' => {
                depth += 1;
                false
            }
            ')' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_browser_tests_are_known_by_name() {
        let tap = "TAP version 13\n# Subtest: one\nok 1 - one\n    not ok 2 - two's - way # time=3\nnot ok 3 - three\n# fail 2\n";
        assert_eq!(super::failed_in_tap(tap), ["two's - way", "three"]);
    }

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts { passed, failed, skipped }
    }

    #[test]
    fn nextest_summary_is_read() {
        let text = "    PASS [0.1s] a::b\n     Summary [   0.123s] 12 tests run: 12 passed (1 slow, 2 flaky), 3 skipped\n";
        assert_eq!(nextest(text), counts(12, 0, 3));
    }

    #[test]
    fn nextest_time_outs_and_crashes_are_failures() {
        let text = "Summary [ 9.1s] 7/9 tests run: 3 passed, 2 failed, 1 timed out, 1 exec failed, 0 skipped";
        assert_eq!(nextest(text), counts(3, 4, 0));
    }

    #[test]
    fn nextest_colors_do_not_matter() {
        let text = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, \u{1b}[1m0\u{1b}[0m \u{1b}[33;1mskipped\u{1b}[0m";
        assert_eq!(nextest(text), counts(2, 0, 0));
    }

    #[test]
    fn libtest_results_are_summed() {
        let text = "running 5 tests\ntest result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
                    test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.01s\n";
        assert_eq!(libtest(text), counts(7, 1, 1));
    }

    #[test]
    fn node_tap_totals_are_read_and_nested_comments_are_not() {
        let text = "TAP version 13\n    # pass 99\nok 1 - a\n1..4\n# tests 6\n# suites 0\n# pass 3\n# fail 1\n# cancelled 1\n# skipped 1\n# todo 0\n# duration_ms 12\n";
        assert_eq!(tap(text), counts(3, 2, 1));
    }

    #[test]
    fn a_runner_that_printed_no_summary_counts_nothing() {
        assert_eq!(nextest("error: could not compile"), Counts::default());
        assert_eq!(libtest("error: could not compile"), Counts::default());
        assert_eq!(tap(""), Counts::default());
    }

    #[test]
    fn skipped_tests_are_named_only_if_there_are_any() {
        assert_eq!(counts(2, 0, 0).to_string(), "2 passed, 0 failed");
        assert_eq!(counts(2, 0, 1).to_string(), "2 passed, 0 failed, 1 skipped");
    }
}
