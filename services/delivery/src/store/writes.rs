//! What the book writes beside the tick, and the steps that both make.

use super::forget::forget;
use super::hurry::hurry;
use super::rows::{About, about, day, place, status, word};
use super::tick::tick;
use super::{Advance, Advanced, Begun, Ticked, arrivals};
use crate::domain::ride::{self, Slowness};
use crate::domain::roster::CITIES;
use crate::faults::Faults;
use async_trait::async_trait;
use contract::Timestamp;
use contract::delivery::DeliveryStatus;
use contract::event::{DeliveryFact, Event};
use contract::geo::Location;
use runtime::args;
use runtime::events::append;
use runtime::store::sql::{Apply, Connection, Row};
use serde_json::{Value, json};

pub enum Job {
    Found(Timestamp),
    Tick(Timestamp),
    /// Whoever rides more slowly than usual rides on as usual.
    Hurry(Timestamp),
    Advance(Advance),
    SetAutopilot(String, bool),
    /// Deliveries that were completed before.
    Forget(Timestamp),
    Reset(Timestamp),
}

pub enum Done {
    Written,
    Ticked(Ticked),
    Advanced(Advanced),
    /// Whether there is such a row.
    Set(bool),
    /// So many deliveries.
    Forgotten(u64),
}

pub struct DeliveryWrites {
    pub seed: u64,
    pub faults: Faults,
}

#[async_trait]
impl Apply for DeliveryWrites {
    type Job = Job;
    type Done = Done;

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Job]) -> Result<Vec<Done>, sqlx::Error> {
        let mut results = Vec::with_capacity(jobs.len());
        for job in jobs {
            results.push(match job {
                Job::Found(now) => {
                    arrivals::found(transaction, &CITIES.into(), self.seed, *now).await?;
                    Done::Written
                }
                Job::Tick(now) => Done::Ticked(tick(transaction, self.seed, &self.faults, *now).await?),
                Job::Hurry(now) => {
                    hurry(transaction, *now).await?;
                    Done::Written
                }
                Job::Advance(step) => Done::Advanced(advance(transaction, &self.faults, step).await?),
                Job::SetAutopilot(id, autopilot) => Done::Set(set_autopilot(transaction, id, *autopilot).await?),
                Job::Forget(before) => Done::Forgotten(forget(transaction, *before).await?),
                Job::Reset(now) => {
                    transaction.clear(&["deliveries", "couriers", "cities", "event_parked"]).await?;
                    transaction.run("UPDATE delivery_totals SET value = 0", args![]).await?;
                    arrivals::found(transaction, &CITIES.into(), self.seed, *now).await?;
                    Done::Written
                }
            });
        }
        Ok(results)
    }
}

/// A delivery that is being ridden, with its courier.
pub struct Ridden {
    pub about: About,
    pub status: DeliveryStatus,
    pub from: Location,
    pub to: Location,
    pub arrives_at: Timestamp,
    pub courier_id: String,
    pub courier_name: String,
    pub autopilot: bool,
    /// The request that made the last step by hand.
    request: Option<String>,
}

/// The columns of [`Ridden::read`]. A courier's row and its delivery's are locked together.
macro_rules! select_ridden {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            about!(),
            ", d.status, d.from_x, d.from_y, d.to_x, d.to_y, d.arrives_at_ms, c.id, c.name, c.autopilot, d.step_request \
             FROM deliveries AS d JOIN couriers AS c ON c.order_id = d.order_id AND c.id = d.courier_id ",
            $rest
        )
    };
}
pub(super) use select_ridden;

impl Ridden {
    pub fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            about: About::read(row)?,
            status: status(&row.text(6)?)?,
            from: place(row, 7)?,
            to: place(row, 9)?,
            arrives_at: Timestamp::from_millis(row.int(11)?),
            courier_id: row.text(12)?,
            courier_name: row.text(13)?,
            autopilot: row.int(14)? != 0,
            request: row.opt_text(15)?,
        })
    }
}

/// A step to be written.
pub struct Step {
    pub ridden: Ridden,
    pub next: DeliveryStatus,
    /// Whether the courier rides by itself from now on.
    pub autopilot: bool,
    pub request: Option<String>,
}

