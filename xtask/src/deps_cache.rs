//! Compiled third-party crates, shared by all clones of a user.
//!
//! A fresh clone would compile several hundred crates that another clone of the same user has compiled already.
//! After a build, what belongs to crates of a registry is copied to `<cache>/deps/<key>`; a clone whose target
//! folder is empty starts with that copy. Cargo takes it as its own: names of such files follow from package,
//! version, features and profile, not from the place of the workspace, and cargo judges registry crates by
//! version and not by time. Crates of the workspace are never in the cache.
//!
//! It is an optimisation: an error in here is a line of progress and never fails a command.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::cache::{self, Key, Times};
use crate::paths::Paths;
use crate::process::{command, output};

/// Entries kept: this state of `Cargo.lock` and the one before.
const KEEP: usize = 2;

/// The compiled pieces that one build used, fresh or not, and the package each belongs to.
#[derive(Default)]
pub struct Units(BTreeMap<Unit, String>);

/// One compilation, or one run of a build script.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Unit {
    /// The folder of the profile, such as `target/release`.
    profile_dir: PathBuf,
    /// Sixteen hexadecimal digits at the end of all of its names.
    hash: String,
}

impl Units {
    /// Takes one line of `cargo --message-format=json`; lines that say nothing of registry crates are passed over.
    pub fn add_message(&mut self, line: &str) {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            return;
        };
        let Some(package) = message["package_id"].as_str().filter(|id| !id.starts_with("path+")) else {
            return;
        };
        let package = package_name(package);
        match message["reason"].as_str() {
            Some("compiler-artifact") => {
                let files = message["filenames"].as_array();
                for file in files.into_iter().flatten().filter_map(Value::as_str) {
                    self.add_file(package, Path::new(file));
                }
            }
            Some("build-script-executed") => {
                if let Some(dir) = message["out_dir"].as_str() {
                    self.add_file(package, Path::new(dir));
                }
            }
            _ => {}
        }
    }

    /// `…/release/deps/libNAME-HASH.rlib`, `…/release/build/NAME-HASH/…`.
    fn add_file(&mut self, package: &str, file: &Path) {
        let Some(parent) = file.parent() else { return };
        let (dir, name) =
            if parent.ends_with("deps") { (parent, file.file_stem()) } else { (parent.parent().unwrap_or(parent), parent.file_name()) };
        let hash =
            name.and_then(|name| name.to_str()).and_then(|name| name.rsplit_once('-')).map(|(_, hash)| hash).filter(|hash| is_hash(hash));
        if let (Some(hash), Some(profile_dir)) = (hash, dir.parent()) {
            let unit = Unit { profile_dir: profile_dir.to_path_buf(), hash: hash.to_owned() };
            self.0.insert(unit, package.to_owned());
        }
    }

    /// Packages that both builds used and that the second compiled in one more way, in the same profile.
    pub fn compiled_again_in<'a>(&self, second: &'a Self) -> BTreeSet<&'a str> {
        let known: BTreeSet<(&Path, &str)> = self.0.iter().map(|(unit, package)| (&*unit.profile_dir, &**package)).collect();
        second
            .0
            .iter()
            .filter(|(unit, package)| known.contains(&(&*unit.profile_dir, package.as_str())) && !self.0.contains_key(unit))
            .map(|(_, package)| package.as_str())
            .collect()
    }
}

