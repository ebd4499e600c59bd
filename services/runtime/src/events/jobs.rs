//! Scheduled work: of many replicas one does it, by a lease that is a row in the service's database.
//!
//! Work with a long period remembers when it is due, so that what was missed while nobody ran is done soon after a start. Work with a
//! short period (a tick of the kitchen, a courier's step) keeps the lease and writes nothing while it ticks.

use crate::args;
use crate::clock::SharedClock;
use crate::context;
use crate::platform::Platform;
use crate::store::sql::Database;
use crate::telemetry::metrics::{count, seconds};
use futures::TryFutureExt;
use futures::future::BoxFuture;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram};
use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

/// How long somebody who says nothing keeps the work.
const LEASE: Duration = Duration::from_secs(5);

/// How often the lease is renewed by who has it, and asked for by who has not.
const RENEW_EVERY: Duration = Duration::from_millis(1_500);

/// Work of at most this period ticks while the lease is kept; longer work is due at a time that is written down.
const SHORT: Duration = Duration::from_secs(2);

/// How often somebody looks at the clock for longer work.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Work that failed is tried again after its period, or after this, whichever is shorter.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// The runner of scheduled work.
pub struct Jobs;

impl Jobs {
    /// Runs `work` every `period`, in one process at a time, from now until the process stops. A failure is logged and counted, and the
    /// work is due again.
    ///
    /// Periods up to two seconds are counted by the machine; longer ones by the platform's clock, and a first run is due at once.
    pub fn every<F, W, E>(
        platform: &Platform,
        service: &'static str,
        database: &Database,
        name: &'static str,
        period: Duration,
        mut work: F,
    ) where
        F: FnMut() -> W + Send + 'static,
        W: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + Send + 'static,
    {
        // Who shares the database with nobody takes up at once what it held before it was killed.
        let owner = if database.is_shared() { uuid::Uuid::new_v4().simple().to_string() } else { "alone".to_owned() };
        let meter = platform.meter(service);
        let job = Job {
            lease: Lease {
                database: database.clone(),
                clock: platform.clock.clone(),
                name: format!("{service}/{name}").into(),
                owner: owner.into(),
            },
            name,
            period,
            runs: count(&meter, "feast.jobs.runs", "Scheduled work by name and outcome"),
            duration: seconds(&meter, "feast.jobs.duration", "Duration of scheduled work"),
            stop: platform.stop.clone(),
        };
        let work: Work = Box::new(move || Box::pin(work().map_err(|error| error.to_string())));
        platform.tasks().spawn(context::scope(context::background(service), job.run(work)));
    }
}

type Doing = BoxFuture<'static, Result<(), String>>;
type Work = Box<dyn FnMut() -> Doing + Send>;

struct Job {
    lease: Lease,
    name: &'static str,
    period: Duration,
    runs: Counter<u64>,
    duration: Histogram<f64>,
    stop: CancellationToken,
}

impl Job {
    async fn run(self, work: Work) {
        if self.period <= SHORT { self.tick(work).await } else { self.at_times(work).await }
    }

