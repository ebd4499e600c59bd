//! Identifiers are types, so that a cart id cannot be passed where an order id is meant.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident $example:tt),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(examples($example)))]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes any text: an id that names nothing is answered with "not found", not with "invalid".
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }
    )+};
}

id_types! {
    /// A cart. Random and not guessable: whoever has it may change the cart.
    CartId "5f0c9a52-6f0e-4c39-9d0b-1d2c3b4a5f60",
    /// A dish or drink, unique across all restaurants: `nebula-latte`.
    ItemId "nebula-latte",
    /// An order. Random and not guessable: whoever has it may see status, items and total.
    OrderId "0197a3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
    /// A price that was shown and stays valid for five minutes.
    QuoteId "8b1e4d7c-2a90-4f3e-b6d5-0c9f8e7d6a51",
    /// A restaurant: `cosmic-coffee`.
    RestaurantId "cosmic-coffee",
    /// A browser's anonymous session, from the cookie `feast_sid`.
    SessionId "c2a7d1f0-93be-4e58-8a4d-7f6e5d4c3b2a",
}

/// Percent-encodes an id for use as one path segment.
pub fn path_segment(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::path_segment;

    #[test]
    fn a_path_segment_cannot_escape_its_place() {
        assert_eq!(path_segment("nebula-latte"), "nebula-latte");
        assert_eq!(path_segment("../x?y"), "..%2Fx%3Fy");
    }
}
