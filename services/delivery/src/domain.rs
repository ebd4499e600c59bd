//! Couriers on a grid: who they are, who takes which order, how long a ride takes, how many are needed.
//!
//! Nothing here knows HTTP, SQL or the time of day.

pub mod dispatch;
pub mod ride;
pub mod roster;
pub mod staff;
