//! A pool with few connections left, in front of any store.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// All shares of a pool. Who may have one connection of `n` takes `SHARES / n` of them, so that variants with different numbers can be in
/// force at once, for different people.
const SHARES: u32 = 64;

/// How often whoever waits looks whether the flag is still on.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What operations of one store share while a flag leaves them few connections. Clones share it.
#[derive(Clone)]
pub struct Connections(Arc<Semaphore>);

impl Default for Connections {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SHARES as usize)))
    }
}

impl Connections {
    /// A connection out of `left`, waited for as long as `wait` and no longer than `is_on`: then there is one for everybody, and it is
    /// given back at once. `None` when there was none.
    pub(super) async fn take(&self, left: u32, wait: Duration, hold: Duration, is_on: impl Fn() -> bool) -> Option<Taken> {
        let end = Instant::now() + wait;
        let mut taking = pin!(async {
            match SHARES.checked_div(left) {
                Some(shares) => self.0.clone().acquire_many_owned(shares.max(1)).await,
                None => std::future::pending().await,
            }
        });
        loop {
            let rest = end.saturating_duration_since(Instant::now());
            match tokio::time::timeout(rest.min(LOOK_EVERY), &mut taking).await {
                Ok(permit) => {
                    let hold = if is_on() { hold } else { Duration::ZERO };
                    return Some(Taken { permit: Some(permit.ok()?), hold });
                }
                Err(_) if !is_on() => return Some(Taken { permit: None, hold: Duration::ZERO }),
                Err(_) if rest.is_zero() => return None,
                Err(_) => {}
            }
        }
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
