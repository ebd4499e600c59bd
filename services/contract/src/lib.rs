//! What the services say to each other and to the world: ids, money, wire types, errors and typed clients.
//!
//! Nothing here knows how a call travels (that is [`client::Transport`], implemented by the `runtime` crate)
//! nor how anything is stored. It compiles to wasm, so that browser code can share it.

pub mod account;
pub mod audit;
pub mod cart;
pub mod client;
pub mod delivery;
pub mod detection;
pub mod error;
pub mod event;
pub mod flags;
pub mod geo;
pub mod health;
pub mod id;
pub mod incident;
pub mod ledger;
pub mod load;
pub mod menu;
pub mod money;
pub mod notification;
pub mod order;
pub mod parked;
pub mod payment;
pub mod pricing;
pub mod proof;
pub mod quantity;
#[cfg(feature = "openapi")]
mod schema;
pub mod telemetry;
pub mod text;
pub mod time;

pub use account::Role;
pub use error::{ApiError, Code};
pub use id::{CartId, ItemId, OrderId, QuoteId, RestaurantId, SessionId};
pub use money::Money;
pub use quantity::Quantity;
pub use text::{CustomerName, Note};
pub use time::Timestamp;
