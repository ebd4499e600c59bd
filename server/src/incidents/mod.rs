//! Incident scripts: timelines of load and faults with speaker notes, played on the platform's own flags and load generators.
//!
//! `script.rs` reads them, `engine.rs` plays them, `outcome.rs` says how one went. The engine is a state machine on the injected clock: a tick
//! decides, and nothing in it waits. Detection, the ledger and the audit log are asked through [`Detect`] and closures, so that it does not know them.

mod engine;
mod outcome;
mod script;

use crate::NAME;
use crate::ledger::Auditor;
use crate::load::{Load, Note};
use axum::Router;
use axum::extract::State;
use contract::detection::Alert;
use contract::error::ErrorBody;
use contract::incident::{Answer, Answered, Control, Incidents as Told, Play};
use contract::{ApiError, Timestamp};
use engine::Engine;
use futures::future::BoxFuture;
use runtime::Platform;
use runtime::http::{ApiResult, Json, Path};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How often a script that plays is looked at. A step comes at most this much too late.
const TICK: Duration = Duration::from_millis(100);
/// How often an incident that is over is looked at, until it is known how it ended.
const SLOW_TICK: Duration = Duration::from_secs(1);

/// What an incident asks of detection.
pub trait Detect: Send + Sync {
    /// Those of the last hour at least, in any order.
    fn alerts(&self) -> Vec<Alert>;
    /// What was spent of each objective's budget between two moments, in percent of the whole budget, by the objective's name.
    fn budget_spent(&self, from: Timestamp, to: Timestamp) -> Vec<(String, f64)>;
}

/// Whether the ledger balances now; `None` when it cannot be read.
pub type Balance = Arc<dyn Fn() -> BoxFuture<'static, Option<bool>> + Send + Sync>;

/// What the ledger says.
pub fn books_of(auditor: Auditor) -> Balance {
    Arc::new(move || {
        let auditor = auditor.clone();
        Box::pin(async move { auditor.ledger().await.ok().map(|ledger| ledger.balanced) })
    })
}

/// Clones share it.
#[derive(Clone)]
pub struct Incidents(Arc<Inner>);

struct Inner {
    engine: Mutex<Engine>,
    balance: Balance,
    note: OnceLock<Note>,
    /// Somebody has begun to play.
    woken: Notify,
}

impl Incidents {
    /// Plays by itself from now on.
    pub fn start(platform: &Platform, load: Load, balance: Balance) -> Self {
        let incidents = Self::new(platform, load, balance);
        let (stop, driven) = (platform.stop.clone(), incidents.clone());
        platform.spawn(NAME, async move {
            loop {
                let nap = driven.tick();
                // A task of its own: a slow ledger must not hold up the next step.
                if let Some(incident) = driven.ledger_due() {
                    let (driven, context) = (driven.clone(), runtime::context::background(NAME));
                    tokio::spawn(runtime::context::scope(context, async move { driven.ask_ledger(incident).await }));
                }
                let wait = async {
                    match nap {
                        Some(nap) => tokio::time::sleep(nap).await,
                        None => driven.0.woken.notified().await,
                    }
                };
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = wait => {}
                }
            }
        });
        incidents
    }

    /// Stands still but for [`Incidents::tick`].
    fn new(platform: &Platform, load: Load, balance: Balance) -> Self {
        let engine = Engine::new(script::built_in(), platform.clock.clone(), platform.flag_control().clone(), load);
        Self(Arc::new(Inner { engine: Mutex::new(engine), balance, note: OnceLock::new(), woken: Notify::new() }))
    }

    /// From now on outcomes say when an alert fired, and what was spent.
    pub fn detected_by(&self, detect: Arc<dyn Detect>) {
        self.engine().detect = Some(detect);
    }

    /// Who is told about `incident.played`, `incident.controlled`, `incident.answered` and `incident.ended`. The first call counts.
    pub fn noted_by(&self, note: Note) {
        let _ = self.0.note.set(note);
    }

    /// The cause is being guessed: whoever shows flags or marks to the room leaves them out meanwhile.
    pub fn hides_cause(&self) -> bool {
        self.engine().hides_cause()
    }

    pub fn list(&self) -> Told {
        self.engine().list()
    }

    /// # Errors
    /// `NOT_FOUND`; `CONFLICT` while another plays.
    pub fn play(&self, id: &str, play: Play) -> Result<(), ApiError> {
        let done = self.engine().play(id, play)?;
        self.0.woken.notify_one();
        self.note(done);
        Ok(())
    }

    /// # Errors
    /// `CONFLICT` while nothing plays.
    pub fn control(&self, control: Control) -> Result<(), ApiError> {
        let done = self.engine().control(control)?;
        self.note(done);
        Ok(())
    }

    /// # Errors
    /// `CONFLICT` without a quiz, or when it was answered; `INVALID_BODY` for a choice that is none.
    pub fn answer(&self, choice: &str) -> Result<Answered, ApiError> {
        let (answered, done) = self.engine().answer(choice)?;
        self.note(done);
        Ok(answered)
    }

    /// Does what is due and says when to look again; `None`: not until somebody plays.
    fn tick(&self) -> Option<Duration> {
        let (done, nap) = {
            let mut engine = self.engine();
            let done = engine.tick();
            (done, if engine.is_playing() { Some(TICK) } else { engine.is_following().then_some(SLOW_TICK) })
        };
        self.note(done);
        nap
    }

    fn ledger_due(&self) -> Option<Timestamp> {
        self.engine().ledger_due()
    }

    async fn ask_ledger(&self, incident: Timestamp) {
        let balanced = (self.0.balance)().await;
        self.engine().balanced(incident, balanced);
    }

    fn note(&self, done: Vec<Done>) {
        for Done { action, script, detail } in done {
            tracing::info!(name: "incident", action, script, detail, "Incident {script}: {action} {detail}");
            if let Some(note) = self.0.note.get() {
                note(action, &script, detail);
            }
        }
    }

    fn engine(&self) -> MutexGuard<'_, Engine> {
        self.0.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that happened, for the log and whoever listens.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    action: &'static str,
    script: String,
    detail: String,
}

