//! Numbers of telemetry as people read them from the back of a room: three digits are enough.

use contract::Timestamp;

/// Three digits: `0.4`, `34.2`, `1 240`.
pub fn plain(value: f64) -> String {
    let size = value.abs();
    if size >= 1_000.0 {
        super::grouped(value.round() as i64)
    } else if size >= 100.0 || (size - size.round()).abs() < 0.005 {
        format!("{value:.0}")
    } else if size >= 1.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// `0.8 ms`, `42 ms`, `1.25 s`.
pub fn ms(value: f64) -> String {
    if value >= 10_000.0 {
        format!("{:.1} s", value / 1_000.0)
    } else if value >= 1_000.0 {
        format!("{:.2} s", value / 1_000.0)
    } else if value >= 10.0 {
        format!("{value:.0} ms")
    } else {
        format!("{value:.1} ms")
    }
}

/// Of a span: `45 µs`, `3.2 ms`, `2.01 s`.
pub fn micros(us: u64) -> String {
    if us < 1_000 { format!("{us} µs") } else { ms(us as f64 / 1_000.0) }
}

/// `0 %`, `0.4 %`, `15 %`.
pub fn percent(value: f64) -> String {
    if value == 0.0 {
        "0 %".to_owned()
    } else if value.abs() < 0.01 {
        "< 0.01 %".to_owned()
    } else {
        format!("{} %", plain(value))
    }
}

/// A value in the unit of a proof: `15 %`, `1.2 a request`.
pub fn in_unit(value: f64, unit: &str) -> String {
    match unit {
        "%" => percent(value),
        "ms" => ms(value),
        "bytes" => bytes(value),
        _ => format!("{} {unit}", plain(value)),
    }
}

/// `512 B`, `1.4 MB`.
pub fn bytes(value: f64) -> String {
    match value {
        v if v >= 1e9 => format!("{:.2} GB", v / 1e9),
        v if v >= 1e6 => format!("{:.1} MB", v / 1e6),
        v if v >= 1e3 => format!("{:.0} kB", v / 1e3),
        v => format!("{v:.0} B"),
    }
}

/// `09:30:12`, in UTC.
pub fn hms(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(11..19).unwrap_or(&text).to_owned()
}

/// `09:30:12.345`, in UTC.
pub fn hms_ms(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(11..23).unwrap_or(&text).to_owned()
}

/// `2025-11-20 09:30:12`, in UTC.
pub fn date_hms(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(..19).unwrap_or(&text).replacen('T', " ", 1)
}

/// How long something took, from milliseconds: `143 ms`, `12.4 s`, `3 min 4 s`.
pub fn took(value: u64) -> String {
    if value >= 60_000 { crate::ui::words::span(std::time::Duration::from_millis(value)) } else { ms(value as f64) }
}

#[cfg(test)]
mod tests {
    use super::{bytes, in_unit, micros, ms, percent, plain, took};

    #[test]
    fn three_digits_are_enough() {
        assert_eq!([0.0, 0.4, 34.24, 240.6].map(plain), ["0", "0.40", "34.2", "241"]);
        assert_eq!([0.8, 42.4, 1_250.0, 12_000.0].map(ms), ["0.8 ms", "42 ms", "1.25 s", "12.0 s"]);
        assert_eq!([0.0, 0.001, 15.0].map(percent), ["0 %", "< 0.01 %", "15 %"]);
        assert_eq!((micros(45), micros(3_200)), ("45 µs".to_owned(), "3.2 ms".to_owned()));
        assert_eq!((bytes(512.0), bytes(1_440_000.0)), ("512 B".to_owned(), "1.4 MB".to_owned()));
        assert_eq!((in_unit(15.0, "%"), in_unit(1.5, "a request")), ("15 %".to_owned(), "1.5 a request".to_owned()));
        assert_eq!((took(143), took(184_000)), ("143 ms".to_owned(), "3 min 4 s".to_owned()));
    }
}
