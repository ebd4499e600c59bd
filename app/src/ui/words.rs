//! Numbers and times as people say them.

use contract::Timestamp;
use std::time::Duration;

/// `1 dish`, `2 dishes`.
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// `just now`, `4 minutes ago`, `2 days ago`.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(then).as_secs();
    match seconds {
        0..45 => "just now".to_owned(),
        45..3_570 => format!("{} ago", count(seconds.div_ceil(60).max(1), "minute", "minutes")),
        3_570..86_400 => format!("{} ago", count((seconds + 1_800) / 3_600, "hour", "hours")),
        _ => format!("{} ago", count(seconds / 86_400, "day", "days")),
    }
}

/// `09:30 UTC`. Where scripts run, they put it into the reader's own time.
pub fn clock(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{} UTC", text.get(11..16).unwrap_or(&text))
}

/// `350 m`, `1.2 km`.
pub fn distance(metres: u32) -> String {
    if metres < 1_000 { format!("{} m", metres / 10 * 10) } else { format!("{}.{} km", metres / 1_000, metres % 1_000 / 100) }
}

/// `4 min 9 s`, `2 h 5 min`, `3 d`.
pub fn span(duration: Duration) -> String {
    let s = duration.as_secs();
    let (whole, rest) = match s {
        0..60 => ((s, "s"), (0, "")),
        60..3_600 => ((s / 60, "min"), (s % 60, "s")),
        3_600..86_400 => ((s / 3_600, "h"), (s % 3_600 / 60, "min")),
        _ => ((s / 86_400, "d"), (s % 86_400 / 3_600, "h")),
    };
    if rest.0 == 0 { format!("{} {}", whole.0, whole.1) } else { format!("{} {} {} {}", whole.0, whole.1, rest.0, rest.1) }
}

/// The last characters of an id, for people to tell orders apart.
pub fn short_id(id: &str) -> String {
    let tail: String = id.chars().rev().filter(char::is_ascii_alphanumeric).take(6).collect();
    tail.chars().rev().collect::<String>().to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::{ago, clock, distance, short_id, span};
    use contract::Timestamp;
    use std::time::Duration;

    #[test]
    fn times_are_told_in_the_largest_unit_that_fits() {
        let told = |seconds: i64| ago(Timestamp::from_millis(0), Timestamp::from_millis(seconds * 1_000));
        assert_eq!(told(3), "just now");
        assert_eq!(told(60), "1 minute ago");
        assert_eq!(told(3_600), "1 hour ago");
        assert_eq!(told(172_900), "2 days ago");
    }

    #[test]
    fn spans_have_two_units_at_most() {
        assert_eq!(span(Duration::from_secs(249)), "4 min 9 s");
        assert_eq!(span(Duration::from_secs(7_500)), "2 h 5 min");
        assert_eq!([0, 300, 259_200].map(|s| span(Duration::from_secs(s))), ["0 s", "5 min", "3 d"]);
    }

    #[test]
    fn a_moment_and_a_way_are_told_roughly() {
        assert_eq!(clock(Timestamp::from_millis(1_763_631_000_007)), "09:30 UTC");
        assert_eq!((distance(357), distance(1_290)), ("350 m".into(), "1.2 km".into()));
    }

    #[test]
    fn a_short_id_is_the_end_of_the_long_one() {
        assert_eq!(short_id("0198f3a2-77b1-7c3e-9abc-00000012ab9f"), "12AB9F");
        assert_eq!(short_id("x"), "X");
    }
}
