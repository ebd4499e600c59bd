//! Pieces that the caches share: keys from content, copies that keep times, and pruning.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};

/// A hash over texts and files, for keys of caches and stamps.
pub struct Key(DefaultHasher);

impl Key {
    pub fn new() -> Self {
        Self(DefaultHasher::new())
    }

    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        // The length keeps neighbours apart.
        self.0.write_usize(bytes.len());
        self.0.write(bytes);
    }

    /// Name (relative to the repository) and content of one file. A missing file counts as such.
    pub fn file(&mut self, root: &Path, file: &Path) -> Result<()> {
        let name = file.strip_prefix(root).unwrap_or(file);
        self.text(&name.to_string_lossy());
        match fs::read(file) {
            Ok(bytes) => self.bytes(&bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.text("missing"),
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", name.display()));
            }
        }
        Ok(())
    }

    /// All files below a folder, in the order of their names.
    pub fn folder(&mut self, root: &Path, folder: &Path) -> Result<()> {
        for file in files_below(folder)? {
            self.file(root, &file)?;
        }
        Ok(())
    }

    /// Sixteen hexadecimal digits.
    pub fn finish(self) -> String {
        format!("{:016x}", self.0.finish())
    }
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in read_dir(&folder)? {
            match entry.is_dir() {
                true => folders.push(entry),
                false => files.push(entry),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The entries of a folder; none if it does not exist.
pub fn read_dir(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", folder.display()));
        }
    };
    entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>().with_context(|| format!("{} cannot be read", folder.display()))
}

/// The modification times of what is copied. Cargo decides by them what is up to date.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// As they were: for what cargo has compiled.
    Kept,
    /// Now: for what a build script watches.
    New,
}

/// Copies a file or a folder with everything in it.
///
/// A file appears under its name only when it is whole, so that several clones may write the same cache at once.
pub fn copy(from: &Path, to: &Path, times: Times) -> Result<()> {
    copy_inner(from, to, times).with_context(|| format!("{} cannot be copied", from.display()))
}

fn copy_inner(from: &Path, to: &Path, times: Times) -> std::io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy_inner(&entry.path(), &to.join(entry.file_name()), times)?;
        }
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = to.with_file_name(format!(".{name}.{}", std::process::id()));
    fs::copy(from, &unfinished)?;
    let modified = match times {
        Times::Kept => from.metadata()?.modified()?,
        Times::New => SystemTime::now(),
    };
    File::options().write(true).open(&unfinished)?.set_modified(modified)?;
    fs::rename(&unfinished, to)
}

/// Marks a cache entry as used now.
pub fn mark_used(entry: &Path) -> Result<()> {
    fs::write(entry.join(USED), "").context("the cache cannot be written")
}

const USED: &str = "last-used";

/// Removes all entries of a cache but the few used last.
pub fn prune(cache: &Path, keep: usize) -> Result<()> {
    let mut entries: Vec<(SystemTime, PathBuf)> = read_dir(cache)?.into_iter().map(|entry| (last_used(&entry), entry)).collect();
    entries.sort();
    entries.reverse();
    for (_, entry) in entries.into_iter().skip(keep) {
        fs::remove_dir_all(&entry).with_context(|| format!("{} cannot be removed", entry.display()))?;
    }
    Ok(())
}

/// When an entry was last used; long ago if that is not known.
pub fn last_used(entry: &Path) -> SystemTime {
    entry.join(USED).metadata().and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::time::Duration;

    /// An empty folder that is removed afterwards.
    pub struct Scratch(pub PathBuf);

    impl Scratch {
        pub fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("feast-xtask-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&dir);
            fs::create_dir_all(&dir).unwrap();
            Self(dir)
        }

        pub fn write(&self, file: &str, text: &str) -> PathBuf {
            let file = self.0.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            file
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn key_of(dir: &Path) -> String {
        let mut key = Key::new();
        key.folder(dir, dir).unwrap();
        key.finish()
    }

    #[test]
    fn a_key_follows_names_and_content_and_not_place_or_time() {
        let one = Scratch::new("key-one");
        one.write("a/b.txt", "hello");
        let two = Scratch::new("key-two");
        two.write("a/b.txt", "hello");
        assert_eq!(key_of(&one.0), key_of(&two.0));
        two.write("a/b.txt", "hello!");
        assert_ne!(key_of(&one.0), key_of(&two.0));
        two.write("a/b.txt", "hello");
        two.write("a/c.txt", "");
        assert_ne!(key_of(&one.0), key_of(&two.0));
    }

    #[test]
    fn a_copy_keeps_content_and_where_asked_times() {
        let dir = Scratch::new("copy");
        let from = dir.write("from/deep/file", "x");
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        File::options().write(true).open(&from).unwrap().set_modified(long_ago).unwrap();
        copy(&dir.0.join("from"), &dir.0.join("to"), Times::Kept).unwrap();
        let to = dir.0.join("to/deep/file");
        assert_eq!(fs::read_to_string(&to).unwrap(), "x");
        assert_eq!(to.metadata().unwrap().modified().unwrap(), long_ago);
        assert_eq!(read_dir(&dir.0.join("to/deep")).unwrap().len(), 1);
        copy(&dir.0.join("from"), &dir.0.join("new"), Times::New).unwrap();
        assert!(dir.0.join("new/deep/file").metadata().unwrap().modified().unwrap() > long_ago);
    }

    #[test]
    fn pruning_keeps_what_was_used_last() {
        let dir = Scratch::new("prune");
        for (name, age) in [("old", 300), ("new", 100), ("middle", 200)] {
            let used = dir.write(&format!("{name}/{USED}"), "");
            File::options().write(true).open(used).unwrap().set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        }
        dir.write("never/other", "");
        prune(&dir.0, 2).unwrap();
        let mut left = read_dir(&dir.0).unwrap();
        left.sort();
        assert_eq!(left, [dir.0.join("middle"), dir.0.join("new")]);
    }
}
