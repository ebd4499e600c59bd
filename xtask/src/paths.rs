//! Where things are: the repository, its target folder, the user's cache.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Absolute folders that the commands work in.
pub struct Paths {
    /// The repository.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// The per-user cache that all clones share.
    pub cache: PathBuf,
}

impl Paths {
    /// Finds the repository from where cargo says this crate is, or from the current folder upwards.
    pub fn find() -> Result<Self> {
        let from_cargo = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let start = match from_cargo {
            Some(dir) => dir,
            None => env::current_dir().context("the current folder cannot be read")?,
        };
        let root = start
            .ancestors()
            .find(|dir| dir.join("xtask/Cargo.toml").is_file() && dir.join("Cargo.lock").is_file())
            .context("this is not a clone of Feast Flow: run the command inside the repository")?
            .to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => root.join(dir),
            None => root.join("target"),
        };
        Ok(Self { target, cache: user_cache()?.join("feast-flow"), root })
    }

    /// The folder of the release binaries.
    pub fn bin_dir(&self) -> PathBuf {
        self.target.join("release")
    }

    /// A release binary by its name.
    pub fn bin(&self, name: &str) -> PathBuf {
        self.bin_dir().join(name)
    }

    /// Style sheet, scripts and assets of the browser part; always below the repository, as cargo-leptos puts them there.
    pub fn site(&self) -> PathBuf {
        self.root.join("target/site")
    }

    /// A path as people want to read it: relative to the repository where possible.
    pub fn short<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

fn user_cache() -> Result<PathBuf> {
    if let Some(dir) = env::var_os("XDG_CACHE_HOME").filter(|dir| Path::new(dir).is_absolute()) {
        return Ok(PathBuf::from(dir));
    }
    let home = env::var_os("HOME").filter(|home| !home.is_empty());
    home.map(|home| PathBuf::from(home).join(".cache")).context("no place for the tool cache: set HOME or XDG_CACHE_HOME")
}
