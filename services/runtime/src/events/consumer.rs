//! Runs a service's handler: reads batches, applies each in one transaction, acknowledges afterwards.
//!
//! A batch that fails because of an event is taken apart. The event at fault waits, and with it only those of its order; after five
//! attempts it is parked. A database that fails is waited for, however long it takes.

use super::apply::{Applier, Failure};
use super::bus::{Bus, Delivery, LONGEST_WAIT, Message, Reader, Ticket};
use super::held::Held;
use super::metrics::ConsumerMetrics;
use super::parked;
use crate::chaos::{Chaos, Injected};
use crate::clock::SharedClock;
use crate::context;
use crate::store::sql::Database;
use crate::telemetry::propagation;
use contract::event::Event;
use contract::parked::ParkedEvent;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, field};

/// How often an event is tried before it is parked.
pub const ATTEMPTS: u32 = 5;

/// Pauses between its attempts: this one, then twice as long each time.
const FIRST_RETRY: Duration = Duration::from_millis(100);

/// Pauses while the bus or the database is down.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A batch the database refused so often is taken apart: one statement of it may be too much.
const WHOLE_ATTEMPTS: u32 = 3;

/// So many waiting events are enough: nothing is read while there are more.
const HELD_LIMIT: usize = 4_096;

/// The flag that makes consumers slow, or hands them every event twice.
const LAG_FLAG: &str = "events-lag";
const LONGEST_LAG_MS: u64 = 60_000;

/// How often a consumer that is held back looks whether the flag is still on.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub struct Consumer {
    pub service: &'static str,
    pub bus: Arc<dyn Bus>,
    pub reader: Box<dyn Reader>,
    pub applier: Applier,
    pub database: Database,
    pub clock: SharedClock,
    pub chaos: Chaos,
    pub metrics: ConsumerMetrics,
    /// Wakes the relay: handlers write events, too.
    pub wake: Arc<Notify>,
    pub stop: CancellationToken,
}

/// The process is stopping: leave everything as it is, it comes again.
struct Stopped;

/// An event that was read, and can be.
pub struct Taken {
    pub ticket: Ticket,
    pub event: Event,
    pub message: Arc<Message>,
}

struct Running {
    parts: Consumer,
    kinds: HashSet<&'static str>,
    held: Held,
    /// How often an event has failed. Kept when the reader begins anew, so that a bus that comes and goes does not keep poison alive.
    failures: HashMap<String, u32>,
    /// Applied, and not acknowledged yet.
    done: Vec<Ticket>,
}

impl Consumer {
    pub async fn run(self) {
        let kinds = self.applier.kinds().iter().copied().collect();
        let mut running = Running { parts: self, kinds, held: Held::default(), failures: HashMap::new(), done: Vec::new() };
        // What stops in the middle of a batch is not acknowledged, and comes again.
        let _ = running.run().await;
        running.acknowledge().await;
        running.parts.reader.close().await;
    }
}

