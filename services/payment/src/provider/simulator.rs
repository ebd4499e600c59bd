//! A bank that is none: test cards, a little latency, and books of its own, so that what it did survives us.

use super::{ChargeAnswer, NoAnswer, PaymentProvider, RefundAnswer};
use crate::domain::Payment;
use async_trait::async_trait;
use contract::{Money, OrderId, Timestamp};
use runtime::args;
use runtime::chance::Chance;
use runtime::clock::SharedClock;
use runtime::store::sql::{Apply, Connection, Database, GroupCommit};
use runtime::store::{StoreError, StoreGuard};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::time::Duration;
use tokio::time::sleep;

/// How long the way to the bank and back takes, in milliseconds. Payments are on it side by side, so it limits nobody's throughput.
const LATENCY_MS: RangeInclusive<i64> = 10..=40;

/// The same with the slow test card.
const SLOW: Duration = Duration::from_secs(5);

pub struct Simulator {
    books: GroupCommit<Books>,
    guard: StoreGuard,
    clock: SharedClock,
    chance: Chance,
}

impl Simulator {
    /// Its books lie in `database`, in a table that nothing else writes.
    pub fn new(database: &Database, guard: StoreGuard, clock: SharedClock, chance: Chance) -> Self {
        Self { books: GroupCommit::start(database, Books), guard, clock, chance }
    }

    async fn latency(&self, method: &str) {
        let drawn = Duration::from_millis(self.chance.range(LATENCY_MS).unsigned_abs());
        sleep(if method == "card-slow" { SLOW } else { drawn }).await;
    }

    async fn write(&self, operation: &'static str, job: Job) -> Result<Entry, NoAnswer> {
        let nothing = || StoreError::Corrupt("the bank has nothing under this key".to_owned());
        let written = self.guard.run(operation, async { self.books.submit(job).await?.ok_or_else(nothing) }).await;
        written.map_err(|error| NoAnswer(error.to_string()))
    }
}

/// Why a card takes no charge, for its owner.
fn refusal(method: &str) -> Option<&'static str> {
    match method {
        "card-declined" => Some("Your bank declined the card."),
        "card-insufficient" => Some("There is not enough money on the card."),
        _ => None,
    }
}

#[async_trait]
impl PaymentProvider for Simulator {
    async fn charge(&self, payment: &Payment) -> Result<ChargeAnswer, NoAnswer> {
        self.latency(&payment.method).await;
        let job =
            Job::Charge { key: payment.order_id.clone(), amount: payment.amount, refusal: refusal(&payment.method), at: self.clock.now() };
        Ok(match self.write("charge", job).await? {
            Entry::Charged | Entry::Refunded => ChargeAnswer::Taken,
            Entry::Declined(reason) => ChargeAnswer::Declined(reason),
            Entry::Closed => ChargeAnswer::Closed,
        })
    }

    async fn refund(&self, payment: &Payment) -> Result<RefundAnswer, NoAnswer> {
        self.latency("refund").await;
        let job = Job::Refund { key: payment.order_id.clone(), at: self.clock.now() };
        Ok(match self.write("refund", job).await? {
            Entry::Refunded => RefundAnswer::Returned,
            Entry::Charged | Entry::Declined(_) | Entry::Closed => RefundAnswer::NothingTaken,
        })
    }

    async fn finish(&self) -> Result<(), NoAnswer> {
        // Jobs are written in the order in which they were handed in.
        self.books.submit(Job::Nothing).await.map(drop).map_err(|error| NoAnswer(error.to_string()))
    }
}

enum Job {
    Charge { key: OrderId, amount: Money, refusal: Option<&'static str>, at: Timestamp },
    Refund { key: OrderId, at: Timestamp },
    Nothing,
}

impl Job {
    const fn key(&self) -> Option<&OrderId> {
        match self {
            Self::Charge { key, .. } | Self::Refund { key, .. } => Some(key),
            Self::Nothing => None,
        }
    }
}

/// What stands under a key in the bank's books.
#[derive(Clone, Debug)]
enum Entry {
    Charged,
    Declined(String),
    Closed,
    Refunded,
}

struct Books;

#[async_trait]
impl Apply for Books {
    type Job = Job;
    /// Nothing for nothing.
    type Done = Option<Entry>;

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Job]) -> Result<Vec<Option<Entry>>, sqlx::Error> {
        // By key, so that two replicas lock in one order.
        let mut sorted: Vec<&Job> = jobs.iter().collect();
        sorted.sort_by_key(|job| job.key());
        // Of a charge and a refund that meet here, the charge came first. Answers are what stands at the end.
        let mut new = charge(transaction, &sorted).await?;
        new.extend(refund(transaction, &sorted).await?);
        let known = sorted.iter().filter_map(|job| job.key()).map(OrderId::as_str).filter(|key| !new.contains_key(*key)).collect();
        let known = read(transaction, known).await?;
        let entry = |job: &Job| match job.key().map(OrderId::as_str) {
            None => Ok(None),
            Some(key) => new.get(key).or_else(|| known.get(key)).cloned().map(Some).ok_or(sqlx::Error::RowNotFound),
        };
        jobs.iter().map(entry).collect()
    }
}

