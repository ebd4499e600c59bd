//! Books that nobody has written into, beside those the stock empties by itself.

use async_trait::async_trait;
use runtime::args;
use runtime::store::StoreError;
use runtime::store::sql::{Apply, Connection, Database, GroupCommit};

struct Anew {
    /// The movements here are a copy of a journal that was emptied a moment ago.
    copied: bool,
}

#[async_trait]
impl Apply for Anew {
    type Job = ();
    type Done = ();

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[()]) -> Result<Vec<()>, sqlx::Error> {
        if self.copied {
            transaction.clear(&["movements", "stock"]).await?;
            transaction.run("UPDATE ledger_totals SET value = 0", args![]).await?;
            // With the copy, or a step of the copier that is on its way would be added to nothing.
            transaction.run("UPDATE journal_copied SET last_id = '0-0'", args![]).await?;
        }
        // What was heard stays known: an event that comes again belongs to an order that is gone.
        transaction.clear(&["pricing_variants", "event_parked"]).await?;
        Ok(vec![(); jobs.len()])
    }
}

/// Forgets what was copied of the shared stock's journal, what the pricing algorithms earned, and what was parked, in one transaction.
///
/// # Errors
/// The database is down, and nothing is forgotten.
pub async fn begin_anew(database: &Database, copied: bool) -> Result<(), StoreError> {
    GroupCommit::start(database, Anew { copied }).submit(()).await
}
