//! Everything that is written about payments: a batch of any size is a fixed number of statements.

use super::Answered;
use crate::domain::{Happened, LEASE, Payment, State, happened};
use async_trait::async_trait;
use contract::event::Event;
use contract::{Money, OrderId, RestaurantId, Timestamp};
use runtime::args;
use runtime::events::outbox;
use runtime::store::sql::{Apply, Connection, Row};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A statement that answers rows for [`payment`].
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT order_id, restaurant_id, city, status, amount_cents, method, reason, synthetic, session_id, traceparent, ",
            "attempts, due_ms, charged_ms, refunded_ms, created_ms, updated_ms ",
            $rest
        )
    };
}
pub(super) use select;

pub enum Job {
    Answer { order: OrderId, happened: Happened, traceparent: Option<String>, now: Timestamp },
    PutOff { order: OrderId, now: Timestamp },
    Claim { before: Timestamp, now: Timestamp, limit: u32 },
    Reset,
}

pub enum Done {
    Answered(Answered),
    Claimed(Vec<Payment>),
    Written,
}

pub struct Writes;

#[async_trait]
impl Apply for Writes {
    type Job = Job;
    type Done = Done;

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Job]) -> Result<Vec<Done>, sqlx::Error> {
        let orders = jobs.iter().filter_map(|job| match job {
            Job::Answer { order, .. } | Job::PutOff { order, .. } => Some(order.as_str()),
            _ => None,
        });
        let mut desk = Desk::open(transaction, orders.collect()).await?;
        let mut news = Vec::new();
        let mut done = Vec::with_capacity(jobs.len());
        for job in jobs {
            done.push(match job {
                Job::Answer { order, happened, traceparent, now } => {
                    let mut answered = Answered::default();
                    desk.change(order, |payment| {
                        if !payment.step(happened, *now) {
                            return false;
                        }
                        if traceparent.is_some() {
                            payment.traceparent.clone_from(traceparent);
                        }
                        news.extend(payment.news(*now));
                        answered.became = Some(payment.state);
                        answered.next = payment.state.wants().map(|_| Box::new(payment.clone()));
                        true
                    });
                    Done::Answered(answered)
                }
                Job::PutOff { order, now } => {
                    desk.change(order, |payment| {
                        payment.put_off(*now);
                        payment.state.wants().is_some()
                    });
                    Done::Written
                }
                Job::Claim { .. } | Job::Reset => Done::Written,
            });
        }
        desk.save(transaction).await?;
        outbox::append(transaction, &news).await?;
        for (job, done) in jobs.iter().zip(&mut done) {
            match job {
                Job::Claim { before, now, limit } => *done = Done::Claimed(claim(transaction, *before, *now, *limit).await?),
                Job::Reset => reset(transaction).await?,
                _ => {}
            }
        }
        Ok(done)
    }
}

/// Takes events into the books, in the transaction of their consumer; answers the payments that the bank has to be asked about.
///
/// # Errors
/// As every error in a transaction, it ends the transaction.
pub async fn hear(transaction: &mut Connection<'_>, events: &[Event], now: Timestamp) -> Result<Vec<Payment>, sqlx::Error> {
    let mut desk = Desk::open(transaction, events.iter().map(|event| event.order_id.as_str()).collect()).await?;
    for event in events {
        let Some((happened, fact)) = happened(event) else { continue };
        let known = desk.change(&event.order_id, |payment| {
            let changed = payment.step(&happened, now);
            if changed && event.traceparent.is_some() {
                payment.traceparent.clone_from(&event.traceparent);
            }
            changed
        });
        if !known && let Some(payment) = Payment::begin(event, &happened, fact, now) {
            desk.add(payment);
        }
    }
    desk.save(transaction).await?;
    Ok(desk.changed().filter(|payment| payment.state.wants().is_some()).cloned().collect())
}

/// The payments a transaction works on: locked, changed one after the other, written together. Sorted by id, so that two replicas never
/// lock each other out.
struct Desk {
    payments: BTreeMap<String, Payment>,
    changed: BTreeSet<String>,
}

impl Desk {
    async fn open(transaction: &mut Connection<'_>, orders: BTreeSet<&str>) -> Result<Self, sqlx::Error> {
        let mut payments = BTreeMap::new();
        if !orders.is_empty() {
            let orders = Value::from_iter(orders).to_string();
            let sql = select!("FROM payments WHERE order_id IN (SELECT value FROM list_of($1)) ORDER BY order_id FOR UPDATE");
            for row in transaction.all(sql, args![orders]).await? {
                let payment = payment(&row)?;
                payments.insert(payment.order_id.to_string(), payment);
            }
        }
        Ok(Self { payments, changed: BTreeSet::new() })
    }

    /// Lets `change` at a payment, and remembers it when it answers true; false when there is no such payment.
    fn change(&mut self, order: &OrderId, change: impl FnOnce(&mut Payment) -> bool) -> bool {
        let Some(payment) = self.payments.get_mut(order.as_str()) else { return false };
        if change(payment) {
            self.changed.insert(order.to_string());
        }
        true
    }