/// The name in `registry+https://…#NAME@VERSION` or `…/NAME#VERSION`.
fn package_name(id: &str) -> &str {
    let (source, end) = id.split_once('#').unwrap_or(("", id));
    match end.split_once('@') {
        Some((name, _)) => name,
        None => source.rsplit('/').next().unwrap_or(source),
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Fills the empty profile folders of a fresh clone.
pub fn seed(paths: &Paths) {
    match try_seed(paths) {
        Ok(0) => {}
        Ok(files) => eprintln!("    {files} compiled dependencies taken from the user's cache"),
        Err(error) => eprintln!("    the cache of compiled dependencies is left out: {error:#}"),
    }
}

/// Keeps what a build used.
pub fn save(paths: &Paths, units: &Units) {
    match try_save(paths, units) {
        Ok(0) => {}
        Ok(files) => eprintln!("    {files} compiled dependencies put into the user's cache"),
        Err(error) => eprintln!("    the cache of compiled dependencies is left out: {error:#}"),
    }
}

fn try_seed(paths: &Paths) -> Result<usize> {
    let mut copied = 0;
    for entry in entries_that_fit(paths)? {
        let before = copied;
        for profile in profile_dirs(&entry)? {
            let to = paths.target.join(&profile);
            // A folder in use is left as it is, and so is one that an earlier entry has filled.
            if cache::read_dir(&to.join(FINGERPRINTS))?.is_empty() {
                copied += copy_profile(&entry.join(&profile), &to)?;
            }
        }
        if copied > before {
            cache::mark_used(&entry)?;
        }
    }
    Ok(copied)
}

fn copy_profile(from: &Path, to: &Path) -> Result<usize> {
    // Fingerprints last: without one, cargo takes a half-copied crate as not built.
    for part in ["deps", "build", FINGERPRINTS] {
        if from.join(part).is_dir() {
            cache::copy(&from.join(part), &to.join(part), Times::Kept)?;
        }
    }
    Ok(cache::read_dir(&from.join(FINGERPRINTS))?.len())
}

const FINGERPRINTS: &str = ".fingerprint";

/// The entry for this state, then those of other states with the same compiler, the one used last first: what did not
/// change since is taken from them, and cargo, which knows by the names what fits, compiles the rest.
fn entries_that_fit(paths: &Paths) -> Result<Vec<PathBuf>> {
    let entry = entry(paths)?;
    let mut fit = cache::read_dir(&folder(paths))?;
    fit.retain(|dir| dir.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&entry.compiler)));
    fit.sort_by_key(|dir| (*dir != entry.dir, Reverse(cache::last_used(dir))));
    Ok(fit)
}

/// The folders in an entry that hold fingerprints, relative to it, such as `release`.
fn profile_dirs(entry: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![entry.to_path_buf()];
    while let Some(dir) = open.pop() {
        if dir.join(FINGERPRINTS).is_dir() {
            found.push(dir.strip_prefix(entry)?.to_path_buf());
        } else {
            open.extend(cache::read_dir(&dir)?.into_iter().filter(|dir| dir.is_dir()));
        }
    }
    Ok(found)
}

fn try_save(paths: &Paths, units: &Units) -> Result<usize> {
    let entry = entry(paths)?.dir;
    let mut copied = 0;
    let mut profiles: Vec<&Path> = units.0.keys().map(|unit| &*unit.profile_dir).collect();
    profiles.dedup();
    for profile in profiles {
        let to = entry.join(profile.strip_prefix(&paths.target).context("an artifact is not in the target folder")?);
        let kept = hashes_in(&to.join(FINGERPRINTS))?;
        let missing: BTreeSet<&str> = units
            .0
            .keys()
            .filter(|unit| unit.profile_dir == profile && !kept.contains(&unit.hash))
            .map(|unit| unit.hash.as_str())
            .collect();
        for part in ["deps", "build", FINGERPRINTS] {
            for file in cache::read_dir(&profile.join(part))? {
                if let Some(name) = file.file_name()
                    && hash_of(&file).is_some_and(|hash| missing.contains(hash))
                {
                    cache::copy(&file, &to.join(part).join(name), Times::Kept)?;
                }
            }
        }
        copied += missing.len();
    }
    if entry.is_dir() {
        cache::mark_used(&entry)?;
        cache::prune(&folder(paths), KEEP)?;
    }
    Ok(copied)
}

fn hashes_in(dir: &Path) -> Result<BTreeSet<String>> {
    let entries = cache::read_dir(dir)?;
    Ok(entries.iter().filter_map(|file| hash_of(file).map(str::to_owned)).collect())
}

/// The hash in `NAME-HASH` or `libNAME-HASH.rlib`.
fn hash_of(file: &Path) -> Option<&str> {
    let name = file.file_name()?.to_str()?;
    let (_, end) = name.rsplit_once('-')?;
    let hash = end.split('.').next()?;
    is_hash(hash).then_some(hash)
}

fn folder(paths: &Paths) -> PathBuf {
    paths.cache.join("deps")
}

struct Entry {
    dir: PathBuf,
    /// The first part of the entry's name.
    compiler: String,
}

fn entry(paths: &Paths) -> Result<Entry> {
    let mut compiler = Key::new();
    compiler.text(&output(command(paths, "rustc").arg("-vV"))?);
    let compiler = compiler.finish();
    let mut state = Key::new();
    state.text(&profiles_of(&std::fs::read_to_string(paths.root.join("Cargo.toml"))?));
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
        state.text(&std::env::var(name).unwrap_or_default());
    }
    for file in [".cargo/config.toml", "Cargo.lock"] {
        state.file(&paths.root, &paths.root.join(file))?;
    }
    Ok(Entry { dir: folder(paths).join(format!("{compiler}-{}", state.finish())), compiler })
}

