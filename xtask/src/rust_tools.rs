//! The Rust side of the tool chain: components, the wasm target, and two cargo tools at pinned versions.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::paths::Paths;
use crate::process::{self, command, line, output, run, version_in, which};

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// A program that `cargo install` puts into the per-user cache.
struct Tool {
    /// Its name on crates.io.
    package: &'static str,
    /// Its program; `--version` prints a line with its version.
    program: &'static str,
    version: (u32, u32, u32),
}

const TOOLS: [Tool; 2] = [
    // Must be the version of the wasm-bindgen crate in Cargo.lock, always; a test below checks it.
    Tool { package: "wasm-bindgen-cli", program: "wasm-bindgen", version: (0, 2, 129) },
    // 0.3.11 needs a newer compiler than rust-toolchain.toml names.
    Tool { package: "cargo-leptos", program: "cargo-leptos", version: (0, 3, 10) },
];

/// cargo-leptos asks for fat LTO in its own release profile, which takes 18 minutes on two cores. These settings
/// take 8, and the tool is as fast as before: it mostly waits for others.
const INSTALL_PROFILE: [(&str, &str); 3] =
    [("CARGO_PROFILE_RELEASE_LTO", "off"), ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"), ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")];

/// The versions of all tools in one text, for keys of caches of what they made.
pub fn versions() -> String {
    TOOLS.iter().map(|tool| format!("{} {}\n", tool.package, dotted(tool.version))).collect()
}

/// The folders of the tools, to go first on PATH.
pub fn dirs(paths: &Paths) -> Vec<PathBuf> {
    TOOLS.iter().filter_map(|tool| find(paths, tool)?.parent().map(PathBuf::from)).collect()
}

/// Sees to target, components and tools; says what was added.
pub fn ensure(paths: &Paths) -> Result<Vec<String>> {
    let mut added = Vec::new();
    if ensure_wasm_target(paths)? {
        added.push(WASM_TARGET.to_owned());
    }
    for tool in &TOOLS {
        if find(paths, tool).is_none() {
            install(paths, tool)?;
            added.push(format!("{} {}", tool.package, dotted(tool.version)));
        }
    }
    Ok(added)
}

/// Sees to a component of the tool chain, by the cargo subcommand that it brings; says whether it was added.
pub fn ensure_component(paths: &Paths, component: &str, subcommand: &str) -> Result<bool> {
    if output(process::cargo(paths).args([subcommand, "--version"])).is_ok() {
        return Ok(false);
    }
    if which("rustup").is_none() {
        bail!("{component} is missing from the Rust tool chain and rustup is not installed: install it as https://rustup.rs says");
    }
    run(command(paths, "rustup").args(["component", "add", component]))
        .with_context(|| format!("{component} is missing: run `rustup component add {component}`"))?;
    Ok(true)
}

fn ensure_wasm_target(paths: &Paths) -> Result<bool> {
    let sysroot = output(command(paths, "rustc").args(["--print", "sysroot"]))
        .context("the Rust compiler does not run: install Rust as https://rustup.rs says")?;
    let lib = PathBuf::from(sysroot).join("lib/rustlib").join(WASM_TARGET).join("lib");
    if lib.is_dir() {
        return Ok(false);
    }
    if which("rustup").is_none() {
        bail!("the Rust target {WASM_TARGET} is missing and rustup is not installed: install it as https://rustup.rs says");
    }
    run(command(paths, "rustup").args(["target", "add", WASM_TARGET]))
        .with_context(|| format!("the Rust target {WASM_TARGET} is missing: run `rustup target add {WASM_TARGET}`"))?;
    Ok(true)
}

/// The tool at the right version: on PATH, or in the cache.
fn find(paths: &Paths, tool: &Tool) -> Option<PathBuf> {
    let cached = tools_root(paths).join("bin").join(tool.program);
    which(tool.program)
        .into_iter()
        .chain([cached])
        .find(|program| output(command(paths, program).arg("--version")).is_ok_and(|text| version_in(&text) == Some(tool.version)))
}

fn install(paths: &Paths, tool: &Tool) -> Result<()> {
    let version = dotted(tool.version);
    for program in ["make", "perl"] {
        if which(program).is_none() {
            bail!("`{program}` is needed to compile {}: run `sudo apt-get install build-essential perl`", tool.package);
        }
    }
    eprintln!("    installing {} {version} into the user's cache (once; this takes minutes)", tool.package);
    let mut install = process::cargo(paths);
    install
        .args(["install", "--locked", "--force", "--root"])
        .arg(tools_root(paths))
        .args(["--version", &version, tool.package])
        .envs(INSTALL_PROFILE)
        .env_remove("CARGO_TARGET_DIR");
    run(&mut install).with_context(|| format!("{} could not be installed: run `{}` to see why", tool.package, line(&install)))
}

fn tools_root(paths: &Paths) -> PathBuf {
    paths.cache.join("tools")
}

fn dotted((major, minor, patch): (u32, u32, u32)) -> String {
    format!("{major}.{minor}.{patch}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wasm_bindgen_tool_has_the_version_of_the_crate() {
        let lock = include_str!("../../Cargo.lock");
        let wanted = format!("name = \"wasm-bindgen\"\nversion = \"{}\"", dotted(TOOLS[0].version));
        assert!(lock.contains(&wanted), "Cargo.lock and TOOLS differ");
    }
}
