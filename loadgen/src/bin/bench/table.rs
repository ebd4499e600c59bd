//! What was measured, beside what it should be, for people and for programs.

use crate::drive::Load;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::fmt::Write;

/// From here on a run is said to be disturbed.
const DISTURBED_PERCENT: f64 = 10.0;

/// A factor that says no more than that there is nothing: what is divided by zero.
const UTTERLY: f64 = 1_000.0;

/// One line of the table.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<usize>,
    pub value: f64,
    /// "/s", "ms", "s", "MB" or "bytes".
    pub unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentiles_ms: Option<Percentiles>,
    /// Processor time of the server for one of what was counted, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_cpu_us: Option<f64>,
    /// The same of the client, which runs on the same cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_cpu_us: Option<f64>,
    /// What other programs took of the machine meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others_percent: Option<f64>,
    /// Requests a second here to those of another row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Ratio>,
    pub budgets: Vec<Budget>,
    pub notes: Vec<String>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Ratio {
    pub value: f64,
    pub to: String,
}

/// What design.md promises of a row.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// As people read it: "≥ 8 000/s".
    pub text: String,
    /// 1 is on the mark, less is better, 2 is missed by a factor of two.
    pub factor: f64,
}

impl Budget {
    pub fn at_least(measured: f64, limit: f64, unit: &str) -> Self {
        Self { text: format!("≥ {}{unit}", number(limit)), factor: (limit / measured).min(UTTERLY) }
    }

    pub fn at_most(measured: f64, limit: f64, unit: &str) -> Self {
        Self { text: format!("≤ {}{unit}", number(limit)), factor: measured / limit }
    }

    /// With a word before it: "p99 ≤ 40 ms".
    #[must_use]
    pub fn of(mut self, what: &str) -> Self {
        self.text = format!("{what} {}", self.text);
        self
    }

    const fn is_met(&self) -> bool {
        self.factor <= 1.0
    }
}

impl Percentiles {
    /// Of a histogram of microseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
        Self { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
    }
}

impl Row {
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, ..Self::default() }
    }

    /// A load's rate, times and costs.
    pub fn of_load<J>(name: impl Into<String>, connections: usize, load: &Load<J>) -> Self {
        let each = |seconds: f64| (load.done > 0).then(|| seconds * 1e6 / load.done as f64);
        Self {
            connections: Some(connections),
            percentiles_ms: Some(Percentiles::of(&load.whole)),
            server_cpu_us: each(load.used.server_seconds),
            client_cpu_us: each(load.used.client_seconds),
            others_percent: Some(load.used.others_percent),
            ..Self::new(name, load.per_second(), "/s")
        }
    }

    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budgets.push(budget);
        self
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    fn verdict(&self) -> String {
        let worst = self.budgets.iter().map(|budget| budget.factor).fold(f64::NAN, f64::max);
        match worst {
            _ if self.budgets.is_empty() => String::new(),
            worst if worst <= 1.0 => "met".to_owned(),
            worst if worst >= UTTERLY => "missed".to_owned(),
            worst => format!("missed ×{worst:.2}"),
        }
    }

    fn cells(&self) -> [String; 10] {
        let optional = |value: Option<f64>, digits: usize| value.map_or_else(String::new, |value| format!("{value:.digits$}"));
        let percentile = |which: fn(&Percentiles) -> f64| optional(self.percentiles_ms.as_ref().map(which), 2);
        let space = if self.unit.starts_with('/') { "" } else { " " };
        [
            self.name.clone(),
            self.connections.map_or_else(String::new, |connections| connections.to_string()),
            format!("{}{space}{}", number(self.value), self.unit),
            percentile(|times| times.p50),
            percentile(|times| times.p95),
            percentile(|times| times.p99),
            optional(self.server_cpu_us, 1),
            self.ratio.as_ref().map_or_else(String::new, |ratio| format!("{:.2} of {}", ratio.value, ratio.to)),
            self.budgets.iter().map(|budget| budget.text.as_str()).collect::<Vec<_>>().join(", "),
            self.verdict(),
        ]
    }
}

const HEAD: [&str; 10] = ["what", "conns", "result", "p50 ms", "p95 ms", "p99 ms", "cpu µs", "ratio", "budget", "verdict"];

/// Numbers stand to the right.
const TO_THE_RIGHT: [bool; 10] = [false, true, true, true, true, true, true, false, false, false];

/// The whole report.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// Shorter times than usual: good for a look, not for a record.
    pub quick: bool,
    pub cookies: bool,
    pub rows: Vec<Row>,
    /// What must not happen at any speed.
    pub faults: Vec<String>,
}

