//! Running long-lived programs side by side until the first ends or somebody says stop.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::process::line;

/// How long programs may take to end once they are asked to, before they are killed.
const STOP_DEADLINE: Duration = Duration::from_secs(20);
/// How often their state is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Starts all programs and waits until the first of the list ends, or until Ctrl-C or SIGTERM; then asks those
/// that are left to stop, and gives the first one's status. A second Ctrl-C kills.
pub fn run(commands: Vec<Command>) -> Result<ExitStatus> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("signals cannot be received")?;
    let mut children = Children(Vec::new());
    for mut command in commands {
        own_group(&mut command);
        let child = command.stdin(Stdio::null()).spawn().with_context(|| format!("`{}` cannot be started", line(&command)))?;
        children.0.push(child);
    }
    let mut asked: Option<Instant> = None;
    let mut first_status = None;
    loop {
        for _ in signals.pending() {
            if asked.is_some() {
                children.kill();
            }
            children.ask_to_stop();
            asked.get_or_insert_with(Instant::now);
        }
        let mut running = false;
        for (index, child) in children.0.iter_mut().enumerate() {
            match child.try_wait().context("a program cannot be waited for")? {
                None => running = true,
                Some(status) if index == 0 && first_status.is_none() => {
                    first_status = Some(status);
                }
                Some(_) => {}
            }
        }
        if let (false, Some(status)) = (running, first_status) {
            return Ok(status);
        }
        if first_status.is_some() && asked.is_none() {
            children.ask_to_stop();
            asked = Some(Instant::now());
        }
        if asked.is_some_and(|since| since.elapsed() > STOP_DEADLINE) {
            eprintln!("==> not stopped after {} s: killing", STOP_DEADLINE.as_secs());
            children.kill();
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Running programs, which do not outlive this value.
struct Children(Vec<Child>);

impl Children {
    fn ask_to_stop(&mut self) {
        self.0.iter_mut().for_each(ask_to_stop);
    }

    fn kill(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.kill();
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}

/// Asks a program to stop, if it runs.
pub fn ask_to_stop(child: &mut Child) {
    if let Ok(None) = child.try_wait() {
        // The standard library can only kill; the shell's `kill` is everywhere.
        let _ = Command::new("sh").args(["-c", &format!("kill -s TERM {}", child.id())]).status();
    }
}

/// Away from the terminal's Ctrl-C, which reaches this program alone, so that each child is asked exactly once.
fn own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_first_programs_end_stops_the_others_and_its_status_counts() {
        let started = Instant::now();
        let status = run(vec![sh("exit 3"), sh("exec sleep 60")]).unwrap();
        assert_eq!(status.code(), Some(3));
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_program_that_cannot_be_started_is_named() {
        let error = run(vec![Command::new("feast-flow-no-such-program")]).unwrap_err();
        assert!(error.to_string().contains("feast-flow-no-such-program"));
    }
}