    fn add(&mut self, payment: Payment) {
        self.changed.insert(payment.order_id.to_string());
        self.payments.insert(payment.order_id.to_string(), payment);
    }

    fn changed(&self) -> impl Iterator<Item = &Payment> {
        self.changed.iter().filter_map(|order| self.payments.get(order))
    }

    async fn save(&self, transaction: &mut Connection<'_>) -> Result<(), sqlx::Error> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO payments (order_id, restaurant_id, city, status, amount_cents, method, reason, synthetic, session_id, \
                   traceparent, attempts, due_ms, charged_ms, refunded_ms, created_ms, updated_ms) \
                   SELECT value ->> 'order', value ->> 'restaurant', value ->> 'city', value ->> 'status', \
                   CAST(value ->> 'cents' AS BIGINT), value ->> 'method', value ->> 'reason', CAST(value ->> 'synthetic' AS BIGINT), \
                   value ->> 'session', value ->> 'traceparent', CAST(value ->> 'attempts' AS BIGINT), CAST(value ->> 'due' AS BIGINT), \
                   CAST(value ->> 'charged' AS BIGINT), CAST(value ->> 'refunded' AS BIGINT), CAST(value ->> 'created' AS BIGINT), \
                   CAST(value ->> 'updated' AS BIGINT) FROM rows_of($1) WHERE true \
                   ON CONFLICT (order_id) DO UPDATE SET status = excluded.status, reason = excluded.reason, \
                   traceparent = excluded.traceparent, attempts = excluded.attempts, due_ms = excluded.due_ms, \
                   charged_ms = excluded.charged_ms, refunded_ms = excluded.refunded_ms, updated_ms = excluded.updated_ms";
        let rows: Vec<Value> = self.changed().map(row).collect();
        transaction.run(sql, args![Value::Array(rows).to_string()]).await.map(drop)
    }
}

fn row(payment: &Payment) -> Value {
    json!({
        "order": payment.order_id,
        "restaurant": payment.restaurant_id,
        "city": payment.city,
        "status": payment.state.as_str(),
        "cents": payment.amount.cents(),
        "method": payment.method,
        "reason": payment.reason,
        "synthetic": i64::from(payment.synthetic),
        "session": payment.session,
        "traceparent": payment.traceparent,
        "attempts": payment.attempts,
        "due": payment.due_at.millis(),
        "charged": payment.charged_at.map(Timestamp::millis),
        "refunded": payment.refunded_at.map(Timestamp::millis),
        "created": payment.created_at.millis(),
        "updated": payment.updated_at.millis(),
    })
}

pub fn payment(row: &Row) -> Result<Payment, sqlx::Error> {
    let status = row.text(3)?;
    let state = State::from_text(&status).ok_or_else(|| sqlx::Error::Decode(format!("{status} is not a state").into()))?;
    let moment = |column| row.int(column).map(Timestamp::from_millis);
    Ok(Payment {
        order_id: OrderId::new(row.text(0)?),
        restaurant_id: RestaurantId::new(row.text(1)?),
        city: row.text(2)?,
        state,
        amount: Money::from_cents(row.int(4)?),
        method: row.text(5)?,
        reason: row.opt_text(6)?,
        synthetic: row.int(7)? != 0,
        session: row.opt_text(8)?,
        traceparent: row.opt_text(9)?,
        attempts: u32::try_from(row.int(10)?).unwrap_or(u32::MAX),
        due_at: moment(11)?,
        charged_at: row.opt_int(12)?.map(Timestamp::from_millis),
        refunded_at: row.opt_int(13)?.map(Timestamp::from_millis),
        created_at: moment(14)?,
        updated_at: moment(15)?,
    })
}

async fn claim(transaction: &mut Connection<'_>, before: Timestamp, now: Timestamp, limit: u32) -> Result<Vec<Payment>, sqlx::Error> {
    // Another replica takes up the rest.
    let due = select!("FROM payments WHERE open = 1 AND due_ms < $1 ORDER BY due_ms LIMIT $2 FOR UPDATE SKIP LOCKED");
    let mut payments = transaction.all(due, args![before, limit]).await?.iter().map(payment).collect::<Result<Vec<_>, _>>()?;
    let until = now + LEASE;
    for payment in &mut payments {
        payment.due_at = until;
    }
    let orders = Value::from_iter(payments.iter().map(|payment| payment.order_id.as_str())).to_string();
    let take = "UPDATE payments SET due_ms = $2 WHERE order_id IN (SELECT value FROM list_of($1))";
    transaction.run(take, args![orders, until]).await?;
    Ok(payments)
}

async fn reset(transaction: &mut Connection<'_>) -> Result<(), sqlx::Error> {
    transaction.clear(&["payments", "provider_charges", "settlement", "event_parked"]).await?;
    transaction.run("UPDATE payment_totals SET value = 0", args![]).await.map(drop)
}
