//! Closed-loop load: each connection does its journey again and again; a warm-up is thrown away.

use crate::connection::Connection;
use crate::processes::{Usage, Used};
use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// For what was begun before the end. Past it the server has stopped answering.
const GRACE: Duration = Duration::from_secs(30);

/// Longest time a histogram can hold, in microseconds.
const MAX_US: u64 = 60_000_000;

/// Kinds of errors that are kept apart.
const MAX_ERROR_KINDS: usize = 20;

/// What one connection does.
pub trait Journey: Send + 'static {
    /// Once. Answers how long the call took that is looked at by itself, if there is one.
    ///
    /// # Errors
    /// Any reply but the expected one.
    fn run(&mut self, connection: &mut Connection) -> impl Future<Output = Result<Option<Duration>>> + Send;
}

/// How the load is put on.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub connections: usize,
    pub warm_up: Duration,
    pub measure: Duration,
    /// Each connection keeps its cookies, as a browser would.
    pub cookies: bool,
    /// Sent with every request: name and value.
    pub headers: &'static [(&'static str, &'static str)],
}

/// What came of it.
pub struct Load<J> {
    pub journeys: Vec<J>,
    /// Journeys that ended in the measured time.
    pub done: u64,
    /// Of whole journeys, in microseconds.
    pub whole: Histogram<u64>,
    /// Of the calls that are looked at by themselves, in microseconds.
    pub single: Histogram<u64>,
    /// Failed journeys by what went wrong, the warm-up's too.
    pub errors: BTreeMap<String, u64>,
    pub used: Used,
}

impl<J> Load<J> {
    pub fn per_second(&self) -> f64 {
        self.done as f64 / self.used.seconds
    }
}

/// An empty histogram of microseconds.
///
/// # Errors
/// Never, with these bounds.
pub fn histogram() -> Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, MAX_US, 3).context("a histogram cannot be made")
}

/// Puts load on the process `server` at `address`.
///
/// # Errors
/// It does not take connections, or stops answering. Replies that are not as expected are counted, not raised.
pub async fn drive<J: Journey>(server: u32, address: SocketAddr, plan: Plan, mut journey: impl FnMut(usize) -> J) -> Result<Load<J>> {
    let from = Instant::now() + plan.warm_up;
    let until = from + plan.measure;
    let mut tasks = JoinSet::new();
    for number in 0..plan.connections {
        let worker = Worker { address, plan, from, until, journey: journey(number), tally: Tally::new()? };
        tasks.spawn(worker.work());
    }
    tokio::time::sleep_until(from.into()).await;
    let before = Usage::now(server);
    tokio::time::sleep_until(until.into()).await;
    let used = Usage::now(server).since(&before);

    let mut load = Load { journeys: Vec::new(), done: 0, whole: histogram()?, single: histogram()?, errors: BTreeMap::new(), used };
    let deadline = tokio::time::Instant::from_std(until + GRACE);
    while !tasks.is_empty() {
        let Ok(Some(ended)) = tokio::time::timeout_at(deadline, tasks.join_next()).await else {
            bail!("the server has not answered for {} s", GRACE.as_secs());
        };
        let (journey, tally) = ended.context("a connection's task failed")??;
        load.journeys.push(journey);
        load.done += tally.whole.len();
        load.whole.add(&tally.whole).context("histograms do not fit")?;
        load.single.add(&tally.single).context("histograms do not fit")?;
        for (what, count) in tally.errors {
            *load.errors.entry(what).or_default() += count;
        }
    }
    Ok(load)
}

struct Tally {
    whole: Histogram<u64>,
    single: Histogram<u64>,
    errors: BTreeMap<String, u64>,
}

impl Tally {
    fn new() -> Result<Self> {
        Ok(Self { whole: histogram()?, single: histogram()?, errors: BTreeMap::new() })
    }

    fn failed(&mut self, error: &anyhow::Error) {
        let what = format!("{error:#}");
        if self.errors.len() < MAX_ERROR_KINDS || self.errors.contains_key(&what) {
            *self.errors.entry(what).or_default() += 1;
        } else {
            *self.errors.entry("other errors".to_owned()).or_default() += 1;
        }
    }
}

struct Worker<J> {
    address: SocketAddr,
    plan: Plan,
    from: Instant,
    until: Instant,
    journey: J,
    tally: Tally,
}

impl<J: Journey> Worker<J> {
    async fn work(mut self) -> Result<(J, Tally)> {
        let mut connection = open(self.address, self.plan).await?;
        loop {
            let started = Instant::now();
            if started >= self.until {
                return Ok((self.journey, self.tally));
            }
            let outcome = self.journey.run(&mut connection).await;
            let ended = Instant::now();
            match outcome {
                Ok(single) if (self.from..self.until).contains(&ended) => {
                    self.tally.whole.saturating_record(micros(ended - started));
                    if let Some(single) = single {
                        self.tally.single.saturating_record(micros(single));
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    self.tally.failed(&error);
                    if connection.is_broken() {
                        connection = open(self.address, self.plan).await?;
                    }
                }
            }
        }
    }
}

async fn open(address: SocketAddr, plan: Plan) -> Result<Connection> {
    let connection = Connection::open(address).await?;
    let connection = plan.headers.iter().fold(connection, |connection, (name, value)| connection.with(name, value));
    Ok(if plan.cookies { connection.keeping_cookies(address) } else { connection })
}

pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
