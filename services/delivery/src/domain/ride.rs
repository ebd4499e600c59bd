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

/// How many times as long as usual riding takes: 1 to [`SLOWEST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slowness(u32);

/// Slower than that nobody rides: a city is still crossed within two minutes.
pub const SLOWEST: u32 = 10;

impl Slowness {
    pub const NONE: Self = Self(1);

    pub fn times(times: u64) -> Self {
        Self(u32::try_from(times).unwrap_or(SLOWEST).clamp(1, SLOWEST))
    }
}

/// How long a way usually takes.
pub fn duration(from: Location, to: Location) -> Duration {
    slowly(from, to, Slowness::NONE)
}

/// How long a way takes. This is the one place where speed is decided.
pub fn slowly(from: Location, to: Location, slowness: Slowness) -> Duration {
    STOP + riding(from, to) * slowness.0
}

/// Without the stop at its end.
fn riding(from: Location, to: Location) -> Duration {
    Duration::from_millis(u64::from(from.distance_m(to)) * 1_000 / SPEED_M_PER_S)
}

/// The way from here to there, begun at `now`.
pub fn leg(from: Location, to: Location, now: Timestamp, slowness: Slowness) -> Leg {
    Leg { from, to, departed_at: now, arrives_at: now + slowly(from, to, slowness) }
}

/// How fast a way is ridden, in metres a second; `None` for one too short to tell.
pub fn speed(leg: &Leg) -> Option<f64> {
    const SHORTEST_M: u32 = 100;
    let (metres, seconds) = (leg.from.distance_m(leg.to), leg.arrives_at.since(leg.departed_at).saturating_sub(STOP).as_secs_f64());
    (metres >= SHORTEST_M && seconds > 0.0).then(|| f64::from(metres) / seconds)
}

/// The rest of a way that was begun more slowly than usual, at the usual speed, from where the courier is; `None` for one that is not slower.
pub fn hurried(leg: &Leg, now: Timestamp) -> Option<Leg> {
    let here = leg.at(now);
    let rest = self::leg(here, leg.to, now, Slowness::NONE);
    (rest.arrives_at < leg.arrives_at && leg.arrives_at > leg.departed_at + duration(leg.from, leg.to)).then_some(rest)
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
    fn a_slow_way_takes_so_many_times_as_long_and_its_rest_can_be_hurried() {
        let (now, from, to) = (Timestamp::from_millis(0), Location { x: 0, y: 0 }, Location { x: 6_000, y: 0 });
        let usual = leg(from, to, now, Slowness::NONE);
        let slow = leg(from, to, now, Slowness::times(5));
        assert_eq!((usual.arrives_at.millis(), slow.arrives_at.millis()), (6_500, 26_500));
        assert_eq!((speed(&usual).map(f64::round), speed(&slow).map(f64::round)), (Some(1_200.0), Some(240.0)));
        assert_eq!(speed(&leg(from, Location { x: 10, y: 0 }, now, Slowness::NONE)), None);
        // Half of the way is left.
        let half = now + Duration::from_millis(13_250);
        let rest = hurried(&slow, half).unwrap();
        assert_eq!((rest.from, rest.to, rest.arrives_at), (Location { x: 3_000, y: 0 }, to, half + STOP + Duration::from_millis(2_500)));
        assert_eq!((hurried(&usual, half), hurried(&slow, slow.arrives_at)), (None, None));
        assert_eq!((Slowness::times(0), Slowness::times(u64::MAX)), (Slowness::NONE, Slowness(SLOWEST)));
    }

    #[test]
    fn a_courier_by_hand_is_waited_for() {
        let now = Timestamp::from_millis(1_000);
        let leg = leg(Location { x: 0, y: 0 }, Location { x: 1_200, y: 0 }, now, Slowness::NONE);
        assert_eq!(leg.arrives_at, now + STOP + Duration::from_secs(1));
        assert_eq!(due(&leg, true), leg.arrives_at);
        assert_eq!(due(&leg, false), leg.arrives_at + HAND_LIMIT);
    }
}
