//! Running other programs: environment, errors in one sentence, output both shown and kept.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::paths::Paths;

/// Variables that `cargo run` sets for this program and that its children must not see: build scripts watch
/// some of them, and would run again for a difference that means nothing.
const FROM_CARGO_RUN: [&str; 7] = [
    "CARGO",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_MANIFEST_LINKS",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_PRIMARY_PACKAGE",
];

/// A command that runs in the repository with a clean environment.
pub fn command(paths: &Paths, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(&paths.root);
    command.env("CARGO_INCREMENTAL", "0");
    for name in FROM_CARGO_RUN {
        command.env_remove(name);
    }
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") {
            command.env_remove(name);
        }
    }
    command
}

/// `cargo` with the tool chain that the repository pins.
pub fn cargo(paths: &Paths) -> Command {
    command(paths, "cargo")
}

/// The command as a person would type it.
pub fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let mut line = name.to_string_lossy().into_owned();
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}

/// Runs to the end, showing its output.
///
/// # Errors
/// When it cannot be started or does not succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("`{}` cannot be started", line(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs quietly and gives its standard output, trimmed.
///
/// # Errors
/// When it cannot be started or does not succeed; the last line of its standard error is in the message.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("`{}` cannot be started", line(command)))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last = stderr.lines().last().unwrap_or_default();
        bail!("`{}` failed ({}) {last}", line(command), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Which stream of a child is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// Runs to the end and hands every line of one stream to `each`. The other stream is shown as it is.
///
/// # Errors
/// When it cannot be started or its output cannot be read. The exit status is given back, not judged.
pub fn each_line(command: &mut Command, stream: Stream, mut each: impl FnMut(&str)) -> Result<std::process::ExitStatus> {
    match stream {
        Stream::Stdout => command.stdout(Stdio::piped()),
        Stream::Stderr => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().with_context(|| format!("`{}` cannot be started", line(command)))?;
    let reader: Box<dyn std::io::Read> = match (child.stdout.take(), child.stderr.take()) {
        (Some(stdout), _) => Box::new(stdout),
        (None, Some(stderr)) => Box::new(stderr),
        (None, None) => bail!("`{}` has no output to read", line(command)),
    };
    for bytes in BufReader::new(reader).split(b'\n') {
        let bytes = bytes.with_context(|| format!("`{}` cannot be read", line(command)))?;
        each(&String::from_utf8_lossy(&bytes));
    }
    child.wait().with_context(|| format!("`{}` cannot be waited for", line(command)))
}

/// Like [`each_line`], showing every line and keeping the whole text.
pub fn tee(command: &mut Command, stream: Stream) -> Result<(std::process::ExitStatus, String)> {
    let mut text = String::new();
    let status = each_line(command, stream, |line| {
        // A closed terminal is no reason to stop the tests.
        let _ = match stream {
            Stream::Stdout => writeln!(std::io::stdout(), "{line}"),
            Stream::Stderr => writeln!(std::io::stderr(), "{line}"),
        };
        text.push_str(line);
        text.push('\n');
    })?;
    Ok((status, text))
}

/// Leaves out terminal colour sequences (`ESC [ … letter`).
pub fn without_colors(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            rest.by_ref().skip_while(|c| *c == '[').find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Finds a program on PATH.
pub fn which(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(name)).find(|file| is_executable(file))
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

/// PATH with these folders first.
pub fn path_with(first: &[PathBuf]) -> Result<std::ffi::OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let dirs = first.iter().cloned().chain(env::split_paths(&path));
    env::join_paths(dirs).context("PATH cannot be extended")
}

/// The first `major.minor.patch` in a program's version line, such as `cargo-leptos 0.3.10` or `v20.20.2`.
pub fn version_in(text: &str) -> Option<(u32, u32, u32)> {
    text.split(|c: char| c.is_whitespace() || c == '(' || c == ',').find_map(|word| {
        let word = word.trim_start_matches('v');
        let core = word.split(['-', '+']).next()?;
        let mut parts = core.split('.').map(str::parse::<u32>);
        match (parts.next()?, parts.next()?, parts.next()?) {
            (Ok(major), Ok(minor), Ok(patch)) => Some((major, minor, patch)),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_the_lines_that_tools_print() {
        assert_eq!(version_in("cargo-leptos 0.3.10"), Some((0, 3, 10)));
        assert_eq!(version_in("wasm-bindgen 0.2.129"), Some((0, 2, 129)));
        assert_eq!(version_in("v20.20.2\n"), Some((20, 20, 2)));
        assert_eq!(version_in("wasm-bindgen 0.2.129 (0a1b2c3d4)"), Some((0, 2, 129)));
        assert_eq!(version_in("v24.0.0-nightly"), Some((24, 0, 0)));
    }

    #[test]
    fn a_line_without_a_version_has_none() {
        assert_eq!(version_in("command not found"), None);
        assert_eq!(version_in("version 132"), None);
        assert_eq!(version_in(""), None);
    }

    #[test]
    fn a_command_reads_as_it_would_be_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["build", "--release"]);
        assert_eq!(line(&command), "cargo build --release");
    }
}
