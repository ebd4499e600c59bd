//! An order's life: who may make which move, what follows from it, and who has the order until when.
//!
//! Nothing here knows HTTP, SQL or the bus. Which status may follow which is [`OrderStatus::may_become`]; everything else is here.

use contract::Timestamp;
use contract::order::{OrderStatus, Step};
use runtime::chance::Chance;
use std::ops::RangeInclusive;
use std::time::Duration;

#[cfg(test)]
mod model;

/// A provider answers within seconds; who has not been charged after a minute is asked for once more.
pub const CHARGE_WITHIN: Duration = Duration::from_secs(60);

/// Nobody waits longer at a checkout that does not answer: then the order is given up, and a late charge goes back.
pub const GIVE_UP_CHARGE_AFTER: Duration = Duration::from_secs(600);

/// A restaurant that has not answered by then will not, and the customer is hungry.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(600);

/// The longest any dish takes.
pub const COOK_WITHIN: Duration = Duration::from_secs(3_600);

/// Waiting for a courier included, on a Friday evening.
pub const DELIVER_WITHIN: Duration = Duration::from_secs(3_600);

/// As for a charge: providers answer within seconds.
pub const REFUND_WITHIN: Duration = Duration::from_secs(60);

/// How long the autopilot looks at a new order before it accepts, in ms. A person in the audience must be able to follow.
const LOOKS_FOR_MS: RangeInclusive<i64> = 1_000..=3_000;

/// And how long it cooks, in ms.
const COOKS_FOR_MS: RangeInclusive<i64> = 4_000..=9_000;

/// What customers read when the platform ends an order.
pub const NOT_CHARGED: &str = "The payment did not come through in time. Nothing was charged.";
pub const NOT_ANSWERED: &str = "The restaurant did not answer in time. Your money is on its way back.";

/// Who moves an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Whoever ordered.
    Customer,
    /// Staff of its restaurant, or the autopilot in their place.
    Kitchen,
    Operator,
    /// The platform itself: what payment and delivery tell, and deadlines.
    Platform,
}

impl Actor {
    pub const ALL: [Self; 4] = [Self::Customer, Self::Kitchen, Self::Operator, Self::Platform];

    /// Whether it is this actor's to bring an order to `status`, from wherever that is legal.
    pub const fn may_make(self, status: OrderStatus) -> bool {
        use OrderStatus as S;
        let kitchens = matches!(status, S::Accepted | S::Rejected | S::Preparing | S::Ready);
        match self {
            Self::Customer => matches!(status, S::Cancelled),
            Self::Kitchen => kitchens,
            Self::Operator => kitchens || matches!(status, S::Cancelled),
            // It has the news of the others, and ends what nobody answers.
            Self::Platform => !kitchens || matches!(status, S::Rejected),
        }
    }
}

/// Why a move is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not from where the order is.
    Illegal(OrderStatus),
    /// Not by whoever asked.
    NotTheirs,
}

/// Who has to do something about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    Payment,
    Restaurant,
    Delivery,
    /// Took over from somebody who let the deadline pass.
    Operator,
}

impl Holder {
    const ALL: [Self; 4] = [Self::Payment, Self::Restaurant, Self::Delivery, Self::Operator];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Restaurant => "restaurant",
            Self::Delivery => "delivery",
            Self::Operator => "operator",
        }
    }

    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|holder| holder.as_str() == text)
    }
}

/// What others tell of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    Charged,
    /// With a reason for people.
    ChargeFailed(String),
    Refunded,
    CourierAssigned,
    PickedUp,
    Delivered,
}

/// What happens to an order whose deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// Whoever has it is told once more, by the event of this status. The event has the id it had: who knows it passes over it.
    Remind(OrderStatus),
    /// The platform ends it.
    End(OrderStatus, &'static str),
    /// Nothing waits for anybody.
    Settled,
}

/// What changes of an order. The rest of it was decided when it was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub status: OrderStatus,
    /// Oldest first; never empty, and its last is `status`.
    pub history: Vec<Step>,
    pub updated_at: Timestamp,
    pub reason: Option<String>,
    pub paid_at: Option<Timestamp>,
    pub holder: Option<Holder>,
    pub deadline: Option<Timestamp>,
    /// When the autopilot does the next thing, where there is one.
    pub due_at: Option<Timestamp>,
}

impl Progress {
    /// An order that has just been accepted by the platform.
    pub fn new(at: Timestamp) -> Self {
        Self {
            status: OrderStatus::Pending,
            history: vec![Step { status: OrderStatus::Pending, at }],
            updated_at: at,
            reason: None,
            paid_at: None,
            holder: Some(Holder::Payment),
            deadline: Some(at + CHARGE_WITHIN),
            due_at: None,
        }
    }

    /// Money was taken that has to go back.
    pub const fn refund_due(&self) -> bool {
        self.paid_at.is_some() && matches!(self.status, OrderStatus::Cancelled | OrderStatus::Rejected)
    }

    /// It ends without food, so its stock goes back.
    pub const fn gives_stock_back(&self) -> bool {
        matches!(self.status, OrderStatus::Cancelled | OrderStatus::Rejected | OrderStatus::PaymentFailed)
    }