    /// Keeps the lease and ticks. Who shares the database with nobody needs no lease.
    async fn tick(&self, mut work: Work) {
        let mut ticks = interval(self.period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut asked: Option<Instant> = None;
        let mut mine = false;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                _ = ticks.tick() => {}
            }
            if !self.lease.database.is_shared() {
                mine = true;
            } else if asked.is_none_or(|asked| asked.elapsed() >= RENEW_EVERY) {
                match self.lease.take(LEASE).await {
                    Ok(taken) => {
                        mine = taken;
                        asked = Some(Instant::now());
                    }
                    // Nobody else can have it before it ends; after that it may be anybody's.
                    Err(error) => {
                        mine = mine && asked.is_some_and(|asked| asked.elapsed() + RENEW_EVERY < LEASE);
                        tracing::debug!(job = self.name, error, "The lease of {} could not be renewed", self.name);
                    }
                }
            }
            if mine {
                // A failure is counted and logged; the next tick is the next attempt.
                let _ = self.once(work()).await;
            }
        }
        if mine && self.lease.database.is_shared() {
            self.lease.leave().await;
        }
    }

    /// Runs when it is due by the clock.
    async fn at_times(&self, mut work: Work) {
        let mut look_at = 0;
        loop {
            let now_ms = self.lease.clock.now().millis();
            if now_ms >= look_at {
                look_at = match self.lease.take_due(LEASE).await {
                    Ok(Turn::Mine) => match self.hold(work()).await {
                        Some(next_ms) => next_ms,
                        None => return,
                    },
                    Ok(Turn::Later(due_ms)) => due_ms,
                    Err(error) => {
                        tracing::warn!(job = self.name, error, "Nobody knows whether {} is due", self.name);
                        now_ms + millis(RENEW_EVERY)
                    }
                };
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Runs once and keeps the lease meanwhile; answers when it is due next, `None` when the process stops.
    async fn hold(&self, work: Doing) -> Option<i64> {
        let started_ms = self.lease.clock.now().millis();
        let renewing = async {
            loop {
                sleep(RENEW_EVERY).await;
                if let Err(error) = self.lease.take(LEASE).await {
                    tracing::warn!(job = self.name, error, "The lease of {} could not be renewed", self.name);
                }
            }
        };
        let outcome = tokio::select! {
            outcome = self.once(work) => outcome,
            () = renewing => return None,
            () = self.stop.cancelled() => {
                // It is still due; whoever comes next does it.
                self.lease.leave().await;
                return None;
            }
        };
        let next_ms = match &outcome {
            Ok(()) => started_ms + millis(self.period),
            Err(_) => self.lease.clock.now().millis() + millis(self.period.min(RETRY_AFTER)),
        };
        if let Err(error) = self.lease.finish(started_ms, next_ms, &outcome).await {
            tracing::warn!(job = self.name, error, "That {} ran could not be written down; it may run again", self.name);
        }
        Some(next_ms)
    }

    async fn once(&self, work: Doing) -> Result<(), String> {
        let started = Instant::now();
        let outcome = work.await;
        let word = if outcome.is_ok() { "done" } else { "failed" };
        self.duration.record(started.elapsed().as_secs_f64(), &[KeyValue::new("feast.job", self.name)]);
        self.runs.add(1, &[KeyValue::new("feast.job", self.name), KeyValue::new("outcome", word)]);
        if let Err(error) = &outcome {
            tracing::warn!(job = self.name, error, "{} failed", self.name);
        }
        outcome
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Whose turn it is.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Mine,
    /// Not before this moment, in ms.
    Later(i64),
}

/// The row of one job, as one process sees it.
struct Lease {
    database: Database,
    clock: SharedClock,
    name: Arc<str>,
    owner: Arc<str>,
}

impl Lease {
    /// Takes or renews the lease; false when somebody else has it.
    async fn take(&self, lease: Duration) -> Result<bool, String> {
        let sql = "INSERT INTO jobs (name, owner, leased_until_ms, due_at_ms) VALUES ($1, $2, $3, 0)
            ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, leased_until_ms = excluded.leased_until_ms
            WHERE jobs.owner = excluded.owner OR jobs.leased_until_ms <= $4";
        let now = self.clock.now();
        let args = args![&*self.name, &*self.owner, now + lease, now];
        self.database.run(sql, args).await.map(|rows| rows == 1).map_err(|error| error.to_string())
    }

    /// Takes the lease if the work is due.
    async fn take_due(&self, lease: Duration) -> Result<Turn, String> {
        let sql = "INSERT INTO jobs (name, owner, leased_until_ms, due_at_ms) VALUES ($1, $2, $3, 0)
            ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, leased_until_ms = excluded.leased_until_ms
            WHERE (jobs.owner = excluded.owner OR jobs.leased_until_ms <= $4) AND jobs.due_at_ms <= $4";
        let now = self.clock.now();
        let args = args![&*self.name, &*self.owner, now + lease, now];
        let taken = self.database.run(sql, args).await.map_err(|error| error.to_string())?;
        if taken == 1 {
            return Ok(Turn::Mine);
        }
        let sql = "SELECT due_at_ms, leased_until_ms FROM jobs WHERE name = $1";
        let row = self.database.optional(sql, args![&*self.name]).await.map_err(|error| error.to_string())?;
        let Some(row) = row else { return Ok(Turn::Later(now.millis())) };
        let read = |column| row.int(column).map_err(|error| error.to_string());
        let (due_ms, until_ms) = (read(0)?, read(1)?);
        // Due and in somebody's hands: it is looked at again when the lease could have ended.
        Ok(Turn::Later(if due_ms <= now.millis() { until_ms } else { due_ms }))
    }

    /// Writes down how it went.
    async fn finish(&self, started_ms: i64, due_ms: i64, outcome: &Result<(), String>) -> Result<(), String> {
        let sql = "UPDATE jobs SET leased_until_ms = 0, due_at_ms = $3, started_at_ms = $4, finished_at_ms = $5, outcome = $6
            WHERE name = $1 AND owner = $2";
        let word = match outcome {
            Ok(()) => "done".to_owned(),
            Err(error) => format!("failed: {error}"),
        };
        let args = args![&*self.name, &*self.owner, due_ms, started_ms, self.clock.now(), word];
        self.database.run(sql, args).await.map(drop).map_err(|error| error.to_string())
    }

    /// Somebody else may have it.
    async fn leave(&self) {
        let sql = "UPDATE jobs SET leased_until_ms = 0 WHERE name = $1 AND owner = $2";
        if let Err(error) = self.database.run(sql, args![&*self.name, &*self.owner]).await {
            tracing::debug!(%error, "The lease of {} ends by itself", self.name);
        }
    }
}
