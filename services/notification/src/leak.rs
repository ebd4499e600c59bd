//! The flag `notification-memory-leak`: messages that were sent are kept for nobody, up to a bound, and freed when it is off.

use crate::NAME;
use opentelemetry::metrics::Meter;
use runtime::Platform;
use runtime::chaos::{Chaos, Injected};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tracing::{Instrument, field};

const FLAG: &str = "notification-memory-leak";

/// A leak stops growing here. Enough to be seen in any chart, and any machine has it.
pub const MOST_BYTES: usize = 128 * 1024 * 1024;

/// How often it grows.
const GROW_EVERY: Duration = Duration::from_millis(250);

/// What is kept for nobody.
#[derive(Default)]
struct Kept {
    pieces: Vec<Box<[u8]>>,
    bytes: usize,
}

impl Kept {
    /// Grows by so many bytes, as far as the bound lets it.
    fn grow(&mut self, bytes: usize) {
        let bytes = bytes.min(MOST_BYTES - self.bytes);
        if bytes > 0 {
            // Written to, because memory that nobody wrote to takes no room.
            self.pieces.push(vec![b'm'; bytes].into_boxed_slice());
            self.bytes += bytes;
        }
    }
}

/// Follows the flag until the process stops.
pub fn start(platform: &Platform) {
    let held = Arc::new(AtomicU64::new(0));
    measure(&platform.meter(NAME), held.clone());
    let (chaos, stop) = (platform.chaos(NAME), platform.stop.clone());
    let mut changes = platform.flag_control().subscribe();
    platform.spawn(NAME, async move {
        let mut kept = Kept::default();
        loop {
            let growth = growth(&chaos).await;
            match growth {
                Some(bytes) => kept.grow(bytes),
                None => kept = Kept::default(),
            }
            held.store(kept.bytes as u64, Ordering::Release);
            let again = async {
                match growth {
                    Some(_) => tokio::time::sleep(GROW_EVERY).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                changed = changes.changed() => if changed.is_err() { return },
                () = again => {}
            }
        }
    });
}

/// Bytes to keep now; `None` while the flag is off.
async fn growth(chaos: &Chaos) -> Option<usize> {
    let active = chaos.domain(FLAG).await?;
    let kib_a_second = active.value.get("kibPerSecond").and_then(serde_json::Value::as_u64)?;
    let bytes = kib_a_second.saturating_mul(1024).saturating_mul(GROW_EVERY.as_millis() as u64) / 1000;
    let span = tracing::info_span!(
        "notification.leak",
        otel.name = "keep messages",
        otel.kind = "internal",
        chaos.flag = field::Empty,
        chaos.injected = field::Empty,
    );
    async { chaos.mark(FLAG, Injected::Behaviour, "memory") }.instrument(span).await;
    Some(usize::try_from(bytes).unwrap_or(MOST_BYTES))
}

fn measure(meter: &Meter, held: Arc<AtomicU64>) {
    meter
        .u64_observable_gauge("feast.notification.memory")
        .with_description("Messages that are kept although they were sent")
        .with_unit("By")
        .with_callback(move |observer| observer.observe(held.load(Ordering::Acquire), &[]))
        .build();
}

#[cfg(test)]
mod tests {
    use super::{Kept, MOST_BYTES};

    #[test]
    fn a_leak_stops_growing_at_its_bound() {
        let mut kept = Kept::default();
        kept.grow(1_000);
        assert_eq!(kept.bytes, 1_000);
        for _ in 0..3 {
            kept.grow(MOST_BYTES / 2 + 1);
        }
        let sum: usize = kept.pieces.iter().map(|piece| piece.len()).sum();
        assert_eq!((kept.bytes, sum), (MOST_BYTES, MOST_BYTES));
    }
}
