//! The platform's own telemetry: what this process makes, what other processes send, and who may ask for it.
//!
//! - spans and logs of this process come through [`Observatory::sink`], its metrics are read every second;
//! - other processes send OTLP to `/v1/traces`, `/v1/metrics`, `/v1/logs`, browsers to `/api/beacon`;
//! - operators ask under `/api/overview`, `/api/traces`, `/api/logs`, `/api/topology`, `/api/telemetry/snapshot`.

mod answers;
pub mod beacon;
mod door;
mod page_trace;

pub use answers::{SNAPSHOT, flags_on};
pub use beacon::Ear;
pub use door::{Door, door};
pub use page_trace::page_trace;

use crate::NAME;
use crate::console::Room;
use axum::{Router, middleware};
use observe::sdk::FromSdk;
use observe::{Intake, Limits, Store};
use opentelemetry_sdk::logs::SdkLogRecord;
use opentelemetry_sdk::trace::SpanData;
use runtime::Platform;
use runtime::boot::BootError;
use runtime::clock::SharedClock;
use runtime::telemetry::{SERVICE, Sink, is_wanted};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use utoipa::openapi::OpenApi;

/// How often the metrics of this process are read. Proofs look at seconds.
const METRICS_EVERY: Duration = Duration::from_secs(1);

/// Spans handed to the store at once: small enough that its queue takes them whole.
const SPANS_AT_ONCE: usize = 512;

/// How long the thread that hands over waits for the store's.
const PATIENCE: Duration = Duration::from_millis(100);

/// The store of what the platform says about itself, and the ways into it. Clones share it.
#[derive(Clone)]
pub struct Observatory {
    pub store: Store,
    pub intake: Intake,
}

impl Observatory {
    /// # Errors
    /// No thread can be started.
    pub fn start(clock: SharedClock) -> Result<Self, BootError> {
        let (store, intake) = Store::start(Limits::default(), move || clock.now())
            .map_err(|error| BootError::Config(format!("the telemetry store cannot start: {error}")))?;
        Ok(Self { store, intake })
    }

    /// Takes the spans and logs of this process.
    pub fn sink(&self) -> Arc<dyn Sink> {
        Arc::new(Own { intake: self.intake.clone(), reader: Mutex::new(FromSdk::new(NAME, SERVICE)) })
    }

    /// Reads the metrics of every service in this process, until it ends.
    pub fn watch_metrics(&self, platform: &Platform) {
        if !is_wanted("METRICS") {
            return;
        }
        let (hub, clock, stop) = (platform.metrics.clone(), platform.clock.clone(), platform.stop.clone());
        let (intake, mut reader) = (self.intake.clone(), FromSdk::new(NAME, SERVICE));
        platform.spawn(NAME, async move {
            while stop.run_until_cancelled(tokio::time::sleep(METRICS_EVERY)).await.is_some() {
                let at_ns = u64::try_from(clock.now().millis()).unwrap_or_default() * 1_000_000;
                let mut points = Vec::new();
                hub.read(|service, metrics| reader.points(service, metrics, at_ns, &mut points));
                intake.points(points);
            }
        });
    }

    /// Where other processes send. Everybody may on loopback; elsewhere it takes the token of the inside, or an operator's.
    pub fn receiver(&self, door: Door) -> Router {
        observe::receiver::router(self.intake.clone()).layer(middleware::from_fn_with_state(door, door::door))
    }

    /// What operators ask.
    pub fn router(&self, room: Room) -> Router {
        answers::router(room)
    }

    /// What browsers saw is kept here.
    pub fn ear(&self) -> Ear {
        Ear::Kept(self.intake.clone())
    }
}

/// What operators ask, browsers tell and other processes send, described.
pub fn openapi() -> OpenApi {
    [beacon::openapi(), observe::receiver::openapi()].into_iter().fold(answers::openapi(), OpenApi::merge_from)
}

/// This process' own spans and logs, on their way into the store.
struct Own {
    intake: Intake,
    reader: Mutex<FromSdk>,
}

impl Sink for Own {
    fn spans(&self, spans: &mut Vec<SpanData>) {
        // Nobody else asks for it: one thread hands over.
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = Vec::with_capacity(spans.len().min(SPANS_AT_ONCE));
        let mut in_time = true;
        for span in spans.drain(..) {
            batch.push(reader.span(span));
            if batch.len() == SPANS_AT_ONCE {
                // The queue in front of us is the longer one. A store that stands still is not waited for twice.
                in_time = in_time && self.intake.wait_for_room(PATIENCE);
                self.intake.spans(std::mem::replace(&mut batch, Vec::with_capacity(SPANS_AT_ONCE)));
            }
        }
        self.intake.spans(batch);
    }

    fn logs(&self, logs: &mut Vec<SdkLogRecord>) {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        self.intake.logs(logs.drain(..).map(|record| reader.log(&record)).collect());
    }

    fn refused(&self, spans: u64, logs: u64) {
        self.intake.lost(spans, logs);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests;
