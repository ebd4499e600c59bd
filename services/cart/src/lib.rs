//! The cart service: carts that live for an hour without use.
//!
//! Calls the menu service for names and prices; nothing a client sends about an item is believed.

pub mod domain;
mod routes;
mod store;

pub use routes::openapi;
pub use store::{CartStore, Change, Lifespan, MemoryCarts, Outcome, RedisCarts, TTL};

use contract::client::MenuClient;
use runtime::boot::{BootError, run_service};
use runtime::health::SharedProbe;
use runtime::{Platform, Service};
use std::process::ExitCode;
use std::sync::Arc;

pub const NAME: &str = "cart";

/// # Errors
/// Redis or the menu service is not configured as it must be.
pub async fn build(platform: &Platform) -> Result<Service, BootError> {
    let menu = MenuClient::new(platform.transport(NAME, "menu")?);
    let lifespan = Lifespan::new(platform.chaos(NAME));
    let mut probes: Vec<SharedProbe> = Vec::new();
    let carts: Arc<dyn CartStore> = match platform.redis().await? {
        Some(redis) => {
            probes.push(Arc::new(redis.clone()));
            Arc::new(RedisCarts::new(redis, platform.guard(NAME, "carts", "redis"), lifespan))
        }
        None => Arc::new(MemoryCarts::new(platform.clock.clone(), platform.guard(NAME, "carts", "memory"), lifespan)),
    };
    probes.extend(platform.remote_probe(NAME, "menu"));
    let state = routes::State::new(carts, menu, platform.clock.clone(), &platform.meter(NAME));
    Ok(Service::new(platform, NAME, routes::router(state), probes))
}

/// `main` of the program. It is here and not in `main.rs` so that everything below it is compiled once.
pub fn main() -> ExitCode {
    run_service(NAME, 3003, "Feast Flow's cart service: carts with a time to live", async |platform| build(&platform).await)
}
