//! What happens when the cache is taken away: everybody runs to the database, in a line that keeps it alive.

use crate::NAME;
use runtime::Platform;
use runtime::chance::Chance;
use runtime::chaos::{Chaos, Injected};
use runtime::store::StoreError;
use serde_json::Value;
use std::future::Future;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The flag that takes the cache away.
const FLAG: &str = "menu-cache-off";

/// Readers at once. One less than the connections of the pool: tickets and edits still get through.
const AT_ONCE: usize = 3;

/// Who has waited for so long in line goes away with an error: a little less than callers wait for an answer.
const LONGEST_LINE: Duration = Duration::from_millis(1_500);

pub struct Stampede {
    chaos: Chaos,
    chance: Chance,
    line: Semaphore,
}

impl Stampede {
    pub fn new(platform: &Platform) -> Self {
        Self { chaos: platform.chaos(NAME), chance: platform.chance.clone(), line: Semaphore::new(AT_ONCE) }
    }

    /// Whether this read has to ask the database.
    pub async fn passes_the_cache(&self) -> bool {
        let Some(active) = self.chaos.domain(FLAG).await else { return false };
        let passes = self.chance.percent(active.value.get("percent").and_then(Value::as_f64).unwrap_or(100.0));
        if passes {
            self.chaos.mark(FLAG, Injected::Behaviour, "menus");
        }
        passes
    }

    /// Reads when it is one's turn.
    ///
    /// # Errors
    /// What the read answers; `Unavailable` when the line is too long.
    pub async fn in_line<T>(&self, read: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let too_long = || StoreError::Unavailable("too many read the menus from the database at once".to_owned());
        let _turn = timeout(LONGEST_LINE, self.line.acquire()).await.map_err(|_| too_long())?.map_err(|_| too_long())?;
        read.await
    }
}
