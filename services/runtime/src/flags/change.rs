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
    // Whoever comes without a cookie is given a session for the one request; then the client is an address.
    let came_in = request.client.is_none() || request.client == request.session;
    match (&request.user, &request.session) {
        (Some(user), _) => user.to_string(),
        (None, Some(session)) if came_in => targeting_key(session),
        (None, None) if request.request_id.is_empty() || &*request.request_id == "background" => "platform".to_owned(),
        _ => "token".to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::RequestContext;

    async fn acts(context: RequestContext) -> String {
        context::scope(Arc::new(context), async { actor() }).await
    }

    #[tokio::test]
    async fn whoever_acts_has_a_name_that_opens_nothing() {
        let text = |text: &str| Some(Arc::<str>::from(text));
        let request = RequestContext { request_id: "r".into(), session: text("s1"), ..RequestContext::default() };
        let browser = RequestContext { client: text("s1"), ..request.clone() };
        assert_eq!(acts(browser.clone()).await, targeting_key("s1"));
        assert_eq!(acts(RequestContext { user: text("ada"), ..browser }).await, "ada");
        assert_eq!(acts(RequestContext { client: text("127.0.0.1"), ..request }).await, "token");
        assert_eq!(actor(), "platform");
        let background = context::background("server");
        assert_eq!(context::scope(background, async { actor() }).await, "platform");
    }
}
