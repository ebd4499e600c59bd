//! The browser part in `target/site`: wasm, scripts, style sheet and assets, made by cargo-leptos.
//!
//! It is slow to make and changes seldom. A stamp with the hash of everything it is made from says whether it is
//! up to date, and the finished folder is kept in the user's cache under that hash, so that a fresh clone of known
//! sources only copies it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cache::{self, Key, Times};
use crate::deps_cache::Units;
use crate::paths::Paths;
use crate::process::{Stream, cargo, command, each_line, output, path_with, without_colors};
use crate::rust_tools;

/// Finished sites kept in the cache: some branches beside each other.
const KEEP: usize = 4;

/// What the script minimizer says of itself.
const NOISE: &str = "[swc_ecma_transforms_optimization]";

/// Files outside the crates that decide what comes out.
const INPUTS: [&str; 6] = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "package.json", "package-lock.json", "rust-toolchain.toml"];

/// Sees to an up-to-date `target/site`; says what was done. What cargo compiled for it goes into `units`.
pub fn ensure(paths: &Paths, units: &mut Units) -> Result<String> {
    let site = paths.site();
    let stamp = paths.root.join("target/site.stamp");
    let wanted = inputs(paths)?;
    let whole = site.join("pkg/feast.wasm").is_file();
    if whole && fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok("up to date".to_owned());
    }
    // Without a stamp, a build that ends half-way is not taken as whole.
    let _ = fs::remove_file(&stamp);
    let kept = paths.cache.join("site").join(&wanted);
    let note = if kept.join("site/pkg/feast.wasm").is_file() {
        let _ = fs::remove_dir_all(&site);
        cache::copy(&kept.join("site"), &site, Times::New)?;
        "from the cache"
    } else {
        build(paths, units)?;
        if let Err(error) = cache::copy(&site, &kept.join("site"), Times::New) {
            eprintln!("    the cache of the browser part is left out: {error:#}");
        }
        "built"
    };
    if let Err(error) = cache::mark_used(&kept).and_then(|()| cache::prune(&paths.cache.join("site"), KEEP)) {
        eprintln!("    the cache of the browser part is left out: {error:#}");
    }
    fs::write(&stamp, wanted).context("target/site.stamp cannot be written")?;
    Ok(note.to_owned())
}

fn build(paths: &Paths, units: &mut Units) -> Result<()> {
    // Two folders that cargo-leptos takes as given.
    for dir in ["target/tmp", "app/public"] {
        fs::create_dir_all(paths.root.join(dir)).with_context(|| format!("{dir} cannot be made"))?;
    }
    let mut leptos = command(paths, "cargo-leptos");
    leptos
        .args(["leptos", "build", "--release", "--frontend-only"])
        .arg("--lib-cargo-args=--message-format=json-render-diagnostics")
        // Its errors are sentences without one.
        .env("RUST_BACKTRACE", "0")
        // cargo-leptos puts node_modules/.bin before these by itself.
        .env("PATH", path_with(&rust_tools::dirs(paths))?);
    let colors = std::io::stderr().is_terminal();
    let status = each_line(&mut leptos, Stream::Stdout, |line| {
        if line.starts_with('{') {
            units.add_message(line);
        } else if !line.contains(NOISE) {
            eprintln!("{}", if colors { line.to_owned() } else { without_colors(line) });
        }
    })?;
    if !status.success() {
        bail!("the browser part could not be built: cargo-leptos failed ({status})");
    }
    if !paths.site().join("pkg/feast.wasm").is_file() {
        bail!("cargo-leptos ended well and left no target/site/pkg/feast.wasm");
    }
    Ok(())
}

/// The hash of everything the site is made from.
fn inputs(paths: &Paths) -> Result<String> {
    let mut key = Key::new();
    key.text(&rust_tools::versions());
    key.text(&std::env::var("RUSTFLAGS").unwrap_or_default());
    for file in INPUTS {
        key.file(&paths.root, &paths.root.join(file))?;
    }
    let metadata = output(cargo(paths).args(["metadata", "--no-deps", "--format-version=1"]))?;
    let metadata = serde_json::from_str(&metadata).context("`cargo metadata` is not JSON")?;
    for dir in crates_of(&metadata, "frontend") {
        key.folder(&paths.root, &dir)?;
    }
    Ok(key.finish())
}

/// The folders of a crate of the workspace and of all such crates it depends on, whatever kind of dependency.
fn crates_of(metadata: &Value, root: &str) -> BTreeSet<PathBuf> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    // Folder → folders it depends on.
    let mut graph: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    let mut open = Vec::new();
    for package in list(&metadata["packages"]) {
        let Some(dir) = text(&package["manifest_path"]).and_then(|file| Some(PathBuf::from(file).parent()?.to_path_buf())) else {
            continue;
        };
        if package["name"] == root {
            open.push(dir.clone());
        }
        let needs = list(&package["dependencies"]).iter().filter_map(|dependency| text(&dependency["path"])).map(PathBuf::from).collect();
        graph.insert(dir, needs);
    }
    let mut found = BTreeSet::new();
    while let Some(dir) = open.pop() {
        let needs = graph.get(&dir).cloned().unwrap_or_default();
        if found.insert(dir) {
            open.extend(needs);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_site_is_made_from_all_workspace_crates_that_the_frontend_needs() {
        let package = |name: &str, needs: &[&str]| {
            let needs: Vec<Value> = needs
                .iter()
                .map(|need| json!({"name": need, "path": format!("/w/{need}")}))
                .chain([json!({"name": "serde", "path": null})])
                .collect();
            json!({"name": name, "manifest_path": format!("/w/{name}/Cargo.toml"), "dependencies": needs})
        };
        let metadata = json!({"packages": [
            package("frontend", &["app"]),
            package("app", &["contract"]),
            package("contract", &[]),
            package("server", &["app", "order"]),
            package("order", &["contract"]),
        ]});
        let found: Vec<PathBuf> = crates_of(&metadata, "frontend").into_iter().collect();
        assert_eq!(found, ["/w/app", "/w/contract", "/w/frontend"].map(PathBuf::from));
    }
}
