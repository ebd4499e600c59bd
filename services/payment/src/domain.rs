//! What becomes of a payment: every step it may take, and who has to act next. It knows no bank, no database and no bus.
//!
//! ```text
//!            ordered                charged
//!   nothing ─────────▶ charging ──────────────▶ completed
//!      │                │    │ declined              │ ended
//!      │ ended    ended │    └──────▶ failed         ▼
//!      ▼                ▼                         refunding ──▶ refunded
//!     void ◀──────── voiding ────────────────────────▲
//!        nothing taken         charged after all
//! ```
//!
//! An order may end before its payment begins, while the bank is being asked, or after. Nobody knows then what the bank did, so the
//! bank is asked to give back what it took under the order's key; that also closes the key, and a charge that comes late takes nothing.

use contract::event::{Event, Fact, OrderFact, PaymentFact};
use contract::payment::{self as wire, PaymentStatus};
use contract::{Money, OrderId, RestaurantId, Timestamp};
use std::time::Duration;

/// How long whoever took a payment up may be silent before another one takes it up. Twice at the bank is harmless; late is not.
pub const LEASE: Duration = Duration::from_secs(5);

/// The first pause after the bank did not answer; it doubles with every attempt.
const FIRST_BACK_OFF: Duration = Duration::from_millis(250);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(8);

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    Charging,
    /// The order ended while the bank was being asked.
    Voiding,
    Completed,
    Failed,
    Refunding,
    Refunded,
    Void,
}

/// What the bank is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    Charge,
    /// Give back whatever was taken, and take nothing any more.
    Refund,
}

/// Something that concerns a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The order stands.
    Ordered,
    /// The order was cancelled or rejected, with the reason for people.
    Ended(Option<String>),
    /// The bank took the money, now or when it was asked before.
    Charged,
    /// The bank took nothing, with the reason for people.
    Declined(String),
    /// The bank takes nothing under this key, because a refund came first.
    Closed,
    /// The bank gave the money back, now or when it was asked before.
    Returned,
    /// The bank had nothing to give back.
    NothingTaken,
}

impl State {
    pub const ALL: [Self; 7] = [Self::Charging, Self::Voiding, Self::Completed, Self::Failed, Self::Refunding, Self::Refunded, Self::Void];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charging => "charging",
            Self::Voiding => "voiding",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Refunding => "refunding",
            Self::Refunded => "refunded",
            Self::Void => "void",
        }
    }

    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Where a payment begins; `None` for what can only happen to one that is there.
    pub const fn first(happened: &Happened) -> Option<Self> {
        match happened {
            Happened::Ordered => Some(Self::Charging),
            // It is never charged, whenever its order arrives.
            Happened::Ended(_) => Some(Self::Void),
            _ => None,
        }
    }

    /// The whole state machine. `None`: nothing changes.
    pub const fn after(self, happened: &Happened) -> Option<Self> {
        match (self, happened) {
            (Self::Charging, Happened::Charged) => Some(Self::Completed),
            (Self::Charging, Happened::Declined(_) | Happened::Closed) => Some(Self::Failed),
            (Self::Charging, Happened::Ended(_)) => Some(Self::Voiding),
            (Self::Voiding, Happened::Declined(_) | Happened::Closed | Happened::NothingTaken) => Some(Self::Void),
            (Self::Completed, Happened::Ended(_)) | (Self::Voiding | Self::Void | Self::Failed, Happened::Charged) => Some(Self::Refunding),
            (Self::Voiding | Self::Refunding, Happened::Returned) => Some(Self::Refunded),
            // The bank denies a charge of ours. It is right about its money.
            (Self::Refunding, Happened::NothingTaken) => Some(Self::Void),
            _ => None,
        }
    }

    /// What the bank has to be asked next.
    pub const fn wants(self) -> Option<Ask> {
        match self {
            Self::Charging => Some(Ask::Charge),
            Self::Voiding | Self::Refunding => Some(Ask::Refund),
            _ => None,
        }
    }

    /// The bank took the money, whether or not it gave it back since.
    pub const fn is_charged(self) -> bool {
        matches!(self, Self::Completed | Self::Refunding | Self::Refunded)
    }

    const fn on_the_wire(self) -> PaymentStatus {
        match self {
            Self::Charging => PaymentStatus::Charging,
            Self::Completed => PaymentStatus::Completed,
            Self::Failed => PaymentStatus::Failed,
            Self::Voiding | Self::Refunding => PaymentStatus::Refunding,
            Self::Refunded => PaymentStatus::Refunded,
            Self::Void => PaymentStatus::Void,
        }
    }
}

