use runtime::boot::{parse, run_process};
use server::config::Config;
use std::process::ExitCode;

fn main() -> ExitCode {
    let config: Config = match parse("server", server::ABOUT) {
        Ok(config) => config,
        Err(code) => return code,
    };
    run_process(server::NAME, config.settings.clone(), async move |platform| server::run(platform, config).await)
}
