//! What travels with a request from the edge to the last store: who asks, until when, and what chaos flags may look at.
//!
//! The inbound layer of every service sets it for the handler's task; the outbound client sends it on as headers.

pub use contract::Role;

use std::future::Future;
use std::sync::Arc;
use tokio::time::Instant;

/// Facts about the request being served.
#[derive(Clone, Debug, Default)]
pub struct RequestContext {
    /// Name of the service that is running: "cart". In one process, this tells whose span, log and metric it is.
    pub service: &'static str,
    pub request_id: Arc<str>,
    /// The browser's anonymous session; `None` for calls without one. Targeting key of flag evaluations.
    pub session: Option<Arc<str>>,
    /// Scope of idempotency keys: the session that came in, or the client's address.
    pub client: Option<Arc<str>>,
    pub role: Role,
    /// Account of whoever is logged in.
    pub user: Option<Arc<str>>,
    /// The restaurant whose staff is asking.
    pub staff_of: Option<Arc<str>>,
    /// The courier who is asking.
    pub courier: Option<Arc<str>>,
    /// Traffic of the load generator.
    pub synthetic: bool,
    pub restaurant: Option<Arc<str>>,
    pub city: Option<Arc<str>>,
    /// When the answer is of no use any more.
    pub deadline: Option<Instant>,
}

impl RequestContext {
    /// Whose things are meant: the account's when somebody is logged in, otherwise the session's.
    pub fn owner(&self) -> Option<&Arc<str>> {
        self.user.as_ref().or(self.session.as_ref())
    }

    /// Operators may do what the staff of every restaurant may.
    pub fn is_staff_of(&self, restaurant: &str) -> bool {
        self.role == Role::Operator || (self.role == Role::Restaurant && self.staff_of.as_deref() == Some(restaurant))
    }
}

tokio::task_local! {
    static CURRENT: Arc<RequestContext>;
}

/// The context of the running request; an empty one outside of any request.
pub fn current() -> Arc<RequestContext> {
    CURRENT.try_with(Arc::clone).unwrap_or_default()
}

/// Runs `future` with this context.
pub async fn scope<F: Future>(context: Arc<RequestContext>, future: F) -> F::Output {
    CURRENT.scope(context, future).await
}

/// A context for work that no request asked for (sweepers, relays).
pub fn background(service: &'static str) -> Arc<RequestContext> {
    Arc::new(RequestContext { service, request_id: "background".into(), ..RequestContext::default() })
}
