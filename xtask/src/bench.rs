//! `bench`: measures the release server against its budgets.

use std::process::ExitCode;

use anyhow::Result;

use crate::demo::exit_code;
use crate::paths::Paths;
use crate::process::command as program;
use crate::report::Report;
use crate::{build, postgres, supervise, system};

/// What of the measurements is wanted.
pub struct Wanted {
    pub quick: bool,
    /// Beginnings of names; none means all.
    pub only: Vec<String>,
    pub cookies: bool,
    /// Instead of all others: the same calls with few and with very many stored orders.
    pub scale: bool,
    /// Instead of all others: load for so many minutes, and what memory does meanwhile.
    pub soak_minutes: Option<u32>,
}

pub fn command(paths: &Paths, wanted: &Wanted) -> Result<ExitCode> {
    let mut report = Report::new();
    if build::stages(paths, &mut report).is_err() {
        return Ok(report.close());
    }
    let mut status = None;
    let _ = report.stage("bench", || {
        let out = paths.target.join("bench");
        let mut bench = program(paths, paths.bin("bench"));
        bench.arg("--server").arg(paths.bin("server")).arg("--out").arg(&out);
        for (flag, is_set) in [("--quick", wanted.quick), ("--cookies", wanted.cookies), ("--scale", wanted.scale)] {
            if is_set {
                bench.arg(flag);
            }
        }
        if let Some(minutes) = wanted.soak_minutes {
            bench.args(["--soak", "--soak-minutes", &minutes.to_string()]);
        }
        let postgres = match system::postgres_bin().filter(|_| wanted.scale) {
            Some(bin) => Some(postgres::Server::start(paths, &bin)?),
            None => None,
        };
        if let Some(server) = &postgres {
            bench.args(["--postgres-url", &server.url()]);
        } else if wanted.scale {
            eprintln!("PostgreSQL is not installed: SQLite alone is measured");
        }
        for name in &wanted.only {
            bench.args(["--only", name]);
        }
        let ended = supervise::run(vec![bench])?;
        status = Some(ended);
        let report = match wanted {
            Wanted { scale: true, .. } => "scale",
            Wanted { soak_minutes: Some(_), .. } => "soak",
            _ => "bench",
        };
        match ended.success() {
            true => Ok(format!("{} and {report}.json", paths.short(&out.join(format!("{report}.md"))))),
            false => anyhow::bail!("the bench ended with {ended}"),
        }
    });
    let closed = report.close();
    Ok(status.map_or(closed, exit_code))
}
