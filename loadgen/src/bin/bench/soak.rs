//! Load that goes on: whether the telemetry store stays under its bound and the process stops growing. Checkouts at a steady rate with
//! everything watched, looked at every second, told every minute.

use crate::bench::{Bench, CONNECTIONS};
use crate::connection::Connection;
use crate::drive::{Journey, Plan, drive, histogram, micros};
use crate::orders::{Checkout, compare, drain, stock_up};
use crate::processes::memory;
use crate::server::OPERATOR_TOKEN;
use crate::table::{Budget, Percentiles, Row, Table, number};
use crate::telemetry::what_is_kept;
use anyhow::{Context, Result};
use contract::telemetry::Kept;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::HashSet;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const MEGABYTE: f64 = 1_000_000.0;
const MINUTE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is filled once (caches, windows, the store itself) is full by then; from here on memory must stay where it is.
const SETTLED_MINUTES: usize = 3;
/// Memory of the last minute to that of the third: what the allocator gives back late is no growth.
const AT_MOST: f64 = 1.15;

/// How much load, and for how long.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub minutes: u32,
    /// Checkouts a second of all connections together.
    pub rate: u32,
}

/// What one minute was like.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Minute {
    pub minute: u32,
    pub checkouts_per_second: f64,
    pub times_ms: Percentiles,
    pub spans_per_second: f64,
    /// At their highest within the minute.
    pub store_mb: f64,
    pub resident_mb: f64,
    /// At its end; the counters are since the start.
    pub kept: Kept,
}

/// The whole report.
#[derive(Serialize)]
pub struct Soak {
    pub minutes: Vec<Minute>,
    #[serde(flatten)]
    pub table: Table,
}

/// What was done since somebody last asked, in microseconds each.
type Done = Arc<Mutex<Histogram<u64>>>;

/// A checkout whenever it is due. What is late is not made up for: the rate is a steady one, or lower.
struct Paced {
    checkout: Checkout,
    every: Duration,
    due: Instant,
    done: Done,
}

impl Journey for Paced {
    async fn run(&mut self, connection: &mut Connection) -> Result<Option<Duration>> {
        tokio::time::sleep_until(self.due.into()).await;
        let started = Instant::now();
        self.due = (self.due + self.every).max(started);
        let took = self.checkout.run(connection).await?;
        self.done.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(micros(started.elapsed()));
        Ok(took)
    }
}

/// # Errors
/// The server does not start, or stops answering.
pub async fn measure(bench: &Bench, wanted: Wanted) -> Result<Soak> {
    let mut server = bench.start("soak").await?;
    let mut operator = server.connect().await?.operating(OPERATOR_TOKEN);
    stock_up(&mut operator).await?;
    let done: Done = Arc::new(Mutex::new(histogram()?));
    let plan = Plan { warm_up: Duration::ZERO, measure: MINUTE * wanted.minutes, ..bench.plan(CONNECTIONS) };
    let every = Duration::from_secs_f64(CONNECTIONS as f64 / f64::from(wanted.rate.max(1)));
    let begin = Instant::now();
    let paced = |number: usize| Paced {
        checkout: Checkout::new(number),
        every,
        due: begin + every * u32::try_from(number).unwrap_or(0) / u32::try_from(CONNECTIONS).unwrap_or(1),
        done: done.clone(),
    };
    eprint!("{}", lines(&[]));
    let (load, minutes) =
        tokio::join!(drive(server.id(), server.address, plan, paced), watch(server.id(), &mut operator, wanted.minutes, &done));
    let (load, minutes) = (load?, minutes?);

    let mut soak = Soak { table: Table { cookies: bench.cookies, ..Table::default() }, minutes };
    let faults = &mut soak.table.faults;
    faults.extend(load.errors.iter().map(|(what, count)| format!("soak: {count} × {what}")));
    drain(&mut server, load.journeys.iter().map(|journey| journey.checkout.cart())).await?;
    let accepted: HashSet<&str> = load.journeys.iter().flat_map(|journey| journey.checkout.accepted()).map(String::as_str).collect();
    let (book, missing) = compare(&mut operator, &accepted).await?;
    if missing > 0 {
        faults.push(format!("soak: {missing} accepted orders are lost"));
    }
    let told = format!(
        "{} a second were wanted; {} orders accepted, {book} in the book, {missing} missing",
        wanted.rate,
        number(accepted.len() as f64)
    );
    soak.verdict(told, load.used.others_percent);
    Ok(soak)
}

