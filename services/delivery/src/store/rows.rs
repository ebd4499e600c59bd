//! Rows as what they mean.

use super::{Begun, Record};
use crate::domain::ride::{self, Slowness};
use crate::faults::Whose;
use contract::delivery::{Courier, CourierName, Delivery, DeliveryStatus, Leg};
use contract::event::{DeliveryFact, Event, Fact};
use contract::geo::Location;
use contract::{OrderId, RestaurantId, Timestamp};
use runtime::store::StoreError;
use runtime::store::sql::Row;

const MS_PER_DAY: i64 = 86_400_000;

/// Days since 1970, UTC.
pub const fn day(now: Timestamp) -> i64 {
    now.millis().div_euclid(MS_PER_DAY)
}

/// A status as it is stored and counted.
pub const fn word(status: DeliveryStatus) -> &'static str {
    match status {
        DeliveryStatus::Queued => "queued",
        DeliveryStatus::Assigned => "assigned",
        DeliveryStatus::PickedUp => "pickedUp",
        DeliveryStatus::Completed => "completed",
    }
}

pub fn status(word: &str) -> Result<DeliveryStatus, sqlx::Error> {
    Ok(match word {
        "queued" => DeliveryStatus::Queued,
        "assigned" => DeliveryStatus::Assigned,
        "pickedUp" => DeliveryStatus::PickedUp,
        "completed" => DeliveryStatus::Completed,
        other => return Err(sqlx::Error::Decode(format!("{other} is no status of a delivery").into())),
    })
}

/// The place in two columns, this and the next.
pub fn place(row: &Row, column: usize) -> Result<Location, sqlx::Error> {
    let metres = |column| i32::try_from(row.int(column)?).map_err(|error| sqlx::Error::Decode(error.into()));
    Ok(Location { x: metres(column)?, y: metres(column + 1)? })
}

fn moment(row: &Row, column: usize) -> Result<Option<Timestamp>, sqlx::Error> {
    Ok(row.opt_int(column)?.map(Timestamp::from_millis))
}

/// Six columns: where the way began (x, y), when, when it ends; and where it leads.
fn leg(row: &Row, column: usize, to: Location) -> Result<Option<Leg>, sqlx::Error> {
    let (Some(departed_at), Some(arrives_at)) = (moment(row, column + 2)?, moment(row, column + 3)?) else { return Ok(None) };
    Ok(Some(Leg { from: place(row, column)?, to, departed_at, arrives_at }))
}

/// Where a way of this status leads; `None` when nobody rides.
const fn destination(status: DeliveryStatus, restaurant: Location, customer: Location) -> Option<Location> {
    match status {
        DeliveryStatus::Assigned => Some(restaurant),
        DeliveryStatus::PickedUp => Some(customer),
        DeliveryStatus::Queued | DeliveryStatus::Completed => None,
    }
}

/// The columns of [`record`], `ready_at_ms` behind them.
macro_rules! select_delivery {
    ($where:literal) => {
        concat!(
            "SELECT order_id, restaurant_id, restaurant_name, customer_name, city, status, courier_id, courier_name, courier_emoji, \
             from_x, from_y, to_x, to_y, leg_x, leg_y, departed_at_ms, arrives_at_ms, expected_at_ms, created_at_ms, updated_at_ms, \
             owner, ready_at_ms FROM deliveries ",
            $where
        )
    };
}
pub(super) use select_delivery;

pub fn record(row: &Row) -> Result<Record, StoreError> {
    let status = status(&row.text(5)?)?;
    let (from, to) = (place(row, 9)?, place(row, 11)?);
    let courier = match row.opt_text(6)? {
        Some(id) => Some(CourierName { id, name: row.text(7)?, emoji: row.text(8)? }),
        None => None,
    };
    let delivery = Delivery {
        order_id: OrderId::new(row.text(0)?),
        restaurant_id: RestaurantId::new(row.text(1)?),
        restaurant_name: row.text(2)?,
        customer_name: row.text(3)?,
        city: row.text(4)?,
        status,
        courier,
        from,
        to,
        leg: destination(status, from, to).map(|to| leg(row, 13, to)).transpose()?.flatten(),
        expected_at: moment(row, 17)?,
        created_at: Timestamp::from_millis(row.int(18)?),
        updated_at: Timestamp::from_millis(row.int(19)?),
    };
    Ok(Record { delivery, owner: row.opt_text(20)? })
}