impl Table {
    pub fn terminal(&self) -> String {
        let rows: Vec<_> = self.rows.iter().map(Row::cells).collect();
        let mut widths = HEAD.map(width);
        for row in &rows {
            for (width_so_far, cell) in widths.iter_mut().zip(row) {
                *width_so_far = (*width_so_far).max(width(cell));
            }
        }
        let line = |cells: [&str; 10]| {
            let mut line = String::new();
            for ((cell, width_wanted), right) in cells.into_iter().zip(widths).zip(TO_THE_RIGHT) {
                let pad = " ".repeat(width_wanted - width(cell));
                let _ = if right { write!(line, "{pad}{cell}  ") } else { write!(line, "{cell}{pad}  ") };
            }
            format!("{}\n", line.trim_end())
        };
        let mut text = line(HEAD);
        for row in &rows {
            text.push_str(&line(row.each_ref().map(String::as_str)));
        }
        text + &self.closing("  ")
    }

    pub fn markdown(&self) -> String {
        let rule = TO_THE_RIGHT.map(|right| if right { "---:" } else { "---" });
        let mut text = format!("| {} |\n|{}|\n", HEAD.join(" | "), rule.join("|"));
        for row in &self.rows {
            let _ = writeln!(text, "| {} |", row.cells().join(" | "));
        }
        text + &self.closing("- ")
    }

    /// Notes, summary and faults.
    fn closing(&self, bullet: &str) -> String {
        let mut text = String::new();
        text.push('\n');
        for row in self.rows.iter().filter(|row| !row.notes.is_empty()) {
            let connections = row.connections.map_or_else(String::new, |connections| format!(" ({connections})"));
            let _ = writeln!(text, "{bullet}{}{connections}: {}", row.name, row.notes.join("; "));
        }
        let judged: Vec<_> = self.rows.iter().flat_map(|row| &row.budgets).collect();
        let missed = judged.iter().filter(|budget| !budget.is_met()).count();
        let worst = judged.iter().map(|budget| budget.factor).fold(0.0, f64::max);
        let _ = write!(text, "\n{} of {} budgets met", judged.len() - missed, judged.len());
        let _ = if missed > 0 { writeln!(text, ", the worst missed ×{worst:.2}.") } else { writeln!(text, ".") };
        let others = self.rows.iter().filter_map(|row| row.others_percent).fold(0.0, f64::max);
        if others > DISTURBED_PERCENT {
            let _ = writeln!(text, "Other programs took up to {others:.0} % of the machine: rates are too low and times too long.");
        }
        if self.quick {
            text.push_str("Short run: good for a look, not for a record.\n");
        }
        for fault in &self.faults {
            let _ = writeln!(text, "WRONG: {fault}");
        }
        text
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Three or so digits, thousands apart: `0.143`, `38.2`, `41 250`.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        small if small == small.round() => 0,
        small if small < 1.0 => 3,
        small if small < 10.0 => 2,
        small if small < 1_000.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    match fraction.trim_end_matches('0') {
        "" => grouped,
        fraction => format!("{grouped}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_they_need() {
        for (value, text) in
            [(0.1428, "0.143"), (0.5, "0.5"), (38.21, "38.2"), (41250.4, "41 250"), (2500.0, "2 500"), (0.0, "0"), (1234567.0, "1 234 567")]
        {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn the_worst_budget_of_a_row_is_its_verdict() {
        let row = Row::new("checkout", 2_000.0, "/s");
        assert_eq!(row.verdict(), "");
        assert_eq!(Row::new("nothing", 0.0, "/s").budget(Budget::at_least(0.0, 1.0, "/s")).verdict(), "missed");
        let row = row.budget(Budget::at_least(2_000.0, 1_000.0, "/s"));
        assert_eq!(row.verdict(), "met");
        let row = row.budget(Budget::at_most(60.0, 40.0, " ms").of("p99"));
        assert_eq!(row.verdict(), "missed ×1.50");
        assert_eq!(row.cells()[8], "≥ 1 000/s, p99 ≤ 40 ms");
    }

    #[test]
    fn a_table_has_one_width_and_ends_with_what_is_wrong() {
        let table = Table {
            rows: vec![
                Row::new("a page", 12_345.6, "/s").note("warm"),
                Row::new("memory", 38.2, "MB").budget(Budget::at_most(38.2, 40.0, " MB")),
            ],
            faults: vec!["1 order is lost".to_owned()],
            ..Table::default()
        };
        let text = table.terminal();
        assert!(text.contains("12 346/s") && text.contains("38.2 MB") && text.contains("a page: warm"), "{text}");
        assert!(text.contains("1 of 1 budgets met.") && text.ends_with("WRONG: 1 order is lost\n"), "{text}");
        assert!(table.markdown().lines().take(4).all(|line| line.starts_with('|') && line.ends_with('|')));
    }
}
