//! Recommendations as they are served: worked out every few seconds while somebody asks, and never while nobody does.

use crate::cache::MenuCache;
use crate::domain::recommend::{WINDOW, recommend};
use crate::served::Served;
use crate::store::SqlReports;
use contract::{RestaurantId, Timestamp};
use runtime::clock::SharedClock;
use runtime::store::StoreError;
use std::collections::HashMap;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;

/// How old recommendations may be.
pub const FRESH_FOR: Duration = Duration::from_secs(5);

pub struct Advice {
    reports: SqlReports,
    menus: Arc<MenuCache>,
    clock: SharedClock,
    /// Only restaurants that are there have an entry.
    known: Lock<HashMap<RestaurantId, (Timestamp, Served)>>,
    /// Whoever works it out holds it.
    working: Mutex<()>,
}

impl Advice {
    pub fn new(reports: SqlReports, menus: Arc<MenuCache>, clock: SharedClock) -> Self {
        Self { reports, menus, clock, known: Lock::default(), working: Mutex::new(()) }
    }

    /// `contract::menu::Recommendations` of a restaurant that is there.
    ///
    /// # Errors
    /// They were never worked out, and the database does not answer.
    pub async fn of(&self, id: &RestaurantId) -> Result<Served, StoreError> {
        let _alone = match self.known(id) {
            Some((served, true)) => return Ok(served),
            // Somebody is at it: what was right some seconds ago will do.
            Some((served, false)) => match self.working.try_lock() {
                Ok(alone) => alone,
                Err(_) => return Ok(served),
            },
            None => self.working.lock().await,
        };
        let old = match self.known(id) {
            Some((served, true)) => return Ok(served),
            Some((served, false)) => Some(served),
            None => None,
        };
        match (self.work_out(id).await, old) {
            (Ok(served), _) => {
                self.lock().insert(id.clone(), (self.clock.now(), served.clone()));
                Ok(served)
            }
            (Err(error), Some(old)) => {
                tracing::warn!(%error, "Recommendations could not be worked out anew");
                Ok(old)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Everything is worked out anew when it is asked for.
    pub fn forget(&self) {
        self.lock().clear();
    }

    /// What is known, and whether it is fresh.
    fn known(&self, id: &RestaurantId) -> Option<(Served, bool)> {
        let known = self.lock();
        let (at, served) = known.get(id)?;
        Some((served.clone(), self.clock.now().since(*at) < FRESH_FOR))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RestaurantId, (Timestamp, Served)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn work_out(&self, id: &RestaurantId) -> Result<Served, StoreError> {
        let now = self.clock.now();
        let window_ms = i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX);
        let sold = self.reports.sold(id, Timestamp::from_millis(now.millis() - window_ms)).await?;
        let pairs = self.reports.pairs(id).await?;
        let menus = self.menus.snapshot();
        let sold = sold.iter().map(|sold| (&sold.item, sold.hour, sold.units));
        let told = recommend(sold, &pairs, now, |item| {
            menus.catalogue().item(item).is_some_and(|item| item.in_stock && item.restaurant_id == *id)
        });
        Ok(Served::json(&told)?)
    }
}
