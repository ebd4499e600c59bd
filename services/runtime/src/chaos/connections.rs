//! A pool with few connections left, in front of any store.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// All shares of a pool. Who may have one connection of `n` takes `SHARES / n` of them, so that variants with different numbers can be in
/// force at once, for different people.
const SHARES: u32 = 64;

/// What operations of one store share while a flag leaves them few connections. Clones share it.
#[derive(Clone)]
pub struct Connections(Arc<Semaphore>);

impl Default for Connections {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SHARES as usize)))
    }
}

impl Connections {
    /// A connection out of `left`, waited for as long as `wait`. `None` when there was none.
    pub(super) async fn take(&self, left: u32, wait: Duration, hold: Duration) -> Option<Taken> {
        if left == 0 {
            tokio::time::sleep(wait).await;
            return None;
        }
        let taking = self.0.clone().acquire_many_owned((SHARES / left).max(1));
        let permit = tokio::time::timeout(wait, taking).await.ok()?.ok()?;
        Some(Taken { permit: Some(permit), hold })
    }
}

/// A connection that is taken; given back some time after it is dropped, as by a transaction that somebody forgot to end.
pub struct Taken {
    permit: Option<OwnedSemaphorePermit>,
    hold: Duration,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current()
            && !self.hold.is_zero()
        {
            let hold = self.hold;
            runtime.spawn(async move {
                tokio::time::sleep(hold).await;
                drop(permit);
            });
        }
    }
}
