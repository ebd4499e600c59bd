//! Hands messages to the provider, many at a time, each again until it is taken or given up; and removes old ones.

use crate::domain::{ATTEMPTS, LEASE, back_off};
use crate::provider::{MessageProvider, SendError};
use crate::store::{Letter, MessageBook, Outcome};
use crate::{Metrics, NAME};
use contract::Timestamp;
use futures::stream::{self, StreamExt};
use runtime::Platform;
use runtime::clock::SharedClock;
use runtime::events::Jobs;
use runtime::store::StoreError;
use runtime::store::sql::Database;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, field};

/// Messages settled in one transaction.
const BATCH: usize = 256;

/// Messages at the provider at once.
const AT_ONCE: usize = 64;

/// Messages that wait for the worker. More wait in the book.
const QUEUE: usize = 4_096;

/// Longest a provider may think about one message.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);

/// How often the book is searched for messages that nobody sends: those of a process that is gone, and those that were put off.
const SEARCH_EVERY: Duration = Duration::from_millis(500);

/// Messages of load runs that are kept, the newest: enough to look at.
pub const KEEP_SYNTHETIC: u32 = 5_000;

/// Messages of people that are kept, the newest.
pub const KEEP: u32 = 50_000;

/// Often, because a load run writes thousands a second.
const PRUNE_EVERY: Duration = Duration::from_secs(5);

/// Removed in one transaction: the writer of new messages waits for it.
const PRUNE_BATCH: u32 = 2_000;

/// Longest between the end of an order and its refund.
const KEEP_CONTACTS: Duration = Duration::from_secs(7 * 24 * 3600);

/// What the parts of the service work with. Clones share it.
#[derive(Clone)]
pub struct Desk {
    pub book: Arc<dyn MessageBook>,
    pub provider: Arc<dyn MessageProvider>,
    pub clock: SharedClock,
    pub metrics: Metrics,
}

/// Where new messages are handed in, before there is a worker to take them.
pub fn queue() -> (mpsc::Sender<Letter>, mpsc::Receiver<Letter>) {
    mpsc::channel(QUEUE)
}

pub fn start(platform: &Platform, database: &Database, desk: &Desk, queue: (mpsc::Sender<Letter>, mpsc::Receiver<Letter>)) {
    let (sender, receiver) = queue;
    let searching = desk.clone();
    // What was taken up until now, in a book that nobody else writes, belongs to a process that is gone: its leases are over.
    let mut left_behind = (!desk.book.is_shared()).then(|| desk.clock.now() + Duration::from_millis(1));
    platform.every(NAME, SEARCH_EVERY, move || {
        let (desk, sender, left_behind) = (searching.clone(), sender.clone(), left_behind.take());
        async move { search(&desk, &sender, left_behind).await }
    });
    let pruning = desk.clone();
    Jobs::every(platform, NAME, database, "prune-messages", PRUNE_EVERY, move || {
        let desk = pruning.clone();
        async move { prune(&desk).await }
    });
    platform.spawn(NAME, work(desk.clone(), receiver, platform.stop.clone()));
}

/// Takes up what is due, and whatever was taken up before `left_behind`.
async fn search(desk: &Desk, queue: &mpsc::Sender<Letter>, left_behind: Option<Timestamp>) {
    loop {
        let now = desk.clock.now();
        let (before, now) = left_behind.map_or((now, now), |start| (start + LEASE, now.max(start)));
        match desk.book.claim(before, now, BATCH as u32).await {
            Ok(letters) => {
                let full = letters.len() == BATCH;
                for letter in letters {
                    if queue.send(letter).await.is_err() {
                        return;
                    }
                }
                if !full {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "Messages cannot be searched for");
                return;
            }
        }
    }
}

async fn work(desk: Desk, mut queue: mpsc::Receiver<Letter>, stop: CancellationToken) {
    let mut letters = Vec::new();
    loop {
        tokio::select! {
            biased;
            // What is not sent is found in the book by the next process.
            () = stop.cancelled() => return,
            count = queue.recv_many(&mut letters, BATCH) => if count == 0 { return },
        }
        let span = tracing::info_span!(
            "notification.send",
            otel.name = "send messages",
            otel.kind = "client",
            messaging.batch.message_count = letters.len(),
            chaos.flag = field::Empty,
            chaos.injected = field::Empty,
        );
        send(&desk, std::mem::take(&mut letters), &stop).instrument(span).await;
    }
}

/// Sends a batch and writes down what became of it. When the process stops, what has no answer yet is left to the next one.
async fn send(desk: &Desk, letters: Vec<Letter>, stop: &CancellationToken) {
    let answered = |letter| async move {
        tokio::select! {
            biased;
            outcome = deliver(desk, letter) => Some(outcome),
            () = stop.cancelled() => None,
        }
    };
    let outcomes: Vec<(i64, Outcome)> =
        stream::iter(letters).map(answered).buffer_unordered(AT_ONCE).filter_map(|outcome| async move { outcome }).collect().await;
    if !outcomes.is_empty()
        && let Err(error) = desk.book.settle(outcomes, desk.clock.now()).await
    {
        // They are sent again when their lease ends; the provider knows them by their ids.
        tracing::warn!(%error, "What became of messages could not be written down");
    }
}

/// Hands one message to the provider.
async fn deliver(desk: &Desk, letter: Letter) -> (i64, Outcome) {
    let message = &letter.message;
    let answer = timeout(TAKEN_WITHIN, desk.provider.send(message)).await;
    let answer = answer.unwrap_or_else(|_| Err(SendError::Unreachable(format!("nothing for {} s", TAKEN_WITHIN.as_secs()))));
    let attempts = letter.attempts + 1;
    let (outcome, word) = match answer {
        Ok(()) => (Outcome::Sent, "sent"),
        Err(SendError::Unreachable(why)) if attempts < ATTEMPTS => {
            tracing::debug!(message.id, why, attempts, "Message {} was not taken", message.id);
            (Outcome::PutOff(desk.clock.now() + back_off(attempts)), "put_off")
        }
        Err(error) => {
            tracing::warn!(order.id = %message.order_id, message.id, %error, attempts, "Message {} is given up", message.id);
            (Outcome::Failed, "failed")
        }
    };
    desk.metrics.message(message.channel, word);
    (letter.seq, outcome)
}

/// Removes what nobody looks at any more.
async fn prune(desk: &Desk) -> Result<(), StoreError> {
    for (synthetic, keep) in [(true, KEEP_SYNTHETIC), (false, KEEP)] {
        while desk.book.prune(synthetic, keep, PRUNE_BATCH).await? == u64::from(PRUNE_BATCH) {}
    }
    let keep_ms = i64::try_from(KEEP_CONTACTS.as_millis()).unwrap_or(i64::MAX);
    desk.book.forget_contacts(Timestamp::from_millis(desk.clock.now().millis() - keep_ms)).await
}
