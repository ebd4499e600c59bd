//! `load`: the load generator against a running platform.

use std::process::ExitCode;

use anyhow::Result;

use crate::demo::exit_code;
use crate::paths::Paths;
use crate::process::command as program;
use crate::report::Report;
use crate::{build, supervise};

pub fn command(paths: &Paths, host: &str, args: &[String]) -> Result<ExitCode> {
    let mut report = Report::new();
    if build::stages(paths, &mut report).is_err() {
        return Ok(report.close());
    }
    let mut status = None;
    let _ = report.stage("load", || {
        let mut loadgen = program(paths, paths.bin("loadgen"));
        loadgen.args(["--host", host]).args(args);
        let ended = supervise::run(vec![loadgen])?;
        status = Some(ended);
        match ended.success() {
            true => Ok(format!("{host} within its limits")),
            false => anyhow::bail!("the load generator ended with {ended}"),
        }
    });
    let closed = report.close();
    Ok(status.map_or(closed, exit_code))
}
