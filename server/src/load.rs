//! The load that is asked for, and the load generators that follow it (`loadgen --agent`).
//!
//! Who decides, from the strongest: the flag `load-paused`, the flag `load-users`, the incident script that plays, the operator. An operator who
//! chooses while a script plays goes before it until the script's next word about load.

use crate::NAME;
use crate::telemetry::{self, Door};
use axum::extract::State;
use axum::{Router, middleware};
use contract::error::ErrorBody;
use contract::load::{LoadAgent, LoadReport, LoadState, LoadWanted};
use contract::{ApiError, Code, Timestamp};
use runtime::Platform;
use runtime::clock::SharedClock;
use runtime::flags::FlagControl;
use runtime::http::{ApiResult, Json};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// More users than this are for a machine of their own.
pub const MAX_USERS: u32 = 500;
/// Users a hundred times as quick as people think no more.
pub const MAX_PACE: f64 = 100.0;
/// An agent that did not report for this long is gone.
const AGENT_GONE_AFTER: Duration = Duration::from_secs(5);
/// Reports come from whoever may reach the address; so many are remembered.
const MAX_AGENTS: usize = 16;
/// An agent's name is eight letters; this is for those that others may write.
const MAX_AGENT_NAME: usize = 64;

/// Tells what was done: action, subject, detail.
pub type Note = Arc<dyn Fn(&'static str, &str, String) + Send + Sync>;

/// Nobody orders.
pub const IDLE: LoadWanted = LoadWanted { users: 0, pace: 1.0, seed: None };

/// Clones share it.
#[derive(Clone)]
pub struct Load(Arc<Inner>);

struct Inner {
    flags: FlagControl,
    clock: SharedClock,
    note: OnceLock<Note>,
    state: Mutex<Asked>,
}

struct Asked {
    /// By the operator.
    chosen: LoadWanted,
    /// By the script that plays.
    scripted: Option<LoadWanted>,
    agents: BTreeMap<String, LoadAgent>,
}

impl Load {
    pub fn new(platform: &Platform) -> Self {
        let state = Mutex::new(Asked { chosen: IDLE, scripted: None, agents: BTreeMap::new() });
        let (flags, clock) = (platform.flag_control().clone(), platform.clock.clone());
        let load = Self(Arc::new(Inner { flags, clock, note: OnceLock::new(), state }));
        let users = load.clone();
        platform
            .meter(NAME)
            .u64_observable_gauge("feast.load.users")
            .with_unit("{user}")
            .with_description("Users that load generators are at this moment.")
            .with_callback(move |gauge| gauge.observe(users.users(), &[]))
            .build();
        load
    }

    /// Who is told about changes by operators. The first call counts.
    pub fn noted_by(&self, note: Note) {
        let _ = self.0.note.set(note);
    }

    pub fn state(&self) -> LoadState {
        let now = self.0.clock.now();
        let mut asked = self.asked();
        asked.forget(now);
        LoadState { wanted: self.in_force(&asked), agents: asked.agents.values().cloned().collect() }
    }

    /// What all agents together are to do.
    #[cfg(test)]
    pub fn wanted(&self) -> LoadWanted {
        self.in_force(&self.asked())
    }

    /// An operator chooses.
    ///
    /// # Errors
    /// `INVALID_BODY` for more than 500 users, or a pace that is below 0 or above 100.
    pub fn set(&self, wanted: LoadWanted) -> Result<(), ApiError> {
        check(&wanted).map_err(|why| ApiError::new(Code::InvalidBody, why))?;
        let detail = words(&wanted);
        {
            let mut asked = self.asked();
            asked.chosen = wanted;
            asked.scripted = None;
        }
        tracing::info!(name: "load.set", load = detail, "Operator: load {detail}");
        if let Some(note) = self.0.note.get() {
            note("load.set", "load", detail);
        }
        Ok(())
    }

    /// A script asks for load. What the operator chose is kept for afterwards.
    pub fn lend(&self, wanted: LoadWanted) {
        self.asked().scripted = Some(wanted);
    }

    /// A script is over: what the operator chose counts again.
    pub fn give_back(&self) {
        self.asked().scripted = None;
    }

    /// An agent says how it goes, and is answered what is its part: of several, each carries its share.
    ///
    /// # Errors
    /// `INVALID_BODY` for a name that is none, or one agent too many.
    pub fn report(&self, report: LoadReport) -> Result<LoadWanted, ApiError> {
        let name = report.agent.clone();
        if name.is_empty() || name.len() > MAX_AGENT_NAME {
            return Err(ApiError::new(Code::InvalidBody, format!("agent must be 1 to {MAX_AGENT_NAME} letters")));
        }
        let now = self.0.clock.now();
        let mut asked = self.asked();
        asked.forget(now);
        if !asked.agents.contains_key(&name) && asked.agents.len() >= MAX_AGENTS {
            return Err(ApiError::new(Code::InvalidBody, format!("there are {MAX_AGENTS} load generators already")));
        }
        asked.agents.insert(name.clone(), LoadAgent { seen_at: now, report });
        let wanted = self.in_force(&asked);
        let at = asked.agents.keys().position(|agent| *agent == name).unwrap_or_default();
        Ok(LoadWanted { users: share(wanted.users, asked.agents.len(), at), ..wanted })
    }

    fn users(&self) -> u64 {
        let now = self.0.clock.now();
        let mut asked = self.asked();
        asked.forget(now);
        asked.agents.values().map(|agent| u64::from(agent.report.users)).sum()
    }

    fn in_force(&self, asked: &Asked) -> LoadWanted {
        let mut wanted = asked.scripted.as_ref().unwrap_or(&asked.chosen).clone();
        if let Some(users) = self.flag("load-users").and_then(|value| value.get("users")?.as_u64()) {
            wanted.users = u32::try_from(users).unwrap_or(MAX_USERS).min(MAX_USERS);
        }
        if self.flag("load-paused").is_some() {
            wanted.users = 0;
        }
        wanted
    }

    /// The value of a flag that is on, for whomever it is.
    fn flag(&self, key: &str) -> Option<Value> {
        let flag = self.0.flags.get(key).ok()?;
        let value = flag.variants.into_iter().find(|variant| variant.name == flag.variant)?.value;
        (value.get("enabled").and_then(Value::as_bool) == Some(true)).then_some(value)
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    fn forget(&mut self, now: Timestamp) {
        self.agents.retain(|_, agent| now.since(agent.seen_at) < AGENT_GONE_AFTER);
    }
}

/// What is wrong with a wish, in words.
pub fn check(wanted: &LoadWanted) -> Result<(), String> {
    if wanted.users > MAX_USERS {
        return Err(format!("users must be from 0 to {MAX_USERS}"));
    }
    if !(0.0..=MAX_PACE).contains(&wanted.pace) {
        return Err(format!("pace must be from 0 to {MAX_PACE}"));
    }
    Ok(())
}

/// "60 users", "60 users at pace 2".
pub fn words(wanted: &LoadWanted) -> String {
    let users = if wanted.users == 1 { "1 user".to_owned() } else { format!("{} users", wanted.users) };
    if wanted.pace == 1.0 || wanted.users == 0 { users } else { format!("{users} at pace {}", wanted.pace) }
}

/// The part of agent number `at` of `agents`; together they are all.
fn share(users: u32, agents: usize, at: usize) -> u32 {
    let (agents, at) = (u32::try_from(agents.max(1)).unwrap_or(1), u32::try_from(at).unwrap_or(0));
    users / agents + u32::from(at < users % agents)
}

pub fn router(load: Load) -> Router {
    routes().with_state(load).into()
}

/// What operators ask and generators report, described.
pub fn openapi() -> OpenApi {
    routes().merge(report_routes()).into_openapi()
}

fn routes() -> OpenApiRouter<Load> {
    OpenApiRouter::default().routes(routes!(show, set))
}

fn report_routes() -> OpenApiRouter<Load> {
    OpenApiRouter::default().routes(routes!(report))
}

/// Where load generators report. It stands beside the receiver of telemetry and behind the same door: no faults, no rate limit and no spans for
/// what is asked twice a second and is nobody's traffic.
pub fn reports(load: Load, door: Door) -> Router {
    let reports: Router = report_routes().with_state(load).into();
    reports.layer(middleware::from_fn_with_state(door, telemetry::door))
}

/// The load that is wanted, and the generators that make it
#[utoipa::path(get, path = "/api/load", tag = "Operators", operation_id = "getLoad",
    responses((status = 200, description = "What is wanted, and who reported within five seconds.", body = LoadState)))]
