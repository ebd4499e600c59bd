//! One series by the second: the last seconds open, a quarter of an hour packed second by second, an hour packed by ten seconds.

use crate::pack::Reader;
use crate::slot::{Hit, Slot};
use std::collections::VecDeque;
use std::mem::size_of;

/// Spans come in some seconds after they ended; for so long their second can still be counted in. What comes later is counted in
/// the oldest second that is open, so that totals stay true.
pub(crate) const OPEN_SECONDS: u32 = 15;
/// By the second for so long.
pub(crate) const FINE_SECONDS: u32 = 15 * 60;
/// By ten seconds for so long.
pub(crate) const KEPT_SECONDS: u32 = 60 * 60;
/// Who calls whom is told of the last minute only.
pub(crate) const BRIEF_SECONDS: u32 = 120;
pub(crate) const COARSE_STEP: u32 = 10;

const FINE_BLOCK: u32 = 60;
const COARSE_BLOCK: u32 = 10 * 60;

/// Packed slots of one stretch of time.
#[derive(Clone, Debug)]
struct Block {
    from: u32,
    bytes: Vec<u8>,
}

impl Block {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.bytes.capacity() + 16
    }

    fn each(&self, scratch: &mut Slot, mut visit: impl FnMut(&Slot)) {
        let mut reader = Reader::new(&self.bytes);
        while scratch.unpack(&mut reader, self.from) {
            visit(scratch);
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    open: VecDeque<Slot>,
    fine: VecDeque<Block>,
    coarse: VecDeque<Block>,
    brief: bool,
    last: u32,
    bytes: usize,
}

/// Appends a slot to the last block, or begins the next. Answers the bytes before and after.
fn append(blocks: &mut VecDeque<Block>, span: u32, slot: &Slot) -> (usize, usize) {
    let from = slot.second - slot.second % span;
    let before = blocks.back().map_or(0, Block::bytes);
    let mut after = 0;
    if blocks.back().is_none_or(|block| block.from < from) {
        if let Some(full) = blocks.back_mut() {
            full.bytes.shrink_to_fit();
            after = full.bytes();
        }
        blocks.push_back(Block { from, bytes: Vec::new() });
    }
    if let Some(block) = blocks.back_mut() {
        slot.pack(&mut block.bytes, block.from);
        after += block.bytes();
    }
    (before, after)
}

impl Series {
    /// `brief`: only the last two minutes are asked for.
    pub fn new(brief: bool) -> Self {
        Self { brief, ..Self::default() }
    }

    /// Counts a span that ended in `second`. Answers how many bytes it grew.
    pub fn record(&mut self, second: u32, now: u32, hit: Hit) -> usize {
        let before = self.bytes;
        let second = second.clamp(now.saturating_sub(OPEN_SECONDS - 1), now);
        self.last = self.last.max(second);
        let at = self.open.iter().rposition(|slot| slot.second <= second);
        let known = at.and_then(|at| self.open.get(at)).is_some_and(|slot| slot.second == second);
        let at = match (at, known) {
            (Some(at), true) => at,
            (at, _) => {
                let at = at.map_or(0, |at| at + 1);
                let slot = Slot::at(second);
                self.bytes += slot.bytes();
                self.open.insert(at, slot);
                at
            }
        };
        if let Some(slot) = self.open.get_mut(at) {
            let before = slot.bytes();
            slot.record(hit);
            self.bytes += slot.bytes() - before;
        }
        self.bytes - before
    }

    /// Takes a slot of another store as it is. Slots must come in order.
    pub fn restore(&mut self, slot: &Slot) {
        self.last = self.last.max(slot.second);
        let (before, after) = append(&mut self.fine, FINE_BLOCK, slot);
        self.bytes = self.bytes + after - before;
    }

    /// Packs what is not open any more, thins what is old, drops what is too old.
    pub fn tidy(&mut self, now: u32) {
        while let Some(slot) = self.open.front().filter(|slot| slot.second + OPEN_SECONDS <= now) {
            let (before, after) = append(&mut self.fine, FINE_BLOCK, slot);
            self.bytes = self.bytes + after - before - slot.bytes();
            self.open.pop_front();
        }
        let fine_for = if self.brief { BRIEF_SECONDS } else { FINE_SECONDS };
        while self.fine.front().is_some_and(|block| block.from + FINE_BLOCK + fine_for <= now) {
            self.thin();
        }
        while self.coarse.front().is_some_and(|block| block.from + COARSE_BLOCK + KEPT_SECONDS <= now) {
            self.drop_front_of_coarse();
        }
    }

    /// Puts the oldest block of seconds together by ten seconds.
    fn thin(&mut self) {
        let Some(block) = self.fine.pop_front() else { return };
        self.bytes -= block.bytes();
        if self.brief {
            return;
        }
        let mut tens: Vec<Slot> = Vec::new();
        block.each(&mut Slot::default(), |slot| {
            let second = slot.second - slot.second % COARSE_STEP;
            match tens.last_mut().filter(|ten| ten.second == second) {
                Some(ten) => ten.merge(slot),
                None => tens.push(Slot { second, ..slot.clone() }),
            }
        });
        for ten in &tens {
            let (before, after) = append(&mut self.coarse, COARSE_BLOCK, ten);
            self.bytes = self.bytes + after - before;
        }
    }

    fn drop_front_of_coarse(&mut self) {
        if let Some(block) = self.coarse.pop_front() {
            self.bytes -= block.bytes();
        }
    }

    /// Where its oldest stretch begins.
    pub fn oldest(&self) -> Option<u32> {
        let open = self.open.front().map(|slot| slot.second);
        self.coarse.front().or(self.fine.front()).map(|block| block.from).or(open)
    }

    /// Drops its oldest stretch.
    pub fn drop_oldest(&mut self) {
        if !self.coarse.is_empty() {
            self.drop_front_of_coarse();
        } else if let Some(block) = self.fine.pop_front() {
            self.bytes -= block.bytes();
        } else if let Some(slot) = self.open.pop_front() {
            self.bytes -= slot.bytes();
        }
    }

    /// Visits the slots whose second is in `from..to`, oldest first.
    pub fn each(&self, from: u32, to: u32, mut visit: impl FnMut(&Slot)) {
        let mut scratch = Slot::default();
        let spans = self.coarse.iter().map(|block| (block, COARSE_BLOCK)).chain(self.fine.iter().map(|block| (block, FINE_BLOCK)));
        for (block, span) in spans {
            if block.from < to && block.from + span > from {
                block.each(&mut scratch, |slot| {
                    if (from..to).contains(&slot.second) {
                        visit(slot);
                    }
                });
            }
        }
        self.open.iter().filter(|slot| (from..to).contains(&slot.second)).for_each(visit);
    }

    /// The last second something ended in.
    pub const fn last(&self) -> u32 {
        self.last
    }

    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::Counts;

    fn counts(series: &Series, from: u32, to: u32) -> Counts {
        let mut counts = Counts::default();
        series.each(from, to, |slot| slot.add_to(&mut counts));
        counts
    }

    fn hit() -> Hit {
        Hit::new(5_000, Some(200), false, false)
    }

    #[test]
    fn an_hour_is_told_by_the_second_and_then_by_ten() {
        let mut series = Series::new(false);
        let start = 1_000_000_000;
        for second in start..start + 3_600 {
            series.record(second, second, hit());
            series.tidy(second);
        }
        let now = start + 3_600;
        assert_eq!(counts(&series, start, now).total, 3_600);
        assert_eq!(counts(&series, now - 600, now - 599).total, 1);
        assert_eq!(counts(&series, now - 3_000, now - 2_990).total, 10);
        assert!(series.bytes() < 60_000, "{}", series.bytes());
    }

    #[test]
    fn what_comes_late_is_counted_all_the_same() {
        let mut series = Series::new(false);
        series.record(1_000, 1_000, hit());
        series.record(1_002, 1_003, hit());
        series.record(1_001, 1_003, hit());
        series.record(10, 1_003, hit());
        series.record(9_999, 1_003, hit());
        assert_eq!(counts(&series, 0, 2_000).total, 5);
        assert_eq!(counts(&series, 1_001, 1_003).total, 2);
        assert_eq!(counts(&series, 1_003, 1_004).total, 1);
    }

    #[test]
    fn dropping_everything_leaves_no_bytes() {
        let mut series = Series::new(false);
        for second in 1_000_000..1_002_000 {
            series.record(second, second, hit());
            series.tidy(second);
        }
        while series.oldest().is_some() {
            series.drop_oldest();
        }
        assert_eq!(series.bytes(), 0);
    }

    #[test]
    fn who_calls_whom_is_kept_for_two_minutes() {
        let mut series = Series::new(true);
        for second in 1_000_000..1_001_000 {
            series.record(second, second, hit());
            series.tidy(second);
        }
        let total = counts(&series, 0, 2_000_000).total;
        assert!((120..=200).contains(&total), "{total}");
    }
}
