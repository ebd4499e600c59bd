//! What flags do to the bank: it is slow, it declines, it cannot be reached.
//!
//! A bank that declines on purpose does so in its own books, under the order's key: whoever asks again hears the same, and a payment that
//! it took before stays taken. So no fault, and no end of one, makes our books and the bank's differ.

use crate::domain::{Ask, Payment};
use crate::worker::operation;
use runtime::business::is_among;
use runtime::chaos::{Chaos, ClientFault, Injected};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const SLOW: &str = "payment-slow";
const FAILURE: &str = "payment-failure";

/// Slower than this no flag makes the bank.
const SLOWEST_MS: u64 = 10_000;

/// How often those who wait look whether the flag is still on: when it is off they go on.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The test card that the bank declines.
const DECLINED_CARD: &str = "card-declined";

#[derive(Clone)]
pub struct Faults(Chaos);

impl Faults {
    pub fn new(chaos: Chaos) -> Self {
        Self(chaos)
    }

    /// Waits as long as the bank is slower than usual; false when it is not. Nobody may hold a lock or a place at the bank meanwhile.
    pub async fn wait(&self, ask: Ask) -> bool {
        let Some(active) = self.0.domain(SLOW).await else { return false };
        let Some(ms) = active.value.get("latencyMs").and_then(Value::as_u64).filter(|ms| *ms > 0) else { return false };
        self.0.mark(SLOW, Injected::Latency, &place(ask));
        let end = Instant::now() + Duration::from_millis(ms.min(SLOWEST_MS));
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || !self.0.flags().may_be_on(SLOW) {
                return true;
            }
            sleep(left.min(LOOK_EVERY)).await;
        }
    }

    /// What is wrong with the line to the bank.
    pub(super) async fn line(&self, ask: Ask) -> Option<ClientFault> {
        self.0.client_fault(&format!("bank.{}", operation(ask))).await
    }

    /// The payment as a bank sees it that is to decline it; `None` for one that it judges as always.
    pub(super) async fn declined(&self, ask: Ask, payment: &Payment) -> Option<Payment> {
        if ask != Ask::Charge {
            return None;
        }
        let active = self.0.domain(FAILURE).await?;
        let percent = active.value.get("percent").and_then(Value::as_f64).unwrap_or(100.0);
        if !is_among(payment.order_id.as_str(), percent) {
            return None;
        }
        self.0.mark(FAILURE, Injected::Error, &place(ask));
        Some(Payment { method: DECLINED_CARD.to_owned(), ..payment.clone() })
    }
}

fn place(ask: Ask) -> String {
    format!("{} payment", operation(ask))
}
