//! Plain counts by the second.

use std::collections::VecDeque;
use std::mem::size_of;

/// How often something happened in which second, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticks(VecDeque<(u32, u32)>);

/// So long they are asked for.
pub(crate) const TICKS_SECONDS: u32 = 15 * 60;

impl Ticks {
    pub fn add(&mut self, second: u32, by: u32) {
        match self.0.iter().rposition(|(known, _)| *known <= second) {
            Some(at) => match self.0.get_mut(at) {
                Some((known, count)) if *known == second => *count = count.saturating_add(by),
                _ => self.0.insert(at + 1, (second, by)),
            },
            None => self.0.push_front((second, by)),
        }
    }

    /// Of the seconds in `from..to`.
    pub fn sum(&self, from: u32, to: u32) -> u64 {
        let start = self.0.partition_point(|(second, _)| *second < from);
        self.0.range(start..).take_while(|(second, _)| *second < to).map(|(_, count)| u64::from(*count)).sum()
    }

    pub fn drop_before(&mut self, second: u32) {
        while self.0.front().is_some_and(|(known, _)| *known < second) {
            self.0.pop_front();
        }
        if self.0.capacity() > 4 * (self.0.len() + 16) {
            self.0.shrink_to_fit();
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<(u32, u32)>() + 32
    }
}

#[cfg(test)]
mod tests {
    use super::Ticks;

    #[test]
    fn seconds_are_counted_in_any_order_and_summed_by_range() {
        let mut ticks = Ticks::default();
        for second in [5, 7, 6, 7, 1] {
            ticks.add(second, 1);
        }
        assert_eq!(ticks.sum(5, 7), 2);
        assert_eq!(ticks.sum(0, 100), 5);
        ticks.drop_before(6);
        assert_eq!(ticks.sum(0, 100), 3);
    }
}
