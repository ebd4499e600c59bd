//! How much is remembered.

/// Bounds of the store. Bytes are estimates on the high side; what is beyond is dropped oldest first, and counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Everything together: what waits in the queue, rates, metrics, logs and traces.
    pub bytes: u64,
    /// New healthy traces kept a second; the others are counted as sampled out. Their numbers are in the rates all the same.
    pub healthy_a_second: u32,
    /// New traces a second of requests that a person made, and not the load generator: few, and the ones that somebody asks for.
    /// Those beyond are healthy ones like any.
    pub people_a_second: u32,
    /// New traces a second with an error, a slow first span or a fault. A storm of them must not push out the minute before.
    pub notable_a_second: u32,
    /// Lines below a warning kept a second.
    pub lines_a_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 32 * 1024 * 1024, healthy_a_second: 100, people_a_second: 50, notable_a_second: 100, lines_a_second: 1_000 }
    }
}

/// Sixteenths of the bound each part may use.
const QUEUE: u64 = 2;
const WINDOWS: u64 = 3;
const METRICS: u64 = 1;
const LOGS: u64 = 2;
const NAMES: u64 = 1;
const PENDING: u64 = 2;
/// And what rates and names leave of theirs.
const TRACES: u64 = 5;

impl Limits {
    const fn share(&self, sixteenths: u64) -> usize {
        (self.bytes / 16 * sixteenths) as usize
    }

    pub(crate) const fn queue(&self) -> usize {
        self.share(QUEUE)
    }

    /// What rates and names leave of their shares, which traces may use.
    pub(crate) const fn spare(&self, rates: usize, names: usize) -> usize {
        (self.windows() + self.names()).saturating_sub(rates + names)
    }

    pub(crate) const fn windows(&self) -> usize {
        self.share(WINDOWS)
    }

    pub(crate) const fn metrics(&self) -> usize {
        self.share(METRICS)
    }

    pub(crate) const fn logs(&self) -> usize {
        self.share(LOGS)
    }

    pub(crate) const fn names(&self) -> usize {
        self.share(NAMES)
    }

    pub(crate) const fn pending(&self) -> usize {
        self.share(PENDING)
    }

    pub(crate) const fn traces(&self) -> usize {
        self.share(TRACES)
    }
}

const _: () = assert!(QUEUE + WINDOWS + METRICS + LOGS + NAMES + PENDING + TRACES == 16);
