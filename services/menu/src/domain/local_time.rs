//! Days, hours and opening hours in a restaurant's own time.

use contract::Timestamp;
use contract::menu::Restaurant;
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const MINUTES_A_DAY: i64 = 1_440;

/// A zone by its IANA name; UTC for a name that nobody knows, which neither the data file nor staff can bring in.
pub fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or_else(|_| {
        tracing::warn!(zone = name, "A restaurant's time zone is not known; UTC is used instead");
        TimeZone::UTC
    })
}

fn offset_ms(zone: &TimeZone, at: Timestamp) -> i64 {
    let moment = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default();
    i64::from(zone.to_offset(moment).seconds()) * 1_000
}

/// Within its hours and not paused.
pub fn is_open(restaurant: &Restaurant, zone: &TimeZone, now: Timestamp) -> bool {
    let minute = (now.millis() + offset_ms(zone, now)).div_euclid(MINUTE_MS).rem_euclid(MINUTES_A_DAY);
    !restaurant.paused && restaurant.hours.contains(u16::try_from(minute).unwrap_or(0))
}

/// When the next minute begins.
pub fn next_minute(now: Timestamp) -> Timestamp {
    Timestamp::from_millis((now.millis().div_euclid(MINUTE_MS) + 1) * MINUTE_MS)
}

/// When the hour began that `at` is in. Zones differ by halves and quarters of hours, too.
pub fn hour(zone: &TimeZone, at: Timestamp) -> Timestamp {
    let offset = offset_ms(zone, at);
    Timestamp::from_millis((at.millis() + offset).div_euclid(HOUR_MS) * HOUR_MS - offset)
}

/// Hour of the day, 0 to 23.
pub fn hour_of_day(zone: &TimeZone, at: Timestamp) -> u8 {
    u8::try_from((at.millis() + offset_ms(zone, at)).div_euclid(HOUR_MS).rem_euclid(24)).unwrap_or(0)
}

/// A day: its date, `2026-11-20`, when it began and when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    pub date: String,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// The day that `at` is in.
pub fn day(zone: &TimeZone, at: Timestamp) -> Day {
    let moment = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default().to_zoned(zone.clone());
    let date = moment.date();
    let begin = |zoned: Result<Zoned, jiff::Error>, otherwise: i64| {
        Timestamp::from_millis(zoned.map_or(otherwise, |zoned| zoned.timestamp().as_millisecond()))
    };
    let from = begin(moment.start_of_day(), at.millis());
    let next = date.checked_add(1.day()).and_then(|next| next.to_zoned(zone.clone())).and_then(|next| next.start_of_day());
    Day { date: date.to_string(), from, to: begin(next, from.millis() + 24 * HOUR_MS) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn hours_begin_where_the_zones_clock_says_so() {
        let moment = at("2026-11-20T09:47:12.345Z");
        for (name, begins, of_day) in [
            ("UTC", "2026-11-20T09:00:00Z", 9),
            ("Europe/Berlin", "2026-11-20T09:00:00Z", 10),
            ("Asia/Kolkata", "2026-11-20T09:30:00Z", 15),
            ("Asia/Kathmandu", "2026-11-20T09:15:00Z", 15),
        ] {
            let zone = zone(name);
            assert_eq!((hour(&zone, moment), hour_of_day(&zone, moment)), (at(begins), of_day), "{name}");
        }
    }

    #[test]
    fn a_day_is_the_restaurants_own_and_may_have_twenty_five_hours() {
        let tokyo = day(&zone("Asia/Tokyo"), at("2026-11-20T16:00:00Z"));
        assert_eq!(tokyo, Day { date: "2026-11-21".to_owned(), from: at("2026-11-20T15:00:00Z"), to: at("2026-11-21T15:00:00Z") });
        let autumn = day(&zone("Europe/Berlin"), at("2026-10-25T12:00:00Z"));
        assert_eq!(autumn.to.since(autumn.from).as_secs(), 25 * 3600);
    }

    #[test]
    fn minutes_begin_at_zero_seconds() {
        assert_eq!(next_minute(at("2026-11-20T09:47:12Z")), at("2026-11-20T09:48:00Z"));
        assert_eq!(next_minute(at("2026-11-20T09:47:00Z")), at("2026-11-20T09:48:00Z"));
    }
}