impl Running {
    async fn run(&mut self) -> Result<(), Stopped> {
        let stop = self.parts.stop.clone();
        let mut pause = FIRST_PAUSE;
        loop {
            let now = Instant::now();
            let wait = self.held.next_due().map_or(LONGEST_WAIT, |due| due.saturating_duration_since(now).min(LONGEST_WAIT));
            if self.held.len() >= HELD_LIMIT {
                self.pause(wait).await?;
            } else {
                let read = tokio::select! {
                    biased;
                    () = stop.cancelled() => return Err(Stopped),
                    read = self.parts.reader.read(wait) => read,
                };
                match read {
                    Ok(batch) => {
                        pause = FIRST_PAUSE;
                        if batch.restarted {
                            self.held.clear();
                            self.done.clear();
                        }
                        self.take(batch.deliveries).await?;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "Events cannot be read; trying again");
                        self.pause(pause).await?;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
            }
            self.retry_held().await?;
            self.acknowledge().await;
        }
    }

    async fn pause(&self, pause: Duration) -> Result<(), Stopped> {
        tokio::select! {
            () = self.parts.stop.cancelled() => Err(Stopped),
            () = sleep(pause) => Ok(()),
        }
    }

    async fn take(&mut self, deliveries: Vec<Delivery>) -> Result<(), Stopped> {
        let mut batch = Vec::with_capacity(deliveries.len());
        for Delivery { ticket, message, .. } in deliveries {
            if !self.kinds.contains(message.kind.as_str()) {
                self.done.push(ticket);
                continue;
            }
            match serde_json::from_str::<Event>(&message.document) {
                Err(error) => {
                    self.park(&message, format!("it cannot be read: {error}"), 1).await?;
                    self.done.push(ticket);
                }
                Ok(event) => {
                    let taken = Taken { ticket, event, message };
                    if self.held.is_waiting(&taken.message.order) {
                        self.held.queue(taken);
                    } else {
                        batch.push(taken);
                    }
                }
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        let twice = self.lag().await?;
        let copies: Option<Arc<[Event]>> = twice.then(|| batch.iter().map(|taken| taken.event.clone()).collect());
        self.work(batch).await?;
        if let Some(copies) = copies {
            // As if the bus had delivered them again: the inbox knows them, and nothing happens.
            let _ = self.attempt(&copies, WHOLE_ATTEMPTS).await?;
        }
        Ok(())
    }

    /// Waits as long as the flag says; true when every event is to come twice.
    async fn lag(&self) -> Result<bool, Stopped> {
        let Some(active) = self.parts.chaos.domain(LAG_FLAG).await else { return Ok(false) };
        let wanted = |field: &str| active.value.get(field).and_then(serde_json::Value::as_u64).unwrap_or(0);
        let service = active.value.get("service").and_then(serde_json::Value::as_str);
        let (delay_ms, twice) = (wanted("delayMs").min(LONGEST_LAG_MS), wanted("copies") > 0);
        if (delay_ms == 0 && !twice) || service.is_some_and(|service| service != self.parts.service) {
            return Ok(false);
        }
        let injected = if delay_ms > 0 { Injected::Latency } else { Injected::Behaviour };
        // A span of its own: those of the events begin when they are worked on.
        let span = tracing::info_span!(
            "events.lag",
            otel.name = "hold events back",
            otel.kind = "internal",
            chaos.flag = field::Empty,
            chaos.injected = field::Empty,
        );
        span.in_scope(|| self.parts.chaos.mark(LAG_FLAG, injected, self.parts.service));
        drop(span);
        self.hold_back(Duration::from_millis(delay_ms)).await?;
        Ok(twice)
    }

    /// Waits as long as the flag is on, and no longer than this.
    async fn hold_back(&self, delay: Duration) -> Result<(), Stopped> {
        let end = Instant::now() + delay;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || !self.parts.chaos.flags().may_be_on(LAG_FLAG) {
                return Ok(());
            }
            self.pause(left.min(LOOK_EVERY)).await?;
        }
    }

    /// Applies a batch; whatever happens, each of its events is applied, held or parked afterwards.
    async fn work(&mut self, batch: Vec<Taken>) -> Result<(), Stopped> {
        let mut events = Vec::with_capacity(batch.len());
        let mut names = Vec::with_capacity(batch.len());
        for Taken { ticket, event, message } in batch {
            events.push(event);
            names.push((ticket, message));
        }
        let events: Arc<[Event]> = events.into();
        match self.attempt(&events, WHOLE_ATTEMPTS).await? {
            Ok(()) => {
                self.done.extend(names.iter().map(|(ticket, _)| *ticket));
                return Ok(());
            }
            Err(failure) if events.len() > 1 => {
                tracing::debug!(?failure, "A batch of {} events is applied one by one", events.len());
            }
            Err(_) => {}
        }
        for ((ticket, message), event) in names.into_iter().zip(&*events) {
            let taken = Taken { ticket, event: event.clone(), message };
            if self.held.is_waiting(&taken.message.order) {
                self.held.queue(taken);
            } else {
                self.work_alone(taken).await?;
            }
        }
        Ok(())
    }

    /// Applies one event; false when it has to wait for another attempt.
    async fn work_alone(&mut self, taken: Taken) -> Result<bool, Stopped> {
        let outcome = self.attempt(&Arc::from([taken.event.clone()]), u32::MAX).await?;
        let id = &taken.message.id;
        let Err(Failure::Store(why) | Failure::Poison(why)) = outcome else {
            self.failures.remove(id);
            self.done.push(taken.ticket);
            return Ok(true);
        };
        let failures = self.failures.entry(id.clone()).or_default();
        *failures += 1;
        let attempts = *failures;
        if attempts >= ATTEMPTS {
            self.park(&taken.message, why, attempts).await?;
            self.failures.remove(id);
            self.done.push(taken.ticket);
            return Ok(true);
        }
        self.parts.metrics.consumed(taken.event.fact.kind(), "failed", 1);
        tracing::warn!(event.id = id, attempts, error = why, "Event {id} could not be applied");
        let due = Instant::now() + FIRST_RETRY * 2_u32.pow(attempts - 1);
        self.held.hold(taken, due);
        Ok(false)
    }

    async fn retry_held(&mut self) -> Result<(), Stopped> {
        while let Some(mut waiting) = self.held.pop_due(Instant::now()) {
            while let Some(taken) = waiting.pop_front() {
                if !self.work_alone(taken).await? {
                    // It waits again, and those behind it too.
                    self.held.extend(waiting);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Applies in one transaction. While the database is at fault it tries again: a single event for ever, a batch `most` times.
    async fn attempt(&mut self, events: &Arc<[Event]>, most: u32) -> Result<Result<(), Failure>, Stopped> {
        let mut pause = FIRST_PAUSE;
        let mut attempts = 0;
        loop {
            let span = self.span(events);
            let started = Instant::now();
            let applying = self.apply(events, &span).instrument(span.clone());
            let outcome = context::scope(self.parts.applier.context(events), applying).await;
            self.parts.metrics.took(started.elapsed());
            match outcome {
                Ok(new) => {
                    self.count(events, &new, &span);
                    self.parts.wake.notify_one();
                    return Ok(Ok(()));
                }
                Err(Failure::Store(why)) => {
                    span.record("otel.status_code", "ERROR");
                    attempts += 1;
                    tracing::warn!(parent: &span, error = why, "Events wait for the database");
                    self.pause(pause).await?;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    if attempts >= most && events.len() > 1 {
                        return Ok(Err(Failure::Store(why)));
                    }
                }
                Err(failure) => {
                    span.record("otel.status_code", "ERROR");
                    return Ok(Err(failure));
                }
            }
        }
    }

    async fn apply(&self, events: &Arc<[Event]>, span: &Span) -> Result<Vec<bool>, Failure> {
        let fault = self.parts.chaos.store(self.parts.service, "events", "apply").await;
        fault.map_err(|fault| Failure::Store(fault.to_string()))?;
        self.parts.applier.apply(events.clone(), span.clone(), false).await
    }

    fn count(&self, events: &[Event], new: &[bool], span: &Span) {
        let mut outcomes: BTreeMap<(&'static str, &'static str), u64> = BTreeMap::new();
        for (event, new) in events.iter().zip(new) {
            let outcome = if *new { "applied" } else { "duplicate" };
            *outcomes.entry((event.fact.kind(), outcome)).or_default() += 1;
            tracing::debug!(parent: span, event.id, outcome, "Event {} is {outcome}", event.id);
        }
        for ((kind, outcome), events) in outcomes {
            self.parts.metrics.consumed(kind, outcome, events);
        }
    }

    fn span(&self, events: &[Event]) -> Span {
        let span = tracing::info_span!(
            "events.process",
            otel.name = "process events",
            otel.kind = "consumer",
            otel.status_code = field::Empty,
            messaging.operation.type = "process",
            messaging.system = self.parts.bus.backend(),
            messaging.destination.name = "events",
            messaging.consumer.group.name = self.parts.service,
            messaging.batch.message_count = events.len(),
            event.kind = field::Empty,
            order.id = field::Empty,
            chaos.flag = field::Empty,
            chaos.injected = field::Empty,
        );
        if let [event] = events {
            span.record("otel.name", format!("process {}", event.fact.kind()));
            span.record("event.kind", event.fact.kind());
            span.record("order.id", event.order_id.as_str());
        }
        propagation::follow(&span, events.iter().filter_map(|event| event.traceparent.as_deref()));
        span
    }

    /// Puts an event aside, however long that takes.
    async fn park(&self, message: &Message, error: String, attempts: u32) -> Result<(), Stopped> {
        tracing::error!(event.id = message.id, attempts, error, "Event {} is parked: it could not be applied", message.id);
        self.parts.metrics.consumed(message.kind.clone(), "parked", 1);
        let parked = ParkedEvent {
            id: message.id.clone(),
            kind: message.kind.clone(),
            order_id: message.order.clone(),
            error,
            attempts,
            parked_at: self.parts.clock.now(),
            document: message.document.clone(),
        };
        let mut pause = FIRST_PAUSE;
        while let Err(error) = parked::park(&self.parts.database, self.parts.service, parked.clone()).await {
            tracing::warn!(%error, "An event waits to be parked");
            self.pause(pause).await?;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(())
    }

    /// What cannot be acknowledged now is acknowledged with the next.
    async fn acknowledge(&mut self) {
        if self.done.is_empty() {
            return;
        }
        match self.parts.reader.acknowledge(&self.done).await {
            Ok(()) => self.done.clear(),
            Err(error) => tracing::debug!(%error, "Events could not be acknowledged yet"),
        }
    }
}
