//! Takes the browser part that cargo-leptos left in `target/site` into the binary, so that the file alone is the whole platform.
//!
//! Everything lies flat under one address that carries a hash of all of it; what is served there never changes.

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let site = root.join("../target/site");
    // A check of the code alone works without a site; the pages then have no style.
    fs::create_dir_all(site.join("pkg"))?;
    println!("cargo::rerun-if-changed={}", site.display());
    println!("cargo::rerun-if-changed=build.rs");

    let flat = out.join("assets");
    if flat.exists() {
        fs::remove_dir_all(&flat)?;
    }
    fs::create_dir_all(&flat)?;
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in [site.clone(), site.join("pkg")] {
        files.extend(fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_file()));
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files.iter().filter(|file| !is_leftover(file)) {
        let content = fs::read(file)?;
        let name = file.file_name().unwrap_or_default();
        hash.update(name.as_encoded_bytes());
        hash.update(&content);
        let copy = flat.join(name);
        fs::write(&copy, content)?;
        age(&copy)?;
    }
    age(&flat)?;
    let hash: String = hash.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    println!("cargo::rustc-env=FEAST_ASSETS=/pkg/{hash}");
    memory_serve::load_directory_with_embed(flat, true);
    Ok(())
}

/// Cargo runs this again when something in the folder is newer than the last run, and everything that is written here would be: all that
/// stands behind it would be compiled with every command.
fn age(written: &Path) -> io::Result<()> {
    fs::File::open(written)?.set_modified(std::time::UNIX_EPOCH)
}

/// What a build may leave beside the files that browsers ask for.
fn is_leftover(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".br") || name.ends_with(".gz") || name.ends_with(".d.ts") || name.starts_with('.')
}
