//! More log than anybody reads, but never more than a process can write.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What all floods of a process write in a second at most: enough to drown in, and little work for a core.
const MOST_LINES_A_SECOND: u32 = 2_000;

struct Second {
    began: Option<Instant>,
    /// What each service wrote in it; who asked and got nothing is here as well.
    written: BTreeMap<&'static str, u32>,
    /// How many services asked in the second before.
    sharers: u32,
}

static THIS_SECOND: Mutex<Second> = Mutex::new(Second { began: None, written: BTreeMap::new(), sharers: 1 });

/// Writes so many lines, as far as this second has room for them.
pub fn write(service: &'static str, lines: u32) {
    let granted = grant(&mut THIS_SECOND.lock().unwrap_or_else(PoisonError::into_inner), Instant::now(), service, lines);
    for line in 1..=granted {
        tracing::info!(line, lines = granted, "Looked at detail {line} of {granted} of this request: nothing to report");
    }
}

/// Services of one process share a second evenly: the busiest would leave the others nothing.
fn grant(second: &mut Second, now: Instant, service: &'static str, lines: u32) -> u32 {
    if second.began.is_none_or(|began| now.duration_since(began) >= Duration::from_secs(1)) {
        let sharers = u32::try_from(second.written.len()).unwrap_or(u32::MAX).max(1);
        *second = Second { began: Some(now), written: BTreeMap::new(), sharers };
    }
    let left = MOST_LINES_A_SECOND.saturating_sub(second.written.values().sum());
    let own = second.written.entry(service).or_default();
    let granted = lines.min(left).min((MOST_LINES_A_SECOND / second.sharers).saturating_sub(*own));
    *own += granted;
    granted
}

#[cfg(test)]
mod tests {
    use super::{MOST_LINES_A_SECOND, Second, grant};
    use std::collections::BTreeMap;
    use std::time::{Duration, Instant};

    const A_SECOND: Duration = Duration::from_secs(1);

    fn nobody_yet() -> Second {
        Second { began: None, written: BTreeMap::new(), sharers: 1 }
    }

    #[test]
    fn a_second_has_room_for_so_many_lines_and_the_next_one_again() {
        let (mut second, now) = (nobody_yet(), Instant::now());
        let granted: u32 = (0..10).map(|_| grant(&mut second, now, "order", 1_000)).sum();
        assert_eq!(granted, MOST_LINES_A_SECOND);
        assert_eq!(grant(&mut second, now + A_SECOND, "order", 7), 7);
    }

    #[test]
    fn from_the_second_second_on_a_busy_service_leaves_room_for_a_quiet_one() {
        let (mut second, now) = (nobody_yet(), Instant::now());
        let asked = |second: &mut Second, at| ["menu", "menu", "menu", "order"].map(|service| grant(second, at, service, 1_000));
        assert_eq!(asked(&mut second, now), [1_000, 1_000, 0, 0]);
        assert_eq!(asked(&mut second, now + A_SECOND), [1_000, 0, 0, 1_000]);
        assert_eq!(grant(&mut second, now + 2 * A_SECOND, "order", 5_000), 1_000, "the menu may still come");
        assert_eq!(grant(&mut second, now + 3 * A_SECOND, "order", 5_000), MOST_LINES_A_SECOND, "it did not");
    }
}
