//! Whether the books are open: those who ask the bank are inside, and whoever empties the books asks them to leave first.

use contract::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio_util::sync::CancellationToken;

/// Clones are the same door.
#[derive(Clone, Default)]
pub struct Door(Arc<Inner>);

#[derive(Default)]
struct Inner {
    room: RwLock<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    closing: CancellationToken,
    emptied_at: Option<Timestamp>,
}

/// Somebody who asks the bank.
pub struct Inside<'d> {
    closing: CancellationToken,
    emptied_at: Option<Timestamp>,
    _place: RwLockReadGuard<'d, ()>,
}

impl Inside<'_> {
    /// Ends when everybody has to leave.
    pub async fn closing(&self) {
        self.closing.cancelled().await;
    }

    /// Whether a payment that was made then may have been forgotten since.
    pub fn may_be_gone(&self, created_at: Timestamp) -> bool {
        self.emptied_at.is_some_and(|emptied_at| created_at <= emptied_at)
    }
}

/// Nobody asks the bank as long as this lives.
pub struct Closed<'d> {
    // Before the room is given up: whoever comes in then may stay.
    opening: Opening<'d>,
    _room: RwLockWriteGuard<'d, ()>,
}

/// The door is opened with it, also for whoever did not wait until everybody had left.
struct Opening<'d>(&'d Door);

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.0.state().closing = CancellationToken::new();
    }
}

impl Door {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the books are being emptied.
    pub async fn enter(&self) -> Inside<'_> {
        let place = self.0.room.read().await;
        let state = self.state();
        Inside { closing: state.closing.clone(), emptied_at: state.emptied_at, _place: place }
    }

    /// Asks everybody to leave, and waits until they have.
    pub async fn close(&self) -> Closed<'_> {
        let opening = Opening(self);
        self.state().closing.cancel();
        Closed { opening, _room: self.0.room.write().await }
    }
}

impl Closed<'_> {
    /// The books are empty.
    pub fn emptied(&self, now: Timestamp) {
        self.opening.0.state().emptied_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn whoever_is_inside_leaves_when_the_door_is_closed_and_others_wait() {
        let door = Door::default();
        let guest = door.clone();
        let leaving = tokio::spawn(async move { guest.enter().await.closing().await });
        tokio::task::yield_now().await;
        let closed = door.close().await;
        leaving.await.unwrap();
        let entering = tokio::time::timeout(Duration::from_secs(1), door.enter()).await;
        assert!(entering.is_err(), "it is closed");
        let (before, now, after) = (Timestamp::from_millis(1), Timestamp::from_millis(2), Timestamp::from_millis(3));
        closed.emptied(now);
        drop(closed);
        let inside = door.enter().await;
        assert_eq!([before, now, after].map(|at| inside.may_be_gone(at)), [true, true, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_closing_leaves_the_door_open() {
        let door = Door::default();
        let stubborn = door.enter().await;
        assert!(tokio::time::timeout(Duration::from_secs(1), door.close()).await.is_err());
        drop(stubborn);
        let inside = door.enter().await;
        assert!(tokio::time::timeout(Duration::from_secs(1), inside.closing()).await.is_err(), "nobody has to leave");
    }
}
