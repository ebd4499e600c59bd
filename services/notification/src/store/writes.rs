//! Everything that is written about messages: a batch of any size is a fixed number of statements.

use super::Letter;
use crate::domain::{Draft, LEASE, message_id, of_order, of_refund, owner, wants};
use async_trait::async_trait;
use contract::event::{Event, Fact};
use contract::notification::{Channel, Message, MessageStatus, Preferences};
use contract::{OrderId, Timestamp};
use runtime::args;
use runtime::store::sql::{Apply, Connection, Row};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A statement that answers rows for [`letter`].
macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT seq, attempts, id, order_id, channel, recipient, subject, body, status, created_ms, sent_ms ", $rest)
    };
}
pub(super) use select;

pub fn letter(row: &Row) -> Result<Letter, sqlx::Error> {
    let (channel, status) = (row.text(4)?, row.text(8)?);
    let strange = |what: &str| sqlx::Error::Decode(format!("{what} is not what we write").into());
    let message = Message {
        id: row.text(2)?,
        order_id: OrderId::new(row.text(3)?),
        channel: Channel::from_text(&channel).ok_or_else(|| strange(&channel))?,
        to: row.text(5)?,
        subject: row.text(6)?,
        body: row.text(7)?,
        status: match status.as_str() {
            "queued" => MessageStatus::Queued,
            "sent" => MessageStatus::Sent,
            "failed" => MessageStatus::Failed,
            other => return Err(strange(other)),
        },
        created_at: Timestamp::from_millis(row.int(9)?),
        sent_at: row.opt_int(10)?.map(Timestamp::from_millis),
    };
    Ok(Letter { seq: row.int(0)?, attempts: u32::try_from(row.int(1)?).unwrap_or(u32::MAX), message })
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Sent,
    Failed,
    /// Nobody took it; it is tried again at this moment.
    PutOff(Timestamp),
}

pub enum Job {
    Settle { outcomes: Vec<(i64, Outcome)>, now: Timestamp },
    Claim { before: Timestamp, now: Timestamp, limit: u32 },
    Reset,
}

pub enum Done {
    Claimed(Vec<Letter>),
    Written,
}

pub struct Writes;

#[async_trait]
impl Apply for Writes {
    type Job = Job;
    type Done = Done;

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Job]) -> Result<Vec<Done>, sqlx::Error> {
        let mut done = Vec::with_capacity(jobs.len());
        for job in jobs {
            done.push(match job {
                Job::Settle { outcomes, now } => {
                    settle(transaction, outcomes, *now).await?;
                    Done::Written
                }
                Job::Claim { before, now, limit } => Done::Claimed(claim(transaction, *before, *now, *limit).await?),
                Job::Reset => {
                    reset(transaction).await?;
                    Done::Written
                }
            });
        }
        Ok(done)
    }
}

/// Turns events into messages that are wanted, in the transaction of their consumer; answers those that are new.
///
/// # Errors
/// As every error in a transaction, it ends the transaction.
pub async fn hear(transaction: &mut Connection<'_>, events: &[Event], now: Timestamp) -> Result<Vec<Letter>, sqlx::Error> {
    let contacts = contacts(transaction, events, now).await?;
    let addressed: Vec<Addressed<'_>> = events.iter().filter_map(|event| address(event, &contacts)).collect();
    let preferences = preferences(transaction, &addressed).await?;
    let mut rows = Vec::new();
    for Addressed { event, owner, to, drafts } in &addressed {
        let wished = owner.and_then(|owner| preferences.get(owner)).copied().unwrap_or_default();
        for draft in drafts.iter().filter(|draft| wants(&wished, draft.channel)) {
            rows.push(json!({
                "id": message_id(event, draft.channel),
                "order": event.order_id,
                "channel": draft.channel.as_str(),
                "to": to,
                "subject": draft.subject,
                "body": draft.body,
                "synthetic": i64::from(event.synthetic),
            }));
        }
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "INSERT INTO messages (id, order_id, channel, recipient, subject, body, synthetic, due_ms, created_ms) \
               SELECT value ->> 'id', value ->> 'order', value ->> 'channel', value ->> 'to', value ->> 'subject', value ->> 'body', \
               CAST(value ->> 'synthetic' AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT) FROM rows_of($1) WHERE true \
               ON CONFLICT (id) DO NOTHING \
               RETURNING seq, attempts, id, order_id, channel, recipient, subject, body, status, created_ms, sent_ms";
    let rows = transaction.all(sql, args![Value::Array(rows).to_string(), now + LEASE, now]).await?;
    rows.iter().map(letter).collect()
}

/// What is to be told about an event, before anybody's preferences.
struct Addressed<'e> {
    event: &'e Event,
    owner: Option<&'e str>,
    to: &'e str,
    drafts: Vec<Draft>,
}

/// Whom a refund concerns.
struct Contact {
    name: String,
    owner: Option<String>,
    restaurant: String,
}

/// For a refund of which nothing else is known.
const SOMEBODY: &str = "space traveller";

fn address<'e>(event: &'e Event, contacts: &'e HashMap<String, Contact>) -> Option<Addressed<'e>> {
    if let Some((status, fact)) = event.fact.order() {
        return Some(Addressed { event, owner: owner(event, fact), to: &fact.customer_name, drafts: of_order(status, fact) });
    }
    let Fact::PaymentRefunded(payment) = &event.fact else { return None };
    let contact = contacts.get(event.order_id.as_str());
    let to = contact.map_or(SOMEBODY, |contact| &contact.name);
    let owner = contact.and_then(|contact| contact.owner.as_deref()).or(event.session.as_deref());
    let drafts = of_refund(to, contact.map_or("", |contact| &contact.restaurant), payment.amount);
    Some(Addressed { event, owner, to, drafts })
}

