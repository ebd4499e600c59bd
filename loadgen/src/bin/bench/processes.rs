//! What the kernel says about processes: time they used, memory they hold.

use anyhow::{Context, Result};
use std::fs;
use std::time::Instant;

/// Linux counts processor time in hundredths of a second, whatever the kernel's own tick is (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time up to one moment.
#[derive(Clone, Copy)]
pub struct Usage {
    at: Instant,
    server: u64,
    client: u64,
    machine: u64,
}

/// Processor time between two moments.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    pub seconds: f64,
    pub server_seconds: f64,
    pub client_seconds: f64,
    /// What neither of the two used, in percent of the whole machine: the measurement was disturbed by so much.
    pub others_percent: f64,
}

impl Usage {
    /// Now. `server` is a process id.
    pub fn now(server: u32) -> Self {
        Self {
            at: Instant::now(),
            server: ticks_of(&server.to_string()).unwrap_or(0),
            client: ticks_of("self").unwrap_or(0),
            machine: fs::read_to_string("/proc/stat").ok().and_then(|text| machine_ticks(&text)).unwrap_or(0),
        }
    }

    pub fn since(&self, before: &Self) -> Used {
        let seconds = self.at.duration_since(before.at).as_secs_f64();
        let between = |now: u64, then: u64| now.saturating_sub(then) as f64 / TICKS_PER_SECOND;
        let (server_seconds, client_seconds) = (between(self.server, before.server), between(self.client, before.client));
        let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
        let others = (between(self.machine, before.machine) - server_seconds - client_seconds).max(0.0);
        Used { seconds, server_seconds, client_seconds, others_percent: 100.0 * others / (seconds * cores).max(f64::EPSILON) }
    }
}

/// User and system time of all threads of a process.
fn ticks_of(process: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name stands in parentheses and may contain anything; utime and stime are the 12th and 13th field after it.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Time in programs, in their kernel calls, and stolen by other machines. Interrupts are left out: the network's are ours.
fn machine_ticks(text: &str) -> Option<u64> {
    let fields: Vec<u64> = text.lines().next()?.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    Some(fields.first()? + fields.get(1)? + fields.get(2)? + fields.get(7).copied().unwrap_or(0))
}

/// Memory in bytes: `VmRSS` is resident now, `VmHWM` at its highest.
///
/// # Errors
/// The process is gone, or this is not Linux.
pub fn memory(process: u32, field: &str) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).context("the memory of the server cannot be read")?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kilobytes: u64 = line
        .and_then(|line| line.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse().ok())
        .context(format!("no {field}"))?;
    Ok(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupts_idle_and_waiting_are_not_work() {
        assert_eq!(machine_ticks("cpu  100 10 50 9000 70 5 6 3 0 0\ncpu0 1 1 1 1\n"), Some(163));
        assert_eq!(machine_ticks(""), None);
    }

    #[test]
    fn a_process_has_memory_and_a_missing_one_has_not() {
        assert!(memory(std::process::id(), "VmRSS").unwrap() > 100_000);
        assert!(memory(u32::MAX, "VmRSS").is_err());
    }
}
