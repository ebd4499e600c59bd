//! Messages in SQL.

use super::writes::{Done, Job, Outcome, Writes, letter, select};
use super::{Letter, MessageBook};
use async_trait::async_trait;
use contract::client::MessageFilter;
use contract::ledger::{LedgerItem, LedgerPage, SETTLE_WITHIN_MS};
use contract::notification::{Channel, Message, Preferences};
use contract::{OrderId, Timestamp};
use runtime::args;
use runtime::store::sql::{Database, GroupCommit, Row, Schema};
use runtime::store::{StoreError, StoreGuard};
use std::collections::BTreeMap;
use std::time::Duration;

pub const SCHEMA: Schema = Schema {
    sqlite: &[(1, "messages", include_str!("../../migrations/sqlite/0001_messages.sql"))],
    postgres: &[(1, "messages", include_str!("../../migrations/postgres/0001_messages.sql"))],
};

/// How long a message may take before somebody should look at it.
const DEADLINE: Duration = Duration::from_secs(60);

pub struct SqlMessageBook {
    database: Database,
    writer: GroupCommit<Writes>,
    guard: StoreGuard,
}

impl SqlMessageBook {
    pub fn new(database: Database, guard: StoreGuard) -> Self {
        Self { writer: GroupCommit::start(&database, Writes), database, guard }
    }

    async fn write(&self, operation: &'static str, job: Job) -> Result<Done, StoreError> {
        self.guard.run(operation, self.writer.submit(job)).await
    }

    async fn page(&self, now: Timestamp) -> Result<LedgerPage, StoreError> {
        let rows = self.database.all("SELECT name, value FROM message_totals", args![]).await?;
        let totals = rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect::<Result<_, sqlx::Error>>()?;
        let since = now.millis() - SETTLE_WITHIN_MS;
        // What was sent late is not looked for: hardly anything is, and its index would cost more than the message.
        let sql = "SELECT COUNT(CASE WHEN created_ms >= $1 THEN 1 END), COUNT(CASE WHEN sent_ms >= $1 THEN 1 END) \
                   FROM messages WHERE created_ms >= $2";
        let recent = self.database.one(sql, args![since, since - SETTLE_WITHIN_MS]).await?;
        let recent = BTreeMap::from([("queued".to_owned(), recent.int(0)?), ("sent".to_owned(), recent.int(1)?)]);
        let sql = "SELECT order_id, channel, created_ms FROM messages WHERE status = 'queued' ORDER BY due_ms LIMIT $1";
        let rows = self.database.all(sql, args![LedgerPage::MAX_OPEN as i64]).await?;
        let mut open = rows.iter().map(item).collect::<Result<Vec<_>, sqlx::Error>>()?;
        open.sort_by_key(|item| item.since);
        Ok(LedgerPage { totals, recent, open })
    }
}

fn item(row: &Row) -> Result<LedgerItem, sqlx::Error> {
    let waits_for = match Channel::from_text(&row.text(1)?) {
        Some(Channel::Email) => "an e-mail",
        Some(Channel::Sms) => "an SMS",
        Some(Channel::Push) | None => "a push message",
    };
    let since = Timestamp::from_millis(row.int(2)?);
    Ok(LedgerItem {
        order_id: OrderId::new(row.text(0)?),
        waits_for: waits_for.to_owned(),
        owner: "notification".to_owned(),
        since,
        deadline: since + DEADLINE,
    })
}

fn mixed_up() -> StoreError {
    StoreError::Corrupt("the writer answered another question".to_owned())
}

