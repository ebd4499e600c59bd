//! What the platform remembers about itself: traces, logs and rates, within a bound.

pub mod counts;
pub mod errors;
pub mod histogram;
pub mod intake;
pub mod limits;
pub mod model;
pub mod otlp;
pub mod receiver;
pub mod sdk;
pub mod store;
pub mod words;

pub use counts::{Counts, Select};
pub use errors::{BadCursor, ImportError};
pub use intake::Intake;
pub use limits::Limits;
pub use store::Store;

/// The service that customers meet.
pub const GATEWAY: &str = "server";

/// Attributes of spans whose values are counted by the second, for [`Store::tagged`]. Their values must be few.
pub const TALLIED: [&str; 7] = [
    "feast.pricing.surge",
    "feast.pricing.algorithm",
    "feast.order.status",
    "feast.payment.outcome",
    "feast.delivery.free",
    "feast.checkout.express",
    "feast.stock.refilled",
];
