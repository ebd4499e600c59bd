//! Feast Flow's delivery service: couriers on their way.

use runtime::boot::{BootError, run_service};
use runtime::{Platform, Service};
use std::process::ExitCode;

pub const NAME: &str = "delivery";

/// # Errors
/// The database is not configured as it must be.
#[expect(clippy::unused_async, reason = "it opens its database")]
pub async fn build(platform: &Platform) -> Result<Service, BootError> {
    Ok(Service::new(platform, NAME, axum::Router::new(), Vec::new()))
}

/// `main` of the program. It is here and not in `main.rs` so that everything below it is compiled once.
pub fn main() -> ExitCode {
    run_service(NAME, 3007, "Feast Flow's delivery service: couriers on their way", async |platform| build(&platform).await)
}
