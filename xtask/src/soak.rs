//! `soak`: the console in a real browser in front of a very busy platform (`e2e/soak.mjs`).

use std::process::ExitCode;

use anyhow::Result;

use crate::paths::Paths;
use crate::process::{command as program, run};
use crate::report::Report;
use crate::{build, setup, test};

pub fn command(paths: &Paths, minutes: u32) -> Result<ExitCode> {
    let mut report = Report::new();
    let _ = report.stage("test programs", || setup::for_tests(paths));
    if build::stages(paths, &mut report).is_ok() {
        let _ = report.stage("soak", || {
            let out = paths.target.join("bench");
            let mut node = program(paths, "node");
            node.arg(paths.root.join("e2e/soak.mjs")).args(["--minutes", &minutes.to_string(), "--out"]).arg(&out);
            test::environment(paths, &mut node);
            run(&mut node)?;
            Ok(paths.short(&out.join("browser.md")).to_string())
        });
    }
    Ok(report.close())
}
