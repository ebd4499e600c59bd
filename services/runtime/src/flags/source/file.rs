//! A flag file, watched. It survives a ConfigMap's symlink swap, deletion, and being read while half written.

use super::Outage;
use crate::flags::control::FlagControl;
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Events are only a hint to look now. Looking anyway catches what they miss: network file systems, links into other folders.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

pub async fn follow(path: PathBuf, control: FlagControl) {
    let changed = Arc::new(Notify::new());
    let mut watcher = None;
    let mut outage = Outage::new(path.display().to_string());
    let mut last: Option<String> = None;
    loop {
        if watcher.is_none() {
            watcher = watch(&path, &changed);
        }
        match read(path.clone()).await {
            Ok(text) if last.as_ref() == Some(&text) => outage.worked(),
            Ok(text) => match control.replace_definitions(&text) {
                Ok(()) => {
                    outage.worked();
                    last = Some(text);
                }
                Err(error) => outage.failed(&error),
            },
            Err(error) => {
                outage.failed(&error);
                if !folder(&path).exists() {
                    // A watch on a folder dies with it.
                    watcher = None;
                }
            }
        }
        tokio::select! {
            () = changed.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

async fn read(path: PathBuf) -> std::io::Result<String> {
    tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await.map_err(std::io::Error::other)?
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Watches the folder, not the file: a swapped link or a renamed file is a new file, which a watch on the old one never sees.
fn watch(path: &Path, changed: &Arc<Notify>) -> Option<RecommendedWatcher> {
    let changed = Arc::clone(changed);
    let tell = move |event: notify::Result<Event>| {
        if event.is_ok_and(|event| may_change_content(&event.kind)) {
            changed.notify_one();
        }
    };
    let mut watcher = notify::recommended_watcher(tell).ok()?;
    watcher.watch(folder(path), RecursiveMode::NonRecursive).ok()?;
    Some(watcher)
}

/// Reading the file makes events too; acting on those would never end.
fn may_change_content(kind: &EventKind) -> bool {
    !matches!(kind, EventKind::Access(access) if *access != AccessKind::Close(AccessMode::Write))
}
