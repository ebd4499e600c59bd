//! `verify-flags`: every flag against the platform's own proofs, under load.
//!
//! The trial itself is a test of the server (`server/tests/system/verify`), which starts platforms as all tests of the system do.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::counts::Counts;
use crate::paths::Paths;
use crate::trial;

/// What to try.
pub struct Wanted {
    /// One variant of each flag, embedded, as the suite does.
    pub quick: bool,
    /// Only these flags; all when empty.
    pub only: Vec<String>,
}

/// Where the table of the last trial is, below the target folder.
const TABLE: &str = "verify-flags/table.txt";

pub fn command(paths: &Paths, wanted: &Wanted) -> Result<ExitCode> {
    Ok(trial::command(paths, "flags", || {
        let only = wanted.only.join(",");
        let mut counts = suite_of(paths, &only)?;
        if !wanted.quick {
            counts += trial::make(paths, "verify::full_", &settings(&table(paths), &only))?;
        }
        let file = table(paths);
        let file = paths.short(&file);
        if counts.failed > 0 {
            bail!("{counts}; see {file}");
        }
        Ok(format!("every flag is proven; table in {file}"))
    }))
}

/// The part of the suite: one variant of each flag, embedded, and the trial of the trial itself.
///
/// # Errors
/// A flag is not proven, or one is although nothing was done.
pub fn suite(paths: &Paths) -> Result<Counts> {
    suite_of(paths, "")
}

/// Where the table of the last trial is.
pub fn table(paths: &Paths) -> PathBuf {
    paths.target.join(TABLE)
}

/// Begins the table anew; other trials write below it.
fn suite_of(paths: &Paths, only: &str) -> Result<Counts> {
    let file = table(paths);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let _ = fs::remove_file(&file);
    trial::make(paths, "verify::suite_", &settings(&file, only))
}

fn settings<'a>(file: &'a std::path::Path, only: &'a str) -> [(&'static str, &'a OsStr); 2] {
    [("FEAST_VERIFY_FILE", file.as_os_str()), ("FEAST_VERIFY_ONLY", only.as_ref())]
}
