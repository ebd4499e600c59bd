use runtime::boot::{BootError, run_service};
use std::process::ExitCode;

fn main() -> ExitCode {
    run_service(cart::NAME, 3003, "Feast Flow's cart service: carts with a time to live", async |platform| {
        if platform.settings.redis_url.is_none() {
            return Err(BootError::Config("REDIS_URL is not set: carts of a service that runs alone live in Redis".to_owned()));
        }
        cart::build(&platform).await
    })
}
