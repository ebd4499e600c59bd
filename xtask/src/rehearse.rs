//! `rehearse`: every incident script, played live with load.
//!
//! The rehearsal itself is a test of the server (`server/tests/system/rehearsal.rs`), which starts platforms as all tests of the system do.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::paths::Paths;
use crate::trial;

/// How the scripts of the last rehearsal went, below the target folder.
const TABLE: &str = "rehearsal/scripts.txt";

/// Plays these scripts; all when there are none.
pub fn command(paths: &Paths, only: &[String]) -> Result<ExitCode> {
    Ok(trial::command(paths, "rehearsal", || {
        let file = paths.target.join(TABLE);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        let _ = fs::remove_file(&file);
        let only = only.join(",");
        let settings = [("FEAST_REHEARSE_FILE", file.as_os_str()), ("FEAST_REHEARSE_ONLY", only.as_ref())];
        let counts = trial::make(paths, "rehearsal::", &settings)?;
        let file = paths.short(&file);
        if counts.failed > 0 {
            bail!("a script does not go as it should; see {file}");
        }
        Ok(format!("every script goes as it should; told in {file}"))
    }))
}
