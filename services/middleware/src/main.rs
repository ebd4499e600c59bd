use runtime::boot::{BootError, run_service};
use std::process::ExitCode;

fn main() -> ExitCode {
    run_service(middleware::NAME, 3002, "Feast Flow's middleware service: validation, prices and stock", async |platform| {
        if platform.settings.redis_url.is_none() {
            return Err(BootError::Config("REDIS_URL is not set: stock of a service that runs alone lives in Redis".to_owned()));
        }
        middleware::build(&platform).await
    })
}
