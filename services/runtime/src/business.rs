//! Facts of the domain on spans: what an order cost, how a payment ended. The console counts spans by some of them.

use opentelemetry::Value;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Says something of the domain about the running span: `feast.pricing.algorithm` is `v2`. Values are words of ours, never text or names
/// of customers.
pub fn tag(name: &'static str, value: impl Into<Value>) {
    Span::current().set_attribute(name, value.into());
}

/// Whether something belongs to a share (0-100) of all there is: the same things every time, and a larger share contains the smaller.
/// For faults that have to strike the same order or courier again when they are asked again.
pub fn is_among(key: &str, percent: f64) -> bool {
    // FNV-1a, and its halves mixed, because ids that follow each other differ in a few letters only.
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (mixed % 10_000) as f64 / 100.0 < percent
}

#[cfg(test)]
mod tests {
    use super::is_among;

    #[test]
    fn a_share_is_about_that_share_and_contains_the_smaller() {
        let orders: Vec<String> = (0..10_000).map(|n| format!("01930000-0000-7000-8000-{n:012x}")).collect();
        for (percent, least, most) in [(0.0, 0, 0), (10.0, 800, 1_200), (50.0, 4_700, 5_300), (100.0, 10_000, 10_000)] {
            let among = orders.iter().filter(|order| is_among(order, percent)).count();
            assert!((least..=most).contains(&among), "{among} of 10 000 are {percent} %");
        }
        assert!(orders.iter().filter(|order| is_among(order, 10.0)).all(|order| is_among(order, 50.0)));
    }
}
