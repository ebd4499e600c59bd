//! The load generator: orders food as many people would, measures, and compares at the end what the server has with what its
//! clients intended. `docs/load.md` explains presets, limits, percentiles and the comparison.

mod agent;
mod attack;
mod book;
mod chance;
mod cli;
mod html;
mod journeys;
mod ledger;
mod limits;
mod measure;
mod purchase;
mod quiet;
mod readback;
mod reconcile;
mod report;
mod run;
#[cfg(test)]
mod stub;
mod table;
mod visit;

use crate::cli::{Args, Plan, exit};
use crate::limits::Limits;
use crate::report::Report;
use crate::run::Run;
use anyhow::Context;
use clap::error::ErrorKind;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How long the target may take to say that it is there.
const REACH_TIMEOUT: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    let args = match Args::from_process() {
        Ok(args) => args,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            let _ = error.print();
            return ExitCode::from(if asked { exit::HELD } else { exit::BAD_ARGUMENTS });
        }
    };
    quiet::init();
    if args.agent {
        return match agent::follow(&args).await {
            Ok(()) => ExitCode::from(exit::HELD),
            Err(error) => {
                eprintln!("loadgen: {error:#}");
                ExitCode::from(exit::INTERNAL)
            }
        };
    }
    if !is_reachable(&args.host).await {
        eprintln!("loadgen: nothing answers at {}; start the platform or set TARGET_URL", args.host.origin().ascii_serialization());
        return ExitCode::from(exit::UNREACHABLE);
    }
    match carry_out(args).await {
        Ok(report) => ExitCode::from(if report.passed { exit::HELD } else { exit::BROKEN }),
        Err(error) => {
            eprintln!("loadgen: {error:#}");
            ExitCode::from(exit::INTERNAL)
        }
    }
}

/// Any answer will do: whether it is a good one is what the run finds out.
async fn is_reachable(host: &reqwest::Url) -> bool {
    let client = reqwest::Client::builder().timeout(REACH_TIMEOUT).danger_accept_invalid_certs(host.scheme() == "http").build();
    match (client, host.join("/health")) {
        (Ok(client), Ok(url)) => client.get(url).send().await.is_ok(),
        _ => false,
    }
}

async fn carry_out(args: Args) -> anyhow::Result<Report> {
    if let Some(dir) = &args.report_dir {
        std::fs::create_dir_all(dir).with_context(|| format!("the report folder {} cannot be made", dir.display()))?;
    }
    let limits = Limits { p95_ms: args.limit_p95_ms, errors_percent: args.limit_errors_percent };
    let seed = args.seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0 >> 32);
    let token = args.operator_token.clone().filter(|token| !token.is_empty());
    let run = Arc::new(Run::new(seed, Plan::new(&args), limits, args.host.origin().ascii_serialization(), token)?);
    eprintln!("Run {} on {}: {}, users: {}, seed {seed}", run.id, run.origin, run.plan.preset.as_str(), run.plan.users);
    let (started_at, started) = (SystemTime::now(), Instant::now());
    attack::attack(&run, &args).await?;
    let duration = started.elapsed();
    eprintln!("Comparing the server's orders with what clients saw");
    let reconciliation = readback::check_all(&run).await;
    let balance = ledger::wait_for_balance(&run).await;
    let report = Report::new(&run, started_at, duration, reconciliation, balance).await;
    let mut out = std::io::stdout().lock();
    out.write_all(table::render(&report).as_bytes())?;
    out.flush()?;
    if let Some(dir) = &args.report_dir {
        write_files(dir, &report, run.plan.hold.is_some()).with_context(|| format!("the report in {} cannot be written", dir.display()))?;
        eprintln!("Report: {}", dir.join("report.html").display());
    }
    Ok(report)
}

fn write_files(dir: &Path, report: &Report, with_graphs: bool) -> anyhow::Result<()> {
    std::fs::write(dir.join("report.json"), serde_json::to_vec_pretty(report)?)?;
    std::fs::write(dir.join("report.html"), html::render(report, with_graphs))?;
    Ok(())
}