/// Looks every second, and tells every minute.
async fn watch(server: u32, operator: &mut Connection, minutes: u32, done: &Done) -> Result<Vec<Minute>> {
    let mut told: Vec<Minute> = Vec::new();
    let begin = tokio::time::Instant::now();
    let mut received = what_is_kept(operator).await?.received_spans;
    for minute in 1..=minutes {
        let (mut kept, mut store, mut resident) = (Kept::default(), 0, 0);
        let (from, end) = (tokio::time::Instant::now(), begin + MINUTE * minute);
        while tokio::time::Instant::now() + LOOK_EVERY <= end {
            tokio::time::sleep(LOOK_EVERY).await;
            kept = what_is_kept(operator).await?;
            store = store.max(kept.bytes);
            resident = resident.max(memory(server, "VmRSS")?);
        }
        tokio::time::sleep_until(end).await;
        let empty = histogram()?;
        let times = std::mem::replace(&mut *done.lock().unwrap_or_else(PoisonError::into_inner), empty);
        let seconds = from.elapsed().as_secs_f64();
        told.push(Minute {
            minute,
            checkouts_per_second: times.len() as f64 / seconds,
            times_ms: Percentiles::of(&times),
            spans_per_second: kept.received_spans.saturating_sub(received) as f64 / seconds,
            store_mb: store as f64 / MEGABYTE,
            resident_mb: resident as f64 / MEGABYTE,
            kept,
        });
        received = kept.received_spans;
        eprintln!("{}", told.last().map(line).unwrap_or_default());
    }
    Ok(told)
}

impl Soak {
    /// What comes of it: the store under its bound, the process no larger at the end than when everything was full.
    fn verdict(&mut self, told: String, others_percent: f64) {
        let Some(last) = self.minutes.last() else { return };
        let highest = |value: fn(&Minute) -> f64| self.minutes.iter().map(value).fold(0.0, f64::max);
        let mean = |value: fn(&Minute) -> f64| self.minutes.iter().map(value).sum::<f64>() / self.minutes.len() as f64;
        let rate = Row {
            connections: Some(CONNECTIONS),
            others_percent: Some(others_percent),
            ..Row::new("two-line checkout", mean(|each| each.checkouts_per_second), "/s")
        };
        let rate = rate.note(told).note(format!("{} spans a second", number(mean(|each| each.spans_per_second).round())));
        let (store, bound) = (highest(|each| each.store_mb), last.kept.bound_bytes as f64 / MEGABYTE);
        let row = Row::new("telemetry store, at its highest", store, "MB").budget(Budget::at_most(store, bound, " MB"));
        let kept = last.kept;
        let row = row.note(format!(
            "{} spans came, {} are kept, {} were sampled out, {} refused, {} dropped as the oldest",
            kept.received_spans, kept.spans, kept.sampled_out_spans, kept.refused_spans, kept.evicted_spans
        ));
        let settled = self.minutes.get(SETTLED_MINUTES - 1).unwrap_or(last);
        let growth = last.resident_mb / settled.resident_mb;
        let memory = Row::new("memory, last minute", last.resident_mb, "MB");
        let memory = memory.budget(Budget::at_most(growth, AT_MOST, &format!(" of minute {}", settled.minute)));
        let memory = memory.note(format!(
            "{:.1} MB in minute {}, {:.1} MB at its highest",
            settled.resident_mb,
            settled.minute,
            highest(|each| each.resident_mb)
        ));
        if store > bound {
            // A bound does not depend on the machine.
            self.table.faults.push(format!("soak: the telemetry store held {store:.1} MB of {bound:.1} MB"));
        }
        self.table.rows.extend([rate, row, memory]);
    }

