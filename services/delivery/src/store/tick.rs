//! One tick: what is due moves on, what waits is assigned, freelancers come and go.
//!
//! A tick takes only rows that nobody else has locked and never waits for one, so that two replicas that tick at once share the work and
//! never stop each other. A city is assigned by one of them at a time: its row is the lock.

use super::rows::{About, about, place, word};
use super::writes::{Ridden, Step, all_changed, select_ridden, write_steps};
use super::{Begun, Ticked, arrivals};
use crate::domain::{dispatch, ride, roster, staff};
use crate::faults::{Away, Faults};
use contract::delivery::DeliveryStatus;
use contract::event::{DeliveryFact, Event};
use contract::geo::Location;
use contract::{OrderId, Timestamp};
use runtime::args;
use runtime::events::append;
use runtime::store::sql::{Connection, Row};
use serde_json::{Value, json};
use std::time::Duration;

/// Most steps of one tick. With four ticks a second that is more than all couriers of the platform's cities make.
const STEPS_AT_ONCE: u32 = 1_000;

/// Most orders that get a courier in one tick.
const ASSIGNED_AT_ONCE: usize = 1_000;

/// Most freelancers who leave in one tick.
const LEAVE_AT_ONCE: u32 = 200;

/// Most orders of one city, of people and of load each, that are looked at for one whose couriers are there.
const LOOKED_AT: u32 = 1_000;

pub async fn tick(transaction: &mut Connection<'_>, seed: u64, faults: &Faults, now: Timestamp) -> Result<Ticked, sqlx::Error> {
    let mut ticked = Ticked::default();
    step(transaction, faults, now, &mut ticked).await?;
    if !faults.anybody_away() || faults.is_time_to_look(now) {
        assign(transaction, seed, faults, now, &mut ticked).await?;
    }
    leave(transaction, now, &mut ticked).await?;
    Ok(ticked)
}

async fn step(transaction: &mut Connection<'_>, faults: &Faults, now: Timestamp, ticked: &mut Ticked) -> Result<(), sqlx::Error> {
    let sql = select_ridden!("WHERE d.due_at_ms <= $1 ORDER BY d.due_at_ms LIMIT $2 FOR UPDATE SKIP LOCKED");
    let due = transaction.all(sql, args![now, STEPS_AT_ONCE]).await?;
    let (mut steps, mut waits) = (Vec::with_capacity(due.len()), Vec::new());
    for row in &due {
        let ridden = Ridden::read(row)?;
        let Some(next) = ride::next(ridden.status) else { continue };
        // Somebody took over in the very moment when it was assigned.
        let by_hand_until = ridden.arrives_at + ride::HAND_LIMIT;
        if !ridden.autopilot && now < by_hand_until {
            waits.push(json!({"order": ridden.about.order_id, "due": by_hand_until.millis()}));
            continue;
        }
        match next {
            DeliveryStatus::PickedUp => ticked.picked_up += 1,
            _ => ticked.completed += 1,
        }
        // Whoever rode by hand is late: nobody is there any more.
        steps.push(Step { ridden, next, autopilot: true, request: None });
    }
    if !waits.is_empty() {
        let sql = "UPDATE deliveries SET due_at_ms = CAST(value ->> 'due' AS BIGINT) FROM rows_of($1) WHERE order_id = value ->> 'order'";
        transaction.run(sql, args![Value::Array(waits).to_string()]).await?;
    }
    ticked.ways = write_steps(transaction, faults, &steps, now).await?;
    Ok(())
}

/// An order in a queue.
struct Waiting {
    about: About,
    from: Location,
    to: Location,
    ready_at: Timestamp,
}

/// A courier without an order.
struct Free {
    id: String,
    name: String,
    emoji: String,
    at: Location,
    autopilot: bool,
}

impl Free {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self { id: row.text(0)?, name: row.text(1)?, emoji: row.text(2)?, at: place(row, 3)?, autopilot: row.int(5)? != 0 })
    }
}

async fn assign(
    transaction: &mut Connection<'_>,
    seed: u64,
    faults: &Faults,
    now: Timestamp,
    ticked: &mut Ticked,
) -> Result<(), sqlx::Error> {
    // The first of each city by the index; EXISTS would become a join with everything that waits.
    let sql = "SELECT city, slug, joined FROM cities
        WHERE (SELECT d.order_id FROM deliveries AS d WHERE d.status = 'queued' AND d.city = cities.city
            ORDER BY d.ready_at_ms, d.order_id LIMIT 1) IS NOT NULL
        ORDER BY city FOR UPDATE SKIP LOCKED";
    let cities = transaction.all(sql, args![]).await?;
    let mut assigned = Vec::new();
    for row in &cities {
        let (city, slug, joined) = (row.text(0)?, row.text(1)?, u32::try_from(row.int(2)?).unwrap_or(0));
        if faults.anybody_away() {
            assigned.extend(assign_those_who_came(transaction, faults, &city, &mut ticked.held).await?);
        } else {
            ticked.joined += join(transaction, &city, &slug, joined, seed, now).await?;
            assigned.extend(assign_in(transaction, &city, ASSIGNED_AT_ONCE - assigned.len()).await?);
        }
        if assigned.len() >= ASSIGNED_AT_ONCE {
            break;
        }
    }
    ticked.assigned = assigned.iter().map(|(waiting, _)| now.since(waiting.ready_at)).collect::<Vec<Duration>>();
    ticked.ways.extend(write_assigned(transaction, faults, &assigned, now).await?);
    Ok(())
}

