//! How many of one dish a line of a cart may hold.

use crate::error::{ApiError, Code};
use serde::{Deserialize, Deserializer, Serialize, de};

/// A whole number from 1 to 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Quantity(u32);

impl Quantity {
    pub const MAX: u32 = 10;

    /// # Errors
    /// `INVALID_QUANTITY` unless `1 <= quantity <= 10`.
    pub fn new(quantity: i64) -> Result<Self, ApiError> {
        match u32::try_from(quantity) {
            Ok(n) if (1..=Self::MAX).contains(&n) => Ok(Self(n)),
            _ => Err(ApiError::new(Code::InvalidQuantity, MESSAGE)),
        }
    }

    pub const fn get(self) -> u32 {
        self.0
    }
}

const MESSAGE: &str = "quantity must be a whole number from 1 to 10";

/// Reads a JSON number that must be whole. `2.0` is whole, `1.5`, `"2"` and `1e12` are not quantities.
pub fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = f64::deserialize(deserializer).map_err(|_| de::Error::custom(MESSAGE))?;
    if number.fract() != 0.0 || number.abs() > 9e15 {
        return Err(de::Error::custom(MESSAGE));
    }
    Ok(number as i64)
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(whole_number(deserializer)?).map_err(|error| de::Error::custom(error.message))
    }
}

#[cfg(test)]
mod tests {
    use super::Quantity;

    #[test]
    fn only_whole_numbers_from_one_to_ten_are_quantities() {
        for good in ["1", "10", "2.0"] {
            assert!(serde_json::from_str::<Quantity>(good).is_ok(), "{good}");
        }
        for bad in ["0", "-1", "11", "1000000000000", "1.5", "\"2\"", "null", "1e400"] {
            assert!(serde_json::from_str::<Quantity>(bad).is_err(), "{bad}");
        }
    }
}
