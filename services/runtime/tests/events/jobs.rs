//! Facts about scheduled work.

use super::world::{PATIENCE, World};
use runtime::Platform;
use runtime::events::Jobs;
use runtime::store::sql::{Database, Schema};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use testkit::eventually;

const NO_TABLES: Schema = Schema { sqlite: &[], postgres: &[] };
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Counts its runs and fails while told to.
#[derive(Clone, Default)]
struct Work {
    runs: Arc<AtomicU64>,
    fails: Arc<AtomicBool>,
}

impl Work {
    fn start(&self, platform: &Platform, database: &Database, period: Duration) {
        let work = self.clone();
        Jobs::every(platform, "menu", database, "work", period, move || {
            let work = work.clone();
            async move {
                work.runs.fetch_add(1, Ordering::SeqCst);
                if work.fails.load(Ordering::SeqCst) { Err("as told") } else { Ok(()) }
            }
        });
    }

    fn runs(&self) -> u64 {
        self.runs.load(Ordering::SeqCst)
    }

    async fn has_run(&self, times: u64) {
        eventually(&format!("{times} runs"), PATIENCE, async || self.runs() >= times).await;
        assert_eq!(self.runs(), times);
    }
}

/// A little more than a job needs to notice that it is due.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(700)).await;
}

async fn database(world: &World) -> Database {
    world.platform.database("menu", &NO_TABLES).await.unwrap()
}

async fn outcome(database: &Database) -> Option<String> {
    let sql = "SELECT outcome FROM jobs WHERE name = 'menu/work'";
    database.optional(sql, Vec::new()).await.unwrap().and_then(|row| row.opt_text(0).unwrap())
}

pub async fn work_runs_at_once_and_then_every_period(world: World) {
    let (database, work) = (database(&world).await, Work::default());
    work.start(&world.platform, &database, DAY);
    work.has_run(1).await;
    eventually("it is written down", PATIENCE, async || outcome(&database).await.as_deref() == Some("done")).await;
    world.clock.advance(DAY - Duration::from_secs(1));
    a_moment().await;
    work.has_run(1).await;
    world.clock.advance(Duration::from_secs(1));
    work.has_run(2).await;
}

pub async fn work_with_a_short_period_ticks(world: World) {
    let (database, work) = (database(&world).await, Work::default());
    work.start(&world.platform, &database, Duration::from_millis(20));
    eventually("it ticks", PATIENCE, async || work.runs() > 20).await;
}

pub async fn work_that_fails_is_due_again_soon(world: World) {
    let (database, work) = (database(&world).await, Work::default());
    work.fails.store(true, Ordering::SeqCst);
    work.start(&world.platform, &database, DAY);
    work.has_run(1).await;
    eventually("it is written down", PATIENCE, async || outcome(&database).await.as_deref() == Some("failed: as told")).await;
    work.fails.store(false, Ordering::SeqCst);
    world.clock.advance(Duration::from_secs(60));
    work.has_run(2).await;
    eventually("it is written down", PATIENCE, async || outcome(&database).await.as_deref() == Some("done")).await;
}

pub async fn the_last_run_is_kept_over_a_restart(mut world: World) {
    let work = Work::default();
    let before = database(&world).await;
    work.start(&world.platform, &before, DAY);
    work.has_run(1).await;
    eventually("it is written down", PATIENCE, async || outcome(&before).await.is_some()).await;
    world.restart().await;
    world.clock.advance(DAY / 2);
    work.start(&world.platform, &database(&world).await, DAY);
    a_moment().await;
    work.has_run(1).await;
}

pub async fn work_that_was_missed_while_nobody_ran_is_done_soon_after_a_start(mut world: World) {
    let work = Work::default();
    let before = database(&world).await;
    work.start(&world.platform, &before, DAY);
    work.has_run(1).await;
    eventually("it is written down", PATIENCE, async || outcome(&before).await.is_some()).await;
    world.restart().await;
    world.clock.advance(3 * DAY);
    work.start(&world.platform, &database(&world).await, DAY);
    work.has_run(2).await;
    a_moment().await;
    work.has_run(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_replicas_one_runs_a_job() {
    let world = World::at_scale().await;
    let (one, one_clock) = (&world.platform, &world.clock);
    let (other, other_clock) = testkit::platform_with(world.settings.clone());
    for period in [Duration::from_millis(20), DAY] {
        let (here, there) = (Work::default(), Work::default());
        let name = if period == DAY { "order" } else { "menu" };
        for (platform, work) in [(one, &here), (&other, &there)] {
            work.start(platform, &platform.database(name, &NO_TABLES).await.unwrap(), period);
        }
        eventually("somebody runs", PATIENCE, async || here.runs() + there.runs() > 0).await;
        a_moment().await;
        let (runs, idle) = if here.runs() > 0 { (&here, &there) } else { (&there, &here) };
        assert!(runs.runs() > 0 && idle.runs() == 0, "{} here and {} there", here.runs(), there.runs());
        if period == DAY {
            assert_eq!(runs.runs(), 1);
            one_clock.advance(DAY);
            other_clock.advance(DAY);
            eventually("it runs again", PATIENCE, async || here.runs() + there.runs() == 2).await;
            a_moment().await;
            assert_eq!(here.runs() + there.runs(), 2);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_replica_that_ran_a_job_is_gone_the_other_one_takes_over() {
    let world = World::at_scale().await;
    let (other, _) = testkit::platform_with(world.settings.clone());
    let (here, there) = (Work::default(), Work::default());
    here.start(&world.platform, &database(&world).await, Duration::from_millis(20));
    eventually("it ticks here", PATIENCE, async || here.runs() > 0).await;
    there.start(&other, &other.database("menu", &NO_TABLES).await.unwrap(), Duration::from_millis(20));
    a_moment().await;
    assert_eq!(there.runs(), 0);
    assert!(world.platform.finish(PATIENCE).await);
    let ran = here.runs();
    eventually("it ticks there", PATIENCE, async || there.runs() > 0).await;
    assert_eq!(here.runs(), ran);
}
