//! The report of a run, as JSON. `docs/load.md` says what each field means; [`SCHEMA_VERSION`] changes when one changes.

use crate::book::Seen;
use crate::ledger::Balance;
use crate::limits::Verdict;
use crate::measure::Summary;
use crate::readback::Reconciliation;
use crate::run::{Run, Tally, locked};
use contract::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub const SCHEMA_VERSION: u32 = 1;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub schema_version: u32,
    /// Limits held, reconciliation clean and the ledger balanced, if it could be asked: the exit code is 0.
    pub passed: bool,
    pub run_id: String,
    pub seed: u64,
    pub preset: &'static str,
    pub target: String,
    pub started_at: Timestamp,
    /// From the first user to the last reply.
    pub duration_seconds: f64,
    /// How many users arrived.
    pub users: u32,
    pub requests_per_second: f64,
    /// Always true: a user waits for each reply. This is why `corrected` stands beside `raw`.
    pub closed_loop: bool,
    pub limits: Verdict,
    pub orders: Orders,
    pub reconciliation: Reconciliation,
    pub ledger: Balance,
    pub journeys: BTreeMap<&'static str, Tally>,
    pub requests: Summary,
}

/// What clients saw. `intended` is the sum of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Orders {
    pub intended: u64,
    /// 201.
    pub accepted: u64,
    /// By status and code, after retries.
    pub refused: BTreeMap<String, u64>,
    /// No reply after retries, by why.
    pub unknown: BTreeMap<String, u64>,
}

impl Orders {
    pub fn refused_count(&self) -> u64 {
        self.refused.values().sum()
    }

    pub fn unknown_count(&self) -> u64 {
        self.unknown.values().sum()
    }

    pub fn add(&mut self, seen: &Seen) {
        self.intended += 1;
        match seen {
            Seen::Accepted(_) => self.accepted += 1,
            Seen::Refused { status, code } => *self.refused.entry(format!("{status} {code}").trim_end().to_owned()).or_default() += 1,
            Seen::Unknown(why) => *self.unknown.entry((*why).to_owned()).or_default() += 1,
        }
    }
}

impl Report {
    pub async fn new(run: &Run, started: SystemTime, duration: Duration, reconciliation: Reconciliation, ledger: Balance) -> Self {
        let requests = run.measure.summary();
        let stress = run.plan.until_limits_break.then(|| locked(&run.knee).clone());
        let limits = run.limits.judge(&requests, stress);
        let mut orders = locked(&run.closed).orders.clone();
        let shoppers = locked(&run.shoppers).clone();
        for shopper in shoppers {
            shopper.lock().await.intents.iter().for_each(|intent| orders.add(&intent.seen));
        }
        let seconds = duration.as_secs_f64();
        let started_ms = started.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Self {
            schema_version: SCHEMA_VERSION,
            passed: limits.held && reconciliation.clean && ledger.holds(),
            run_id: run.id.clone(),
            seed: run.seed,
            preset: run.plan.preset.as_str(),
            target: run.origin.clone(),
            started_at: Timestamp::from_millis(i64::try_from(started_ms).unwrap_or(i64::MAX)),
            duration_seconds: (seconds * 1_000.0).round() / 1_000.0,
            users: run.users(),
            requests_per_second: if seconds > 0.0 { requests.total.count as f64 / seconds } else { 0.0 },
            closed_loop: true,
            limits,
            orders,
            reconciliation,
            ledger,
            journeys: locked(&run.journeys).clone(),
            requests,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Orders;
    use crate::book::Seen;

    #[test]
    fn every_intended_order_is_accepted_refused_or_unknown() {
        let mut orders = Orders::default();
        orders.add(&Seen::Refused { status: 409, code: "OUT_OF_STOCK".into() });
        orders.add(&Seen::Refused { status: 409, code: "OUT_OF_STOCK".into() });
        orders.add(&Seen::Refused { status: 502, code: String::new() });
        orders.add(&Seen::Unknown("timeout"));
        assert_eq!(orders.refused["409 OUT_OF_STOCK"], 2);
        assert_eq!(orders.refused["502"], 1);
        assert_eq!(orders.intended, orders.accepted + orders.refused_count() + orders.unknown_count());
    }
}
