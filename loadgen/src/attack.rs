//! Drives goose: its users, its clock, its graphs. Everything else about a run is ours.

use crate::cli::{Args, Plan};
use crate::journeys;
use crate::run::{Run, SharedShopper, locked};
use anyhow::Context;
use goose::GooseAttack;
use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::goose::{GooseUser, Scenario, Transaction};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A reply that takes longer is no reply.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const USER_AGENT: &str = concat!("feast-loadgen/", env!("CARGO_PKG_VERSION"));
/// In a run without end, a session is compared and replaced after this many orders.
const SESSION_ORDERS: usize = 500;
/// How often progress is shown and a stress run is judged.
const WINDOW: Duration = Duration::from_secs(5);
/// What goose draws its graphs into.
pub const GRAPHS_FILE: &str = "graphs.html";

/// Runs the plan to its end. Ctrl-C, SIGTERM and broken limits of a stress run end it early, in good order: users finish what
/// they are at.
pub async fn attack(run: &Arc<Run>, args: &Args) -> anyhow::Result<()> {
    let watcher = tokio::spawn(watch(run.clone()));
    let terminator = tokio::spawn(stop_on_sigterm());
    run.begin();
    let done = configured(run, args)?.execute().await.context("goose could not carry out the run");
    watcher.abort();
    terminator.abort();
    done.map(drop)
}

fn configured(run: &Arc<Run>, args: &Args) -> anyhow::Result<GooseAttack> {
    let configuration = GooseConfiguration::parse_args_default(&goose_arguments(&run.plan, args))?;
    let (seat, round) = (run.clone(), run.clone());
    let arrive = Transaction::new(Arc::new(move |user| {
        let run = seat.clone();
        Box::pin(async move {
            user.set_session_data(Seat(run.admit(user.client.clone())));
            Ok(())
        })
    }));
    let round = Transaction::new(Arc::new(move |user| {
        let run = round.clone();
        Box::pin(async move {
            take_round(user, &run).await;
            Ok(())
        })
    }));
    let scenario = Scenario::new("customer")
        .register_transaction(arrive.set_name("arrive").set_on_start())
        .register_transaction(round.set_name("journeys"));
    let client = GooseClientBuilder::new().user_agent(USER_AGENT).timeout(REQUEST_TIMEOUT);
    Ok(GooseAttack::initialize_with_config(configuration)?.set_client_builder_with_cookies(client)?.register_scenario(scenario))
}

/// A goose user's place in the run.
#[derive(Clone)]
struct Seat(SharedShopper);

/// Between two looks of a user who has nothing left to do.
const IDLE: Duration = Duration::from_millis(50);

async fn take_round(user: &mut GooseUser, run: &Run) {
    let seat = user.get_session_data::<Seat>().cloned();
    let Some(Seat(shopper)) = seat.filter(|_| !run.is_over()) else {
        // Goose asks again at once. A round that awaits nothing would keep a worker thread to itself, and goose from ending.
        tokio::time::sleep(IDLE).await;
        return;
    };
    journeys::round(Some(user), run, &shopper).await;
    let is_long = shopper.lock().await.intents.len() >= SESSION_ORDERS;
    if run.plan.hold.is_none() && is_long {
        run.close(&shopper).await;
        if user.set_client_builder(new_client(run)).await.is_ok() {
            user.set_session_data(Seat(run.admit(user.client.clone())));
        }
    }
}

/// A client like those goose makes, for a session that begins in the middle of a run.
pub fn new_client(run: &Run) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .cookie_store(true)
        .user_agent(USER_AGENT)
        .timeout(REQUEST_TIMEOUT)
        .danger_accept_invalid_certs(run.origin.starts_with("http:"))
}

fn goose_arguments(plan: &Plan, args: &Args) -> Vec<String> {
    let host = args.host.as_str().trim_end_matches('/');
    // No controllers: the telnet one has no password. Our own table is printed instead of goose's.
    let mut arguments: Vec<String> = ["--no-telnet", "--no-print-metrics", "-q", "--host", host, "--test-plan"].map(str::to_owned).to_vec();
    arguments.push(plan.steps());
    if args.host.scheme() == "http" {
        // There is no certificate to check, so goose's clients need not read the system's, which a small container may not have.
        arguments.push("--accept-invalid-certs".to_owned());
    }
    match args.report_dir.as_deref().filter(|_| plan.hold.is_some()) {
        Some(dir) => arguments.extend(["--report-file".to_owned(), graphs_path(dir)]),
        // Goose keeps every second for its graphs: too much for a run without end.
        None => arguments.push("--no-metrics".to_owned()),
    }
    arguments
}

fn graphs_path(dir: &Path) -> String {
    dir.join(GRAPHS_FILE).to_string_lossy().into_owned()
}

/// Shows progress; ends a stress run whose limits broke.
async fn watch(run: Arc<Run>) {
    let started = Instant::now();
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + WINDOW, WINDOW);
    loop {
        tick.tick().await;
        let (window, users) = (run.measure.take_window(), run.users());
        let shown = run.plan.requests_per_minute.is_none();
        if shown {
            eprintln!(
                "{:>5} s  {users:>4} users  {:>7.1} requests/s  p95 {:>7.1} ms  errors {:>5.1} %",
                started.elapsed().as_secs(),
                window.count as f64 / WINDOW.as_secs_f64(),
                window.p95_ms,
                window.errors_percent(),
            );
        }
        if run.plan.until_limits_break && !run.is_over() && locked(&run.knee).observe(&run.limits, &window, users) {
            goose::trigger_killswitch("the limits broke");
        }
    }
}

#[cfg(unix)]
async fn stop_on_sigterm() {
    if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        signal.recv().await;
        goose::trigger_killswitch("SIGTERM received");
    }
}

#[cfg(not(unix))]
async fn stop_on_sigterm() {}
