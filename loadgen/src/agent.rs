//! The load generator beside the server: as many users as the server asks for, live, and a report twice a second.
//!
//! Goose cannot change its number of users while it runs, so the agent's users are tasks of its own with the same journeys. Whoever is too many
//! finishes the request that is in flight and goes home; nobody is cut off.

use crate::attack::{REQUEST_TIMEOUT, new_client};
use crate::chance::Chance;
use crate::cli::{Args, Plan};
use crate::journeys;
use crate::limits::Limits;
use crate::measure::{Recent, Slice, percent};
use crate::run::Run;
use contract::load::{LoadReport, LoadWanted};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Twice a second, so that what is asked for is done within one.
const REPORT_EVERY: Duration = Duration::from_millis(500);
/// A report that takes longer is given up; the next one is due.
const REPORT_TIMEOUT: Duration = Duration::from_secs(2);
/// A server that is there but does not answer reports for so long is left alone.
const SILENT_AFTER: Duration = Duration::from_secs(5);
/// Rates and percentiles are those of so much time.
const REPORTED_SPAN: Duration = Duration::from_secs(5);
/// Users that are asked for at once arrive within this time, not in the same instant.
const ARRIVAL: Duration = Duration::from_millis(400);
/// A user's session ends after so many orders, and somebody new comes in.
const SESSION_ORDERS: usize = 50;
/// Whatever a server says.
const MAX_USERS: usize = 500;

/// Follows the server until Ctrl-C or SIGTERM.
///
/// # Errors
/// A client cannot be made.
pub async fn follow(args: &Args) -> anyhow::Result<()> {
    let mut agent = Agent::new(args)?;
    eprintln!("Agent {} follows {}: idle until load is asked for", agent.run.id, agent.run.origin);
    let mut ticks = tokio::time::interval(REPORT_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let stop = stopped();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            _ = ticks.tick() => {}
        }
        tokio::select! {
            () = &mut stop => break,
            () = agent.turn() => {}
        }
    }
    agent.go_home().await;
    Ok(())
}

#[cfg(unix)]
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        },
        _ => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn stopped() {
    let _ = tokio::signal::ctrl_c().await;
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq)]
enum Heard {
    Wanted(LoadWanted),
    /// Nobody listens.
    Nobody,
    /// Somebody does, but has no answer now.
    Busy,
    /// This agent is not welcome, or not known: the status.
    Refused(u16),
}

/// A user's task.
struct Member {
    leaving: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

pub struct Agent {
    run: Arc<Run>,
    client: reqwest::Client,
    token: Option<String>,
    crew: Vec<Member>,
    /// Of the crew.
    seed: u64,
    /// Chosen by the agent, for when nobody asks for one.
    own_seed: u64,
    slices: VecDeque<(Instant, Slice)>,
    heard_at: Instant,
    /// What was last said to whoever started the agent.
    said: String,
}

impl Agent {
    pub fn new(args: &Args) -> anyhow::Result<Self> {
        let seed = args.seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0 >> 32);
        let limits = Limits { p95_ms: args.limit_p95_ms, errors_percent: args.limit_errors_percent };
        let origin = args.host.origin().ascii_serialization();
        let client =
            reqwest::Client::builder().timeout(REPORT_TIMEOUT).danger_accept_invalid_certs(args.host.scheme() == "http").build()?;
        let not_empty = |token: &Option<String>| token.clone().filter(|token| !token.is_empty());
        Ok(Self {
            run: Arc::new(Run::new(seed, Plan::followed(), limits, origin, None)?),
            client,
            token: not_empty(&args.operator_token).or_else(|| not_empty(&args.internal_token)),
            crew: Vec::new(),
            seed,
            own_seed: seed,
            slices: VecDeque::new(),
            heard_at: Instant::now(),
            said: String::new(),
        })
    }

    /// Reports, and does what the answer says.
    pub async fn turn(&mut self) {
        let report = self.report();
        match self.send(&report).await {
            Heard::Wanted(wanted) => {
                self.heard_at = Instant::now();
                self.say("");
                self.obey(&wanted);
            }
            Heard::Nobody => {
                self.say("nothing answers there; waiting for it");
                self.dismiss_all();
            }
            Heard::Refused(status) => {
                let hint = if matches!(status, 401 | 403) { ": set OPERATOR_TOKEN" } else { "" };
                self.say(&format!("reports are answered {status}{hint}"));
                self.dismiss_all();
            }
            Heard::Busy if self.heard_at.elapsed() > SILENT_AFTER => self.dismiss_all(),
            Heard::Busy => {}
        }
    }

