//! Text that people type. Any script and any emoji is welcome; control characters and novels are not.

use crate::error::{ApiError, Code};
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! text_types {
    ($($(#[doc = $doc:literal])+ $name:ident, $what:literal, $min:expr, $max:expr, $code:expr;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub const MAX_CHARS: usize = $max;

            /// Trims, then checks length (in characters) and refuses control characters.
            pub fn parse(text: &str) -> Result<Self, ApiError> {
                let text = text.trim();
                let chars = text.chars().count();
                if !($min..=$max).contains(&chars) {
                    return Err(ApiError::new($code, concat!($what, " must have ", stringify!($min), " to ", stringify!($max), " characters")));
                }
                if text.chars().any(|c| c.is_control() && c != '\n') {
                    return Err(ApiError::new($code, concat!($what, " must not contain control characters")));
                }
                Ok(Self(text.to_owned()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = ApiError;
            fn try_from(text: String) -> Result<Self, ApiError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                crate::schema::text(concat!($($doc),+), $min, $max)
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

text_types! {
    /// Who the order is for.
    CustomerName, "a name", 1, 100, Code::InvalidName;
    /// A text that people read; may be empty.
    Note, "a text", 0, 500, Code::InvalidBody;
}

#[cfg(test)]
mod tests {
    use super::CustomerName;

    #[test]
    fn names_of_any_script_are_kept_and_trimmed() {
        for name in ["  Ada ", "مريم", "👩‍🚀 Zoë", "Robert'); DROP TABLE orders;--", "<b>Bo</b>"] {
            assert_eq!(CustomerName::parse(name).unwrap().as_str(), name.trim());
        }
    }

    #[test]
    fn empty_endless_and_control_names_are_refused() {
        for name in ["", "   ", "a\u{0}b", &"x".repeat(10_000)] {
            assert!(CustomerName::parse(name).is_err());
        }
    }
}
