use std::process::ExitCode;

fn main() -> ExitCode {
    payment::main()
}
