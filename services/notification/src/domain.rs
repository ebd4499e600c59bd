//! What customers are told, when, and by which channel. It knows no provider, no database and no bus.

mod texts;

pub use texts::{Draft, of_order, of_refund};

use contract::event::{Event, OrderFact};
use contract::notification::{Channel, Preferences};
use std::time::Duration;

/// Events that mean a message.
pub const KINDS: &[&str] = &[
    "order.created",
    "order.paymentFailed",
    "order.accepted",
    "order.assigned",
    "order.pickedUp",
    "order.delivered",
    "order.cancelled",
    "order.rejected",
    "payment.refunded",
];

/// How long whoever took a message up may be silent before another one sends it.
pub const LEASE: Duration = Duration::from_secs(5);

/// The first pause after nobody took a message; it doubles with every attempt.
const FIRST_BACK_OFF: Duration = Duration::from_millis(500);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(300);

/// A message is given up after so many attempts, about an hour: by then the dinner is eaten.
pub const ATTEMPTS: u32 = 20;

/// How long to wait after the `attempts`th time that nobody took a message.
pub fn back_off(attempts: u32) -> Duration {
    FIRST_BACK_OFF.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST_BACK_OFF)
}

pub const fn wants(preferences: &Preferences, channel: Channel) -> bool {
    match channel {
        Channel::Email => preferences.email,
        Channel::Sms => preferences.sms,
        Channel::Push => preferences.push,
    }
}

/// Whose preferences count: the account's, otherwise the session's.
pub fn owner<'e>(event: &'e Event, fact: &'e OrderFact) -> Option<&'e str> {
    fact.user.as_deref().or(event.session.as_deref())
}

/// The same fact by the same channel is one message.
pub fn message_id(event: &Event, channel: Channel) -> String {
    format!("{}/{}", event.id, channel.as_str())
}

#[cfg(test)]
mod tests;
