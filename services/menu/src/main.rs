use runtime::boot::run_service;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_service(menu::NAME, 3004, "Feast Flow's menu service: restaurants and what they serve", async |platform| menu::build(&platform).await)
}
