//! Kitchen tickets, written from events: a batch of any size is at most seven statements.

use super::counts::{Gains, Moved, Paid};
use super::rows::to_json;
use crate::domain::local_time;
use contract::event::Event;
use contract::{OrderId, RestaurantId, Timestamp};
use jiff::tz::TimeZone;
use runtime::args;
use runtime::store::sql::Connection;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};

/// Writes what the events say: tickets of what was paid, moves of tickets that are there, and the roll-ups of both. Events of orders that
/// were never paid make no ticket and move none.
///
/// # Errors
/// As every error in a transaction, it ends the transaction.
pub async fn apply(
    transaction: &mut Connection<'_>,
    events: &[Event],
    zone_of: &(dyn Fn(&RestaurantId) -> TimeZone + Sync),
) -> Result<(), sqlx::Error> {
    let paid: Vec<Paid<'_>> = events.iter().filter_map(|event| Paid::of(event, &zone_of(&event.restaurant_id))).collect();
    let mut gains = Gains::default();
    if !paid.is_empty() {
        insert(transaction, paid, &mut gains).await?;
    }
    let moved = Moved::all(events);
    if !moved.is_empty() {
        update(transaction, &moved, zone_of, &mut gains).await?;
    }
    add(transaction, &gains).await
}

async fn insert(transaction: &mut Connection<'_>, paid: Vec<Paid<'_>>, gains: &mut Gains) -> Result<(), sqlx::Error> {
    let mut by_day: BTreeMap<(RestaurantId, String), Vec<Paid<'_>>> = BTreeMap::new();
    for paid in paid {
        by_day.entry((paid.restaurant.clone(), paid.day.clone())).or_default().push(paid);
    }
    let days: Vec<Value> =
        by_day.iter().map(|((restaurant, day), paid)| json!({ "restaurant": restaurant, "day": day, "tickets": paid.len() })).collect();
    let number = "INSERT INTO ticket_days (restaurant_id, day, last_number) \
        SELECT value ->> 'restaurant', value ->> 'day', CAST(value ->> 'tickets' AS BIGINT) FROM rows_of($1) WHERE true \
        ON CONFLICT (restaurant_id, day) DO UPDATE SET last_number = ticket_days.last_number + excluded.last_number \
        RETURNING restaurant_id, day, last_number";
    let mut last = BTreeMap::new();
    for row in transaction.all(number, args![to_json(&days)?]).await? {
        last.insert((RestaurantId::new(row.text(0)?), row.text(1)?), row.int(2)?);
    }
    let mut rows = Vec::new();
    for (day, paid) in &by_day {
        let count = i64::try_from(paid.len()).unwrap_or(0);
        let first = last.get(day).map_or(1, |last| last - count + 1);
        for (number, paid) in (first..).zip(paid) {
            rows.push(json!({
                "order": paid.order, "restaurant": paid.restaurant, "day": paid.day, "number": number, "cents": paid.total.cents(),
                "units": paid.units, "lines": to_json(paid.lines)?, "at": paid.at.millis(),
            }));
        }
    }
    let insert = "INSERT INTO tickets (order_id, restaurant_id, day, number, state, state_at_ms, total_cents, units, lines, paid_at_ms) \
        SELECT value ->> 'order', value ->> 'restaurant', value ->> 'day', CAST(value ->> 'number' AS BIGINT), 'paid', \
        CAST(value ->> 'at' AS BIGINT), CAST(value ->> 'cents' AS BIGINT), CAST(value ->> 'units' AS BIGINT), value ->> 'lines', \
        CAST(value ->> 'at' AS BIGINT) FROM rows_of($1) WHERE true ON CONFLICT (order_id) DO NOTHING RETURNING order_id";
    let inserted = transaction.all(insert, args![to_json(&rows)?]).await?;
    let inserted: HashSet<String> = inserted.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
    by_day.values().flatten().filter(|paid| inserted.contains(paid.order.as_str())).for_each(|paid| gains.paid(paid));
    Ok(())
}

