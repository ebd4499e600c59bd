//! Where things are: metres on a square grid, one a city. A stand-in for a map service that is the same everywhere and needs no account.

use serde::{Deserialize, Serialize};

/// Side of a city's square.
pub const CITY_SIDE_M: i32 = 10_000;

/// A place in a city, in metres from its south-west corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Location {
    pub x: i32,
    pub y: i32,
}

impl Location {
    /// Straight-line distance in whole metres.
    pub fn distance_m(self, other: Self) -> u32 {
        let (dx, dy) = (f64::from(self.x - other.x), f64::from(self.y - other.y));
        dx.hypot(dy).round() as u32
    }

    /// The place at `share` (0 to 1) of the way to `to`.
    #[must_use]
    pub fn towards(self, to: Self, share: f64) -> Self {
        let along = |from: i32, to: i32| from + (f64::from(to - from) * share.clamp(0.0, 1.0)).round() as i32;
        Self { x: along(self.x, to.x), y: along(self.y, to.y) }
    }
}

/// Where an address is. The same text (case and spacing aside) is the same place in every process; within 4 km of the city's middle.
pub fn locate(city: &str, address: &str) -> Location {
    // FNV-1a: stable over versions and machines, which the standard library's hasher is not.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let words = city.split_whitespace().chain(address.split_whitespace());
    for byte in words.flat_map(|word| word.bytes().chain([b' '])) {
        hash = (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // The low bits of a short text differ little: fold the high ones in.
    hash ^= hash >> 29;
    let within = |bits: u64| 1_000 + i32::try_from(bits % 8_000).unwrap_or(0);
    Location { x: within(hash & 0xffff_ffff), y: within(hash >> 32) }
}

#[cfg(test)]
mod tests {
    use super::{CITY_SIDE_M, Location, locate};

    #[test]
    fn an_address_is_one_place_however_it_is_typed() {
        assert_eq!(locate("Berlin", "Main Street 1"), locate("Berlin", "  main  street 1 "));
        assert_ne!(locate("Berlin", "Main Street 1"), locate("Berlin", "Main Street 2"));
        assert_ne!(locate("Berlin", "Main Street 1"), locate("Tokyo", "Main Street 1"));
    }

    #[test]
    fn every_place_is_inside_the_city() {
        for address in ["", "a", "Straße 12", "東京都", "x".repeat(500).as_str()] {
            let place = locate("Berlin", address);
            assert!((0..CITY_SIDE_M).contains(&place.x) && (0..CITY_SIDE_M).contains(&place.y), "{place:?}");
        }
    }

    #[test]
    fn half_way_is_as_far_from_both_ends() {
        let (from, to) = (Location { x: 0, y: 0 }, Location { x: 300, y: 400 });
        assert_eq!(from.distance_m(to), 500);
        assert_eq!(from.towards(to, 0.5).distance_m(from), 250);
        assert_eq!(from.towards(to, 7.0), to);
    }
}