fn list(rows: Vec<Value>) -> String {
    Value::Array(rows).to_string()
}

/// Books charges under keys that are new; answers those entries.
async fn charge(transaction: &mut Connection<'_>, jobs: &[&Job]) -> Result<HashMap<String, Entry>, sqlx::Error> {
    let charge = |job: &&Job| match job {
        Job::Charge { key, amount, refusal, at } => Some(json!({
            "key": key, "state": if refusal.is_some() { "declined" } else { "charged" }, "cents": amount.cents(),
            "reason": refusal, "at": at.millis(),
        })),
        Job::Refund { .. } | Job::Nothing => None,
    };
    let rows: Vec<Value> = jobs.iter().filter_map(charge).collect();
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "INSERT INTO provider_charges (key, state, amount_cents, reason, at_ms) \
               SELECT value ->> 'key', value ->> 'state', CAST(value ->> 'cents' AS BIGINT), value ->> 'reason', \
               CAST(value ->> 'at' AS BIGINT) FROM rows_of($1) WHERE true ON CONFLICT (key) DO NOTHING RETURNING key, state, reason";
    entries(transaction, sql, rows).await
}

/// Gives back what was taken and closes the keys under which nothing was; answers the entries that changed.
async fn refund(transaction: &mut Connection<'_>, jobs: &[&Job]) -> Result<HashMap<String, Entry>, sqlx::Error> {
    let refund = |job: &&Job| match job {
        Job::Refund { key, at } => Some(json!({"key": key, "at": at.millis()})),
        Job::Charge { .. } | Job::Nothing => None,
    };
    let rows: Vec<Value> = jobs.iter().filter_map(refund).collect();
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let close = "INSERT INTO provider_charges (key, state, amount_cents, at_ms) \
                 SELECT value ->> 'key', 'closed', 0, CAST(value ->> 'at' AS BIGINT) FROM rows_of($1) WHERE true \
                 ON CONFLICT (key) DO NOTHING RETURNING key, state, reason";
    let mut changed = entries(transaction, close, rows.clone()).await?;
    let give_back = "UPDATE provider_charges SET state = 'refunded', refunded_cents = amount_cents, refunded_ms = back.at_ms \
                     FROM (SELECT value ->> 'key' AS key, CAST(value ->> 'at' AS BIGINT) AS at_ms FROM rows_of($1)) AS back \
                     WHERE provider_charges.key = back.key AND provider_charges.state = 'charged' \
                     RETURNING provider_charges.key, provider_charges.state, provider_charges.reason";
    changed.extend(entries(transaction, give_back, rows).await?);
    Ok(changed)
}

async fn read(transaction: &mut Connection<'_>, keys: HashSet<&str>) -> Result<HashMap<String, Entry>, sqlx::Error> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT key, state, reason FROM provider_charges WHERE key IN (SELECT value FROM list_of($1))";
    entries(transaction, sql, keys.into_iter().map(Value::from).collect()).await
}

async fn entries(transaction: &mut Connection<'_>, sql: &'static str, rows: Vec<Value>) -> Result<HashMap<String, Entry>, sqlx::Error> {
    let rows = transaction.all(sql, args![list(rows)]).await?;
    rows.iter()
        .map(|row| {
            let entry = match row.text(1)?.as_str() {
                "charged" => Entry::Charged,
                "refunded" => Entry::Refunded,
                "closed" => Entry::Closed,
                "declined" => Entry::Declined(row.opt_text(2)?.unwrap_or_default()),
                other => return Err(sqlx::Error::Decode(format!("{other} is not a state of the bank").into())),
            };
            Ok((row.text(0)?, entry))
        })
        .collect()
}
