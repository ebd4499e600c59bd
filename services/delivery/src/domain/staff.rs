//! How many couriers a city needs, and what those who wait are told.

use super::ride;
use contract::Timestamp;
use contract::geo::Location;
use std::time::Duration;

/// Couriers of a city's own.
pub const OWN: u32 = 40;

/// Most couriers of one city, freelancers included: they deliver about 125 orders a second.
pub const MOST: u32 = 1_000;

/// What a delivery takes, about. Estimates rest on it.
pub const USUAL: Duration = Duration::from_secs(8);

/// When the last in the queue would wait longer than this, freelancers join.
pub const LONGEST_QUEUE: Duration = Duration::from_secs(16);

/// Most freelancers that join a city at once: the next may come a moment later.
pub const JOIN_AT_ONCE: u32 = 100;

/// A freelancer without an order for this long leaves.
pub const LEAVE_AFTER: Duration = Duration::from_secs(30);

/// A queue longer than this needs every courier there may be, however long it is: nobody counts further.
pub const LONG_ENOUGH: u32 = MOST * rounds(LONGEST_QUEUE);

const fn rounds(wait: Duration) -> u32 {
    (wait.as_millis() / USUAL.as_millis()) as u32
}

/// How many freelancers should join a city with so many orders waiting and so many couriers, busy ones included.
pub fn joining(queued: u32, couriers: u32) -> u32 {
    let needed = queued.div_ceil(rounds(LONGEST_QUEUE)).min(MOST);
    needed.saturating_sub(couriers).min(JOIN_AT_ONCE)
}

/// When an order that still waits is expected at the door. `ahead` are older ones in its city's queue; `couriers` ride there, and `free`
/// of them could take the next.
pub fn expected(now: Timestamp, ahead: u32, couriers: u32, free: u32, from: Location, to: Location) -> Timestamp {
    let behind = ahead.saturating_sub(free);
    let wait = if ahead < free { Duration::ZERO } else { USUAL.mul_f64(f64::from(behind + 1) / f64::from(couriers.max(1))) };
    // To the restaurant it is not far: the nearest comes.
    now + wait + ride::STOP + ride::duration(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freelancers_join_when_the_queue_is_longer_than_can_be_ridden_in_time() {
        assert_eq!(joining(0, OWN), 0);
        assert_eq!(joining(2 * OWN, OWN), 0);
        assert_eq!(joining(2 * OWN + 1, OWN), 1);
        assert_eq!(joining(2 * OWN + 20, OWN), 10);
        assert_eq!(joining(u32::MAX, OWN), JOIN_AT_ONCE);
        assert_eq!(joining(LONG_ENOUGH, MOST - 1), 1);
        assert_eq!(joining(LONG_ENOUGH, MOST), 0);
    }

    #[test]
    fn whoever_waits_longer_in_the_queue_is_expected_later() {
        let (now, here) = (Timestamp::from_millis(0), Location { x: 100, y: 100 });
        let expected = |ahead| expected(now, ahead, 40, 2, here, here);
        assert_eq!(expected(0), expected(1));
        assert!(expected(1) < expected(2) && expected(2) < expected(50));
        // Forty more ahead are one delivery of each courier more.
        assert_eq!(expected(50).since(expected(10)), USUAL);
    }

    #[test]
    fn a_city_without_couriers_still_has_an_estimate() {
        let (now, here) = (Timestamp::from_millis(0), Location::default());
        assert!(expected(now, 0, 0, 0, here, here) > now);
    }
}