/// Writes steps, with what follows for the couriers, and their events; answers the ways that begin.
pub async fn write_steps(
    transaction: &mut Connection<'_>,
    faults: &Faults,
    steps: &[Step],
    now: Timestamp,
) -> Result<Vec<Begun>, sqlx::Error> {
    let mut ways = Vec::new();
    if steps.is_empty() {
        return Ok(ways);
    }
    let mut rows = Vec::with_capacity(steps.len());
    let mut events: Vec<Event> = Vec::with_capacity(steps.len());
    for step in steps {
        let Step { ridden, next, autopilot, request } = step;
        let riding_on = *next == DeliveryStatus::PickedUp;
        let here = if riding_on { ridden.from } else { ridden.to };
        let slowness = if riding_on { faults.slowness(ridden.about.whose()).await } else { Slowness::NONE };
        let leg = ride::leg(here, ridden.to, now, slowness);
        if riding_on {
            ways.push(ridden.about.begun(&leg, slowness));
        }
        let expected = if riding_on { leg.arrives_at } else { now };
        rows.push(json!({
            "order": ridden.about.order_id, "was": word(ridden.status), "status": word(*next), "courier": ridden.courier_id,
            "x": here.x, "y": here.y, "arrives": riding_on.then(|| leg.arrives_at.millis()), "expected": expected.millis(),
            "due": riding_on.then(|| ride::due(&leg, *autopilot).millis()), "request": request,
            "carries": riding_on.then_some(&ridden.about.order_id), "autopilot": i64::from(*autopilot), "done": i64::from(!riding_on),
        }));
        let (courier_id, courier_name) = (ridden.courier_id.clone(), ridden.courier_name.clone());
        let fact = DeliveryFact { courier_id, courier_name, arrives_at: Some(expected) };
        events.extend(ridden.about.event(*next, fact, now));
    }
    let rows = Value::Array(rows).to_string();
    let sql = "UPDATE deliveries SET status = value ->> 'status', leg_x = CAST(value ->> 'x' AS BIGINT),
            leg_y = CAST(value ->> 'y' AS BIGINT), departed_at_ms = $2, arrives_at_ms = CAST(value ->> 'arrives' AS BIGINT),
            expected_at_ms = CAST(value ->> 'expected' AS BIGINT), due_at_ms = CAST(value ->> 'due' AS BIGINT), updated_at_ms = $2,
            step_request = value ->> 'request'
        FROM rows_of($1) WHERE deliveries.order_id = value ->> 'order' AND deliveries.status = value ->> 'was'";
    let moved = transaction.run(sql, args![&rows, now]).await?;
    let sql = "UPDATE couriers SET x = CAST(value ->> 'x' AS BIGINT), y = CAST(value ->> 'y' AS BIGINT), order_id = value ->> 'carries',
            free_since_ms = $2, autopilot = CAST(value ->> 'autopilot' AS BIGINT),
            delivered = CAST(value ->> 'done' AS BIGINT) + CASE WHEN couriers.delivered_day = $3 THEN couriers.delivered ELSE 0 END,
            delivered_day = $3
        FROM rows_of($1) WHERE couriers.id = value ->> 'courier' AND couriers.order_id = value ->> 'order'";
    let stepped = transaction.run(sql, args![&rows, now, day(now)]).await?;
    all_changed(steps.len(), &[moved, stepped])?;
    append(transaction, &events).await?;
    Ok(ways)
}

/// What was read under a lock is written as it was read. Anything else ends the transaction, and the next tick starts from what is true.
pub fn all_changed(expected: usize, changed: &[u64]) -> Result<(), sqlx::Error> {
    if changed.iter().all(|rows| usize::try_from(*rows) == Ok(expected)) {
        return Ok(());
    }
    Err(sqlx::Error::Protocol(format!("deliveries changed in between: {changed:?} rows of {expected}")))
}

async fn advance(transaction: &mut Connection<'_>, faults: &Faults, step: &Advance) -> Result<Advanced, sqlx::Error> {
    let Advance { courier, order_id, request, at } = step;
    let sql = select_ridden!("WHERE d.order_id = $1 AND c.id = $2 FOR UPDATE");
    let Some(row) = transaction.optional(sql, args![order_id.as_str(), courier]).await? else {
        let sql = "SELECT 1 FROM deliveries WHERE order_id = $1 AND courier_id = $2";
        let carried = transaction.optional(sql, args![order_id.as_str(), courier]).await?;
        return Ok(if carried.is_some() { Advanced::Already } else { Advanced::NotCarried });
    };
    let ridden = Ridden::read(&row)?;
    let repeated = !request.is_empty() && ridden.request.as_ref() == Some(request);
    let Some(next) = ride::next(ridden.status).filter(|_| !repeated) else { return Ok(Advanced::Already) };
    let (autopilot, request) = (ridden.autopilot, Some(request.clone()));
    write_steps(transaction, faults, &[Step { ridden, next, autopilot, request }], *at).await?;
    Ok(Advanced::Done(next))
}

async fn set_autopilot(transaction: &mut Connection<'_>, id: &str, autopilot: bool) -> Result<bool, sqlx::Error> {
    if transaction.run("UPDATE couriers SET autopilot = $2 WHERE id = $1", args![id, autopilot]).await? == 0 {
        return Ok(false);
    }
    // What is being carried goes on at once, or waits for the person.
    let wait_ms = if autopilot { 0 } else { i64::try_from(ride::HAND_LIMIT.as_millis()).unwrap_or(i64::MAX) };
    let sql = "UPDATE deliveries SET due_at_ms = arrives_at_ms + $2 WHERE courier_id = $1 AND status IN ('assigned', 'pickedUp')";
    transaction.run(sql, args![id, wait_ms]).await?;
    Ok(true)
}