/// Lets freelancers join when the queue is too long; answers how many.
async fn join(transaction: &mut Connection<'_>, city: &str, slug: &str, last: u32, seed: u64, now: Timestamp) -> Result<u32, sqlx::Error> {
    let sql = "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE status = 'queued' AND city = $1
            ORDER BY ready_at_ms, order_id LIMIT $2) AS waiting),
        (SELECT COUNT(*) FROM couriers WHERE city = $1)";
    let row = transaction.one(sql, args![city, staff::LONG_ENOUGH]).await?;
    let count = |column| Ok::<u32, sqlx::Error>(u32::try_from(row.int(column)?).unwrap_or(u32::MAX));
    let joining = staff::joining(count(0)?, count(1)?);
    if joining > 0 {
        arrivals::recruit(transaction, city, &roster::freelancers(slug, last, joining, seed), true, now).await?;
        transaction.run("UPDATE cities SET joined = $2 WHERE city = $1", args![city, last + joining]).await?;
    }
    Ok(joining)
}

/// The queue of a city, oldest order first: the city is $1, the most that are read is $2.
macro_rules! select_waiting {
    ($and:literal) => {
        concat!(
            "SELECT ",
            about!(),
            ", d.from_x, d.from_y, d.to_x, d.to_y, d.ready_at_ms FROM deliveries AS d WHERE d.status = 'queued' AND d.city = $1 ",
            $and,
            " ORDER BY d.ready_at_ms, d.order_id LIMIT $2 FOR UPDATE SKIP LOCKED"
        )
    };
}

impl Waiting {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let (about, from, to) = (About::read(row)?, place(row, 6)?, place(row, 8)?);
        Ok(Self { about, from, to, ready_at: Timestamp::from_millis(row.int(10)?) })
    }
}

async fn free_couriers(transaction: &mut Connection<'_>, city: &str) -> Result<Vec<Free>, sqlx::Error> {
    let sql = "SELECT id, name, emoji, x, y, autopilot FROM couriers WHERE city = $1 AND order_id IS NULL
        ORDER BY id FOR UPDATE SKIP LOCKED";
    transaction.all(sql, args![city]).await?.iter().map(Free::read).collect()
}

async fn assign_in(transaction: &mut Connection<'_>, city: &str, most: usize) -> Result<Vec<(Waiting, Free)>, sqlx::Error> {
    let free = free_couriers(transaction, city).await?;
    if free.is_empty() {
        return Ok(Vec::new());
    }
    let rows = transaction.all(select_waiting!(""), args![city, free.len().min(most) as i64]).await?;
    let waiting = rows.iter().map(Waiting::read).collect::<Result<Vec<_>, _>>()?;
    Ok(pairs(waiting, free, |_, _| true))
}

/// The same while couriers stay home for some: their orders wait, and those of others pass them. `held` counts who waits for that reason.
async fn assign_those_who_came(
    transaction: &mut Connection<'_>,
    faults: &Faults,
    city: &str,
    held: &mut u32,
) -> Result<Vec<(Waiting, Free)>, sqlx::Error> {
    let free = free_couriers(transaction, city).await?;
    if free.is_empty() {
        return Ok(Vec::new());
    }
    // People and load are read apart, so that however much of the load waits, people behind it are seen.
    let people = transaction.all(select_waiting!("AND d.synthetic = 0"), args![city, LOOKED_AT]).await?;
    let load = transaction.all(select_waiting!("AND d.synthetic = 1"), args![city, LOOKED_AT]).await?;
    let mut queue = people.iter().chain(&load).map(Waiting::read).collect::<Result<Vec<_>, _>>()?;
    queue.sort_by(|one, other| (one.ready_at, &one.about.order_id).cmp(&(other.ready_at, &other.about.order_id)));
    let (mut waiting, mut away) = (Vec::new(), Vec::new());
    for order in queue {
        // There is nobody left for whoever comes behind so many.
        if waiting.len() >= free.len() {
            break;
        }
        let not_here = faults.away(order.about.whose()).await;
        if not_here.is_some_and(|away| free.iter().all(|courier| away.is_home(&courier.id))) {
            *held += 1;
            continue;
        }
        waiting.push(order);
        away.push(not_here);
    }
    let home: Vec<String> = free.iter().map(|courier| courier.id.clone()).collect();
    let among = waiting.len();
    let rides = pairs(waiting, free, |order, courier| !away[order].is_some_and(|away: Away| away.is_home(&home[courier])));
    // There are as many couriers as orders here: whoever got none waits for one who is at home.
    *held += u32::try_from(among - rides.len()).unwrap_or(u32::MAX);
    Ok(rides)
}

