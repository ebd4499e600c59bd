//! How a delivery goes on, and how long its ways take.

use contract::Timestamp;
use contract::delivery::{DeliveryStatus, Leg};
use contract::geo::Location;
use std::time::Duration;

/// How fast couriers ride. Far faster than a bicycle: a city is crossed within ten seconds, so that an audience sees an order arrive.
pub const SPEED_M_PER_S: u64 = 1_200;

/// What each way takes beside the riding: to find the door, to hand over.
pub const STOP: Duration = Duration::from_millis(1_500);

/// How long a courier who rides by hand may be late before autopilot takes over: no order is without somebody who moves it.
pub const HAND_LIMIT: Duration = Duration::from_secs(300);

/// How long a way takes. This is the one place where speed is decided.
pub fn duration(from: Location, to: Location) -> Duration {
    STOP + Duration::from_millis(u64::from(from.distance_m(to)) * 1_000 / SPEED_M_PER_S)
}

/// The way from here to there, begun at `now`.
pub fn leg(from: Location, to: Location, now: Timestamp) -> Leg {
    Leg { from, to, departed_at: now, arrives_at: now + duration(from, to) }
}

/// What follows when the way that is being ridden is done; `None` when nobody is riding.
pub const fn next(status: DeliveryStatus) -> Option<DeliveryStatus> {
    match status {
        DeliveryStatus::Assigned => Some(DeliveryStatus::PickedUp),
        DeliveryStatus::PickedUp => Some(DeliveryStatus::Completed),
        DeliveryStatus::Queued | DeliveryStatus::Completed => None,
    }
}

/// When the next step is made without anybody asking for it.
pub fn due(leg: &Leg, autopilot: bool) -> Timestamp {
    if autopilot { leg.arrives_at } else { leg.arrives_at + HAND_LIMIT }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::geo::locate;

    #[test]
    fn a_usual_delivery_takes_five_to_twelve_seconds() {
        let mut usual = 0;
        for n in 0..200 {
            let place = |what: &str| locate("Berlin", &format!("{what} {n}"));
            // The nearest of forty is a few hundred metres away.
            let courier = place("restaurant").towards(place("courier"), 0.1);
            let whole = duration(courier, place("restaurant")) + duration(place("restaurant"), place("customer"));
            assert!(whole < Duration::from_secs(15), "{whole:?}");
            usual += u32::from((5..=12).contains(&whole.as_secs()));
        }
        assert!(usual > 150, "{usual} of 200");
    }

    #[test]
    fn a_courier_by_hand_is_waited_for() {
        let now = Timestamp::from_millis(1_000);
        let leg = leg(Location { x: 0, y: 0 }, Location { x: 1_200, y: 0 }, now);
        assert_eq!(leg.arrives_at, now + STOP + Duration::from_secs(1));
        assert_eq!(due(&leg, true), leg.arrives_at);
        assert_eq!(due(&leg, false), leg.arrives_at + HAND_LIMIT);
    }
}
