use std::process::ExitCode;

fn main() -> ExitCode {
    middleware::main()
}
