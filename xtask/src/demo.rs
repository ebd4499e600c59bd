//! `demo`: build, then the whole platform in the foreground.

use std::process::ExitCode;

use anyhow::Result;

use crate::paths::Paths;
use crate::process::command as program;
use crate::report::Report;
use crate::{build, supervise};

pub fn command(paths: &Paths, args: &[String]) -> Result<ExitCode> {
    let mut report = Report::new();
    let built = build::stages(paths, &mut report);
    let closed = report.close();
    if built.is_err() {
        return Ok(closed);
    }

    let mut server = program(paths, paths.bin("server"));
    server.args(args);
    // The server prints its links when it is ready. What belongs beside it goes into this list; the demo ends
    // when the first one ends.
    let programs = vec![server];
    eprintln!("==> serve (Ctrl-C stops it)");
    let status = supervise::run(programs)?;
    Ok(exit_code(status))
}

/// The exit code of a child as one's own; 1 when a signal ended it.
pub fn exit_code(status: std::process::ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}
