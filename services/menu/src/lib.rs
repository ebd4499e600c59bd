//! The menu service: restaurants and what they serve. It alone answers `/api/menu*` and `/api/restaurants*`.
//!
//! The catalogue is `data/restaurants.toml`, compiled in, checked once at start and served from memory.
//! [`domain`] knows neither HTTP nor JSON; `routes` is the table of paths; `served` is a body with its ETag.

pub mod domain;
mod routes;
mod served;
mod state;

pub use routes::router;
pub use state::{LoadError, Menu};
