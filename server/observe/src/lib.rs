//! What the platform remembers about itself: traces, logs and rates, within a bound.
//!
//! [`Intake`] takes and never waits; one thread of the [`Store`] works off what it took. Every span is counted into rates by the second
//! (`windows`), then it is kept or not (`traces`). What is kept is packed (`pack`), so that a bound in bytes is one.
//! A snapshot that was read (`imported`) stands beside it and counts for nothing. Only `sdk`, `otlp` and `receiver`, which bring it in, know OpenTelemetry and HTTP; nothing here knows flags.

pub mod counts;
mod entry;
pub mod errors;
mod exchange;
mod facts;
pub mod histogram;
pub mod imported;
pub mod intake;
mod label;
pub mod limits;
mod logs;
mod metrics;
pub mod model;
mod names;
pub mod otlp;
mod overview;
mod pack;
mod rates;
pub mod receiver;
mod sampler;
pub mod sdk;
mod search;
mod series;
mod slot;
mod snapshot;
pub mod store;
mod tallies;
mod text;
mod ticks;
mod topology;
mod traces;
mod waterfall;
mod windows;
pub mod words;

pub use counts::{Counts, Select};
pub use errors::{BadCursor, ImportError};
pub use imported::Imported;
pub use intake::Intake;
pub use limits::Limits;
pub use store::Store;

/// The service that customers meet.
pub const GATEWAY: &str = "server";

/// Attributes of spans whose values are counted by the second, for [`Store::tagged`]. Their values must be few.
pub const TALLIED: [&str; 8] = [
    "feast.cart.lifetime",
    "feast.pricing.surge",
    "feast.pricing.algorithm",
    "feast.order.status",
    "feast.payment.outcome",
    "feast.delivery.free",
    "feast.checkout.express",
    "feast.stock.refilled",
];