async fn show(State(load): State<Load>) -> Json<LoadState> {
    Json(load.state())
}

/// Asks for load
///
/// Generators share the users. The flags `load-users` and `load-paused` go before it.
#[utoipa::path(put, path = "/api/load", tag = "Operators", operation_id = "setLoad",
    request_body = LoadWanted,
    responses((status = 200, description = "How it is now.", body = LoadState)))]
async fn set(State(load): State<Load>, Json(wanted): Json<LoadWanted>) -> ApiResult<Json<LoadState>> {
    load.set(wanted)?;
    Ok(Json(load.state()))
}

/// A load generator says how it goes, and hears what to do
///
/// About once a second. A generator that is silent for five seconds is gone.
#[utoipa::path(post, path = "/api/load/report", tag = "Telemetry", operation_id = "reportLoad",
    request_body = LoadReport,
    responses(
        (status = 200, description = "Its part of the load that is wanted.", body = LoadWanted),
        (status = 400, description = "INVALID_BODY", body = ErrorBody),
    ))]
async fn report(State(load): State<Load>, Json(report): Json<LoadReport>) -> ApiResult<Json<LoadWanted>> {
    Ok(Json(load.report(report)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests {
    use super::*;
    use testkit::flip;

    fn of(agent: &str, users: u32) -> LoadReport {
        LoadReport {
            agent: agent.to_owned(),
            users,
            rate: 0.0,
            error_percent: 0.0,
            p50_ms: 0.0,
            p95_ms: 0.0,
            p99_ms: 0.0,
            requests: 0,
            failed: 0,
            orders: 0,
        }
    }

    fn users(users: u32) -> LoadWanted {
        LoadWanted { users, ..IDLE }
    }

    #[tokio::test]
    async fn nobody_orders_until_somebody_asks() {
        let (platform, _) = testkit::platform();
        let load = Load::new(&platform);
        assert_eq!(load.report(of("a", 0)).unwrap(), IDLE);
        load.set(users(40)).unwrap();
        assert_eq!(load.report(of("a", 0)).unwrap().users, 40);
        assert_eq!(load.state().agents.len(), 1);
    }

    #[tokio::test]
    async fn flags_go_before_a_script_and_a_script_before_the_operator() {
        let (platform, _) = testkit::platform();
        let load = Load::new(&platform);
        load.set(users(10)).unwrap();
        load.lend(users(60));
        assert_eq!(load.wanted().users, 60);
        flip(&platform, "load-users", "200-users");
        assert_eq!(load.wanted().users, 200);
        flip(&platform, "load-paused", "on");
        assert_eq!(load.wanted().users, 0);
        platform.flag_control().clear_all().unwrap();
        load.give_back();
        assert_eq!(load.wanted().users, 10);
    }

    #[tokio::test]
    async fn an_operator_who_chooses_during_a_script_is_obeyed() {
        let (platform, _) = testkit::platform();
        let load = Load::new(&platform);
        load.lend(users(60));
        load.set(users(5)).unwrap();
        assert_eq!(load.wanted().users, 5);
        load.give_back();
        assert_eq!(load.wanted().users, 5);
    }

    #[tokio::test]
    async fn agents_share_the_users_and_one_that_is_silent_is_gone() {
        let (platform, clock) = testkit::platform();
        let load = Load::new(&platform);
        load.set(users(11)).unwrap();
        load.report(of("a", 0)).unwrap();
        assert_eq!(load.report(of("b", 0)).unwrap().users, 5);
        assert_eq!(load.report(of("a", 0)).unwrap().users, 6);
        clock.advance(Duration::from_secs(3));
        load.report(of("b", 5)).unwrap();
        clock.advance(Duration::from_secs(3));
        assert_eq!(load.state().agents.len(), 1);
        assert_eq!(load.report(of("b", 5)).unwrap().users, 11);
    }

    #[tokio::test]
    async fn more_than_can_be_is_refused() {
        let (platform, _) = testkit::platform();
        let load = Load::new(&platform);
        for wanted in [users(501), LoadWanted { pace: -1.0, ..IDLE }, LoadWanted { pace: f64::NAN, ..IDLE }] {
            assert_eq!(load.set(wanted).unwrap_err().code, Code::InvalidBody);
        }
        assert!(load.report(of("", 0)).is_err());
        for n in 0..MAX_AGENTS {
            load.report(of(&n.to_string(), 0)).unwrap();
        }
        assert!(load.report(of("one too many", 0)).is_err());
    }

    #[tokio::test]
    async fn operators_are_told_about() {
        let (platform, _) = testkit::platform();
        let load = Load::new(&platform);
        let told = Arc::new(Mutex::new(Vec::new()));
        let book = told.clone();
        load.noted_by(Arc::new(move |action, subject, detail| book.lock().unwrap().push(format!("{action} {subject} {detail}"))));
        load.set(LoadWanted { pace: 2.0, ..users(60) }).unwrap();
        assert_eq!(*told.lock().unwrap(), ["load.set load 60 users at pace 2"]);
    }
}
