//! Everything the order book writes, by group commit: a batch of any size is a fixed number of statements.

use super::ledger::Recent;
use super::moves::Desk;
use super::{Begun, Change, Intent, Moved, NewOrder, Outgoing, Steps};
use crate::domain::{Actor, Progress};
use crate::facts;
use async_trait::async_trait;
use contract::order::OrderStatus;
use contract::{OrderId, RestaurantId, Timestamp};
use runtime::args;
use runtime::chance::Chance;
use runtime::events::outbox;
use runtime::store::sql::{Apply, Connection};
use serde_json::{Value, json};
use std::collections::HashSet;

/// First wait of an outbox row that could not be delivered; doubles with every attempt.
const FIRST_BACK_OFF_MS: i64 = 250;
const MAX_BACK_OFF_MS: i64 = 30_000;

pub enum Job {
    Begin(Intent),
    Commit(Box<NewOrder>),
    Discard(OrderId),
    Abort(OrderId),
    Forget(OrderId),
    ForgetAnswers(Timestamp),
    Change(Change),
    Cook { now: Timestamp, limit: u32 },
    Sweep { now: Timestamp, limit: u32 },
    SetAutopilot { restaurant: RestaurantId, on: bool },
    Claim { from: String, to: String, user: String },
    ForgetRecent(Timestamp),
    Reset,
    Settle { done: Vec<i64>, failed: Vec<Outgoing>, now: Timestamp },
}

pub enum Done {
    Begun(Begun),
    /// Whether the row was in the state the job needed.
    Turned(bool),
    Moved(Moved),
    /// How many orders were looked at, and what they became.
    Steps(u32, Steps),
    Written,
}

pub struct OrderWrites {
    pub chance: Chance,
}

#[async_trait]
impl Apply for OrderWrites {
    type Job = Job;
    type Done = Done;

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Job]) -> Result<Vec<Done>, sqlx::Error> {
        let begun = begin(transaction, jobs).await?;
        let committed = commit(transaction, jobs).await?;
        let mut moved = change(transaction, jobs, &self.chance).await?.into_iter();
        let mut results = Vec::with_capacity(jobs.len());
        for job in jobs {
            results.push(match job {
                Job::Begin(intent) if begun.contains(intent.order_id.as_str()) => Done::Begun(Begun::Started),
                Job::Begin(intent) => Done::Begun(explain(transaction, intent).await?),
                Job::Commit(new) => Done::Turned(committed.contains(new.order.id.as_str())),
                Job::Discard(id) => Done::Turned(discard(transaction, id).await?),
                Job::Abort(id) => Done::Turned(abort(transaction, id).await?),
                Job::Forget(id) => {
                    transaction.run("DELETE FROM requests WHERE order_id = $1 AND state = 'aborting'", args![id.as_str()]).await?;
                    Done::Written
                }
                Job::ForgetAnswers(before) => {
                    transaction.run("DELETE FROM requests WHERE state = 'done' AND created_at_ms < $1", args![*before]).await?;
                    Done::Written
                }
                Job::Change(_) => Done::Moved(moved.next().unwrap_or(Moved::Missing)),
                Job::Cook { now, limit } => cook(transaction, *now, *limit, &self.chance).await?,
                Job::Sweep { now, limit } => sweep(transaction, *now, *limit, &self.chance).await?,
                Job::SetAutopilot { restaurant, on } => {
                    let set = "INSERT INTO kitchens (restaurant_id, autopilot) VALUES ($1, $2) \
                        ON CONFLICT (restaurant_id) DO UPDATE SET autopilot = excluded.autopilot";
                    transaction.run(set, args![restaurant.as_str(), *on]).await?;
                    Done::Written
                }
                Job::Claim { from, to, user } => {
                    transaction.run("UPDATE orders SET owner_id = $2, user_id = $3 WHERE owner_id = $1", args![from, to, user]).await?;
                    Done::Written
                }
                Job::ForgetRecent(before) => {
                    transaction.run("DELETE FROM ledger_recent WHERE at_ms < $1", args![*before]).await?;
                    Done::Written
                }
                Job::Reset => {
                    reset(transaction).await?;
                    Done::Written
                }
                Job::Settle { done, failed, now } => {
                    settle(transaction, done, failed, *now).await?;
                    Done::Written
                }
            });
        }
        Ok(results)
    }
}

fn rows(rows: Vec<Value>) -> String {
    Value::Array(rows).to_string()
}

async fn returned(transaction: &mut Connection<'_>, statement: &'static str, rows: String) -> Result<HashSet<String>, sqlx::Error> {
    let answered = transaction.all(statement, args![rows]).await?;
    answered.iter().map(|row| row.text(0)).collect()
}

