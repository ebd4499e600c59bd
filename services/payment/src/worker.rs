//! Asks the bank about every payment that wants it: many at a time, each again until it answers.

use crate::closing::Door;
use crate::domain::{Ask, LEASE, Payment, State};
use crate::provider::{Faults, PaymentProvider, ask};
use crate::store::PaymentBook;
use crate::{Metrics, NAME};
use contract::{OrderId, Timestamp};
use futures::stream::{FuturesUnordered, StreamExt};
use opentelemetry::KeyValue;
use runtime::Platform;
use runtime::clock::SharedClock;
use runtime::context::{self, RequestContext};
use runtime::events::Events;
use runtime::telemetry::propagation;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, field};

/// Payments at the bank at once. At its usual pace that is twenty thousand a second; with five seconds each still two hundred.
pub const AT_THE_BANK: usize = 1_024;

/// Payments in hand: those at the bank, and those that a flag lets wait before, who must not stand in the way of the others. About 16 MB.
const IN_HAND: usize = 8_192;

/// Payments that wait to be taken to the bank. More wait in the books.
const QUEUE: usize = 4_096;

/// How often the books are searched for payments that nobody works on: those of a process that is gone, and those that were put off.
const SEARCH_EVERY: Duration = Duration::from_millis(250);

/// Taken up in one go.
const CLAIM: u32 = 256;

/// What a worker needs. Clones share it.
#[derive(Clone)]
pub struct Desk {
    pub book: Arc<dyn PaymentBook>,
    pub provider: Arc<dyn PaymentProvider>,
    pub clock: SharedClock,
    pub events: Events,
    pub metrics: Metrics,
    pub faults: Faults,
    /// Places at the bank.
    pub places: Arc<Semaphore>,
    /// Closed while the books are emptied.
    pub door: Door,
}

/// Where new payments are handed in, before there is a worker to take them.
pub fn queue() -> (mpsc::Sender<Payment>, mpsc::Receiver<Payment>) {
    mpsc::channel(QUEUE)
}

pub fn start(platform: &Platform, desk: Desk, queue: (mpsc::Sender<Payment>, mpsc::Receiver<Payment>)) {
    let (sender, receiver) = queue;
    let searching = desk.clone();
    // What was taken up until now, in books that nobody else writes, belongs to a process that is gone: its leases are over.
    let mut left_behind = (!desk.book.is_shared()).then(|| desk.clock.now() + Duration::from_millis(1));
    platform.every(NAME, SEARCH_EVERY, move || {
        let (desk, sender, left_behind) = (searching.clone(), sender.clone(), left_behind.take());
        async move { search(&desk, &sender, left_behind).await }
    });
    platform.spawn(NAME, work(desk, receiver, platform.stop.clone()));
}

/// Takes up what is due, and whatever was taken up before `left_behind`.
async fn search(desk: &Desk, queue: &mpsc::Sender<Payment>, left_behind: Option<Timestamp>) {
    loop {
        let now = desk.clock.now();
        let (before, now) = left_behind.map_or((now, now), |start| (start + LEASE, now.max(start)));
        match desk.book.claim(before, now, CLAIM).await {
            Ok(payments) => {
                let full = payments.len() as u32 == CLAIM;
                for payment in payments {
                    if queue.send(payment).await.is_err() {
                        return;
                    }
                }
                if !full {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "Payments cannot be searched for");
                return;
            }
        }
    }
}

async fn work(desk: Desk, mut queue: mpsc::Receiver<Payment>, stop: CancellationToken) {
    let mut asking = FuturesUnordered::new();
    let mut in_hand: HashSet<OrderId> = HashSet::new();
    loop {
        tokio::select! {
            // What is unfinished is found in the books by the next process.
            () = stop.cancelled() => return,
            Some(order) = asking.next(), if !asking.is_empty() => {
                in_hand.remove(&order);
            }
            Some(payment) = queue.recv(), if in_hand.len() < IN_HAND => {
                if in_hand.insert(payment.order_id.clone()) {
                    asking.push(settle(&desk, payment));
                }
            }
        }
    }
}

