//! What operators watch and steer, for pages and programs alike. While a quiz plays, what would tell its cause is left out.

use super::{Console, audit};
use crate::telemetry::flags_on;
use app::control_room::{ControlRoom, PolicyRow};
use async_trait::async_trait;
use axum::body::Bytes;
use contract::audit::AuditEntry;
use contract::detection::{Detection, SetGuardrail};
use contract::incident::{Answered, Control, Incidents, Play};
use contract::load::{LoadState, LoadWanted};
use contract::proof::Proof;
use contract::telemetry::{LogPage, LogQuery, Mark, MarkKind, Overview, Snapshot, Source, Topology, Trace, TracePage, TraceQuery};
use contract::{ApiError, Code};
use observe::BadCursor;
use runtime::call::POLICIES;
use std::net::SocketAddr;

/// Charts reach back so many minutes.
const MINUTES: std::ops::RangeInclusive<u32> = 1..=60;

/// Clones share it.
#[derive(Clone)]
pub struct Room(pub(super) Console, pub(super) SocketAddr);

impl Room {
    /// `address` is where this platform listens: a snapshot says whose it is.
    pub const fn new(console: Console, address: SocketAddr) -> Self {
        Self(console, address)
    }

    pub const fn console(&self) -> &Console {
        &self.0
    }

    /// Of the last `minutes`.
    pub fn marks(&self, minutes: u32) -> Vec<Mark> {
        let mut marks = self.0.0.marks.of_minutes(minutes);
        if self.hides_cause() {
            marks.retain(|mark| !matches!(mark.kind, MarkKind::FlagOn | MarkKind::FlagOff | MarkKind::Incident));
        }
        marks
    }

    fn hides_cause(&self) -> bool {
        self.0.0.incidents.hides_cause()
    }
}

fn bad_cursor(_: BadCursor) -> ApiError {
    ApiError::new(Code::InvalidQuery, "cursor: this is not what a page ended with")
}

#[async_trait]
impl ControlRoom for Room {
    async fn overview(&self, minutes: u32, source: Source) -> Result<Overview, ApiError> {
        let minutes = minutes.clamp(*MINUTES.start(), *MINUTES.end());
        match source {
            Source::Live => Ok(self.0.0.store.overview(minutes, self.marks(minutes))),
            Source::Imported => Ok(self.imported()?.overview(minutes)),
        }
    }

    async fn traces(&self, query: TraceQuery) -> Result<TracePage, ApiError> {
        match query.source {
            Source::Live => self.0.0.store.traces(&query),
            Source::Imported => self.imported()?.traces(&query),
        }
        .map_err(bad_cursor)
    }

    async fn trace(&self, id: &str) -> Result<Trace, ApiError> {
        let unknown = || ApiError::new(Code::NotFound, "this trace was never seen, sampled out, or is forgotten");
        let imported = || self.0.0.store.imported()?.trace(id);
        self.0.0.store.trace(id).or_else(imported).ok_or_else(unknown)
    }

    async fn logs(&self, query: LogQuery) -> Result<LogPage, ApiError> {
        match query.source {
            Source::Live => self.0.0.store.logs(&query),
            Source::Imported => self.imported()?.logs(&query),
        }
        .map_err(bad_cursor)
    }

    async fn topology(&self, source: Source) -> Result<Topology, ApiError> {
        if source == Source::Imported {
            return Ok(self.imported()?.topology());
        }
        if self.hides_cause() {
            return Ok(self.0.0.store.topology(&|_| Vec::new()));
        }
        Ok(self.0.0.store.topology(&flags_on(&self.0.0.flags)))
    }

    async fn proofs(&self) -> Result<Vec<Proof>, ApiError> {
        if self.hides_cause() {
            return Ok(Vec::new());
        }
        Ok(self.0.0.proofs.all(self.0.0.clock.now()))
    }

    async fn detection(&self) -> Result<Detection, ApiError> {
        let mut detection = self.0.0.detector.detection(self.0.0.clock.now());
        if self.hides_cause() {
            detection.alerts.iter_mut().for_each(|alert| alert.flags.clear());
        }
        Ok(detection)
    }

    async fn set_guardrail(&self, wanted: SetGuardrail) -> Result<(), ApiError> {
        let inner = &*self.0.0;
        inner.detector.set_guardrail(&wanted)?;
        let detail = match (wanted.on, wanted.burn_limit) {
            (false, _) => "off".to_owned(),
            (true, None) => "on".to_owned(),
            (true, Some(limit)) => format!("on, at {limit} times the allowed burn"),
        };
        inner.audit.note("guardrail.set", "guardrail", detail);
        inner.nudges.about(super::Topic::Detection);
        Ok(())
    }

    async fn load(&self) -> Result<LoadState, ApiError> {
        Ok(self.0.0.load.state())
    }

    async fn set_load(&self, wanted: LoadWanted) -> Result<(), ApiError> {
        self.0.0.load.set(wanted)
    }

    async fn incidents(&self) -> Result<Incidents, ApiError> {
        Ok(self.0.0.incidents.list())
    }

    async fn play(&self, script: &str, play: Play) -> Result<(), ApiError> {
        self.0.0.incidents.play(script, play)
    }

    async fn control(&self, control: Control) -> Result<(), ApiError> {
        self.0.0.incidents.control(control)
    }

    async fn answer(&self, choice: &str) -> Result<Answered, ApiError> {
        self.0.0.incidents.answer(choice)
    }

    async fn audit(&self) -> Result<Vec<AuditEntry>, ApiError> {
        Ok(self.0.0.audit.newest(audit::SHOWN))
    }

    async fn export(&self) -> Result<(String, Bytes), ApiError> {
        self.export_snapshot().await
    }

    async fn import(&self, file: Bytes) -> Result<Snapshot, ApiError> {
        self.import_snapshot(file).await
    }

    async fn snapshot(&self) -> Result<Option<Snapshot>, ApiError> {
        Ok(self.0.0.store.imported().map(|imported| imported.about().clone()))
    }

    async fn forget_import(&self) -> Result<(), ApiError> {
        self.forget_snapshot()
    }

    fn policies(&self) -> Vec<PolicyRow> {
        POLICIES.iter().map(row).collect()
    }
}

fn row(policy: &runtime::call::Policy) -> PolicyRow {
    PolicyRow {
        call: policy.name.to_owned(),
        timeout_ms: policy.timeout_ms,
        attempts: policy.attempts,
        idempotent: policy.idempotent,
        breaker: policy.breaker(),
        bulkhead: policy.bulkhead(),
    }
}
