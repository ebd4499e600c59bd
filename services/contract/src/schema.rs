//! How values that write themselves by hand describe themselves in the OpenAPI document.

use crate::{Code, Money, Quantity, Timestamp};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// Text that is trimmed and has so many characters then.
pub fn text(says: &str, min: usize, max: usize) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).description(Some(says.trim())).min_length(Some(min)).max_length(Some(max)).into()
}

impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Number).description(Some("An amount in dollars, with two decimals.")).examples([5.99]).into()
    }
}

impl ToSchema for Money {}

impl PartialSchema for Quantity {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(Self::MAX))
            .description(Some("How many of one dish; a whole number."))
            .examples([2])
            .into()
    }
}

impl ToSchema for Quantity {}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("A moment, RFC 3339 in UTC with milliseconds."))
            .examples(["2026-11-20T09:30:00.000Z"])
            .into()
    }
}

impl ToSchema for Timestamp {}

impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What went wrong, as a word that programs may rely on. There may be more of them one day."))
            .enum_values(Some(Self::ALL.iter().map(|code| code.as_str())))
            .examples([Self::CartNotFound.as_str()])
            .into()
    }
}

impl ToSchema for Code {}
