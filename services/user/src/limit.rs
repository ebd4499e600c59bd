//! So many tries a minute to log in or sign up, for one client and for one account. Counted in memory, by each process for itself.

use contract::{ApiError, Code, Timestamp};
use runtime::clock::SharedClock;
use runtime::store::ExpiringMap;
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(60);

/// For one e-mail address or account. Somebody may keep its owner from logging in for a minute; nobody may guess passwords quickly.
const PER_ACCOUNT: u32 = 10;

/// For one client. The gateway names it by its address here, and many people may share one.
const PER_CLIENT: u32 = 30;

/// Names remembered; beyond, those that would be forgotten first make room.
const NAMES: usize = 20_000;

pub struct Tries {
    clock: SharedClock,
    seen: ExpiringMap<Name, (u32, Timestamp)>,
}

/// Whose tries are counted.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Name {
    Client(String),
    Account(String),
}

impl Tries {
    pub fn new(clock: SharedClock) -> Self {
        Self { seen: ExpiringMap::new(clock.clone(), NAMES), clock }
    }

    /// Counts one try of this client at this account, which is an e-mail address or an id.
    ///
    /// # Errors
    /// `RATE_LIMITED` with the seconds until the next one.
    pub fn count(&self, client: Option<&str>, account: &str) -> Result<(), ApiError> {
        if let Some(client) = client {
            self.take(Name::Client(client.to_owned()), PER_CLIENT)?;
        }
        self.take(Name::Account(account.to_owned()), PER_ACCOUNT)
    }

    fn take(&self, name: Name, limit: u32) -> Result<(), ApiError> {
        let now = self.clock.now();
        let over = self.seen.update(&name, WINDOW, |counted| {
            let (tries, began) = counted.copied().filter(|(_, began)| now.since(*began) < WINDOW).unwrap_or((0, now));
            // Refused tries are not counted: whoever keeps trying gets in when the minute is over.
            let over = (tries >= limit).then(|| WINDOW.saturating_sub(now.since(began)));
            (Some((tries + u32::from(over.is_none()), began)), over)
        });
        match over {
            None => Ok(()),
            Some(wait) => {
                let seconds = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
                Err(ApiError::new(Code::RateLimited, "too many tries; wait a little").retry_after(seconds))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::clock::ManualClock;
    use std::sync::Arc;

    fn tries() -> (Tries, ManualClock) {
        let clock = ManualClock::at(Timestamp::from_millis(0));
        (Tries::new(Arc::new(clock.clone())), clock)
    }

    #[test]
    fn the_eleventh_try_at_an_account_waits_for_the_minute_to_end() {
        let (tries, clock) = tries();
        for n in 0..PER_ACCOUNT {
            assert!(tries.count(Some(&format!("client {n}")), "ada").is_ok());
        }
        clock.advance(Duration::from_millis(14_500));
        for _ in 0..3 {
            let refused = tries.count(Some("another"), "ada").err();
            assert_eq!(refused.map(|error| (error.status, error.retry_after_s)), Some((429, Some(46))));
        }
        assert!(tries.count(Some("another"), "bo").is_ok(), "others are not held up");
        clock.advance(Duration::from_millis(45_500));
        assert!(tries.count(Some("another"), "ada").is_ok());
    }

    #[test]
    fn a_client_tries_thirty_accounts_a_minute_and_no_more() {
        let (tries, _) = tries();
        let all: Vec<bool> = (0..=PER_CLIENT).map(|n| tries.count(Some("client"), &format!("account {n}")).is_ok()).collect();
        assert_eq!(all.iter().filter(|ok| **ok).count(), PER_CLIENT as usize);
        assert_eq!(all.last(), Some(&false));
    }
}
