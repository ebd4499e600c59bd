//! A control room whose telemetry is planted: nothing before `busy`, then a fault under load.

use super::{Fake, planted};
use app::control_room::{ControlRoom, PolicyRow};
use async_trait::async_trait;
use axum::body::Bytes;
use contract::audit::AuditEntry;
use contract::detection::{Detection, SetGuardrail};
use contract::incident::{Answered, Control, Incidents, Play, PlayMode, Playing};
use contract::load::{LoadState, LoadWanted};
use contract::proof::Proof;
use contract::telemetry::{LogPage, LogQuery, Overview, Snapshot, Source, Topology, Trace, TracePage, TraceQuery};
use contract::{ApiError, Code, Timestamp};

/// What the control room knows.
#[derive(Default)]
pub struct Room {
    /// Whether anything was measured.
    pub busy: bool,
    pub load: LoadState,
    pub incidents: Incidents,
    pub guardrail: bool,
    /// The last search, for tests of forms.
    pub asked: Option<TraceQuery>,
    pub broken: bool,
    pub snapshot: Option<Snapshot>,
}

/// What a file must begin with here to be a snapshot.
pub const SNAPSHOT_FILE: &str = "snapshot";

impl Fake {
    fn room<T>(&self, answer: impl FnOnce(&mut Room, Timestamp) -> T) -> Result<T, ApiError> {
        let mut world = self.0.lock().unwrap();
        let now = (world.clock)();
        if world.room.broken {
            return Err(ApiError::new(Code::ServiceUnavailable, "the store of telemetry does not answer"));
        }
        Ok(answer(&mut world.room, now))
    }
}

#[async_trait]
impl ControlRoom for Fake {
    async fn overview(&self, minutes: u32, source: Source) -> Result<Overview, ApiError> {
        self.room(|room, now| {
            let nothing = Overview { from: now, to: now, step_seconds: 5, ..Overview::default() };
            let overview = if room.busy || source == Source::Imported { planted::overview(minutes, now) } else { nothing };
            Overview { imported: room.snapshot.clone(), ..overview }
        })
    }

    async fn traces(&self, query: TraceQuery) -> Result<TracePage, ApiError> {
        self.room(|room, now| {
            let fits = |trace: &contract::telemetry::TraceSummary| {
                query.flag.as_ref().is_none_or(|flag| trace.flags.contains(flag))
                    && query.order.as_ref().is_none_or(|_| trace.order.is_some())
            };
            let of_source = |mut trace: contract::telemetry::TraceSummary| {
                trace.source = query.source;
                trace
            };
            let traces = if room.busy { planted::traces(now).into_iter().filter(fits).map(of_source).collect() } else { Vec::new() };
            room.asked = Some(query);
            TracePage { traces, next: room.busy.then(|| "older".to_owned()) }
        })
    }

    async fn trace(&self, id: &str) -> Result<Trace, ApiError> {
        let trace = self.room(|room, now| room.busy.then(|| planted::trace(now)).filter(|trace| trace.summary.trace_id == id))?;
        trace.ok_or_else(|| ApiError::new(Code::NotFound, "it is not kept"))
    }

    async fn logs(&self, query: LogQuery) -> Result<LogPage, ApiError> {
        self.room(|room, now| {
            let lines = if room.busy { planted::logs(now) } else { Vec::new() };
            let fits = |line: &contract::telemetry::LogLine| query.level.is_none_or(|level| line.level >= level);
            LogPage { lines: lines.into_iter().filter(fits).collect(), next: None }
        })
    }

    async fn topology(&self, _: Source) -> Result<Topology, ApiError> {
        self.room(|room, _| if room.busy { planted::topology() } else { Topology::default() })
    }

    async fn proofs(&self) -> Result<Vec<Proof>, ApiError> {
        self.room(|room, now| if room.busy { planted::proofs(now) } else { Vec::new() })
    }

    async fn detection(&self) -> Result<Detection, ApiError> {
        self.room(|room, now| {
            let mut detection = if room.busy { planted::detection(now) } else { Detection::default() };
            detection.guardrail.on = room.guardrail;
            detection
        })
    }

