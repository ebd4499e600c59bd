//! An agent and the stand-in platform, which also asks for load.

use super::*;
use crate::stub::{self, Lie};
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use clap::Parser;
use std::net::SocketAddr;
use std::sync::Mutex;

/// What the console asks for, and what it was told.
struct Desk {
    wanted: Mutex<LoadWanted>,
    status: Mutex<StatusCode>,
    reports: Mutex<Vec<LoadReport>>,
    tokens: Mutex<Vec<String>>,
}

struct Stage {
    desk: Arc<Desk>,
    address: SocketAddr,
    server: JoinHandle<()>,
    agent: Agent,
}

async fn serve(desk: Arc<Desk>, address: &str) -> (SocketAddr, JoinHandle<()>) {
    let answer = async move |headers: HeaderMap, Json(report): Json<LoadReport>| {
        desk.reports.lock().unwrap().push(report);
        let token = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        desk.tokens.lock().unwrap().push(token);
        let status = *desk.status.lock().unwrap();
        match status.is_success() {
            true => Json(desk.wanted.lock().unwrap().clone()).into_response(),
            false => status.into_response(),
        }
    };
    let router = stub::router(Lie::None).0.route("/api/load/report", post(answer));
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    (address, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

fn wanted(users: u32) -> LoadWanted {
    LoadWanted { users, pace: 20.0, seed: None }
}

impl Stage {
    async fn new() -> Self {
        let desk = Arc::new(Desk {
            wanted: Mutex::new(wanted(0)),
            status: Mutex::new(StatusCode::OK),
            reports: Mutex::default(),
            tokens: Mutex::default(),
        });
        let (address, server) = serve(desk.clone(), "127.0.0.1:0").await;
        let host = format!("http://{address}");
        let args = Args::parse_from(["loadgen", "--agent", "--host", &host, "--seed", "1", "--operator-token", "secret"]);
        Self { desk, address, server, agent: Agent::new(&args).unwrap() }
    }

    fn ask(&self, wanted: LoadWanted) {
        *self.desk.wanted.lock().unwrap() = wanted;
    }

    fn last(&self) -> LoadReport {
        self.desk.reports.lock().unwrap().last().unwrap().clone()
    }

    /// Turns, as often as an agent takes them, until the newest report is as it should be.
    async fn turn_until(&mut self, what: &str, is_so: impl Fn(&LoadReport) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            self.agent.turn().await;
            if is_so(&self.last()) {
                return;
            }
            assert!(Instant::now() < end, "{what}: {:?}", self.last());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn an_agent_is_as_many_users_as_it_is_asked_for_and_then_nobody() {
    let mut stage = Stage::new().await;
    stage.agent.turn().await;
    assert_eq!((stage.last().users, stage.last().requests), (0, 0), "idle until asked");
    stage.ask(wanted(5));
    stage.turn_until("five users order", |report| report.users == 5 && report.orders >= 5).await;
    let busy = stage.last();
    assert!(busy.rate > 0.0 && busy.p50_ms > 0.0 && busy.p50_ms <= busy.p99_ms && busy.failed == 0, "{busy:?}");
    stage.ask(wanted(2));
    stage.turn_until("three went home", |report| report.users == 2).await;
    stage.ask(wanted(0));
    stage.turn_until("all went home", |report| report.users == 0).await;
    assert!(stage.desk.tokens.lock().unwrap().iter().all(|token| token == "Bearer secret"));
}

#[tokio::test]
async fn who_left_asks_nothing_any_more() {
    let mut stage = Stage::new().await;
    stage.ask(wanted(4));
    stage.turn_until("four users ask", |report| report.requests > 20).await;
    let leaving: Vec<_> = stage.agent.crew.iter().map(|member| member.leaving.clone()).collect();
    stage.ask(wanted(0));
    stage.agent.turn().await;
    assert!(stage.agent.crew.is_empty() && leaving.iter().all(|leaves| leaves.load(Ordering::Relaxed)));
    // Users hold their run for as long as they live.
    let end = Instant::now() + Duration::from_secs(10);
    while Arc::strong_count(&stage.agent.run) > 1 {
        assert!(Instant::now() < end, "they are all gone soon");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let counted = stage.agent.run.measure.counts();
    stage.agent.turn().await;
    assert_eq!((stage.agent.run.measure.counts(), stage.last().failed), (counted, 0), "and nobody was cut off");
}

#[tokio::test]
async fn an_agent_idles_while_the_server_is_gone_and_goes_on_when_it_is_back() {
    let mut stage = Stage::new().await;
    stage.ask(wanted(3));
    stage.turn_until("three users", |report| report.users == 3).await;
    stage.server.abort();
    let _ = (&mut stage.server).await;
    let end = Instant::now() + Duration::from_secs(20);
    while !stage.agent.crew.is_empty() {
        stage.agent.turn().await;
        assert!(Instant::now() < end, "nobody orders where nobody listens");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (_, stage.server) = serve(stage.desk.clone(), &stage.address.to_string()).await;
    stage.turn_until("they are back", |report| report.users == 3).await;
}

#[tokio::test]
async fn an_agent_that_is_refused_idles_and_one_that_is_put_off_goes_on() {
    let mut stage = Stage::new().await;
    stage.ask(wanted(3));
    stage.turn_until("three users", |report| report.users == 3).await;
    *stage.desk.status.lock().unwrap() = StatusCode::SERVICE_UNAVAILABLE;
    stage.agent.turn().await;
    assert_eq!(stage.agent.crew.len(), 3, "a fault at the front door is what load is for");
    *stage.desk.status.lock().unwrap() = StatusCode::UNAUTHORIZED;
    stage.agent.turn().await;
    assert!(stage.agent.crew.is_empty());
}

#[tokio::test]
async fn another_seed_begins_anew_and_the_same_one_does_not() {
    let mut stage = Stage::new().await;
    let ask = |seed| LoadWanted { seed: Some(seed), ..wanted(2) };
    stage.ask(ask(7));
    stage.turn_until("two users", |report| report.users == 2).await;
    let first: Vec<_> = stage.agent.crew.iter().map(|member| member.task.id()).collect();
    stage.agent.turn().await;
    assert_eq!(stage.agent.crew.iter().map(|member| member.task.id()).collect::<Vec<_>>(), first);
    stage.ask(ask(8));
    stage.agent.turn().await;
    assert!(stage.agent.crew.iter().all(|member| !first.contains(&member.task.id())) && stage.agent.crew.len() == 2);
}

#[tokio::test]
async fn no_server_makes_more_users_than_there_may_be() {
    let mut stage = Stage::new().await;
    stage.ask(LoadWanted { users: 1_000_000, pace: 0.01, seed: None });
    stage.agent.turn().await;
    assert_eq!(stage.agent.crew.len(), MAX_USERS);
    stage.agent.dismiss_all();
}
