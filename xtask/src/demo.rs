//! `demo`: build, then the whole platform in the foreground, with a load generator beside it that is idle until the console asks for load.

use std::env;
use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;

use crate::paths::Paths;
use crate::process::command as program;
use crate::report::Report;
use crate::{build, supervise};

/// Where the server listens when it is told nothing else.
const DEFAULT_ADDRESS: &str = "127.0.0.1:3000";

pub fn command(paths: &Paths, args: &[String]) -> Result<ExitCode> {
    let mut report = Report::new();
    let built = build::stages(paths, &mut report);
    let closed = report.close();
    if built.is_err() {
        return Ok(closed);
    }

    let mut server = program(paths, paths.bin("server"));
    server.args(args);
    // The server prints its links when it is ready. What belongs beside it goes into this list; the demo ends
    // when the first one ends.
    let mut programs = vec![server];
    if let Some(mut agent) = agent(paths, args) {
        // Where others reach the server, reports need a token that both know.
        if is_wide(args)
            && env::var_os("OPERATOR_TOKEN").is_none()
            && env::var_os("INTERNAL_TOKEN").is_none()
            && let Some(token) = random_token()
        {
            programs.iter_mut().chain([&mut agent]).for_each(|program| {
                program.env("INTERNAL_TOKEN", &token);
            });
        }
        programs.push(agent);
    }
    eprintln!("==> serve (Ctrl-C stops it)");
    let status = supervise::run(programs)?;
    Ok(exit_code(status))
}

/// A load generator that follows the server; `None` when the server's address cannot be known beforehand.
fn agent(paths: &Paths, args: &[String]) -> Option<Command> {
    let told = setting(args, "--site-addr").or_else(|| env::var("SITE_ADDR").ok());
    let host = host(told.as_deref().unwrap_or(DEFAULT_ADDRESS))?;
    let mut agent = program(paths, paths.bin("loadgen"));
    // Its few words would stand in the middle of the server's.
    agent.args(["--agent", "--host", &host]).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(token) = setting(args, "--operator-token") {
        agent.env("OPERATOR_TOKEN", token);
    }
    Some(agent)
}

/// Whether others than this machine reach the server.
fn is_wide(args: &[String]) -> bool {
    let told = setting(args, "--site-addr").or_else(|| env::var("SITE_ADDR").ok());
    let elsewhere = told.and_then(|told| told.parse::<SocketAddr>().ok()).is_some_and(|address| !address.ip().is_loopback());
    elsewhere || args.iter().any(|arg| arg == "--lan") || env::var_os("LAN").is_some()
}

/// The value of `--name value` or `--name=value`.
fn setting(args: &[String], name: &str) -> Option<String> {
    let after = args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).cloned();
    after.or_else(|| args.iter().find_map(|arg| arg.strip_prefix(name)?.strip_prefix('=').map(str::to_owned)))
}

/// How this machine reaches a server that listens there.
fn host(address: &str) -> Option<String> {
    let address: SocketAddr = address.parse().ok()?;
    let ip = if address.ip().is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { address.ip() };
    (address.port() != 0).then(|| format!("http://{}", SocketAddr::from((ip, address.port()))))
}

/// A secret nobody can guess; `None` where the system has none to give.
fn random_token() -> Option<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom").ok()?.read_exact(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The exit code of a child as one's own; 1 when a signal ended it.
pub fn exit_code(status: std::process::ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_reached_on_this_machine() {
        assert_eq!(host("127.0.0.1:3000").as_deref(), Some("http://127.0.0.1:3000"));
        assert_eq!(host("0.0.0.0:4000").as_deref(), Some("http://127.0.0.1:4000"));
        assert_eq!(host("[::1]:4000").as_deref(), Some("http://[::1]:4000"));
        assert_eq!((host("127.0.0.1:0"), host("nonsense")), (None, None));
    }

    #[test]
    fn a_setting_is_found_in_both_ways_of_writing_it() {
        let args = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(setting(&args("--lan --site-addr 0.0.0.0:1"), "--site-addr").as_deref(), Some("0.0.0.0:1"));
        assert_eq!(setting(&args("--site-addr=0.0.0.0:1"), "--site-addr").as_deref(), Some("0.0.0.0:1"));
        assert_eq!(setting(&args("--lan"), "--site-addr"), None);
        assert!(is_wide(&args("--lan")) && is_wide(&args("--site-addr=0.0.0.0:1")) && !is_wide(&args("--site-addr 127.0.0.1:1")));
    }
}
