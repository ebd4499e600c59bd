//! What operators did: the newest in memory, all of them in a file.

use contract::audit::AuditEntry;
use runtime::Platform;
use runtime::clock::SharedClock;
use runtime::flags::actor;
use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Entries that are shown and survive a start; the file is cut to them when the process begins.
const KEPT: usize = 1_000;
/// Answered at once.
pub const SHOWN: usize = 200;

const FILE: &str = "audit.jsonl";

/// Clones share it.
#[derive(Clone)]
pub struct Audit {
    entries: Arc<Mutex<VecDeque<AuditEntry>>>,
    file: Option<mpsc::UnboundedSender<AuditEntry>>,
    clock: SharedClock,
}

impl Audit {
    /// Reads back what was done before, and appends to it from now on. Without a data folder, or one that cannot be written, it lives in
    /// memory only, and says so once.
    pub fn start(platform: &Platform) -> Self {
        let folder = &platform.settings.data_dir;
        let clock = platform.clock.clone();
        if folder.as_os_str().is_empty() {
            return Self { entries: Arc::default(), file: None, clock };
        }
        let path = folder.join(FILE);
        let entries = read(&path);
        let file = match prepare(folder, &path, &entries) {
            Ok(()) => {
                let (file, written) = mpsc::unbounded_channel();
                platform.spawn(crate::NAME, write(path, written, platform.stop.clone()));
                Some(file)
            }
            Err(error) => {
                tracing::warn!(%error, "The audit log is kept in memory only: its file cannot be written");
                None
            }
        };
        Self { entries: Arc::new(Mutex::new(entries)), file, clock }
    }

    /// Writes down that whoever is asking did this.
    pub fn note(&self, action: &str, subject: &str, detail: impl Into<String>) {
        self.note_of(actor(), action, subject, detail);
    }

    pub fn note_of(&self, who: String, action: &str, subject: &str, detail: impl Into<String>) {
        let entry = AuditEntry { at: self.clock.now(), who, action: action.to_owned(), subject: subject.to_owned(), detail: detail.into() };
        if let Some(file) = &self.file {
            // The task that writes ends with the process only.
            let _ = file.send(entry.clone());
        }
        let mut entries = self.lock();
        entries.push_back(entry);
        if entries.len() > KEPT {
            entries.pop_front();
        }
    }

    /// Newest first.
    pub fn newest(&self, at_most: usize) -> Vec<AuditEntry> {
        self.lock().iter().rev().take(at_most).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<AuditEntry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newest entries of the file. A line that cannot be read (cut off by a crash) is left out.
fn read(path: &Path) -> VecDeque<AuditEntry> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut entries: VecDeque<AuditEntry> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    entries.drain(..entries.len().saturating_sub(KEPT));
    entries
}

/// Cuts the file to what was read, by a whole new one in its place.
fn prepare(folder: &Path, path: &Path, entries: &VecDeque<AuditEntry>) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let new = path.with_extension("new");
    let text: String = entries.iter().filter_map(line).collect();
    fs::write(&new, text)?;
    fs::rename(&new, path)
}

fn line(entry: &AuditEntry) -> Option<String> {
    serde_json::to_string(entry).ok().map(|line| line + "\n")
}

/// Appends until the process stops, and then what is left.
async fn write(path: PathBuf, mut written: mpsc::UnboundedReceiver<AuditEntry>, stop: tokio_util::sync::CancellationToken) {
    loop {
        let mut batch = Vec::new();
        let stopping = tokio::select! {
            biased;
            received = written.recv_many(&mut batch, KEPT) => received == 0,
            () = stop.cancelled() => true,
        };
        while let Ok(entry) = written.try_recv() {
            batch.push(entry);
        }
        if !batch.is_empty() {
            let (path, text) = (path.clone(), batch.iter().filter_map(line).collect::<String>());
            let appended = tokio::task::spawn_blocking(move || append(&path, &text)).await;
            if !matches!(appended, Ok(Ok(()))) {
                tracing::error!("Audit entries could not be written to their file");
            }
        }
        if stopping {
            return;
        }
    }
}

fn append(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::config::Settings;
    use std::time::Duration;

    fn settings(folder: &Path) -> Settings {
        Settings { data_dir: folder.to_owned(), database_url: Some("sqlite::memory:".to_owned()), ..Settings::default() }
    }

    #[tokio::test]
    async fn what_was_done_is_known_after_a_restart_newest_first() {
        let folder = tempfile::tempdir().unwrap();
        let (platform, _) = testkit::platform_with(settings(folder.path()));
        let audit = Audit::start(&platform);
        audit.note("flag.flipped", "cart-slow", "300-ms");
        audit.note("reset", "", "");
        assert!(platform.finish(Duration::from_secs(5)).await);
        let cut_off = "{\"at\":\"2025-";
        append(&folder.path().join(FILE), cut_off).unwrap();

        let (platform, _) = testkit::platform_with(settings(folder.path()));
        let audit = Audit::start(&platform);
        let seen: Vec<String> = audit.newest(SHOWN).into_iter().map(|entry| entry.action).collect();
        assert_eq!(seen, ["reset", "flag.flipped"]);
        assert_eq!(audit.newest(1)[0].who, "platform");
    }

    #[tokio::test]
    async fn only_the_newest_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (platform, _) = testkit::platform_with(settings(folder.path()));
        let audit = Audit::start(&platform);
        for n in 0..KEPT + 50 {
            audit.note("load.set", &n.to_string(), "");
        }
        assert_eq!(audit.newest(usize::MAX).len(), KEPT);
        assert!(platform.finish(Duration::from_secs(5)).await);
        assert_eq!(fs::read_to_string(folder.path().join(FILE)).unwrap().lines().count(), KEPT + 50);
        assert_eq!(read(&folder.path().join(FILE)).front().unwrap().subject, "50");
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_leaves_it_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let (platform, _) = testkit::platform_with(settings(&file));
        let audit = Audit::start(&platform);
        audit.note("reset", "", "");
        assert_eq!(audit.newest(SHOWN).len(), 1);
    }
}