/// The columns of [`courier`].
macro_rules! select_courier {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.name, c.emoji, c.city, c.x, c.y, c.order_id, c.autopilot, c.delivered, c.delivered_day, \
             d.status, d.from_x, d.from_y, d.to_x, d.to_y, d.leg_x, d.leg_y, d.departed_at_ms, d.arrives_at_ms \
             FROM couriers AS c LEFT JOIN deliveries AS d ON d.order_id = c.order_id ",
            $rest
        )
    };
}
pub(super) use select_courier;

pub fn courier(row: &Row, now: Timestamp) -> Result<Courier, StoreError> {
    let delivered = if row.int(9)? == day(now) { row.int(8)? } else { 0 };
    let mut location = place(row, 4)?;
    if let Some(word) = row.opt_text(10)?
        && let Some(to) = destination(status(&word)?, place(row, 11)?, place(row, 13)?)
        && let Some(leg) = leg(row, 15, to)?
    {
        location = leg.at(now);
    }
    Ok(Courier {
        id: row.text(0)?,
        name: row.text(1)?,
        emoji: row.text(2)?,
        city: row.text(3)?,
        location,
        order_id: row.opt_text(6)?.map(OrderId::new),
        autopilot: row.int(7)? != 0,
        delivered_today: u32::try_from(delivered).unwrap_or(0),
    })
}

/// What every event of a delivery says about its order.
pub struct About {
    pub order_id: OrderId,
    restaurant_id: RestaurantId,
    city: String,
    session: Option<String>,
    synthetic: bool,
    traceparent: Option<String>,
}

/// The columns of [`About::read`].
macro_rules! about {
    () => {
        "d.order_id, d.restaurant_id, d.city, d.session_id, d.synthetic, d.traceparent"
    };
}
pub(super) use about;

impl About {
    /// Reads the first six columns.
    pub fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            order_id: OrderId::new(row.text(0)?),
            restaurant_id: RestaurantId::new(row.text(1)?),
            city: row.text(2)?,
            session: row.opt_text(3)?,
            synthetic: row.int(4)? != 0,
            traceparent: row.opt_text(5)?,
        })
    }

    pub fn whose(&self) -> Whose<'_> {
        Whose { session: self.session.as_deref(), synthetic: self.synthetic, restaurant: self.restaurant_id.as_str(), city: &self.city }
    }

    /// What is told of a way that begins.
    pub fn begun(&self, leg: &Leg, slowness: Slowness) -> Begun {
        // A city is at most fifteen kilometres across: the number fits.
        let metres_per_s = ride::speed(leg).map(|speed| speed.round() as u32);
        Begun { city: self.city.clone(), metres_per_s, slowed: slowness != Slowness::NONE }
    }

    /// The event of a delivery that has just become `status`; nobody hears of one that waits.
    pub fn event(&self, status: DeliveryStatus, fact: DeliveryFact, at: Timestamp) -> Option<Event> {
        let fact = match status {
            DeliveryStatus::Queued => return None,
            DeliveryStatus::Assigned => Fact::DeliveryAssigned(fact),
            DeliveryStatus::PickedUp => Fact::DeliveryPickedUp(fact),
            DeliveryStatus::Completed => Fact::DeliveryCompleted(fact),
        };
        let mut event = Event::new(self.order_id.clone(), self.restaurant_id.clone(), self.city.clone(), at, fact);
        event.session.clone_from(&self.session);
        event.synthetic = self.synthetic;
        event.traceparent.clone_from(&self.traceparent);
        Some(event)
    }
}
