//! Circuit breaker: after several calls in a row without a response, stop calling for a moment, then let one call try.

use crate::clock::SharedClock;
use contract::Timestamp;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

/// Calls without a response, in a row, that open it, unless a flag says otherwise.
pub const FAILURES_TO_OPEN: u32 = 5;

/// How long it stays open. Short, so that a service that comes back is used again within two seconds.
pub const OPEN_FOR: Duration = Duration::from_millis(500);

/// Lock-free: a hot path reads one atomic while all is well.
pub struct Breaker {
    clock: SharedClock,
    failures: AtomicU32,
    /// Milliseconds of the moment a trial call is let through; 0 while closed.
    retry_at: AtomicI64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    Allowed,
    Refused,
}

impl Breaker {
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, failures: AtomicU32::new(0), retry_at: AtomicI64::new(0) }
    }

    pub fn pass(&self) -> Pass {
        let retry_at = self.retry_at.load(Ordering::Acquire);
        if retry_at == 0 {
            return Pass::Allowed;
        }
        let now = self.clock.now();
        if now < Timestamp::from_millis(retry_at) {
            return Pass::Refused;
        }
        // Whoever moves the moment on is the one trial call; the others wait for its outcome.
        let next = (now + OPEN_FOR).millis();
        match self.retry_at.compare_exchange(retry_at, next, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Pass::Allowed,
            Err(_) => Pass::Refused,
        }
    }

    pub fn succeeded(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Release);
            self.retry_at.store(0, Ordering::Release);
        }
    }

    /// In a row, up to now.
    pub fn failures(&self) -> u32 {
        self.failures.load(Ordering::Acquire)
    }

    /// Counts a failure; `failures_to_open` of them in a row open it. True when this one did.
    ///
    /// While it is open, failures of trial calls keep it open and are not counted: that many more than it took are no news, and whoever allows
    /// more by a flag allows them from here on.
    pub fn failed(&self, failures_to_open: u32) -> bool {
        let was_open = self.retry_at.load(Ordering::Acquire) != 0;
        let failures = if was_open { self.failures() } else { self.failures.fetch_add(1, Ordering::AcqRel).saturating_add(1) };
        if failures < failures_to_open {
            // It may have been opened when fewer were enough.
            self.retry_at.store(0, Ordering::Release);
            return false;
        }
        self.retry_at.store((self.clock.now() + OPEN_FOR).millis(), Ordering::Release);
        !was_open
    }
}

#[cfg(test)]
mod tests {
    use super::{Breaker, FAILURES_TO_OPEN, OPEN_FOR, Pass};
    use crate::clock::ManualClock;
    use contract::Timestamp;
    use std::sync::Arc;

    #[test]
    fn it_opens_after_failures_in_a_row_lets_one_try_and_closes_on_success() {
        let clock = ManualClock::at(Timestamp::from_millis(1_000));
        let breaker = Breaker::new(Arc::new(clock.clone()));
        for _ in 1..FAILURES_TO_OPEN {
            assert!(!breaker.failed(FAILURES_TO_OPEN));
        }
        assert_eq!(breaker.pass(), Pass::Allowed);
        assert!(breaker.failed(FAILURES_TO_OPEN));
        assert_eq!(breaker.pass(), Pass::Refused);
        clock.advance(OPEN_FOR);
        assert_eq!(breaker.pass(), Pass::Allowed, "one trial");
        assert_eq!(breaker.pass(), Pass::Refused, "and only one");
        breaker.succeeded();
        assert_eq!(breaker.pass(), Pass::Allowed);
    }

    #[test]
    fn it_closes_when_more_failures_are_allowed_than_there_were() {
        let breaker = Breaker::new(Arc::new(ManualClock::at(Timestamp::from_millis(1_000))));
        for _ in 0..FAILURES_TO_OPEN {
            breaker.failed(FAILURES_TO_OPEN);
        }
        assert_eq!(breaker.pass(), Pass::Refused);
        assert!(!breaker.failed(50));
        assert_eq!(breaker.pass(), Pass::Allowed);
    }

    #[test]
    fn an_outage_that_goes_on_does_not_use_up_what_a_flag_allows_later() {
        let breaker = Breaker::new(Arc::new(ManualClock::at(Timestamp::from_millis(1_000))));
        for _ in 0..200 {
            breaker.failed(FAILURES_TO_OPEN);
        }
        for _ in FAILURES_TO_OPEN..50 {
            assert!(!breaker.failed(50));
            assert_eq!(breaker.pass(), Pass::Allowed);
        }
        assert!(breaker.failed(50));
        assert_eq!(breaker.pass(), Pass::Refused);
    }

    #[test]
    fn a_success_in_between_starts_the_count_anew() {
        let breaker = Breaker::new(Arc::new(ManualClock::at(Timestamp::from_millis(1))));
        for _ in 0..20 {
            assert!(!breaker.failed(FAILURES_TO_OPEN));
            breaker.succeeded();
        }
        assert_eq!(breaker.pass(), Pass::Allowed);
    }
}
