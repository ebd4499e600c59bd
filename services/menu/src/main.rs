use std::process::ExitCode;

fn main() -> ExitCode {
    menu::main()
}
