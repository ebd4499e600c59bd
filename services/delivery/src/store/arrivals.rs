//! What comes in: orders that are ready, and couriers for cities that had none.

use crate::domain::roster::{self, Recruit};
use contract::Timestamp;
use contract::event::{Event, OrderFact};
use runtime::args;
use runtime::store::sql::Connection;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Puts orders that are ready into the queues of their cities. An order that is known stays as it is.
///
/// # Errors
/// As every error in a transaction, it ends the transaction.
pub async fn take(transaction: &mut Connection<'_>, ready: &[(&Event, &OrderFact)], seed: u64, now: Timestamp) -> Result<(), sqlx::Error> {
    let cities: BTreeSet<&str> = ready.iter().map(|(event, _)| event.city.as_str()).collect();
    found(transaction, &cities, seed, now).await?;
    let mut rows: Vec<Value> = ready
        .iter()
        .map(|(event, fact)| {
            json!({
                "order": event.order_id, "restaurant": event.restaurant_id, "restaurant_name": fact.restaurant_name,
                "customer_name": fact.customer_name, "city": event.city,
                "from_x": fact.from.x, "from_y": fact.from.y, "to_x": fact.to.x, "to_y": fact.to.y,
                "ready": event.at.millis(), "owner": fact.user.as_ref().or(event.session.as_ref()), "session": event.session,
                "synthetic": i64::from(event.synthetic), "traceparent": event.traceparent,
            })
        })
        .collect();
    // Two replicas write the same rows in the same order.
    rows.sort_by(|one, other| one["order"].as_str().cmp(&other["order"].as_str()));
    let sql = "INSERT INTO deliveries (order_id, restaurant_id, restaurant_name, customer_name, city, status, from_x, from_y, to_x, to_y,
            ready_at_ms, created_at_ms, updated_at_ms, owner, session_id, synthetic, traceparent)
        SELECT value ->> 'order', value ->> 'restaurant', value ->> 'restaurant_name', value ->> 'customer_name', value ->> 'city',
            'queued', CAST(value ->> 'from_x' AS BIGINT), CAST(value ->> 'from_y' AS BIGINT), CAST(value ->> 'to_x' AS BIGINT),
            CAST(value ->> 'to_y' AS BIGINT), CAST(value ->> 'ready' AS BIGINT), CAST($2 AS BIGINT), CAST($2 AS BIGINT),
            value ->> 'owner', value ->> 'session', CAST(value ->> 'synthetic' AS BIGINT), value ->> 'traceparent'
        FROM rows_of($1) WHERE true ON CONFLICT (order_id) DO NOTHING";
    transaction.run(sql, args![Value::Array(rows).to_string(), now]).await.map(drop)
}

/// Makes the couriers of those cities that have none yet.
///
/// # Errors
/// As every error in a transaction, it ends the transaction.
pub async fn found(transaction: &mut Connection<'_>, cities: &BTreeSet<&str>, seed: u64, now: Timestamp) -> Result<(), sqlx::Error> {
    let rows: Vec<Value> = cities.iter().map(|city| json!({"city": city, "slug": roster::slug(city)})).collect();
    let sql = "INSERT INTO cities (city, slug) SELECT value ->> 'city', value ->> 'slug' FROM rows_of($1)
        WHERE true ON CONFLICT (city) DO NOTHING RETURNING city, slug";
    let new = transaction.all(sql, args![Value::Array(rows).to_string()]).await?;
    for row in &new {
        let (city, slug) = (row.text(0)?, row.text(1)?);
        recruit(transaction, &city, &roster::own(&slug, seed), false, now).await?;
    }
    Ok(())
}

/// New couriers, free where they stand.
///
/// # Errors
/// As every error in a transaction, it ends the transaction.
pub async fn recruit(
    transaction: &mut Connection<'_>,
    city: &str,
    recruits: &[Recruit],
    freelancers: bool,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let row = |recruit: &Recruit| {
        let Recruit { id, name, emoji, at } = recruit;
        json!({"id": id, "name": name, "emoji": emoji, "x": at.x, "y": at.y})
    };
    let rows: Vec<Value> = recruits.iter().map(row).collect();
    let sql = "INSERT INTO couriers (id, name, emoji, city, x, y, freelancer, free_since_ms)
        SELECT value ->> 'id', value ->> 'name', value ->> 'emoji', $2, CAST(value ->> 'x' AS BIGINT), CAST(value ->> 'y' AS BIGINT),
            CAST($3 AS BIGINT), CAST($4 AS BIGINT)
        FROM rows_of($1) WHERE true ON CONFLICT (id) DO NOTHING";
    transaction.run(sql, args![Value::Array(rows).to_string(), city, freelancers, now]).await.map(drop)
}
