//! Couriers and what they carry.

use crate::geo::Location;
use crate::id::{OrderId, RestaurantId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum DeliveryStatus {
    /// No courier is free yet.
    Queued,
    /// On the way to the restaurant.
    Assigned,
    /// On the way to the customer.
    PickedUp,
    Completed,
}

/// A straight way that is being ridden. Where the courier is follows from the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Leg {
    pub from: Location,
    pub to: Location,
    pub departed_at: Timestamp,
    pub arrives_at: Timestamp,
}

impl Leg {
    /// Where the courier is at `now`.
    pub fn at(&self, now: Timestamp) -> Location {
        let whole = self.arrives_at.since(self.departed_at).as_secs_f64();
        let share = if whole > 0.0 { now.since(self.departed_at).as_secs_f64() / whole } else { 1.0 };
        self.from.towards(self.to, share)
    }
}

/// The delivery of one order (`GET /internal/deliveries/{orderId}`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    pub order_id: OrderId,
    pub restaurant_id: RestaurantId,
    pub restaurant_name: String,
    pub customer_name: String,
    pub city: String,
    pub status: DeliveryStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub courier: Option<CourierName>,
    /// The restaurant.
    pub from: Location,
    /// The customer.
    pub to: Location,
    /// The way the courier is on now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<Leg>,
    /// When it is expected at the door; while queued, an estimate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CourierName {
    pub id: String,
    pub name: String,
    pub emoji: String,
}

/// A courier (`GET /internal/couriers?city=`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Courier {
    pub id: String,
    pub name: String,
    pub emoji: String,
    pub city: String,
    pub location: Location,
    /// What is being carried; `None` when free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// Rides by itself (simulated). A person who logs in as this courier may take over.
    pub autopilot: bool,
    pub delivered_today: u32,
}

/// `POST /internal/couriers/{id}`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetCourier {
    pub autopilot: bool,
}
