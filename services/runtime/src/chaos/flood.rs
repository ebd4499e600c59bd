//! More log than anybody reads, but never more than a process can write.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What all floods of a process write in a second at most: enough to drown in, and little work for a core.
const MOST_LINES_A_SECOND: u32 = 2_000;

struct Second {
    began: Option<Instant>,
    written: u32,
}

static THIS_SECOND: Mutex<Second> = Mutex::new(Second { began: None, written: 0 });

/// Writes so many lines, as far as this second has room for them.
pub fn write(lines: u32) {
    let granted = grant(&mut THIS_SECOND.lock().unwrap_or_else(PoisonError::into_inner), Instant::now(), lines);
    for line in 1..=granted {
        tracing::info!(line, lines = granted, "Looked at detail {line} of {granted} of this request: nothing to report");
    }
}

fn grant(second: &mut Second, now: Instant, lines: u32) -> u32 {
    if second.began.is_none_or(|began| now.duration_since(began) >= Duration::from_secs(1)) {
        *second = Second { began: Some(now), written: 0 };
    }
    let granted = lines.min(MOST_LINES_A_SECOND - second.written);
    second.written += granted;
    granted
}

#[cfg(test)]
mod tests {
    use super::{MOST_LINES_A_SECOND, Second, grant};
    use std::time::{Duration, Instant};

    #[test]
    fn a_second_has_room_for_so_many_lines_and_the_next_one_again() {
        let (mut second, now) = (Second { began: None, written: 0 }, Instant::now());
        let granted: u32 = (0..10).map(|_| grant(&mut second, now, 1_000)).sum();
        assert_eq!(granted, MOST_LINES_A_SECOND);
        assert_eq!(grant(&mut second, now + Duration::from_secs(1), 7), 7);
    }
}