/// The `[profile.…]` tables of a manifest, which decide how dependencies are compiled.
fn profiles_of(manifest: &str) -> String {
    let mut inside = false;
    let mut text = String::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line.starts_with("[profile.");
        }
        if inside && !line.is_empty() && !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::tests::Scratch;

    const SERDE: &str = r#"{"reason":"compiler-artifact","package_id":"registry+https://example/index#serde@1.0.0","filenames":["/w/target/release/deps/libserde-0123456789abcdef.rlib","/w/target/release/deps/libserde-0123456789abcdef.rmeta"],"fresh":true}"#;

    fn units(lines: &[&str]) -> Vec<(String, String)> {
        let mut units = Units::default();
        for line in lines {
            units.add_message(line);
        }
        units.0.into_keys().map(|unit| (unit.profile_dir.display().to_string(), unit.hash)).collect()
    }

    #[test]
    fn a_package_that_tests_compile_in_another_way_is_named() {
        let (mut build, mut tests) = (Units::default(), Units::default());
        build.add_message(SERDE);
        tests.add_message(SERDE);
        assert!(build.compiled_again_in(&tests).is_empty());
        tests.add_message(&SERDE.replace("0123456789abcdef", "00000000000000aa"));
        tests.add_message(&SERDE.replace("serde", "proptest").replace("0123456789abcdef", "00000000000000bb"));
        assert_eq!(build.compiled_again_in(&tests).into_iter().collect::<Vec<_>>(), ["serde"]);
    }

    #[test]
    fn package_ids_have_two_forms() {
        assert_eq!(package_name("registry+https://example/index#serde@1.0.0"), "serde");
        assert_eq!(package_name("git+https://example/serde?rev=1#serde@1.0.0"), "serde");
        assert_eq!(package_name("git+https://example/serde#1.0.0"), "serde");
    }

    #[test]
    fn crates_of_a_registry_are_units() {
        assert_eq!(units(&[SERDE, "not json"]), [("/w/target/release".to_owned(), "0123456789abcdef".to_owned())]);
    }

    #[test]
    fn crates_of_the_workspace_are_not() {
        let ours = SERDE.replace("registry+https://example/index", "path+file:///w/services/cart");
        assert_eq!(units(&[&ours]), []);
    }

    #[test]
    fn build_scripts_and_their_runs_are_units_of_their_own() {
        let compiled = r#"{"reason":"compiler-artifact","package_id":"registry+x#ring@1.0.0","filenames":["/w/target/release/build/ring-00000000000000aa/build-script-build"]}"#;
        let executed = r#"{"reason":"build-script-executed","package_id":"registry+x#ring@1.0.0","out_dir":"/w/target/release/build/ring-00000000000000bb/out"}"#;
        assert_eq!(
            units(&[compiled, executed]),
            [
                ("/w/target/release".to_owned(), "00000000000000aa".to_owned()),
                ("/w/target/release".to_owned(), "00000000000000bb".to_owned())
            ]
        );
    }

    #[test]
    fn hashes_are_read_from_every_kind_of_name() {
        let hash = |name: &str| hash_of(Path::new(name)).map(str::to_owned);
        let wanted = Some("0123456789abcdef".to_owned());
        assert_eq!(hash("x/serde-json-0123456789abcdef"), wanted);
        assert_eq!(hash("libserde_json-0123456789abcdef.rlib"), wanted);
        assert_eq!(hash("serde-0123456789abcdef.d"), wanted);
        assert_eq!(hash("server"), None);
        assert_eq!(hash("cargo-leptos"), None);
    }

    #[test]
    fn only_profiles_of_a_manifest_count() {
        let manifest = "[dependencies]\na = \"1\"\n\n[profile.release]\n# why\nlto = false\n[lints]\nb = 1\n[profile.dev.package.\"*\"]\ndebug = false\n";
        assert_eq!(profiles_of(manifest), "[profile.release]\nlto = false\n[profile.dev.package.\"*\"]\ndebug = false\n");
    }

    #[test]
    fn profile_folders_of_an_entry_are_found_at_any_depth() {
        let dir = Scratch::new("profiles");
        dir.write("release/.fingerprint/a-0123456789abcdef/x", "");
        dir.write("front/wasm32-unknown-unknown/wasm-release/.fingerprint/b/x", "");
        let mut found = profile_dirs(&dir.0).unwrap();
        found.sort();
        assert_eq!(found, [Path::new("front/wasm32-unknown-unknown/wasm-release"), Path::new("release")]);
    }
}
