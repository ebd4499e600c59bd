//! The report as people read it in a terminal.

use crate::measure::Row;
use crate::readback::Reconciliation;
use crate::reconcile::Finding;
use crate::report::Report;
use std::collections::BTreeMap;
use std::fmt::Write;

/// More ids than this are in the JSON report only.
const MAX_FINDINGS: usize = 20;

pub fn render(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let Report { run_id, preset, target, seed, users, .. } = report;
    writeln!(
        out,
        "\nRun {run_id}: {preset} on {target}, {users} users, {:.0} s, {:.1} requests/s, seed {seed}",
        report.duration_seconds, report.requests_per_second
    )?;
    writeln!(out, "\n{:<36} {:>8} {:>7}  {:>26}  {:>26}", "", "", "", "raw, ms", "corrected, ms")?;
    let head = |out: &mut String| write!(out, "  {:>8} {:>8} {:>8}", "p50", "p95", "p99");
    write!(out, "{:<36} {:>8} {:>7}", "request", "count", "errors")?;
    head(out)?;
    head(out)?;
    writeln!(out, " {:>9}", "max")?;
    for row in report.requests.by_name.iter().chain([&report.requests.total]) {
        write_row(out, row)?;
    }
    writeln!(
        out,
        "Closed-loop: each user waits for its reply. Corrected for coordinated omission at one request per user every {:.0} ms.",
        report.requests.total.expected_interval_ms
    )?;
    if report.requests.total.errors > 0 {
        writeln!(out, "\nErrors: {}", counts(&report.requests.total.errors_by_code))?;
    }
    write_orders(out, report)?;
    write_verdict(out, report)
}

fn write_row(out: &mut String, row: &Row) -> std::fmt::Result {
    write!(out, "{:<36} {:>8} {:>7}", row.name, row.count, row.errors)?;
    for part in [&row.raw, &row.corrected] {
        write!(out, "  {:>8.1} {:>8.1} {:>8.1}", part.p50_ms, part.p95_ms, part.p99_ms)?;
    }
    writeln!(out, " {:>9.1}", row.raw.max_ms)
}

fn write_orders(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(out, "\n{:<12} {:>8} {:>10} {:>10} {:>8} {:>7}", "journey", "started", "completed", "abandoned", "refused", "failed")?;
    for (name, tally) in &report.journeys {
        let (started, completed) = (tally.started, tally.completed);
        writeln!(out, "{name:<12} {started:>8} {completed:>10} {:>10} {:>8} {:>7}", tally.abandoned, tally.refused, tally.failed)?;
    }
    let orders = &report.orders;
    write!(out, "\nOrders: {} intended, {} accepted", orders.intended, orders.accepted)?;
    write!(out, ", {} refused", orders.refused_count())?;
    if !orders.refused.is_empty() {
        write!(out, " ({})", counts(&orders.refused))?;
    }
    write!(out, ", {} unknown", orders.unknown_count())?;
    if !orders.unknown.is_empty() {
        write!(out, " ({})", counts(&orders.unknown))?;
    }
    writeln!(out)?;
    let check = &report.reconciliation;
    let found = &check.findings;
    writeln!(
        out,
        "Read back: {} orders of {} sessions: {} lost, {} doubled, {} wrong; of those without a clear answer {} were made, {} were not",
        check.orders_read,
        check.sessions,
        found.lost.len(),
        found.doubled.len(),
        found.wrong.len(),
        found.open_made.len(),
        found.open_not_made.len(),
    )?;
    write_findings(out, check)
}

/// Lost, doubled and wrong orders by id, a line each.
pub fn findings(check: &Reconciliation) -> String {
    let mut out = String::new();
    let _ = write_findings(&mut out, check);
    out.trim_end().to_owned()
}

fn write_findings(out: &mut String, check: &Reconciliation) -> std::fmt::Result {
    let found = &check.findings;
    for (what, findings) in [("lost", &found.lost), ("doubled", &found.doubled), ("wrong", &found.wrong)] {
        for Finding { idempotency_key, order_ids, detail, .. } in findings.iter().take(MAX_FINDINGS) {
            writeln!(out, "  {what}: {} ({idempotency_key}): {detail}", order_ids.join(", "))?;
        }
        if findings.len() > MAX_FINDINGS {
            writeln!(out, "  {what}: {} more", findings.len() - MAX_FINDINGS)?;
        }
    }
    for why in check.unread.iter().take(MAX_FINDINGS) {
        writeln!(out, "  not checked: {why}")?;
    }
    Ok(())
}

fn write_verdict(out: &mut String, report: &Report) -> std::fmt::Result {
    let word = |held| if held { "held" } else { "BROKEN" };
    let limits = &report.limits;
    writeln!(out)?;
    writeln!(out, "p95      {:>8.1} ms, limit {:>6.0} ms: {}", limits.p95_ms.measured, limits.p95_ms.limit, word(limits.p95_ms.held))?;
    let errors = &limits.errors_percent;
    writeln!(out, "errors   {:>8.2} % , limit {:>6} % : {}", errors.measured, errors.limit, word(errors.held))?;
    writeln!(
        out,
        "orders   {}",
        if report.reconciliation.clean { "every one as its client saw it" } else { "NOT as their clients saw them" }
    )?;
    let ledger = &report.ledger;
    let seconds = ledger.waited_ms as f64 / 1_000.0;
    let settled = if ledger.settled { ", nothing in flight" } else { ", within what is in flight" };
    match (ledger.asked, ledger.balanced) {
        (false, _) => writeln!(out, "ledger   not asked: it wants an operator's token")?,
        (true, true) => writeln!(out, "ledger   balanced after {seconds:.1} s{settled}")?,
        (true, false) => writeln!(out, "ledger   NOT balanced after {seconds:.1} s")?,
    }
    for broken in &ledger.broken {
        writeln!(out, "  ledger: {broken}")?;
    }
    if let Some(knee) = &limits.stress {
        match (knee.broke_at_users, knee.reason.as_deref()) {
            (Some(users), reason) => {
                writeln!(out, "stress   broke at {users} users ({}); held at {}", reason.unwrap_or("limits"), knee.held_at_users)?;
            }
            (None, _) => writeln!(out, "stress   held up to {} users", knee.held_at_users)?,
        }
    }
    writeln!(out, "{}", if report.passed { "PASSED" } else { "FAILED" })
}

fn counts(counts: &BTreeMap<String, u64>) -> String {
    counts.iter().map(|(what, count)| format!("{count} × {what}")).collect::<Vec<_>>().join(", ")
}
