//! How stock begins, shrinks and is filled up again.

use contract::ItemId;
use runtime::chance::Chance;

/// Stock of an item nobody asked for before.
const INITIAL: std::ops::RangeInclusive<i64> = 200..=300;

/// Below this, an item may be filled up.
pub const REFILL_BELOW: i64 = 50;

/// How much a refill brings.
const REFILL: std::ops::RangeInclusive<i64> = 100..=200;

/// In how many of a hundred takes below the mark a refill comes.
const REFILL_PERCENT: f64 = 80.0;

/// What `inventory-shortage` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shortage {
    #[default]
    None,
    /// Nothing is filled up.
    NoReplenishment,
    /// Nothing is filled up, and this item counts as sold out.
    SoldOut(ItemId),
}

impl Shortage {
    pub fn sells(&self, item: &ItemId) -> bool {
        *self != Self::SoldOut(item.clone())
    }
}

/// What chance decided for one take, drawn before the store's atomic step so that the step itself is exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    pub item: ItemId,
    pub quantity: i64,
    /// Stock it begins with, should it be the first take of this item.
    pub initial: i64,
    /// What is added, should the take leave fewer than [`REFILL_BELOW`]; 0 for nothing.
    pub refill: i64,
}

impl Take {
    pub fn draw(item: ItemId, quantity: i64, shortage: &Shortage, chance: &Chance) -> Self {
        let refill = if *shortage == Shortage::None && chance.percent(REFILL_PERCENT) { chance.range(REFILL) } else { 0 };
        Self { item, quantity, initial: chance.range(INITIAL), refill }
    }

    /// What the refill adds when `left` remain after the take.
    pub const fn refill_at(&self, left: i64) -> i64 {
        if left < REFILL_BELOW { self.refill } else { 0 }
    }
}

/// Why stock changed, as the journal tells it. `initial + refill + release + set - take` is what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    Initial,
    Take,
    Release,
    Refill,
    /// An operator set the level; the quantity is the difference.
    Set,
}

impl Movement {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Take => "take",
            Self::Release => "release",
            Self::Refill => "refill",
            Self::Set => "set",
        }
    }
}