/// Remembers whom orders that ended belong to, and answers it for refunds.
async fn contacts(transaction: &mut Connection<'_>, events: &[Event], now: Timestamp) -> Result<HashMap<String, Contact>, sqlx::Error> {
    let ended = |event: &Event| match &event.fact {
        Fact::OrderCancelled(fact) | Fact::OrderRejected(fact) => Some((
            event.order_id.to_string(),
            json!({"order": event.order_id, "to": fact.customer_name, "owner": owner(event, fact), "restaurant": fact.restaurant_name}),
        )),
        _ => None,
    };
    // One row an order, sorted, so that two replicas lock in one order.
    let rows: BTreeMap<String, Value> = events.iter().filter_map(ended).collect();
    if !rows.is_empty() {
        let sql = "INSERT INTO message_contacts (order_id, recipient, owner, restaurant_name, at_ms) \
                   SELECT value ->> 'order', value ->> 'to', value ->> 'owner', value ->> 'restaurant', CAST($2 AS BIGINT) \
                   FROM rows_of($1) WHERE true ON CONFLICT (order_id) DO NOTHING";
        transaction.run(sql, args![Value::from_iter(rows.into_values()).to_string(), now]).await?;
    }
    let refunded = events.iter().filter(|event| matches!(event.fact, Fact::PaymentRefunded(_)));
    let orders: BTreeSet<&str> = refunded.map(|event| event.order_id.as_str()).collect();
    if orders.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT order_id, recipient, owner, restaurant_name FROM message_contacts WHERE order_id IN (SELECT value FROM list_of($1))";
    let rows = transaction.all(sql, args![Value::from_iter(orders).to_string()]).await?;
    let contact = |row: &Row| Ok((row.text(0)?, Contact { name: row.text(1)?, owner: row.opt_text(2)?, restaurant: row.text(3)? }));
    rows.iter().map(contact).collect()
}

/// What those said who said anything.
async fn preferences(transaction: &mut Connection<'_>, to: &[Addressed<'_>]) -> Result<HashMap<String, Preferences>, sqlx::Error> {
    let owners: BTreeSet<&str> = to.iter().filter_map(|addressed| addressed.owner).collect();
    if owners.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT owner, email, sms, push FROM message_preferences WHERE owner IN (SELECT value FROM list_of($1))";
    let rows = transaction.all(sql, args![Value::from_iter(owners).to_string()]).await?;
    let said = |row: &Row| Ok((row.text(0)?, Preferences { email: row.int(1)? != 0, sms: row.int(2)? != 0, push: row.int(3)? != 0 }));
    rows.iter().map(said).collect()
}

async fn settle(transaction: &mut Connection<'_>, outcomes: &[(i64, Outcome)], now: Timestamp) -> Result<(), sqlx::Error> {
    let places = |wanted: Outcome| {
        let places: BTreeSet<i64> = outcomes.iter().filter(|(_, outcome)| *outcome == wanted).map(|(seq, _)| *seq).collect();
        Value::from_iter(places)
    };
    let sent = places(Outcome::Sent);
    if sent != json!([]) {
        let sql = "UPDATE messages SET status = 'sent', sent_ms = $2 \
                   WHERE status = 'queued' AND seq IN (SELECT CAST(value AS BIGINT) FROM list_of($1))";
        transaction.run(sql, args![sent.to_string(), now]).await?;
    }
    let failed = places(Outcome::Failed);
    if failed != json!([]) {
        let sql = "UPDATE messages SET status = 'failed' \
                   WHERE status = 'queued' AND seq IN (SELECT CAST(value AS BIGINT) FROM list_of($1))";
        transaction.run(sql, args![failed.to_string()]).await?;
    }
    let put_off: Vec<Value> = outcomes
        .iter()
        .filter_map(|(seq, outcome)| match outcome {
            Outcome::PutOff(until) => Some(json!({"seq": seq, "due": until.millis()})),
            Outcome::Sent | Outcome::Failed => None,
        })
        .collect();
    if !put_off.is_empty() {
        let sql = "UPDATE messages SET attempts = attempts + 1, due_ms = later.due_ms FROM \
                   (SELECT CAST(value ->> 'seq' AS BIGINT) AS seq, CAST(value ->> 'due' AS BIGINT) AS due_ms FROM rows_of($1)) AS later \
                   WHERE messages.seq = later.seq AND messages.status = 'queued'";
        transaction.run(sql, args![Value::Array(put_off).to_string()]).await?;
    }
    Ok(())
}

async fn claim(transaction: &mut Connection<'_>, before: Timestamp, now: Timestamp, limit: u32) -> Result<Vec<Letter>, sqlx::Error> {
    // Another replica takes up the rest.
    let due = select!("FROM messages WHERE status = 'queued' AND due_ms < $1 ORDER BY due_ms LIMIT $2 FOR UPDATE SKIP LOCKED");
    let letters = transaction.all(due, args![before, limit]).await?.iter().map(letter).collect::<Result<Vec<_>, _>>()?;
    let places = Value::from_iter(letters.iter().map(|letter| letter.seq)).to_string();
    let take = "UPDATE messages SET due_ms = $2 WHERE seq IN (SELECT CAST(value AS BIGINT) FROM list_of($1))";
    transaction.run(take, args![places, now + LEASE]).await?;
    Ok(letters)
}

async fn reset(transaction: &mut Connection<'_>) -> Result<(), sqlx::Error> {
    transaction.clear(&["messages", "message_contacts", "event_parked"]).await?;
    transaction.run("UPDATE message_totals SET value = 0", args![]).await.map(drop)
}
