use std::process::ExitCode;

fn main() -> ExitCode {
    delivery::main()
}