    /// Brings the order to `to`.
    ///
    /// # Errors
    /// [`Refusal::Illegal`] before [`Refusal::NotTheirs`]: what cannot be, nobody may do.
    pub fn step(&mut self, by: Actor, to: OrderStatus, reason: Option<String>, now: Timestamp, chance: &Chance) -> Result<(), Refusal> {
        if !self.status.may_become(to) {
            return Err(Refusal::Illegal(self.status));
        }
        if !by.may_make(to) {
            return Err(Refusal::NotTheirs);
        }
        // Clocks of two machines differ: a history never runs backwards.
        let at = now.max(self.updated_at);
        self.status = to;
        self.updated_at = at;
        self.history.push(Step { status: to, at });
        if reason.is_some() {
            self.reason = reason;
        }
        if to == OrderStatus::Paid {
            self.paid_at = Some(at);
        }
        let task = self.task();
        self.holder = task.map(|(holder, _)| holder);
        self.deadline = task.map(|(_, within)| at + within);
        self.due_at = match to {
            OrderStatus::Paid => Some(later(at, chance.range(LOOKS_FOR_MS))),
            OrderStatus::Accepted => Some(at),
            OrderStatus::Preparing => Some(later(at, chance.range(COOKS_FOR_MS))),
            _ => None,
        };
        Ok(())
    }

    /// Who has it now, and for how long; `None` when nothing is left to do.
    const fn task(&self) -> Option<(Holder, Duration)> {
        use OrderStatus as S;
        match self.status {
            S::Pending => Some((Holder::Payment, CHARGE_WITHIN)),
            S::Paid => Some((Holder::Restaurant, ANSWER_WITHIN)),
            S::Accepted | S::Preparing => Some((Holder::Restaurant, COOK_WITHIN)),
            S::Ready | S::Assigned | S::PickedUp => Some((Holder::Delivery, DELIVER_WITHIN)),
            S::Cancelled | S::Rejected if self.refund_due() => Some((Holder::Payment, REFUND_WITHIN)),
            S::Cancelled | S::Rejected | S::Delivered | S::PaymentFailed => None,
        }
    }

    /// The moves that follow from news, in order; none when the order has gone another way or is further already.
    ///
    /// A later fact of a delivery includes the ones before it: what was lost or is late is caught up with, and comes to nothing when
    /// it arrives.
    pub fn hear(&self, news: &News) -> Vec<OrderStatus> {
        const DELIVERY: [OrderStatus; 4] = [OrderStatus::Ready, OrderStatus::Assigned, OrderStatus::PickedUp, OrderStatus::Delivered];
        let goal = match news {
            News::Charged if self.status == OrderStatus::Pending => return vec![OrderStatus::Paid],
            News::ChargeFailed(_) if self.status == OrderStatus::Pending => return vec![OrderStatus::PaymentFailed],
            News::Charged | News::ChargeFailed(_) | News::Refunded => return Vec::new(),
            News::CourierAssigned => OrderStatus::Assigned,
            News::PickedUp => OrderStatus::PickedUp,
            News::Delivered => OrderStatus::Delivered,
        };
        let place = |status| DELIVERY.iter().position(|known| *known == status);
        match (place(self.status), place(goal)) {
            (Some(from), Some(to)) if from < to => DELIVERY[from + 1..=to].to_vec(),
            _ => Vec::new(),
        }
    }

    /// The money is back; true when somebody was waiting for that.
    pub fn refunded(&mut self) -> bool {
        let waited = self.refund_due() && self.deadline.is_some();
        if waited {
            self.holder = None;
            self.deadline = None;
        }
        waited
    }

    /// What the autopilot does next.
    pub const fn autopilot(&self) -> &'static [OrderStatus] {
        match self.status {
            // It cooks at once.
            OrderStatus::Paid => &[OrderStatus::Accepted, OrderStatus::Preparing],
            OrderStatus::Accepted => &[OrderStatus::Preparing],
            OrderStatus::Preparing => &[OrderStatus::Ready],
            _ => &[],
        }
    }

    /// What is to be done about an order whose deadline has passed by `now`.
    pub fn overdue(&self, now: Timestamp) -> Overdue {
        use OrderStatus as S;
        let placed_at = self.history.first().map_or(self.updated_at, |step| step.at);
        match self.status {
            S::Pending if now.since(placed_at) >= GIVE_UP_CHARGE_AFTER => Overdue::End(S::Cancelled, NOT_CHARGED),
            S::Paid => Overdue::End(S::Rejected, NOT_ANSWERED),
            // What handed it over to whoever has it.
            S::Ready | S::Assigned | S::PickedUp => Overdue::Remind(S::Ready),
            S::Pending | S::Accepted | S::Preparing => Overdue::Remind(self.status),
            S::Cancelled | S::Rejected if self.refund_due() => Overdue::Remind(self.status),
            S::Cancelled | S::Rejected | S::Delivered | S::PaymentFailed => Overdue::Settled,
        }
    }

    /// Gives an order that was told once more its next deadline. A charge and a refund stay with payment, which works without people;
    /// for everything else an operator has to look.
    pub fn reminded(&mut self, now: Timestamp) {
        let Some((holder, within)) = self.task() else {
            self.holder = None;
            self.deadline = None;
            return;
        };
        self.holder = Some(if holder == Holder::Payment { holder } else { Holder::Operator });
        self.deadline = Some(now + within);
    }

    /// What is waited for, for people.
    pub const fn waits_for(&self) -> &'static str {
        use OrderStatus as S;
        match self.status {
            S::Pending => "a charge",
            S::Paid => "the restaurant's answer",
            S::Accepted | S::Preparing => "the kitchen",
            S::Ready => "a courier",
            S::Assigned => "the courier's arrival",
            S::PickedUp => "the delivery",
            S::Cancelled | S::Rejected => "a refund",
            S::Delivered | S::PaymentFailed => "nothing",
        }
    }
}

fn later(at: Timestamp, by_ms: i64) -> Timestamp {
    Timestamp::from_millis(at.millis().saturating_add(by_ms))
}
