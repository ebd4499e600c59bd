//! Threads that burn processor time, for as long as a flag says so. One core is always left alone.

use super::{Chaos, Injected};
use crate::flags::site::Point;
use crate::platform::Platform;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tracing::{Instrument, field};

/// How often a fire is looked after. Flips are heard of at once.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A thread burns its share of each of these, and rests for what is left.
const SLICE: Duration = Duration::from_millis(10);

/// Threads that burn in this process, for all of its services together.
static BURNING: AtomicU32 = AtomicU32::new(0);

/// Follows the flags of the point `process` for one service, until the process stops.
pub fn follow(platform: &Platform, service: &'static str) {
    let (chaos, stop) = (platform.chaos(service), platform.stop.clone());
    let mut changes = platform.flag_control().subscribe();
    platform.spawn(service, async move {
        let mut fire: Option<Fire> = None;
        loop {
            let wanted = chaos.wanted_fire().await;
            if wanted != fire.as_ref().map(|fire| fire.wanted) {
                // Out before the next one is lit: both together would be too many.
                if fire.take().is_some() {
                    tokio::time::sleep(2 * SLICE).await;
                }
                fire = wanted.map(Fire::light);
            }
            let look = async {
                match fire {
                    Some(_) => tokio::time::sleep(LOOK_EVERY).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                changed = changes.changed() => if changed.is_err() { return },
                () = look => {}
            }
        }
    });
}

/// So many threads, each with so many per cent of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    threads: u32,
    percent: u32,
}

impl Chaos {
    async fn wanted_fire(&self) -> Option<Wanted> {
        for (key, _) in self.sites(|site| site.point == Point::Process && site.is_in(self.flags.service())) {
            let Some(effect) = self.effect(&key).await.filter(|effect| effect.is_for(self.flags.service())) else { continue };
            if effect.threads == 0 {
                continue;
            }
            let span = tracing::info_span!(
                "process.burn",
                otel.name = "burn processor time",
                otel.kind = "internal",
                chaos.flag = field::Empty,
                chaos.injected = field::Empty,
            );
            async { self.mark(&key, Injected::Behaviour, "process") }.instrument(span).await;
            return Some(Wanted { threads: effect.threads, percent: effect.percent.unwrap_or(100).clamp(1, 100) });
        }
        None
    }
}

/// Burning threads; they end when it is dropped.
struct Fire {
    wanted: Wanted,
    out: Arc<AtomicBool>,
}

impl Fire {
    fn light(wanted: Wanted) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let out = Arc::new(AtomicBool::new(false));
        // The only core there is is left alone half of the time.
        let (most, percent) = match u32::try_from(cores - 1).unwrap_or(u32::MAX) {
            0 => (1, wanted.percent.min(50)),
            spare => (spare, wanted.percent),
        };
        for _ in 0..wanted.threads.min(most) {
            let free = BURNING.fetch_update(Ordering::AcqRel, Ordering::Acquire, |burning| (burning < most).then_some(burning + 1));
            if free.is_err() {
                break;
            }
            let out = Arc::clone(&out);
            let burning = thread::Builder::new().name("burn".to_owned()).spawn(move || {
                burn(&out, percent);
                BURNING.fetch_sub(1, Ordering::AcqRel);
            });
            if let Err(error) = burning {
                BURNING.fetch_sub(1, Ordering::AcqRel);
                tracing::warn!(%error, "A thread that was to burn could not be started");
            }
        }
        Self { wanted, out }
    }
}

impl Drop for Fire {
    fn drop(&mut self) {
        self.out.store(true, Ordering::Release);
    }
}

fn burn(out: &AtomicBool, percent: u32) {
    let busy = SLICE * percent / 100;
    let mut ash = 0_u64;
    while !out.load(Ordering::Acquire) {
        let began = Instant::now();
        while began.elapsed() < busy {
            for n in 0..1_000_u64 {
                ash = black_box(ash.wrapping_mul(31).wrapping_add(n));
            }
        }
        thread::sleep(SLICE.saturating_sub(began.elapsed()));
    }
}

/// Threads that burn now, in all of this process.
pub fn burning() -> u32 {
    BURNING.load(Ordering::Acquire)
}
