//! Promotions by code, in SQL; read far more often than written, and so kept for a moment.

use arc_swap::ArcSwapOption;
use contract::pricing::Promotion;
use contract::{ApiError, Code, Timestamp};
use runtime::args;
use runtime::clock::SharedClock;
use runtime::store::sql::Database;
use runtime::store::{StoreError, StoreGuard};
use std::sync::Arc;
use std::time::Duration;

/// How old what is kept may be: another replica's change is seen that late.
const FRESH: Duration = Duration::from_secs(2);

/// Promotions there may be. A page shows them all.
const MAX_PROMOTIONS: u32 = 500;

/// A code as it is kept: upper case, without blanks around it; none when nothing is left.
pub fn normal(code: &str) -> Option<String> {
    let code = code.trim().to_uppercase();
    (!code.is_empty()).then_some(code)
}

pub struct Promotions {
    database: Database,
    clock: SharedClock,
    guard: StoreGuard,
    kept: ArcSwapOption<(Timestamp, Vec<Promotion>)>,
}

impl Promotions {
    pub fn new(database: Database, clock: SharedClock, guard: StoreGuard) -> Self {
        Self { database, clock, guard, kept: ArcSwapOption::empty() }
    }

    /// By code, however it is typed.
    ///
    /// # Errors
    /// `PROMOTION_UNKNOWN`; the store is down.
    pub async fn find(&self, code: &str) -> Result<Promotion, ApiError> {
        let unknown = || ApiError::new(Code::PromotionUnknown, "this promotion does not exist");
        let code = normal(code).ok_or_else(unknown)?;
        self.kept().await?.1.iter().find(|promotion| promotion.code == code).cloned().ok_or_else(unknown)
    }

    /// All of them, by code, as they are now.
    ///
    /// # Errors
    /// The store is down.
    pub async fn all(&self) -> Result<Vec<Promotion>, StoreError> {
        let read = async {
            let rows = self.database.all("SELECT document FROM promotions ORDER BY code LIMIT $1", args![MAX_PROMOTIONS]).await?;
            rows.iter().map(|row| Ok(serde_json::from_str(&row.text(0)?)?)).collect()
        };
        self.guard.run("all", read).await
    }

    /// Makes or replaces one.
    ///
    /// # Errors
    /// The store is down.
    pub async fn put(&self, promotion: &Promotion) -> Result<(), StoreError> {
        let write = async {
            let upsert =
                "INSERT INTO promotions (code, document) VALUES ($1, $2) ON CONFLICT (code) DO UPDATE SET document = excluded.document";
            self.database.run(upsert, args![&promotion.code, serde_json::to_string(promotion)?]).await?;
            self.kept.store(None);
            Ok(())
        };
        self.guard.run("put", write).await
    }

    /// Back to those the platform came with; others are gone.
    ///
    /// # Errors
    /// The store is down.
    pub async fn reset(&self) -> Result<(), StoreError> {
        let write = async {
            self.database.run("DELETE FROM promotions", args![]).await?;
            let seed = "INSERT INTO promotions (code, document) SELECT code, document FROM promotions_seed";
            self.database.run(seed, args![]).await?;
            self.kept.store(None);
            Ok(())
        };
        self.guard.run("reset", write).await
    }

    async fn kept(&self) -> Result<Arc<(Timestamp, Vec<Promotion>)>, StoreError> {
        let now = self.clock.now();
        if let Some(kept) = self.kept.load_full()
            && now.since(kept.0) < FRESH
        {
            return Ok(kept);
        }
        let fresh = Arc::new((now, self.all().await?));
        self.kept.store(Some(fresh.clone()));
        Ok(fresh)
    }
}
