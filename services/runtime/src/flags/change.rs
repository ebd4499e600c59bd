//! What happened to flips, for those who write it down or show it.

use super::client::targeting_key;
use crate::context;
use contract::Timestamp;
use contract::flags::Audience;
use std::sync::{Arc, PoisonError, RwLock};

/// One change, told after it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub at: Timestamp,
    /// As [`actor`] says.
    pub who: String,
    pub kind: ChangeKind,
    /// `*` for all.
    pub flag: String,
    /// Empty unless flipped.
    pub variant: String,
    /// Whom a flip reaches, and when it ends by itself.
    pub until: Option<(Audience, Timestamp)>,
    /// Flips that ended by it.
    pub ended: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Flipped,
    Cleared,
    AllClear,
    Expired,
    /// The source says something else; flips of what is gone ended.
    Source,
}

impl ChangeKind {
    /// As the audit log writes it.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Flipped => "flag.flipped",
            Self::Cleared => "flag.cleared",
            Self::AllClear => "flag.all_clear",
            Self::Expired => "flag.expired",
            Self::Source => "flags.source_changed",
        }
    }
}

/// Who acts in the running request: an account's id, a fingerprint of the console's session, `token` for a program with the operator's
/// token, `platform` for what no request asked for.
pub fn actor() -> String {
    let request = context::current();
    match (&request.user, &request.session) {
        (Some(user), _) => user.to_string(),
        (None, Some(session)) => targeting_key(session),
        (None, None) if request.request_id.is_empty() || &*request.request_id == "background" => "platform".to_owned(),
        (None, None) => "token".to_owned(),
    }
}

type Watcher = Arc<dyn Fn(&Change) + Send + Sync>;

/// Those who are told.
#[derive(Default)]
pub(super) struct Watchers(RwLock<Vec<Watcher>>);

impl Watchers {
    pub fn add(&self, watcher: Watcher) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(watcher);
    }

    pub fn tell(&self, change: &Change) {
        let watchers = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        for watcher in watchers {
            watcher(change);
        }
    }
}