    /// # Errors
    /// Never, in fact: numbers and texts have a form in JSON.
    pub fn json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec_pretty(self).context("the report cannot be written as JSON")
    }

    pub fn markdown(&self) -> String {
        lines(&self.minutes) + "\n" + &self.table.markdown()
    }

    pub fn terminal(&self) -> String {
        lines(&self.minutes) + "\n" + &self.table.terminal()
    }
}

const HEAD: [&str; 11] =
    ["minute", "checkouts/s", "p50 ms", "p99 ms", "spans/s", "store MB", "memory MB", "spans kept", "sampled out", "refused", "let go"];

fn aligned(cells: [String; HEAD.len()]) -> String {
    let mut line = "|".to_owned();
    for (cell, head) in cells.iter().zip(HEAD) {
        let _ = write!(line, " {cell:>width$} |", width = head.len().max(11));
    }
    line
}

fn line(minute: &Minute) -> String {
    let (kept, whole) = (minute.kept, |value: f64| number(value.round()));
    aligned([
        minute.minute.to_string(),
        whole(minute.checkouts_per_second),
        format!("{:.1}", minute.times_ms.p50),
        format!("{:.1}", minute.times_ms.p99),
        whole(minute.spans_per_second),
        format!("{:.1}", minute.store_mb),
        format!("{:.1}", minute.resident_mb),
        whole(kept.spans as f64),
        whole(kept.sampled_out_spans as f64),
        whole(kept.refused_spans as f64),
        whole(kept.evicted_spans as f64),
    ])
}

/// Head and one line a minute, aligned for people and Markdown at once.
fn lines(minutes: &[Minute]) -> String {
    let rule = HEAD.map(|head| format!("{}:", "-".repeat(head.len().max(11) - 1)));
    let rows = minutes.iter().map(line);
    [aligned(HEAD.map(str::to_owned)), aligned(rule)].into_iter().chain(rows).fold(String::new(), |text, row| text + &row + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(minute: u32, store_mb: f64, resident_mb: f64) -> Minute {
        let kept = Kept { received_spans: 600_000 * u64::from(minute), bound_bytes: 33_600_000, ..Kept::default() };
        let times_ms = Percentiles { p50: 2.0, p95: 5.0, p99: 9.0 };
        Minute { minute, checkouts_per_second: 400.0, times_ms, spans_per_second: 11_000.0, store_mb, resident_mb, kept }
    }

    fn judged(minutes: Vec<Minute>) -> Soak {
        let mut soak = Soak { minutes, table: Table::default() };
        soak.verdict("told".to_owned(), 0.0);
        soak
    }

    #[test]
    fn memory_that_stays_where_it_was_meets_and_memory_that_grows_misses() {
        let flat = judged(vec![minute(1, 9.0, 60.0), minute(2, 20.0, 90.0), minute(3, 30.0, 100.0), minute(4, 30.0, 104.0)]);
        assert!(flat.terminal().contains("2 of 2 budgets met"), "{}", flat.terminal());
        let growing = judged(vec![minute(1, 9.0, 60.0), minute(2, 20.0, 90.0), minute(3, 30.0, 100.0), minute(4, 30.0, 140.0)]);
        assert!(growing.terminal().contains("1 of 2 budgets met"), "{}", growing.terminal());
        assert!(growing.table.faults.is_empty());
    }

    #[test]
    fn a_store_beyond_its_bound_is_wrong() {
        let soak = judged(vec![minute(1, 34.0, 60.0)]);
        assert!(soak.markdown().contains("WRONG: soak: the telemetry store held 34.0 MB of 33.6 MB"), "{}", soak.markdown());
    }

    #[test]
    fn every_minute_is_a_line_of_one_width() {
        let text = lines(&[minute(1, 9.0, 60.0), minute(10, 30.0, 100.0)]);
        let widths: HashSet<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert_eq!((text.lines().count(), widths.len()), (4, 1), "{text}");
    }
}
