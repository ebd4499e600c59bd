//! Node.js and the npm packages: Tailwind, wasm-opt, Playwright, axe.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::cache;
use crate::paths::Paths;
use crate::process::{command, output, run, version_in, which};

/// Older ones have no `node --test --test-concurrency`.
const OLDEST_NODE: (u32, u32) = (20, 11);

/// Sees to node and to `node_modules`; says what was added.
pub fn ensure(paths: &Paths) -> Result<Vec<String>> {
    let version = node_version(paths)?;
    if which("npm").is_none() {
        bail!("npm is needed and was not found: run `sudo apt-get install npm`");
    }
    let wanted = stamp(paths, &version)?;
    let stamp_file = stamp_file(paths);
    if fs::read_to_string(&stamp_file).is_ok_and(|found| found == wanted) {
        return Ok(Vec::new());
    }
    let mut ci = command(paths, "npm");
    // No install scripts: every package brings its binaries for each platform as optional packages.
    ci.args(["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"]);
    // Errors go to standard error; the rest is not worth reading.
    ci.stdout(Stdio::null());
    run(&mut ci).context("the npm packages could not be installed: run `npm ci` to see why")?;
    fs::write(&stamp_file, wanted).context("node_modules cannot be written")?;
    Ok(vec!["npm packages".to_owned()])
}

fn node_version(paths: &Paths) -> Result<String> {
    const MEND: &str = "install it with `sudo apt-get install nodejs npm` (Debian 13, Ubuntu 25.04 or later), \
                        `brew install node`, or from https://nodejs.org";
    let (major, minor) = OLDEST_NODE;
    if which("node").is_none() {
        bail!("Node.js {major}.{minor} or newer is needed and was not found: {MEND}");
    }
    let text = output(command(paths, "node").arg("--version"))?;
    match version_in(&text) {
        Some((found_major, found_minor, _)) if (found_major, found_minor) >= OLDEST_NODE => Ok(text),
        _ => bail!("Node.js {major}.{minor} or newer is needed, and this is {text}: {MEND}"),
    }
}

/// What `node_modules` was made from.
fn stamp(paths: &Paths, node_version: &str) -> Result<String> {
    let mut key = cache::Key::new();
    key.text(node_version);
    for file in ["package.json", "package-lock.json"] {
        key.file(&paths.root, &paths.root.join(file))?;
    }
    Ok(key.finish())
}

fn stamp_file(paths: &Paths) -> PathBuf {
    paths.root.join("node_modules/.feast-flow-stamp")
}
