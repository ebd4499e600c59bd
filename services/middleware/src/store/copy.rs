//! Copies the journal of the shared stock, a bounded Redis stream, into SQL, where it lasts.

use super::{Moved, SqlJournal};
use async_trait::async_trait;
use contract::{ItemId, OrderId};
use fred::prelude::*;
use runtime::args;
use runtime::store::StoreError;
use runtime::store::redis::Redis;
use runtime::store::sql::{Apply, Connection, Database, GroupCommit};

/// Movements of one step. A step is one transaction.
const STEP: u64 = 2_000;

/// Longer than any copier is behind: what is copied is kept in the stream for a while, for people who look.
const KEEP_MS: i64 = 3_600_000;

/// What one step copies: from where, to where, and the movements between.
struct Step {
    after: String,
    last: String,
    movements: Vec<Moved>,
}

/// Copies what is new.
pub struct Copier {
    redis: Redis,
    database: Database,
    writer: GroupCommit<WriteStep>,
}

impl Copier {
    pub fn new(redis: Redis, database: Database) -> Self {
        Self { writer: GroupCommit::start(&database, WriteStep), redis, database }
    }

    /// Copies until nothing is left, and answers how many movements that were. Two that copy at once copy nothing twice: a step counts
    /// only from where the last one ended.
    ///
    /// # Errors
    /// Redis or the database is down; the next call goes on from where this one was.
    pub async fn copy(&self) -> Result<usize, StoreError> {
        let mut copied = 0;
        loop {
            let after = self.database.one("SELECT last_id FROM journal_copied", args![]).await?.text(0)?;
            let entries = self.entries(&after).await?;
            let Some((last, _)) = entries.last() else { return Ok(copied) };
            let last = last.clone();
            let movements: Vec<Moved> = entries.into_iter().filter_map(|(_, moved)| moved).collect();
            copied += movements.len();
            self.writer.submit(Step { after, last: last.clone(), movements }).await?;
            self.trim(&last).await?;
        }
    }

    async fn entries(&self, after: &str) -> Result<Vec<(String, Option<Moved>)>, StoreError> {
        type Fields = std::collections::HashMap<String, String>;
        let from = format!("({after}");
        let entries: Vec<(String, Fields)> = self.redis.client()?.xrange_values("stock:journal", from, "+", Some(STEP)).await?;
        Ok(entries.into_iter().map(|(id, fields)| (id, moved(&fields))).collect())
    }

    /// Lets go of what was copied long ago.
    async fn trim(&self, last: &str) -> Result<(), StoreError> {
        let millis: i64 = last.split('-').next().and_then(|millis| millis.parse().ok()).unwrap_or(0);
        let before = (millis - KEEP_MS).max(0).to_string();
        Ok(self.redis.client()?.xtrim::<(), _, _>("stock:journal", ("MINID", "~", before)).await?)
    }
}

/// What a line of the journal says; `None` for one that is not ours, which is passed over with a word.
fn moved(fields: &std::collections::HashMap<String, String>) -> Option<Moved> {
    let read = || {
        let kind = match fields.get("kind")?.as_str() {
            "initial" => "initial",
            "take" => "take",
            "release" => "release",
            "refill" => "refill",
            "set" => "set",
            _ => return None,
        };
        let order = fields.get("order").filter(|order| !order.is_empty()).map(|order| OrderId::new(order.as_str()));
        let number = |name: &str| fields.get(name)?.parse::<i64>().ok();
        Some(Moved { item: ItemId::new(fields.get("item")?.as_str()), kind, quantity: number("quantity")?, order, at: number("at")? })
    };
    let moved = read();
    if moved.is_none() {
        tracing::error!("A line of the stock journal cannot be read and was passed over");
    }
    moved
}

struct WriteStep;

#[async_trait]
impl Apply for WriteStep {
    type Job = Step;
    type Done = ();

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Step]) -> Result<Vec<()>, sqlx::Error> {
        for step in jobs {
            let moved_on = "UPDATE journal_copied SET last_id = $1 WHERE last_id = $2";
            if transaction.run(moved_on, args![&step.last, &step.after]).await? == 1 {
                SqlJournal::write_movements(transaction, &step.movements).await?;
            }
        }
        Ok(vec![(); jobs.len()])
    }
}
