use std::process::ExitCode;

fn main() -> ExitCode {
    cart::main()
}