/// The payment of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub order_id: OrderId,
    pub restaurant_id: RestaurantId,
    pub city: String,
    pub state: State,
    pub amount: Money,
    /// A word of [`wire::METHODS`].
    pub method: String,
    pub reason: Option<String>,
    pub synthetic: bool,
    pub session: Option<String>,
    /// Trace of whoever caused the last step.
    pub traceparent: Option<String>,
    /// How often the bank did not answer since the last step.
    pub attempts: u32,
    /// When somebody has to ask the bank, as long as the state wants it.
    pub due_at: Timestamp,
    pub charged_at: Option<Timestamp>,
    pub refunded_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What an event means for payments; `None` when it means nothing.
pub fn happened(event: &Event) -> Option<(Happened, &OrderFact)> {
    match &event.fact {
        Fact::OrderCreated(fact) => Some((Happened::Ordered, fact)),
        Fact::OrderCancelled(fact) | Fact::OrderRejected(fact) => Some((Happened::Ended(fact.reason.clone()), fact)),
        _ => None,
    }
}

impl Payment {
    /// The payment that an event begins.
    pub fn begin(event: &Event, happened: &Happened, fact: &OrderFact, now: Timestamp) -> Option<Self> {
        let state = State::first(happened)?;
        Some(Self {
            order_id: event.order_id.clone(),
            restaurant_id: event.restaurant_id.clone(),
            city: event.city.clone(),
            state,
            amount: fact.total,
            method: wire::method(&fact.payment_method).to_owned(),
            reason: if let Happened::Ended(reason) = happened { reason.clone() } else { None },
            synthetic: event.synthetic,
            session: event.session.clone(),
            traceparent: event.traceparent.clone(),
            attempts: 0,
            due_at: now + LEASE,
            charged_at: None,
            refunded_at: None,
            created_at: now,
            updated_at: now,
        })
    }

    /// Takes the step that follows; false when nothing changes. Whoever causes it has the payment for the length of a [`LEASE`].
    pub fn step(&mut self, happened: &Happened, now: Timestamp) -> bool {
        let Some(next) = self.state.after(happened) else { return false };
        if (next.is_charged() || next == State::Refunded) && self.charged_at.is_none() {
            self.charged_at = Some(now);
        }
        if next == State::Refunded {
            self.refunded_at = Some(now);
        }
        match happened {
            Happened::Declined(reason) => self.reason = Some(reason.clone()),
            Happened::Closed => self.reason = Some("The payment was called off.".to_owned()),
            Happened::Ended(Some(reason)) => self.reason = Some(reason.clone()),
            _ => {}
        }
        self.state = next;
        self.attempts = 0;
        self.due_at = now + LEASE;
        self.updated_at = now;
        true
    }

    /// The bank did not answer: it is asked again later.
    pub fn put_off(&mut self, now: Timestamp) {
        self.due_at = now + back_off(self.attempts);
        self.attempts = self.attempts.saturating_add(1);
    }

    /// What the others have to know of where it is.
    pub fn news(&self, now: Timestamp) -> Option<Event> {
        let fact = PaymentFact { amount: self.amount, reason: None };
        let fact = match self.state {
            State::Completed => Fact::PaymentCompleted(fact),
            State::Failed => Fact::PaymentFailed(PaymentFact { reason: self.reason.clone(), ..fact }),
            State::Refunded => Fact::PaymentRefunded(fact),
            _ => return None,
        };
        let mut event = Event::new(self.order_id.clone(), self.restaurant_id.clone(), self.city.clone(), now, fact);
        event.synthetic = self.synthetic;
        event.session = self.session.clone();
        event.traceparent = self.traceparent.clone();
        Some(event)
    }

    pub fn on_the_wire(self) -> wire::Payment {
        wire::Payment {
            order_id: self.order_id,
            restaurant_id: self.restaurant_id,
            status: self.state.on_the_wire(),
            amount: self.amount,
            method: self.method,
            reason: self.reason,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// How long to wait after the bank did not answer for the `attempts + 1`st time.
pub fn back_off(attempts: u32) -> Duration {
    FIRST_BACK_OFF.saturating_mul(1 << attempts.min(16)).min(LONGEST_BACK_OFF)
}

/// Days since 1970 of a UTC day such as `2026-11-20`.
pub fn day_number(day: &str) -> Option<i64> {
    // Longer years and signs are days too, but nobody means them.
    if day.len() != 10 {
        return None;
    }
    let midnight: Timestamp = serde_json::from_value(serde_json::Value::String(format!("{day}T00:00:00Z"))).ok()?;
    Some(midnight.millis().div_euclid(DAY_MS))
}

#[cfg(test)]
mod tests;
