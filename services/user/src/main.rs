use std::process::ExitCode;

fn main() -> ExitCode {
    user::main()
}
