//! One round of events: claimed in the inbox and applied by the handler, in one transaction.

use super::handler::{Handler, HandlerError};
use super::inbox::Inbox;
use super::parked;
use crate::context::{self, RequestContext};
use crate::store::StoreError;
use crate::store::sql::{Apply, Connection, Database, GroupCommit};
use async_trait::async_trait;
use contract::event::Event;
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::{Instrument, Span};

/// Why a round was rolled back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The database's fault.
    Store(String),
    /// An event's fault.
    Poison(String),
}

/// What is to be applied, and on whose behalf.
struct Round {
    events: Arc<[Event]>,
    context: Arc<RequestContext>,
    span: Span,
    /// They were parked; applied, they are not any more.
    replay: bool,
    failure: Arc<Mutex<Option<Failure>>>,
}

struct Rounds {
    handler: Arc<dyn Handler>,
    inbox: Inbox,
    consumer: &'static str,
}

impl Rounds {
    async fn apply_round(&self, transaction: &mut Connection<'_>, round: &Round) -> Result<Vec<bool>, HandlerError> {
        let new = self.inbox.claim(transaction, &round.events).await?;
        if new.iter().all(|new| *new) {
            self.handle(transaction, &round.events).await?;
        } else {
            let events: Vec<Event> = round.events.iter().zip(&new).filter(|(_, new)| **new).map(|(event, _)| event.clone()).collect();
            if !events.is_empty() {
                self.handle(transaction, &events).await?;
            }
        }
        if round.replay {
            for event in &*round.events {
                parked::remove(transaction, self.consumer, &event.id).await?;
            }
        }
        Ok(new)
    }

    async fn handle(&self, transaction: &mut Connection<'_>, events: &[Event]) -> Result<(), HandlerError> {
        let handled = AssertUnwindSafe(self.handler.apply(transaction, events)).catch_unwind().await;
        handled.unwrap_or_else(|_| Err(HandlerError::Poison("the handler panicked".to_owned())))
    }
}

#[async_trait]
impl Apply for Rounds {
    type Job = Round;
    /// For each event whether it is new.
    type Done = Vec<bool>;

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Round]) -> Result<Vec<Vec<bool>>, sqlx::Error> {
        let mut done = Vec::with_capacity(jobs.len());
        for round in jobs {
            round.fail(None);
            let applied = context::scope(round.context.clone(), self.apply_round(transaction, round)).instrument(round.span.clone());
            match applied.await {
                Ok(new) => done.push(new),
                Err(error) => {
                    let poison = error.is_poison();
                    let why = error.to_string();
                    round.fail(Some(if poison { Failure::Poison(why) } else { Failure::Store(why) }));
                    return Err(match error {
                        HandlerError::Store(error) => error,
                        HandlerError::Poison(why) => sqlx::Error::Protocol(why),
                    });
                }
            }
        }
        Ok(done)
    }
}

impl Round {
    fn fail(&self, failure: Option<Failure>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

/// Applies rounds for the consumer, and for operators who replay.
#[derive(Clone)]
pub struct Applier {
    writer: GroupCommit<Rounds>,
    handler: Arc<dyn Handler>,
    consumer: &'static str,
}

impl Applier {
    pub fn start(database: &Database, handler: Arc<dyn Handler>, inbox: Inbox, consumer: &'static str) -> Self {
        let rounds = Rounds { handler: handler.clone(), inbox, consumer };
        Self { writer: GroupCommit::start(database, rounds), handler, consumer }
    }

    pub fn kinds(&self) -> &'static [&'static str] {
        self.handler.kinds()
    }

    /// Applies the events in one transaction; answers for each whether it was new.
    ///
    /// # Errors
    /// Nothing is applied.
    pub async fn apply(&self, events: Arc<[Event]>, span: Span, replay: bool) -> Result<Vec<bool>, Failure> {
        let failure = Arc::new(Mutex::new(None));
        let context = self.context(&events);
        let round = Round { events: events.clone(), context, span, replay, failure: failure.clone() };
        match self.writer.submit(round).await {
            Ok(new) => {
                if new.iter().all(|new| *new) {
                    self.handler.applied(&events);
                } else if new.contains(&true) {
                    let fresh: Vec<Event> = events.iter().zip(&new).filter(|(_, new)| **new).map(|(event, _)| event.clone()).collect();
                    self.handler.applied(&fresh);
                }
                Ok(new)
            }
            Err(error) => {
                let known = failure.lock().unwrap_or_else(PoisonError::into_inner).take();
                Err(known.unwrap_or_else(|| Failure::Store(reason(error))))
            }
        }
    }

    /// A single event is worked on for whoever caused it; a batch for nobody.
    pub fn context(&self, events: &[Event]) -> Arc<RequestContext> {
        let [event] = events else { return context::background(self.consumer) };
        Arc::new(RequestContext {
            service: self.consumer,
            request_id: event.id.as_str().into(),
            session: event.session.as_deref().map(Arc::from),
            synthetic: event.synthetic,
            restaurant: Some(event.restaurant_id.as_str().into()),
            city: Some(event.city.as_str().into()),
            ..RequestContext::default()
        })
    }
}

fn reason(error: StoreError) -> String {
    match error {
        StoreError::Unavailable(why) | StoreError::Corrupt(why) => why,
    }
}