/// Asks the bank until it need not be asked any more about this payment, or does not answer.
async fn settle(desk: &Desk, payment: Payment) -> OrderId {
    let order = payment.order_id.clone();
    let mut next = Some(Box::new(payment));
    while let Some(payment) = next.take() {
        let Some(wanted) = payment.state.wants() else { break };
        let span = span(&payment, wanted);
        let context = context(&payment);
        next = context::scope(context, once(desk, &payment, wanted).instrument(span)).await;
    }
    order
}

/// Asks once and writes the answer down; answers what is to be asked next.
async fn once(desk: &Desk, payment: &Payment, wanted: Ask) -> Option<Box<Payment>> {
    let order = &payment.order_id;
    let started = Instant::now();
    let waited = desk.faults.wait(wanted).await;
    let place = desk.places.acquire().await;
    let inside = desk.door.enter().await;
    if waited || inside.may_be_gone(payment.created_at) {
        // Meanwhile the order may have ended, or the books may have been emptied. What cannot be read is found when its lease ends.
        let now = desk.book.find(order).await.ok().flatten()?;
        if now.state != payment.state {
            return now.state.wants().map(|_| Box::new(now));
        }
    }
    let answer = tokio::select! {
        answer = ask(&*desk.provider, &desk.faults, wanted, payment) => answer,
        // The books are about to be emptied: whatever the bank would say, there is nowhere to write it.
        () = inside.closing() => return None,
    };
    drop(place);
    desk.metrics.asked(wanted, answer.is_ok(), started.elapsed());
    let now = desk.clock.now();
    let happened = match answer {
        Ok(happened) => happened,
        Err(error) => {
            Span::current().record("otel.status_code", "ERROR");
            tracing::warn!(order.id = %order, %error, "The bank did not answer about order {order}; it is asked again");
            if let Err(error) = desk.book.put_off(order, now).await {
                tracing::warn!(order.id = %order, %error, "The payment of order {order} waits for its lease to end");
            }
            return None;
        }
    };
    match desk.book.answer(order, happened, propagation::traceparent(&Span::current()), now).await {
        Ok(answered) => {
            if let Some(state) = answered.became {
                desk.events.wake();
                report(desk, payment, state);
            }
            answered.next
        }
        Err(error) => {
            // The bank is asked again when the lease ends, and says the same.
            tracing::warn!(order.id = %order, %error, "The bank's answer about order {order} could not be written down");
            None
        }
    }
}

fn report(desk: &Desk, payment: &Payment, state: State) {
    let order = &payment.order_id;
    Span::current().record("feast.payment.outcome", state.as_str());
    if matches!(state, State::Completed | State::Failed | State::Refunded | State::Void) {
        desk.metrics.payments.add(1, &[KeyValue::new("feast.payment.outcome", state.as_str())]);
    }
    if state == State::Completed {
        tracing::debug!(order.id = %order, "Payment of order {order} is completed");
    } else {
        tracing::info!(order.id = %order, feast.payment.outcome = state.as_str(), "Payment of order {order} is {}", state.as_str());
    }
}

fn span(payment: &Payment, wanted: Ask) -> Span {
    let operation = operation(wanted);
    let span = tracing::info_span!(
        "payment.provider",
        otel.name = format!("{operation} payment"),
        otel.kind = "client",
        otel.status_code = field::Empty,
        order.id = %payment.order_id,
        feast.payment.method = payment.method,
        feast.payment.outcome = field::Empty,
        chaos.flag = field::Empty,
        chaos.injected = field::Empty,
    );
    propagation::follow(&span, payment.traceparent.as_deref().into_iter());
    span
}

pub const fn operation(ask: Ask) -> &'static str {
    match ask {
        Ask::Charge => "charge",
        Ask::Refund => "refund",
    }
}

/// Flags see whose payment it is.
fn context(payment: &Payment) -> Arc<RequestContext> {
    Arc::new(RequestContext {
        service: NAME,
        request_id: payment.order_id.as_str().into(),
        session: payment.session.as_deref().map(Arc::from),
        synthetic: payment.synthetic,
        restaurant: Some(payment.restaurant_id.as_str().into()),
        city: Some(payment.city.as_str().into()),
        ..RequestContext::default()
    })
}
