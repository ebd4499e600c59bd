//! The tables every service's database has for events and jobs, beside its own.

use crate::store::sql::Schema;

pub const SCHEMA: Schema = Schema {
    sqlite: &[(1, "events", include_str!("../../migrations/sqlite/0001_events.sql"))],
    postgres: &[(1, "events", include_str!("../../migrations/postgres/0001_events.sql"))],
};
