//! How an incident went: when it was noticed, when it was over, and whether the books balanced afterwards.

use contract::Timestamp;
use contract::detection::Alert;
use contract::incident::Outcome;
use std::time::Duration;

/// What is in flight when a script ends has arrived or is lost after this long: the ledger's own measure.
const LEDGER_AFTER: Duration = Duration::from_secs(30);
/// Before a ledger that could not be read is asked again.
const LEDGER_AGAIN: Duration = Duration::from_secs(10);
/// An alert that fires longer than this after the script's end is not the script's any more.
const FOLLOWED_FOR: Duration = Duration::from_secs(900);

/// From the first fault to the last alert.
#[derive(Clone, Debug, Default)]
pub struct Course {
    pub first_fault: Option<Timestamp>,
    detected_at: Option<Timestamp>,
    /// Unset again when a fault or an alert comes back.
    mitigated_at: Option<Timestamp>,
}

impl Course {
    pub fn look(&mut self, now: Timestamp, alerts: &[Alert], fault_is_on: bool) {
        let Some(first) = self.first_fault else { return };
        let of_this = || alerts.iter().filter(|alert| alert.fired_at >= first);
        self.detected_at = self.detected_at.or_else(|| of_this().map(|alert| alert.fired_at).min());
        if fault_is_on || of_this().any(|alert| alert.resolved_at.is_none()) {
            self.mitigated_at = None;
        } else {
            self.mitigated_at.get_or_insert(now);
        }
    }

    fn after_ms(&self, moment: Option<Timestamp>) -> Option<u64> {
        u64::try_from(moment?.since(self.first_fault?).as_millis()).ok()
    }

    pub fn write_to(&self, outcome: &mut Outcome) {
        outcome.detected_after_ms = self.after_ms(self.detected_at);
        outcome.mitigated_after_ms = self.after_ms(self.mitigated_at);
    }
}

/// An incident that is over, and what is still to be learnt about it.
#[derive(Clone, Debug)]
pub struct Past {
    pub outcome: Outcome,
    pub course: Course,
    /// The script's faults.
    pub faults: Vec<String>,
    /// Another one plays since: what is seen now is not this one's.
    pub is_closed: bool,
    ledger_at: Timestamp,
}

impl Past {
    pub fn new(outcome: Outcome, course: Course, faults: Vec<String>) -> Self {
        let ledger_at = outcome.ended_at + LEDGER_AFTER;
        Self { outcome, course, faults, is_closed: false, ledger_at }
    }

    pub fn is_followed(&self, now: Timestamp) -> bool {
        let early = now.since(self.outcome.ended_at) < FOLLOWED_FOR;
        let open = self.course.first_fault.is_some() && self.course.mitigated_at.is_none() && !self.is_closed;
        early && (open || self.outcome.balanced.is_none())
    }

    /// Once; asked again later when there was no answer.
    pub fn wants_ledger(&mut self, now: Timestamp) -> bool {
        let due = self.outcome.balanced.is_none() && now >= self.ledger_at && self.is_followed(now);
        if due {
            self.ledger_at = now + LEDGER_AGAIN;
        }
        due
    }
}
