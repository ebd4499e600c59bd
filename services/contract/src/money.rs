//! Money is whole cents inside and a decimal number in JSON (`5.99`).

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};

/// An amount in cents. Arithmetic saturates: a total that would overflow is absurd, never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// More than any order can cost; larger amounts on the wire are refused.
const MAX_CENTS: i64 = 100_000_000_000;

impl Money {
    pub const ZERO: Self = Self(0);

    pub const fn from_cents(cents: i64) -> Self {
        Self(cents)
    }

    pub const fn cents(self) -> i64 {
        self.0
    }

    pub const fn times(self, quantity: u32) -> Self {
        Self(self.0.saturating_mul(quantity as i64))
    }

    /// Multiplies by `numerator / denominator`, rounded half up (away from zero never happens: amounts are not negative).
    pub const fn ratio(self, numerator: i64, denominator: i64) -> Self {
        let scaled = self.0 as i128 * numerator as i128;
        let half = denominator as i128 / 2;
        Self(((scaled + half).div_euclid(denominator as i128)) as i64)
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// `$5.99`, as people read it.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}${}.{:02}", cents / 100, cents % 100)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The nearest double to cents/100 prints back as the same two decimals for every amount below MAX_CENTS.
        serializer.serialize_f64(self.0 as f64 / 100.0)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let amount = f64::deserialize(deserializer)?;
        let cents = (amount * 100.0).round();
        if !amount.is_finite() || cents < 0.0 || cents > MAX_CENTS as f64 {
            return Err(de::Error::custom("an amount is a number from 0 to 1000000000"));
        }
        if (amount * 100.0 - cents).abs() > 1e-4 {
            return Err(de::Error::custom("an amount has at most two decimals"));
        }
        Ok(Self(cents as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::Money;

    #[test]
    fn an_amount_travels_as_a_decimal_and_comes_back_to_the_cent() {
        for cents in [0, 1, 5, 10, 99, 599, 1_234_567, 99_999_999] {
            let json = serde_json::to_string(&Money::from_cents(cents)).unwrap();
            assert_eq!(serde_json::from_str::<Money>(&json).unwrap().cents(), cents, "{json}");
        }
        assert_eq!(serde_json::to_string(&Money::from_cents(599)).unwrap(), "5.99");
    }

    #[test]
    fn an_amount_that_is_negative_or_finer_than_a_cent_is_refused() {
        for bad in ["-1", "1.999", "1e300", "\"5\""] {
            assert!(serde_json::from_str::<Money>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_ratio_rounds_half_up() {
        assert_eq!(Money::from_cents(5).ratio(110, 100).cents(), 6); // 5.5
        assert_eq!(Money::from_cents(599).ratio(85, 100).cents(), 509); // 509.15
        assert_eq!(Money::from_cents(10).ratio(85, 100).cents(), 9); // 8.5
    }

    #[test]
    fn people_read_dollars() {
        assert_eq!(Money::from_cents(1_205).to_string(), "$12.05");
    }
}
