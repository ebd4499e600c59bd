//! After a slowdown: whoever is on the way rides on as usual, from where they are.

use super::rows::{place, status};
use crate::domain::ride;
use contract::Timestamp;
use contract::delivery::{DeliveryStatus, Leg};
use runtime::args;
use runtime::store::sql::{Connection, Row};
use serde_json::{Value, json};

/// More than all couriers there may be in the platform's cities.
const AT_ONCE: u32 = 10_000;

/// # Errors
/// As every error in a transaction, it ends the transaction.
pub async fn hurry(transaction: &mut Connection<'_>, now: Timestamp) -> Result<(), sqlx::Error> {
    // By the index of what is due: nobody is due before they arrive.
    let sql =
        "SELECT d.order_id, d.status, d.from_x, d.from_y, d.to_x, d.to_y, d.leg_x, d.leg_y, d.departed_at_ms, d.arrives_at_ms, c.autopilot
        FROM deliveries AS d JOIN couriers AS c ON c.order_id = d.order_id AND c.id = d.courier_id
        WHERE d.due_at_ms > $1 AND d.arrives_at_ms > $1 ORDER BY d.due_at_ms LIMIT $2 FOR UPDATE SKIP LOCKED";
    let riding = transaction.all(sql, args![now, AT_ONCE]).await?;
    let hurried = riding.iter().map(|row| rest(row, now)).collect::<Result<Vec<_>, _>>()?;
    let rows: Vec<Value> = hurried.into_iter().flatten().collect();
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE deliveries SET leg_x = CAST(value ->> 'x' AS BIGINT), leg_y = CAST(value ->> 'y' AS BIGINT), departed_at_ms = $2,
            arrives_at_ms = CAST(value ->> 'arrives' AS BIGINT), expected_at_ms = CAST(value ->> 'expected' AS BIGINT),
            due_at_ms = CAST(value ->> 'due' AS BIGINT)
        FROM rows_of($1) WHERE deliveries.order_id = value ->> 'order'";
    transaction.run(sql, args![Value::Array(rows).to_string(), now]).await.map(drop)
}

/// The rest of a slow way as it is written; `None` for one that is as fast as it can be.
fn rest(row: &Row, now: Timestamp) -> Result<Option<Value>, sqlx::Error> {
    let (restaurant, door) = (place(row, 2)?, place(row, 4)?);
    let assigned = status(&row.text(1)?)? == DeliveryStatus::Assigned;
    let to = if assigned { restaurant } else { door };
    let (departed_at, arrives_at) = (Timestamp::from_millis(row.int(8)?), Timestamp::from_millis(row.int(9)?));
    let Some(leg) = ride::hurried(&Leg { from: place(row, 6)?, to, departed_at, arrives_at }, now) else { return Ok(None) };
    let expected = if assigned { leg.arrives_at + ride::duration(restaurant, door) } else { leg.arrives_at };
    Ok(Some(json!({
        "order": row.text(0)?, "x": leg.from.x, "y": leg.from.y, "arrives": leg.arrives_at.millis(), "expected": expected.millis(),
        "due": ride::due(&leg, row.int(10)? != 0).millis(),
    })))
}
