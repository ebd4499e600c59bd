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

use runtime::boot::BootError;
use runtime::{Platform, Service};

pub const NAME: &str = "menu";

/// # Errors
/// The catalogue that was compiled in is not usable.
pub async fn build(platform: &Platform) -> Result<Service, BootError> {
    let menu = Menu::from_embedded_data().map_err(|error| BootError::Config(error.to_string()))?;
    Ok(Service::new(platform, NAME, router(menu), Vec::new()))
}