fn pairs(waiting: Vec<Waiting>, free: Vec<Free>, may: impl Fn(usize, usize) -> bool) -> Vec<(Waiting, Free)> {
    let restaurants: Vec<Location> = waiting.iter().map(|waiting| waiting.from).collect();
    let places: Vec<Location> = free.iter().map(|free| free.at).collect();
    let rides = dispatch::assign(&restaurants, &places, may);
    let (mut waiting, mut free): (Vec<_>, Vec<_>) = (waiting.into_iter().map(Some).collect(), free.into_iter().map(Some).collect());
    let pair = |(order, courier): (usize, usize)| Some((waiting[order].take()?, free[courier].take()?));
    rides.into_iter().filter_map(pair).collect()
}

async fn write_assigned(
    transaction: &mut Connection<'_>,
    faults: &Faults,
    assigned: &[(Waiting, Free)],
    now: Timestamp,
) -> Result<Vec<Begun>, sqlx::Error> {
    let mut ways = Vec::with_capacity(assigned.len());
    if assigned.is_empty() {
        return Ok(ways);
    }
    let mut rows = Vec::with_capacity(assigned.len());
    let mut events: Vec<Event> = Vec::with_capacity(assigned.len());
    for (waiting, free) in assigned {
        let slowness = faults.slowness(waiting.about.whose()).await;
        let leg = ride::leg(free.at, waiting.from, now, slowness);
        let expected = leg.arrives_at + ride::slowly(waiting.from, waiting.to, slowness);
        ways.push(waiting.about.begun(&leg, slowness));
        let order: &OrderId = &waiting.about.order_id;
        rows.push(json!({
            "order": order, "courier": free.id, "name": free.name, "emoji": free.emoji, "x": free.at.x, "y": free.at.y,
            "arrives": leg.arrives_at.millis(), "expected": expected.millis(), "due": ride::due(&leg, free.autopilot).millis(),
        }));
        let fact = DeliveryFact { courier_id: free.id.clone(), courier_name: free.name.clone(), arrives_at: Some(expected) };
        events.extend(waiting.about.event(DeliveryStatus::Assigned, fact, now));
    }
    let rows = Value::Array(rows).to_string();
    let sql = "UPDATE deliveries SET status = $3, courier_id = value ->> 'courier', courier_name = value ->> 'name',
            courier_emoji = value ->> 'emoji', leg_x = CAST(value ->> 'x' AS BIGINT), leg_y = CAST(value ->> 'y' AS BIGINT),
            departed_at_ms = $2, arrives_at_ms = CAST(value ->> 'arrives' AS BIGINT),
            expected_at_ms = CAST(value ->> 'expected' AS BIGINT), due_at_ms = CAST(value ->> 'due' AS BIGINT), updated_at_ms = $2
        FROM rows_of($1) WHERE deliveries.order_id = value ->> 'order' AND deliveries.status = 'queued'";
    let moved = transaction.run(sql, args![&rows, now, word(DeliveryStatus::Assigned)]).await?;
    let sql = "UPDATE couriers SET order_id = value ->> 'order' FROM rows_of($1)
        WHERE couriers.id = value ->> 'courier' AND couriers.order_id IS NULL";
    let taken = transaction.run(sql, args![&rows]).await?;
    all_changed(assigned.len(), &[moved, taken])?;
    append(transaction, &events).await?;
    Ok(ways)
}

async fn leave(transaction: &mut Connection<'_>, now: Timestamp, ticked: &mut Ticked) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM couriers WHERE id IN (SELECT id FROM couriers
        WHERE freelancer = 1 AND order_id IS NULL AND autopilot = 1 AND free_since_ms <= $1
        ORDER BY free_since_ms LIMIT $2 FOR UPDATE SKIP LOCKED)";
    let left = transaction.run(sql, args![idle_since(now), LEAVE_AT_ONCE]).await?;
    ticked.left = u32::try_from(left).unwrap_or(u32::MAX);
    Ok(())
}

/// Freelancers who were free then already, and still are, leave.
pub fn idle_since(now: Timestamp) -> i64 {
    now.millis() - i64::try_from(staff::LEAVE_AFTER.as_millis()).unwrap_or(i64::MAX)
}