/// Answers the orders whose intents were new.
async fn begin(transaction: &mut Connection<'_>, jobs: &[Job]) -> Result<HashSet<String>, sqlx::Error> {
    let mut intents: Vec<&Intent> = jobs
        .iter()
        .filter_map(|job| match job {
            Job::Begin(intent) => Some(intent),
            _ => None,
        })
        .collect();
    if intents.is_empty() {
        return Ok(HashSet::new());
    }
    // Two replicas claim the same keys in the same order. Of equal ones the first still comes first.
    intents.sort_by_key(|intent| (&intent.scope, &intent.key));
    let row = |intent: &&Intent| {
        json!({
            "scope": intent.scope, "key": intent.key, "hash": intent.body_hash,
            "cart": intent.cart_id, "order": intent.order_id, "at": intent.at.millis(),
        })
    };
    let intents = intents.iter().map(row).collect();
    let statement = "INSERT INTO requests (scope, key, body_hash, cart_id, order_id, state, created_at_ms) \
        SELECT value ->> 'scope', value ->> 'key', value ->> 'hash', value ->> 'cart', value ->> 'order', 'intent', \
        CAST(value ->> 'at' AS BIGINT) FROM rows_of($1) WHERE true ON CONFLICT DO NOTHING RETURNING order_id";
    returned(transaction, statement, rows(intents)).await
}

/// Why an intent was not new.
async fn explain(transaction: &mut Connection<'_>, intent: &Intent) -> Result<Begun, sqlx::Error> {
    let by_key = "SELECT body_hash, state, order_id FROM requests WHERE scope = $1 AND key = $2";
    if let Some(row) = transaction.optional(by_key, args![&intent.scope, &intent.key]).await? {
        let (hash, state, order) = (row.text(0)?, row.text(1)?, row.text(2)?);
        if state == "aborting" {
            return Ok(Begun::GivenUp(OrderId::new(order)));
        }
        if hash != intent.body_hash {
            return Ok(Begun::OtherBody);
        }
        if state != "done" {
            return Ok(Begun::InFlight);
        }
        let document = transaction.one("SELECT document FROM orders WHERE id = $1", args![order]).await?.text(0)?;
        let order = serde_json::from_str(&document).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        return Ok(Begun::Replay(Box::new(order)));
    }
    let by_cart = "SELECT state, order_id FROM requests WHERE cart_id = $1";
    let Some(row) = transaction.optional(by_cart, args![intent.cart_id.as_str()]).await? else { return Ok(Begun::InFlight) };
    Ok(match row.text(0)?.as_str() {
        "done" => Begun::CartOrdered(OrderId::new(row.text(1)?)),
        "aborting" => Begun::GivenUp(OrderId::new(row.text(1)?)),
        _ => Begun::InFlight,
    })
}

/// Turns intents into orders; answers the orders that stand now.
async fn commit(transaction: &mut Connection<'_>, jobs: &[Job]) -> Result<HashSet<String>, sqlx::Error> {
    let orders: Vec<&NewOrder> = jobs
        .iter()
        .filter_map(|job| match job {
            Job::Commit(new) => Some(&**new),
            _ => None,
        })
        .collect();
    if orders.is_empty() {
        return Ok(HashSet::new());
    }
    let ids = rows(orders.iter().map(|new| json!(new.order.id)).collect());
    let turn =
        "UPDATE requests SET state = 'done' WHERE state = 'intent' AND order_id IN (SELECT value FROM list_of($1)) RETURNING order_id";
    let turned = returned(transaction, turn, ids).await?;
    let standing = || orders.iter().filter(|new| turned.contains(new.order.id.as_str()));

    let mut inserts = Vec::with_capacity(orders.len());
    let mut events = Vec::with_capacity(orders.len());
    let mut recent = Recent::default();
    let mut latest = Timestamp::default();
    for new in standing() {
        let (order, whose) = (&new.order, &new.whose);
        let document = serde_json::to_string(order).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        let units: u32 = order.items.iter().map(|line| line.quantity).sum();
        let progress = Progress::new(order.timestamp);
        inserts.push(json!({
            "id": order.id, "owner": whose.owner, "session": whose.session, "user": whose.user, "synthetic": u8::from(whose.synthetic),
            "trace": whose.traceparent, "name": order.customer_name, "restaurant": order.restaurant_id, "units": units,
            "status": progress.status.as_str(), "cents": order.total_price.cents(), "at": order.timestamp.millis(),
            "holder": progress.holder.map(|holder| holder.as_str()), "deadline": progress.deadline.map(Timestamp::millis),
            "document": document,
        }));
        events.push(facts::reached(order, whose, OrderStatus::Pending, order.timestamp, false, None));
        recent.add("orders", 1);
        recent.add("sold_units", units.into());
        latest = latest.max(order.timestamp);
    }
    let insert = "INSERT INTO orders (id, owner_id, session_id, user_id, synthetic, traceparent, customer_name, restaurant_id, units, \
        status, total_cents, created_at_ms, updated_at_ms, holder, deadline_ms, document) \
        SELECT value ->> 'id', value ->> 'owner', value ->> 'session', value ->> 'user', CAST(value ->> 'synthetic' AS BIGINT), \
        value ->> 'trace', value ->> 'name', value ->> 'restaurant', CAST(value ->> 'units' AS BIGINT), value ->> 'status', \
        CAST(value ->> 'cents' AS BIGINT), CAST(value ->> 'at' AS BIGINT), CAST(value ->> 'at' AS BIGINT), value ->> 'holder', \
        CAST(value ->> 'deadline' AS BIGINT), value ->> 'document' FROM rows_of($1)";
    transaction.run(insert, args![rows(inserts)]).await?;
    outbox::append(transaction, &events).await?;
    recent.write(transaction, latest).await?;

    let outgoing = standing().flat_map(|new| {
        let at = new.order.timestamp.millis();
        [
            json!({"kind": "confirm_stock", "order": new.order.id, "payload": "", "at": at}),
            json!({"kind": "clear_cart", "order": new.order.id, "payload": new.cart_id, "at": at}),
        ]
    });
    transaction
        .run(
            "INSERT INTO outbox (kind, order_id, payload, due_at_ms) \
         SELECT value ->> 'kind', value ->> 'order', value ->> 'payload', CAST(value ->> 'at' AS BIGINT) FROM rows_of($1)",
            args![rows(outgoing.collect())],
        )
        .await?;
    Ok(turned)
}