/// What people call an order by: no id is as short as that.
fn is_short(order: &str) -> bool {
    order.len() == 6 && order.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Below every place: the first page has no end above.
const TOP: i64 = i64::MAX;

#[async_trait]
impl MessageBook for SqlMessageBook {
    async fn list(&self, filter: &MessageFilter, cursor: Option<i64>, limit: u32) -> Result<(Vec<Message>, Option<i64>), StoreError> {
        let cursor = cursor.unwrap_or(TOP);
        // So few messages are kept that those of a channel, or of an order by its last characters, are found by looking through them.
        let channel = filter.channel.map_or("", Channel::as_str);
        let (sql, args) = match filter.order.as_deref() {
            None => (
                select!("FROM messages WHERE seq < $1 AND ($3 = '' OR channel = $3) ORDER BY seq DESC LIMIT $2"),
                args![cursor, limit, channel],
            ),
            Some(end) if is_short(end) => (
                select!(
                    "FROM messages WHERE seq < $1 AND ($3 = '' OR channel = $3) AND LENGTH(order_id) > 5 \
                     AND LOWER(SUBSTR(order_id, LENGTH(order_id) - 5)) = $4 ORDER BY seq DESC LIMIT $2"
                ),
                args![cursor, limit, channel, end.to_ascii_lowercase()],
            ),
            // An order's messages begin with its id and a slash; '0' follows the slash.
            Some(order) => (
                select!(
                    "FROM messages WHERE id > $4 AND id < $5 AND order_id = $6 AND seq < $1 AND ($3 = '' OR channel = $3) \
                     ORDER BY seq DESC LIMIT $2"
                ),
                args![cursor, limit, channel, format!("{order}/"), format!("{order}0"), order],
            ),
        };
        let read = async {
            let letters = self.database.all(sql, args).await?.iter().map(letter).collect::<Result<Vec<_>, _>>()?;
            let last = letters.last().map(|letter| letter.seq);
            Ok((letters.into_iter().map(|letter| letter.message).collect(), last))
        };
        self.guard.run("list", read).await
    }

    async fn settle(&self, outcomes: Vec<(i64, Outcome)>, now: Timestamp) -> Result<(), StoreError> {
        self.write("settle", Job::Settle { outcomes, now }).await.map(drop)
    }

    async fn claim(&self, before: Timestamp, now: Timestamp, limit: u32) -> Result<Vec<Letter>, StoreError> {
        // Asked first, because there is hardly ever anything, and writing takes its turn.
        let sql = "SELECT 1 FROM messages WHERE status = 'queued' AND due_ms < $1 LIMIT 1";
        let due = self.guard.run("due", async { Ok(self.database.optional(sql, args![before]).await?.is_some()) });
        if !due.await? {
            return Ok(Vec::new());
        }
        match self.write("claim", Job::Claim { before, now, limit }).await? {
            Done::Claimed(letters) => Ok(letters),
            Done::Written => Err(mixed_up()),
        }
    }

    async fn preferences(&self, owner: &str) -> Result<Preferences, StoreError> {
        let read = async {
            let sql = "SELECT email, sms, push FROM message_preferences WHERE owner = $1";
            let Some(row) = self.database.optional(sql, args![owner]).await? else { return Ok(Preferences::default()) };
            Ok(Preferences { email: row.int(0)? != 0, sms: row.int(1)? != 0, push: row.int(2)? != 0 })
        };
        self.guard.run("preferences", read).await
    }

    async fn set_preferences(&self, owner: &str, preferences: &Preferences, now: Timestamp) -> Result<(), StoreError> {
        let Preferences { email, sms, push } = *preferences;
        let sql = "INSERT INTO message_preferences (owner, email, sms, push, updated_ms) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (owner) DO UPDATE SET email = excluded.email, sms = excluded.sms, push = excluded.push, \
                   updated_ms = excluded.updated_ms";
        let write = async { Ok(self.database.run(sql, args![owner, email, sms, push, now]).await.map(drop)?) };
        self.guard.run("set_preferences", write).await
    }

    async fn prune(&self, synthetic: bool, keep: u32, limit: u32) -> Result<u64, StoreError> {
        let sql = "DELETE FROM messages WHERE seq IN (SELECT seq FROM messages WHERE synthetic = $1 AND status <> 'queued' AND seq <= \
                   (SELECT seq FROM messages WHERE synthetic = $1 ORDER BY seq DESC LIMIT 1 OFFSET $2) ORDER BY seq LIMIT $3)";
        self.guard.run("prune", async { Ok(self.database.run(sql, args![synthetic, keep, limit]).await?) }).await
    }

    async fn forget_contacts(&self, before: Timestamp) -> Result<(), StoreError> {
        let sql = "DELETE FROM message_contacts WHERE at_ms < $1";
        self.guard.run("forget_contacts", async { Ok(self.database.run(sql, args![before]).await.map(drop)?) }).await
    }

    async fn ledger(&self, now: Timestamp) -> Result<LedgerPage, StoreError> {
        self.guard.run("ledger", self.page(now)).await
    }

    async fn reset(&self) -> Result<(), StoreError> {
        self.write("reset", Job::Reset).await.map(drop)
    }

    fn is_shared(&self) -> bool {
        self.database.is_shared()
    }
}
