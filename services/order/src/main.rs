use runtime::boot::run_service;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_service(order::NAME, 3001, "Feast Flow's order service: turns carts into orders", async |platform| order::build(&platform).await)
}
