//! What operators watch and steer: telemetry, proofs, detection, incidents, load. Pages show it, the server implements it.

use async_trait::async_trait;
use axum::body::Bytes;
use contract::ApiError;
use contract::audit::AuditEntry;
use contract::detection::{Detection, SetGuardrail};
use contract::incident::{Answered, Control, Incidents, Play};
use contract::load::{LoadState, LoadWanted};
use contract::proof::Proof;
use contract::telemetry::{LogPage, LogQuery, Overview, Snapshot, Source, Topology, Trace, TracePage, TraceQuery};
use std::sync::Arc;

/// A row of the call-policy table, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRow {
    /// `order.place`
    pub call: String,
    pub timeout_ms: u64,
    pub attempts: u32,
    pub idempotent: bool,
    /// "after 5 failures in a row, for 500 ms"
    pub breaker: String,
    /// Calls at once.
    pub bulkhead: usize,
}

/// Pages call it for operators only. What is asked of the imported snapshot answers `NOT_FOUND` while there is none.
#[async_trait]
pub trait ControlRoom: Send + Sync {
    /// Charts of the last `minutes`, 1-60.
    async fn overview(&self, minutes: u32, source: Source) -> Result<Overview, ApiError>;
    /// # Errors
    /// `INVALID_QUERY` for a cursor that is none.
    async fn traces(&self, query: TraceQuery) -> Result<TracePage, ApiError>;
    /// A live one, or else of the imported snapshot.
    ///
    /// # Errors
    /// `NOT_FOUND` when it was never seen, sampled out, or is forgotten.
    async fn trace(&self, id: &str) -> Result<Trace, ApiError>;
    async fn logs(&self, query: LogQuery) -> Result<LogPage, ApiError>;
    async fn topology(&self, source: Source) -> Result<Topology, ApiError>;
    /// Everything that is remembered of telemetry: a name for the file, and the file.
    async fn export(&self) -> Result<(String, Bytes), ApiError>;
    /// Reads such a file, in place of the one before.
    ///
    /// # Errors
    /// `INVALID_BODY` when it is none, of another version, or cut off; `BODY_TOO_LARGE` when it unpacks to too much.
    async fn import(&self, file: Bytes) -> Result<Snapshot, ApiError>;
    /// The one that is held.
    async fn snapshot(&self) -> Result<Option<Snapshot>, ApiError>;
    /// # Errors
    /// `NOT_FOUND` when none is held.
    async fn forget_import(&self) -> Result<(), ApiError>;
    /// One for every flag that is on or was so lately, the newest flip first.
    async fn proofs(&self) -> Result<Vec<Proof>, ApiError>;
    async fn detection(&self) -> Result<Detection, ApiError>;
    async fn set_guardrail(&self, wanted: SetGuardrail) -> Result<(), ApiError>;
    async fn load(&self) -> Result<LoadState, ApiError>;
    /// # Errors
    /// `INVALID_BODY` for more than 500 users or a pace that is no share.
    async fn set_load(&self, wanted: LoadWanted) -> Result<(), ApiError>;
    async fn incidents(&self) -> Result<Incidents, ApiError>;
    /// # Errors
    /// `NOT_FOUND`; `CONFLICT` while another plays.
    async fn play(&self, script: &str, play: Play) -> Result<(), ApiError>;
    /// # Errors
    /// `CONFLICT` while nothing plays.
    async fn control(&self, control: Control) -> Result<(), ApiError>;
    /// # Errors
    /// `CONFLICT` without a quiz, or when it was answered; `INVALID_BODY` for a choice that is none.
    async fn answer(&self, choice: &str) -> Result<Answered, ApiError>;
    /// Newest first, at most 200.
    async fn audit(&self) -> Result<Vec<AuditEntry>, ApiError>;
    /// How each call between services is made.
    fn policies(&self) -> Vec<PolicyRow>;
}

/// How handlers receive it.
pub type SharedControlRoom = Arc<dyn ControlRoom>;