pub fn router(incidents: Incidents) -> Router {
    routes().with_state(incidents).into()
}

/// The same calls, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Incidents> {
    OpenApiRouter::default().routes(routes!(list)).routes(routes!(play)).routes(routes!(control)).routes(routes!(answer))
}

/// Incident scripts, the one that plays, and those that ended
#[utoipa::path(get, path = "/api/incidents", tag = "Operators", operation_id = "listIncidents",
    responses((status = 200, description = "During a quiz the cause is hidden.", body = Told)))]
async fn list(State(incidents): State<Incidents>) -> Json<Told> {
    Json(incidents.list())
}

/// Plays an incident script
#[utoipa::path(post, path = "/api/incidents/{id}/play", tag = "Operators", operation_id = "playIncident",
    params(("id" = String, Path, description = "The script, such as `payment-brown-out`.")),
    request_body = Play,
    responses(
        (status = 200, description = "It plays.", body = Told),
        (status = 404, description = "NOT_FOUND", body = ErrorBody),
        (status = 409, description = "CONFLICT", body = ErrorBody),
    ))]
async fn play(State(incidents): State<Incidents>, Path(id): Path<String>, Json(play): Json<Play>) -> ApiResult<Json<Told>> {
    incidents.play(&id, play)?;
    Ok(Json(incidents.list()))
}

/// Pauses, resumes, skips or stops what plays
#[utoipa::path(post, path = "/api/incidents/control", tag = "Operators", operation_id = "controlIncident",
    request_body = Control,
    responses(
        (status = 200, description = "How it is now.", body = Told),
        (status = 409, description = "CONFLICT", body = ErrorBody),
    ))]
async fn control(State(incidents): State<Incidents>, Json(control): Json<Control>) -> ApiResult<Json<Told>> {
    incidents.control(control)?;
    Ok(Json(incidents.list()))
}

/// Answers a quiz
#[utoipa::path(post, path = "/api/incidents/answer", tag = "Operators", operation_id = "answerIncident",
    request_body = Answer,
    responses(
        (status = 200, description = "Whether it was right, and what was the cause.", body = Answered),
        (status = 409, description = "CONFLICT", body = ErrorBody),
    ))]
async fn answer(State(incidents): State<Incidents>, Json(answer): Json<Answer>) -> ApiResult<Json<Answered>> {
    Ok(Json(incidents.answer(&answer.choice)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests;
