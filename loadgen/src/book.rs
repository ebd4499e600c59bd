//! What the clients meant to order and what they were told: kept in memory, compared with the server at the end.

use contract::order::{Order, OrderLine};
use contract::{CartId, ItemId, Money, OrderId};
use std::collections::BTreeMap;

/// A line as the client put it into its cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedLine {
    pub item_id: ItemId,
    pub quantity: u32,
}

/// A line as an order has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MadeLine {
    pub item_id: ItemId,
    pub quantity: u32,
    pub item_total: Money,
}

/// What a 201 said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub order_id: OrderId,
    /// Sorted by item.
    pub lines: Vec<MadeLine>,
    pub total: Money,
}

impl Told {
    pub fn of(order: &Order) -> Self {
        Self { order_id: order.id.clone(), lines: made_lines(&order.items), total: order.total_price }
    }
}

pub fn made_lines(items: &[OrderLine]) -> Vec<MadeLine> {
    let made = |line: &OrderLine| MadeLine { item_id: line.item_id.clone(), quantity: line.quantity, item_total: line.item_total };
    let mut lines: Vec<MadeLine> = items.iter().map(made).collect();
    lines.sort();
    lines
}

/// How many of each item; lines in any order.
pub fn quantities<'a>(lines: impl Iterator<Item = (&'a ItemId, u32)>) -> BTreeMap<&'a ItemId, u32> {
    lines.fold(BTreeMap::new(), |mut sums, (item, quantity)| {
        *sums.entry(item).or_default() += quantity;
        sums
    })
}

/// How an intended order ended for its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// 201.
    Accepted(Told),
    /// An error with status and code, after all retries.
    Refused { status: u16, code: String },
    /// No reply, or none that could be read, after all retries.
    Unknown(&'static str),
}

/// One order a client set out to place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The idempotency key; also the order's special instructions, which is how an order is known again without its reply.
    pub key: String,
    pub cart_id: CartId,
    pub lines: Vec<WantedLine>,
    pub seen: Seen,
}

impl Intent {
    /// Whether an order may or may not exist, without anybody having lied: there was no answer, or one that does not say
    /// whether it happened.
    pub const fn is_open(&self) -> bool {
        match self.seen {
            Seen::Accepted(_) => false,
            Seen::Refused { status, .. } => status >= 500 || status == 429,
            Seen::Unknown(_) => true,
        }
    }
}
