//! The bank, as we need it.

mod faults;
mod simulator;

pub use faults::Faults;
pub use simulator::Simulator;

use crate::domain::{Ask, Happened, Payment};
use async_trait::async_trait;
use runtime::chaos::ClientFault;
use std::time::Duration;
use tokio::time::timeout;

/// A bank that says nothing for so long has not answered. Its slowest answers take ten seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// There was no answer. The bank may have done what it was asked; asking again tells.
#[derive(Debug, thiserror::Error)]
#[error("the bank did not answer: {0}")]
pub struct NoAnswer(pub String);

/// What the bank says to a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChargeAnswer {
    /// It took the money, now or when it was asked before.
    Taken,
    /// It does not, for this reason, in words for the customer.
    Declined(String),
    /// A refund came first: it takes nothing under this key any more.
    Closed,
}

/// What the bank says to a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundAnswer {
    /// It gave the money back, now or when it was asked before.
    Returned,
    /// Nothing was taken under this key, and nothing will be.
    NothingTaken,
}

/// A bank. Every call may be repeated: the same key is charged once and refunded once, whatever happens in between.
#[async_trait]
pub trait PaymentProvider: Send + Sync + 'static {
    /// Takes the payment's amount by its method. The key is the order's id.
    async fn charge(&self, payment: &Payment) -> Result<ChargeAnswer, NoAnswer>;

    /// Gives back what was taken under the order's id. Whatever was not taken by then never will be.
    async fn refund(&self, payment: &Payment) -> Result<RefundAnswer, NoAnswer>;

    /// Ends when everything is written that was begun by questions nobody waits for any more. A bank with books of its own has nothing to
    /// do for us.
    async fn finish(&self) -> Result<(), NoAnswer> {
        Ok(())
    }
}

/// Asks the bank what the payment wants. Every question to any bank passes through here.
///
/// # Errors
/// It did not answer, or not in time.
pub async fn ask(provider: &dyn PaymentProvider, faults: &Faults, ask: Ask, payment: &Payment) -> Result<Happened, NoAnswer> {
    let line = faults.line(ask).await;
    if line == Some(ClientFault::Refuse) {
        return Err(NoAnswer("nobody is there, because a flag says so".to_owned()));
    }
    let declined = faults.declined(ask, payment).await;
    let payment = declined.as_ref().unwrap_or(payment);
    let answering = async {
        Ok(match ask {
            Ask::Charge => match provider.charge(payment).await? {
                ChargeAnswer::Taken => Happened::Charged,
                ChargeAnswer::Declined(reason) => Happened::Declined(reason),
                ChargeAnswer::Closed => Happened::Closed,
            },
            Ask::Refund => match provider.refund(payment).await? {
                RefundAnswer::Returned => Happened::Returned,
                RefundAnswer::NothingTaken => Happened::NothingTaken,
            },
        })
    };
    let silence = |_| Err(NoAnswer(format!("nothing for {} s", ANSWER_WITHIN.as_secs())));
    let answer = timeout(ANSWER_WITHIN, answering).await.unwrap_or_else(silence);
    match line {
        Some(ClientFault::DropReply) => Err(NoAnswer("its answer was lost, because a flag says so".to_owned())),
        _ => answer,
    }
}