async fn discard(transaction: &mut Connection<'_>, id: &OrderId) -> Result<bool, sqlx::Error> {
    Ok(transaction.run("DELETE FROM requests WHERE order_id = $1 AND state = 'intent'", args![id.as_str()]).await? > 0)
}

async fn abort(transaction: &mut Connection<'_>, id: &OrderId) -> Result<bool, sqlx::Error> {
    let mark = "UPDATE requests SET state = 'aborting' WHERE order_id = $1 AND state IN ('intent', 'aborting')";
    Ok(transaction.run(mark, args![id.as_str()]).await? > 0)
}

/// Makes the changes that were asked for, one answer each.
async fn change(transaction: &mut Connection<'_>, jobs: &[Job], chance: &Chance) -> Result<Vec<Moved>, sqlx::Error> {
    let changes: Vec<&Change> = jobs
        .iter()
        .filter_map(|job| match job {
            Job::Change(change) => Some(change),
            _ => None,
        })
        .collect();
    let Some(now) = changes.iter().map(|change| change.at).max() else { return Ok(Vec::new()) };
    let mut desk = Desk::open(transaction, changes.iter().map(|change| &change.order), now).await?;
    let moved = changes.iter().map(|change| desk.change(change, chance)).collect();
    desk.write(transaction).await?;
    Ok(moved)
}

async fn cook(transaction: &mut Connection<'_>, now: Timestamp, limit: u32, chance: &Chance) -> Result<Done, sqlx::Error> {
    let mut desk = Desk::due(transaction, now, limit).await?;
    let ids = desk.ids();
    for id in &ids {
        for to in desk.progress(id).map(Progress::autopilot).unwrap_or_default() {
            desk.follow(id, Actor::Kitchen, *to, None, None, chance);
        }
    }
    Ok(Done::Steps(count(&ids), desk.write(transaction).await?))
}

async fn sweep(transaction: &mut Connection<'_>, now: Timestamp, limit: u32, chance: &Chance) -> Result<Done, sqlx::Error> {
    let mut desk = Desk::overdue(transaction, now, limit).await?;
    let ids = desk.ids();
    for id in &ids {
        desk.sweep(id, chance);
    }
    Ok(Done::Steps(count(&ids), desk.write(transaction).await?))
}

fn count(ids: &[OrderId]) -> u32 {
    u32::try_from(ids.len()).unwrap_or(u32::MAX)
}

/// Back to a book nobody has written into. What is on the bus already finds no order here and changes nothing.
async fn reset(transaction: &mut Connection<'_>) -> Result<(), sqlx::Error> {
    transaction.clear(&["requests", "orders", "outbox", "kitchens", "ledger_recent"]).await?;
    for statement in [
        // A copy of a file that services once shared may hold the events of others, too.
        "DELETE FROM event_outbox WHERE kind LIKE 'order.%'",
        "DELETE FROM event_parked WHERE consumer = 'order'",
        "UPDATE ledger_totals SET value = 0",
    ] {
        transaction.run(statement, args![]).await?;
    }
    Ok(())
}

async fn settle(transaction: &mut Connection<'_>, done: &[i64], failed: &[Outgoing], now: Timestamp) -> Result<(), sqlx::Error> {
    if !done.is_empty() {
        let ids = rows(done.iter().map(|id| json!(id)).collect());
        transaction.run("DELETE FROM outbox WHERE id IN (SELECT CAST(value AS BIGINT) FROM list_of($1))", args![ids]).await?;
    }
    for row in failed {
        let wait = FIRST_BACK_OFF_MS.saturating_mul(1 << row.attempts.clamp(0, 16)).min(MAX_BACK_OFF_MS);
        let put_off = "UPDATE outbox SET attempts = attempts + 1, due_at_ms = $2 WHERE id = $1";
        transaction.run(put_off, args![row.id, now.millis() + wait]).await?;
    }
    Ok(())
}
