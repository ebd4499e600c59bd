//! What it costs to see everything: checkouts with traces, logs and metrics, and without.

use crate::bench::{Bench, CONNECTIONS, Found, median};
use crate::connection::Connection;
use crate::orders::checkout_rate;
use crate::server::{OPERATOR_TOKEN, Running};
use crate::table::{Budget, Ratio, Row};
use anyhow::{Context, Result};
use contract::telemetry::{Kept, Overview};

/// In turns, so that what disturbs one disturbs the other. The ratio is of the medians.
pub async fn cost(bench: &Bench) -> Result<Found> {
    let mut found = Found::default();
    let (mut without, mut with) = (Vec::new(), Vec::new());
    let mut kept = Kept::default();
    for _ in 0..bench.times(3, 1) {
        let mut silent = Running::silent_server(&bench.server, &bench.out, "telemetry").await?;
        without.push(checkout_rate(bench, &mut silent, &mut found.faults).await?);
        drop(silent);
        let mut server = bench.start("telemetry").await?;
        with.push(checkout_rate(bench, &mut server, &mut found.faults).await?);
        kept = what_is_kept(&mut server.connect().await?.operating(OPERATOR_TOKEN)).await?;
    }
    let (without, with) = (median(without)?, median(with)?);
    let ratio = with / without;
    let row = Row {
        connections: Some(CONNECTIONS),
        ratio: Some(Ratio { value: ratio, to: "without telemetry".to_owned() }),
        ..Row::new("checkout with telemetry", with, "/s")
    };
    found
        .rows
        .push(row.budget(Budget::at_least(ratio, 0.85, " of silent")).note(format!("{without:.0}/s without traces, logs and metrics")));
    let (bytes, bound) = (kept.bytes as f64, kept.bound_bytes as f64);
    let row = Row::new("telemetry store", bytes / 1e6, "MB").budget(Budget::at_most(bytes / 1e6, bound / 1e6, " MB"));
    found.rows.push(row.note(format!(
        "{} spans came, {} are kept, {} were sampled out, {} refused, {} dropped as the oldest",
        kept.received_spans, kept.spans, kept.sampled_out_spans, kept.refused_spans, kept.evicted_spans
    )));
    Ok(found)
}

/// # Errors
/// The server cannot be asked.
pub async fn what_is_kept(operator: &mut Connection) -> Result<Kept> {
    let reply = operator.get("/api/overview?minutes=1").await?.expect(200, "/api/overview")?;
    let overview: Overview = serde_json::from_slice(reply.body).context("the overview is not one")?;
    Ok(overview.kept)
}
