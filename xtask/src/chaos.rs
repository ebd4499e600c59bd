//! `chaos`: the storm of the system tests at full length.

use std::process::ExitCode;

use anyhow::Result;

use crate::paths::Paths;
use crate::process::{cargo, run};
use crate::report::Report;
use crate::{build, setup, test};

/// How long, how many, and what chance.
pub struct Wanted {
    pub seconds: u64,
    pub users: u64,
    pub seed: u64,
}

pub fn command(paths: &Paths, wanted: &Wanted) -> Result<ExitCode> {
    let mut report = Report::new();
    let _ = report.stage("test programs", || setup::for_tests(paths));
    if build::stages(paths, &mut report).is_ok() && report.stage("compile tests", || build::system_tests(paths)).is_ok() {
        let _ = report.stage("storm", || {
            let mut storm = cargo(paths);
            storm.args(["test", "--test", "system"]).args(build::PACKAGES).args(["--", "storm::", "--test-threads=1"]);
            test::environment(paths, &mut storm);
            for (name, value) in
                [("FEAST_STORM_SECONDS", wanted.seconds), ("FEAST_STORM_USERS", wanted.users), ("FEAST_STORM_SEED", wanted.seed)]
            {
                storm.env(name, value.to_string());
            }
            run(&mut storm)?;
            Ok(format!("{} users, {} s, seed {}: nothing lost, nothing doubled", wanted.users, wanted.seconds, wanted.seed))
        });
    }
    Ok(report.close())
}