    /// Once, until it changes.
    fn say(&mut self, what: &str) {
        if self.said != what {
            self.said = what.to_owned();
            let now = if what.is_empty() { "follows it again" } else { what };
            eprintln!("Agent {} of {}: {now}", self.run.id, self.run.origin);
        }
    }

    async fn send(&self, report: &LoadReport) -> Heard {
        let mut request = self.client.post(format!("{}/api/load/report", self.run.origin)).json(report);
        // Reports are no traffic of anybody's: they are left out of traces.
        request = request.header("traceparent", unsampled());
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        match request.send().await {
            Err(error) if error.is_connect() => Heard::Nobody,
            Err(_) => Heard::Busy,
            Ok(response) => match response.status().as_u16() {
                200 => response.json().await.map_or(Heard::Busy, Heard::Wanted),
                status @ (400 | 401 | 403 | 404 | 405 | 422) => Heard::Refused(status),
                _ => Heard::Busy,
            },
        }
    }

    fn report(&mut self) -> LoadReport {
        let now = Instant::now();
        self.slices.extend(self.run.measure.take_slice().map(|slice| (now, slice)));
        // A slice is what happened before its moment; the oldest that is kept says from when on.
        while self.slices.get(1).is_some_and(|(taken, _)| now.duration_since(*taken) >= REPORTED_SPAN) {
            self.slices.pop_front();
        }
        let since = self.slices.front().map_or(now, |(taken, _)| *taken);
        let recent = Recent::of(self.slices.iter().skip(1).map(|(_, slice)| slice));
        let (requests, failed) = self.run.measure.counts();
        self.crew.retain(|member| !member.task.is_finished());
        LoadReport {
            agent: self.run.id.clone(),
            users: u32::try_from(self.crew.len()).unwrap_or(u32::MAX),
            rate: recent.count as f64 / now.duration_since(since).as_secs_f64().max(REPORT_EVERY.as_secs_f64()),
            error_percent: percent(recent.errors, recent.count),
            p50_ms: recent.corrected.p50_ms,
            p95_ms: recent.corrected.p95_ms,
            p99_ms: recent.corrected.p99_ms,
            requests,
            failed,
            orders: self.run.orders(),
        }
    }

    /// As many users as are wanted, as quick as is wanted. Another seed begins anew, so that the same seed is the same run.
    fn obey(&mut self, wanted: &LoadWanted) {
        self.run.set_pace(wanted.pace);
        let seed = wanted.seed.unwrap_or(self.own_seed);
        if seed != self.seed {
            self.dismiss_all();
            self.seed = seed;
        }
        let users = (wanted.users as usize).min(MAX_USERS);
        for member in self.crew.drain(users.min(self.crew.len())..) {
            member.leaving.store(true, Ordering::Relaxed);
        }
        while self.crew.len() < users {
            let (leaving, place) = (Arc::new(AtomicBool::new(false)), self.crew.len() as u64 + 1);
            let task = tokio::spawn(live(self.run.clone(), Chance::new(self.seed, place), leaving.clone()));
            self.crew.push(Member { leaving, task });
        }
    }

    fn dismiss_all(&mut self) {
        for member in self.crew.drain(..) {
            member.leaving.store(true, Ordering::Relaxed);
        }
    }

    /// Everybody finishes what is in flight.
    pub async fn go_home(mut self) {
        let crew = std::mem::take(&mut self.crew);
        crew.iter().for_each(|member| member.leaving.store(true, Ordering::Relaxed));
        let end = tokio::time::Instant::now() + REQUEST_TIMEOUT;
        for member in crew {
            let _ = tokio::time::timeout_at(end, member.task).await;
        }
    }
}

/// A user's life: one session after the other, until it is to leave.
async fn live(run: Arc<Run>, mut chance: Chance, leaving: Arc<AtomicBool>) {
    let arrival_ms = u64::try_from(ARRIVAL.as_millis()).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(chance.between(0, arrival_ms))).await;
    while !leaving.load(Ordering::Relaxed) {
        let Ok(client) = new_client(&run).build() else { return };
        let shopper = run.visitor(client, Chance::new(chance.draw(), 0), leaving.clone());
        while !leaving.load(Ordering::Relaxed) && shopper.lock().await.intents.len() < SESSION_ORDERS {
            journeys::round(None, &run, &shopper).await;
            // At a pace of 0 a round in which nobody sets out awaits nothing.
            tokio::task::yield_now().await;
        }
    }
}

/// A trace that nobody keeps.
fn unsampled() -> String {
    let span = uuid::Uuid::new_v4().as_u64_pair().1;
    format!("00-{}-{span:016x}-00", uuid::Uuid::new_v4().simple())
}

#[cfg(test)]
mod tests;
