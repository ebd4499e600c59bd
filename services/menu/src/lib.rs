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

use runtime::boot::{BootError, run_service};
use runtime::{Platform, Service};
use std::process::ExitCode;

pub const NAME: &str = "menu";

/// # Errors
/// The catalogue that was compiled in is not usable.
pub async fn build(platform: &Platform) -> Result<Service, BootError> {
    let menu = Menu::from_embedded_data().map_err(|error| BootError::Config(error.to_string()))?;
    Ok(Service::new(platform, NAME, router(menu), Vec::new()))
}

/// `main` of the program. It is here and not in `main.rs` so that everything below it is compiled once.
pub fn main() -> ExitCode {
    run_service(NAME, 3004, "Feast Flow's menu service: restaurants and what they serve", async |platform| build(&platform).await)
}
