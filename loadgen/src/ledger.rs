//! Asks the platform whether its books agree, once everybody has ordered.

use crate::run::Run;
use crate::visit::mark;
use contract::ledger::Ledger;
use serde::Serialize;
use std::time::{Duration, Instant};

/// Facts reach all books within half of it (`contract::ledger::SETTLE_WITHIN_MS`).
const DEADLINE: Duration = Duration::from_secs(60);
/// Between two questions.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// One answer; several services are asked behind it.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What the ledger said last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Balance {
    /// False without an operator's token, which the ledger wants.
    pub asked: bool,
    pub balanced: bool,
    /// Nothing was in flight either.
    pub settled: bool,
    /// From the first question to the last answer.
    pub waited_ms: u64,
    /// Checks that do not hold, with both sides, or why there is no answer.
    pub broken: Vec<String>,
}

impl Balance {
    /// Nobody could ask, or the books agree.
    pub const fn holds(&self) -> bool {
        !self.asked || self.balanced
    }

    fn of(ledger: &Ledger) -> Self {
        let broken = ledger.checks.iter().filter(|check| !check.holds);
        let words = |check: &contract::ledger::Check| {
            format!("{} ({}): {} and {}, {} in flight", check.name, check.says, check.left, check.right, check.in_flight)
        };
        Self { asked: true, balanced: ledger.balanced, settled: ledger.settled, waited_ms: 0, broken: broken.map(words).collect() }
    }
}

/// Asks until the ledger is balanced, for a minute at most.
pub async fn wait_for_balance(run: &Run) -> Balance {
    wait(run, DEADLINE).await
}

pub async fn wait(run: &Run, patience: Duration) -> Balance {
    let Some(token) = &run.operator_token else { return Balance::default() };
    let started = Instant::now();
    loop {
        let mut balance = match ask(run, token).await {
            Ok(ledger) => Balance::of(&ledger),
            Err(why) => Balance { asked: true, broken: vec![why], ..Balance::default() },
        };
        balance.waited_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if balance.balanced || started.elapsed() >= patience {
            return balance;
        }
        tokio::time::sleep(ASK_EVERY.min(patience)).await;
    }
}

async fn ask(run: &Run, token: &str) -> Result<Ledger, String> {
    // Without TLS nothing is verified: then the trust store need not be read.
    let plain = run.origin.starts_with("http://");
    let client = reqwest::Client::builder().timeout(ANSWER_WITHIN).danger_accept_invalid_certs(plain).build();
    let client = client.map_err(|_| "a client cannot be made".to_owned())?;
    let request = mark(client.get(format!("{}/api/ledger", run.origin))).header("authorization", format!("Bearer {token}"));
    let response = request.send().await.map_err(|_| "the ledger did not reply".to_owned())?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(format!("the ledger answered {status}"));
    }
    let body = response.bytes().await.map_err(|_| "the ledger's reply was cut off".to_owned())?;
    serde_json::from_slice(&body).map_err(|_| "the ledger could not be understood".to_owned())
}
