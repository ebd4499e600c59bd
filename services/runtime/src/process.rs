//! What the operating system knows of this process: processor time and memory. In one process every service says the same.

use opentelemetry::metrics::Meter;
use std::fs;

/// The unit of times in `/proc`: Linux shows programs hundredths of a second, whatever its own clock is.
const TICKS_A_SECOND: f64 = 100.0;

/// Puts them on the meter, where the system tells (Linux).
pub fn measure(meter: &Meter) {
    if cpu_seconds().is_none() {
        return;
    }
    meter
        .f64_observable_counter("process.cpu.time")
        .with_description("Processor time of the whole process")
        .with_unit("s")
        .with_callback(|observer| {
            if let Some(seconds) = cpu_seconds() {
                observer.observe(seconds, &[]);
            }
        })
        .build();
    meter
        .u64_observable_gauge("process.memory.usage")
        .with_description("Memory of the whole process that is in RAM")
        .with_unit("By")
        .with_callback(|observer| {
            if let Some(bytes) = resident_bytes() {
                observer.observe(bytes, &[]);
            }
        })
        .build();
}

fn cpu_seconds() -> Option<f64> {
    cpu_of(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// User and system time are fields 14 and 15; the second, in brackets, may hold spaces.
fn cpu_of(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / TICKS_A_SECOND)
}

fn resident_bytes() -> Option<u64> {
    resident_of(&fs::read_to_string("/proc/self/status").ok()?)
}

fn resident_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::{cpu_of, resident_of};

    #[test]
    fn the_systems_texts_are_read() {
        let stat = "4242 (a (b) c) S 1 4242 4242 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0 100 1 1";
        assert_eq!(cpu_of(stat), Some(2.0));
        assert_eq!(resident_of("VmPeak:\t  9 kB\nVmRSS:\t   1024 kB\n"), Some(1024 * 1024));
        assert_eq!(cpu_of("nonsense"), None);
    }
}
