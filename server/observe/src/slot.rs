//! What ended within one second (or ten) in one series.

use crate::counts::Counts;
use crate::histogram::bucket;
use crate::pack::{Reader, put_number};
use std::mem::size_of;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Seconds since 1970.
    pub second: u32,
    pub total: u32,
    pub failed: u32,
    pub touched: u32,
    pub sum_us: u64,
    /// Sorted by status.
    pub statuses: Vec<(u16, u32)>,
    /// Sorted by bucket.
    pub durations: Vec<(u16, u32)>,
}

/// What a span adds to its slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub us: u64,
    pub bucket: u16,
    pub status: Option<u16>,
    pub failed: bool,
    pub touched: bool,
}

impl Hit {
    pub fn new(us: u64, status: Option<u16>, failed: bool, touched: bool) -> Self {
        Self { us, bucket: bucket(us), status, failed, touched }
    }
}

fn count_in(counts: &mut Vec<(u16, u32)>, key: u16, by: u32) {
    match counts.binary_search_by_key(&key, |(known, _)| *known) {
        Ok(at) => {
            if let Some((_, count)) = counts.get_mut(at) {
                *count = count.saturating_add(by);
            }
        }
        Err(at) => counts.insert(at, (key, by)),
    }
}

impl Slot {
    pub fn at(second: u32) -> Self {
        Self { second, ..Self::default() }
    }

    pub fn record(&mut self, hit: Hit) {
        self.total = self.total.saturating_add(1);
        self.failed = self.failed.saturating_add(u32::from(hit.failed));
        self.touched = self.touched.saturating_add(u32::from(hit.touched));
        self.sum_us = self.sum_us.saturating_add(hit.us);
        if let Some(status) = hit.status {
            count_in(&mut self.statuses, status, 1);
        }
        count_in(&mut self.durations, hit.bucket, 1);
    }

    pub fn merge(&mut self, other: &Self) {
        self.total = self.total.saturating_add(other.total);
        self.failed = self.failed.saturating_add(other.failed);
        self.touched = self.touched.saturating_add(other.touched);
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        for (status, count) in &other.statuses {
            count_in(&mut self.statuses, *status, *count);
        }
        for (bucket, count) in &other.durations {
            count_in(&mut self.durations, *bucket, *count);
        }
    }

    pub fn add_to(&self, counts: &mut Counts) {
        counts.total += u64::from(self.total);
        counts.failed += u64::from(self.failed);
        counts.touched += u64::from(self.touched);
        counts.sum_us = counts.sum_us.saturating_add(self.sum_us);
        for (status, count) in &self.statuses {
            *counts.statuses.entry(*status).or_default() += u64::from(*count);
        }
        for (bucket, count) in &self.durations {
            counts.durations.add(*bucket, u64::from(*count));
        }
    }

    pub fn bytes(&self) -> usize {
        size_of::<Self>() + (self.statuses.capacity() + self.durations.capacity()) * size_of::<(u16, u32)>() + 32
    }

    /// Appends itself, its second as a distance from `base`.
    pub fn pack(&self, out: &mut Vec<u8>, base: u32) {
        put_number(out, u64::from(self.second.saturating_sub(base)));
        for number in [self.total, self.failed, self.touched] {
            put_number(out, u64::from(number));
        }
        put_number(out, self.sum_us);
        for counts in [&self.statuses, &self.durations] {
            put_number(out, counts.len() as u64);
            let mut before = 0;
            for (key, count) in counts {
                put_number(out, u64::from(key - before));
                put_number(out, u64::from(*count));
                before = *key;
            }
        }
    }

    /// Reads the next into itself; its allocations are used again. False at the end.
    pub fn unpack(&mut self, reader: &mut Reader<'_>, base: u32) -> bool {
        !reader.is_empty() && self.read(reader, base).is_some()
    }

    fn read(&mut self, reader: &mut Reader<'_>, base: u32) -> Option<()> {
        let small = |number: u64| u32::try_from(number).ok();
        self.second = base.checked_add(small(reader.number()?)?)?;
        self.total = small(reader.number()?)?;
        self.failed = small(reader.number()?)?;
        self.touched = small(reader.number()?)?;
        self.sum_us = reader.number()?;
        for counts in [&mut self.statuses, &mut self.durations] {
            counts.clear();
            let mut key = 0_u16;
            for _ in 0..reader.number()? {
                key = key.checked_add(u16::try_from(reader.number()?).ok()?)?;
                counts.push((key, small(reader.number()?)?));
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_read_as_they_were_packed() {
        let mut slots = [Slot::at(1_000), Slot::at(1_007)];
        slots[0].record(Hit::new(15, Some(200), false, false));
        slots[0].record(Hit::new(2_000_000, Some(503), true, true));
        slots[1].record(Hit::new(700, None, false, false));
        let mut bytes = Vec::new();
        slots.iter().for_each(|slot| slot.pack(&mut bytes, 960));
        let mut reader = Reader::new(&bytes);
        let mut slot = Slot::default();
        for expected in &slots {
            assert!(slot.unpack(&mut reader, 960));
            assert_eq!(&slot, expected);
        }
        assert!(!slot.unpack(&mut reader, 960));
    }
}
