//! Everything the order book writes, by group commit: a batch of any size is a fixed number of statements.

use super::{Begun, Intent, Moved, NewOrder, Outgoing};
use async_trait::async_trait;
use contract::order::OrderStatus;
use contract::{OrderId, Timestamp};
use runtime::args;
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
    SetStatus(OrderId, OrderStatus, Timestamp),
    Settle { done: Vec<i64>, failed: Vec<Outgoing>, now: Timestamp },
}

pub enum Done {
    Begun(Begun),
    /// Whether the row was in the state the job needed.
    Turned(bool),
    Moved(Moved),
    Written,
}

pub struct OrderWrites;

#[async_trait]
impl Apply for OrderWrites {
    type Job = Job;
    type Done = Done;

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Job]) -> Result<Vec<Done>, sqlx::Error> {
        let begun = begin(transaction, jobs).await?;
        let committed = commit(transaction, jobs).await?;
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
                Job::SetStatus(id, status, at) => Done::Moved(set_status(transaction, id, *status, *at).await?),
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
    for new in standing() {
        let order = &new.order;
        let document = serde_json::to_string(order).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        inserts.push(json!({
            "id": order.id, "session": new.session, "name": order.customer_name, "restaurant": order.restaurant_id,
            "status": order.status.as_str(), "cents": order.total_price.cents(), "at": order.timestamp.millis(), "document": document,
        }));
    }
    transaction
        .run(
        "INSERT INTO orders (id, session_id, customer_name, restaurant_id, status, total_cents, created_at_ms, updated_at_ms, document) \
         SELECT value ->> 'id', value ->> 'session', value ->> 'name', value ->> 'restaurant', value ->> 'status', \
         CAST(value ->> 'cents' AS BIGINT), CAST(value ->> 'at' AS BIGINT), CAST(value ->> 'at' AS BIGINT), value ->> 'document' \
         FROM rows_of($1)",
        args![rows(inserts)],
    )
    .await?;

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

async fn set_status(transaction: &mut Connection<'_>, id: &OrderId, next: OrderStatus, at: Timestamp) -> Result<Moved, sqlx::Error> {
    let Some(mut record) = super::book::find_to_change(transaction, id).await? else { return Ok(Moved::Missing) };
    if !record.order.status.may_become(next) {
        return Ok(Moved::Illegal(record.order.status));
    }
    transaction.run("UPDATE orders SET status = $2, updated_at_ms = $3 WHERE id = $1", args![id.as_str(), next.as_str(), at]).await?;
    record.order.status = next;
    record.order.updated_at = at;
    Ok(Moved::Done(Box::new(record)))
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