    async fn set_guardrail(&self, wanted: SetGuardrail) -> Result<(), ApiError> {
        self.room(|room, _| room.guardrail = wanted.on)
    }

    async fn load(&self) -> Result<LoadState, ApiError> {
        self.room(|room, _| room.load.clone())
    }

    async fn set_load(&self, wanted: LoadWanted) -> Result<(), ApiError> {
        if wanted.users > 500 {
            return Err(ApiError::new(Code::InvalidBody, "at most 500 customers"));
        }
        self.room(|room, _| room.load.wanted = wanted)
    }

    async fn incidents(&self) -> Result<Incidents, ApiError> {
        self.room(|room, _| room.incidents.clone())
    }

    async fn play(&self, script: &str, play: Play) -> Result<(), ApiError> {
        self.room(|room, now| {
            let playing = Playing {
                script: script.into(),
                mode: play.mode,
                started_at: now,
                at_seconds: 0,
                paused: false,
                step: Some(0),
                answered: None,
            };
            if room.incidents.playing.is_some() {
                return Err(ApiError::new(Code::Conflict, "another plays"));
            }
            room.incidents.playing = Some(playing);
            Ok(())
        })?
    }

    async fn control(&self, control: Control) -> Result<(), ApiError> {
        self.room(|room, _| {
            let playing = room.incidents.playing.as_mut().ok_or_else(|| ApiError::new(Code::Conflict, "nothing plays"))?;
            match control {
                Control::Pause => playing.paused = true,
                Control::Resume => playing.paused = false,
                Control::Skip => playing.step = playing.step.map(|step| step + 1),
                Control::Stop => room.incidents.playing = None,
            }
            Ok(())
        })?
    }

    async fn answer(&self, choice: &str) -> Result<Answered, ApiError> {
        self.room(|room, _| {
            let playing = room.incidents.playing.as_mut().filter(|playing| playing.mode == PlayMode::Quiz && playing.answered.is_none());
            let playing = playing.ok_or_else(|| ApiError::new(Code::Conflict, "no question is open"))?;
            let right = choice == "payment";
            let answered = Answered {
                choice: choice.into(),
                right,
                score: if right { 84 } else { 0 },
                truth: "payment-slow: 3-s since 09:28:10".into(),
            };
            playing.answered = Some(answered.clone());
            Ok(answered)
        })?
    }

    async fn audit(&self) -> Result<Vec<AuditEntry>, ApiError> {
        self.room(|room, now| if room.busy { planted::audit(now) } else { Vec::new() })
    }

    async fn export(&self) -> Result<(String, Bytes), ApiError> {
        self.room(|_, _| ("feast-telemetry.json.gz".to_owned(), Bytes::from_static(SNAPSHOT_FILE.as_bytes())))
    }

    async fn import(&self, file: Bytes) -> Result<Snapshot, ApiError> {
        if !file.starts_with(SNAPSHOT_FILE.as_bytes()) {
            return Err(ApiError::new(Code::InvalidBody, "the file is not a snapshot of telemetry"));
        }
        self.room(|room, now| room.snapshot.insert(planted::snapshot(now)).clone())
    }

    async fn snapshot(&self) -> Result<Option<Snapshot>, ApiError> {
        self.room(|room, _| room.snapshot.clone())
    }

    async fn forget_import(&self) -> Result<(), ApiError> {
        self.room(|room, _| room.snapshot.take().map(drop))?.ok_or_else(|| ApiError::new(Code::NotFound, "none is held"))
    }

    fn policies(&self) -> Vec<PolicyRow> {
        let row = |call: &str, timeout_ms, attempts, idempotent, bulkhead| PolicyRow {
            call: call.into(),
            timeout_ms,
            attempts,
            idempotent,
            breaker: "after 5 failures in a row, for 500 ms".into(),
            bulkhead,
        };
        vec![row("cart.add_item", 2_500, 1, false, 256), row("menu.item", 1_000, 3, true, 256), row("order.place", 10_000, 2, true, 512)]
    }
}