async fn update(
    transaction: &mut Connection<'_>,
    moved: &BTreeMap<&OrderId, Moved>,
    zone_of: &(dyn Fn(&RestaurantId) -> TimeZone + Sync),
    gains: &mut Gains,
) -> Result<(), sqlx::Error> {
    let rows: Vec<Value> = moved.iter().map(|(order, moved)| moved.row(order)).collect();
    let update = "UPDATE tickets SET state = new_state, state_at_ms = new_at, accepted_at_ms = COALESCE(accepted_at_ms, accepted), \
        ready_at_ms = COALESCE(ready_at_ms, ready), ended_at_ms = ended, refunded_at_ms = refunded \
        FROM (SELECT value ->> 'order' AS moved_id, value ->> 'state' AS new_state, CAST(value ->> 'at' AS BIGINT) AS new_at, \
        CAST(value ->> 'accepted' AS BIGINT) AS accepted, CAST(value ->> 'ready' AS BIGINT) AS ready, \
        CAST(value ->> 'ended' AS BIGINT) AS ended, CAST(value ->> 'refunded' AS BIGINT) AS refunded FROM rows_of($1)) AS moved \
        WHERE order_id = moved_id AND ended_at_ms IS NULL \
        RETURNING order_id, restaurant_id, total_cents, accepted_at_ms";
    for row in transaction.all(update, args![to_json(&rows)?]).await? {
        let (order, restaurant, cents) = (OrderId::new(row.text(0)?), RestaurantId::new(row.text(1)?), row.int(2)?);
        let Some(moved) = moved.get(&order) else { continue };
        let zone = zone_of(&restaurant);
        if let (Some(ready), Some(accepted)) = (moved.ready, row.opt_int(3)?) {
            let cooking = ready.since(Timestamp::from_millis(accepted));
            gains.cooked(&restaurant, local_time::hour(&zone, ready), i64::try_from(cooking.as_millis()).unwrap_or(0));
        }
        if let Some(refunded) = moved.refunded {
            gains.refunded(&restaurant, local_time::hour(&zone, refunded), cents);
        }
    }
    Ok(())
}

async fn add(transaction: &mut Connection<'_>, gains: &Gains) -> Result<(), sqlx::Error> {
    let hours = "INSERT INTO ticket_hours (restaurant_id, hour_ms, orders, cents, refunds, refunded_cents, cooked, cooking_ms) \
        SELECT value ->> 'restaurant', CAST(value ->> 'hour' AS BIGINT), CAST(value ->> 'orders' AS BIGINT), \
        CAST(value ->> 'cents' AS BIGINT), CAST(value ->> 'refunds' AS BIGINT), CAST(value ->> 'refundedCents' AS BIGINT), \
        CAST(value ->> 'cooked' AS BIGINT), CAST(value ->> 'cookingMs' AS BIGINT) FROM rows_of($1) WHERE true \
        ON CONFLICT (restaurant_id, hour_ms) DO UPDATE SET orders = ticket_hours.orders + excluded.orders, \
        cents = ticket_hours.cents + excluded.cents, refunds = ticket_hours.refunds + excluded.refunds, \
        refunded_cents = ticket_hours.refunded_cents + excluded.refunded_cents, cooked = ticket_hours.cooked + excluded.cooked, \
        cooking_ms = ticket_hours.cooking_ms + excluded.cooking_ms";
    let items = "INSERT INTO item_hours (restaurant_id, hour_ms, item_id, units) \
        SELECT value ->> 'restaurant', CAST(value ->> 'hour' AS BIGINT), value ->> 'item', CAST(value ->> 'units' AS BIGINT) \
        FROM rows_of($1) WHERE true \
        ON CONFLICT (restaurant_id, hour_ms, item_id) DO UPDATE SET units = item_hours.units + excluded.units";
    let pairs = "INSERT INTO item_pairs (restaurant_id, item_id, with_id, orders) \
        SELECT value ->> 'restaurant', value ->> 'item', value ->> 'with', CAST(value ->> 'orders' AS BIGINT) \
        FROM rows_of($1) WHERE true \
        ON CONFLICT (restaurant_id, item_id, with_id) DO UPDATE SET orders = item_pairs.orders + excluded.orders";
    for (sql, rows) in [(hours, gains.hour_rows()), (items, gains.item_rows()), (pairs, gains.pair_rows())] {
        if !rows.is_empty() {
            transaction.run(sql, args![to_json(&rows)?]).await?;
        }
    }
    Ok(())
}
