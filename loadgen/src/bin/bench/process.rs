//! The process as a whole: how soon it serves, how much memory it holds, how soon a flip is felt.

use crate::bench::{Bench, Found, median};
use crate::connection::Connection;
use crate::drive::{Journey, Plan, drive, histogram, micros};
use crate::orders::{add, new_cart, order};
use crate::pages::MENU_PAGE;
use crate::processes::memory;
use crate::server::{OPERATOR_TOKEN, Running};
use crate::split::Split;
use crate::table::{Budget, Percentiles, Row};
use anyhow::{Result, bail};
use std::time::{Duration, Instant};

const MEGABYTE: f64 = 1_000_000.0;

/// People who are there at once.
const USERS: usize = 200;

/// What one of them takes to think, in milliseconds.
const THINK_MS: std::ops::Range<u64> = 500..1_500;

/// After its first page; what start-up used for a moment is given back.
const SETTLE: Duration = Duration::from_secs(1);

const FLAG: &str = "/api/flags/cart-chaos-errors";
const FLIP_ON: &[u8] = br#"{"variant":"50-percent"}"#;

/// While half of the additions fail, so many in a row that succeed are no coincidence: one in a million.
const SURE: usize = 20;

/// From starting the program to its first 201.
pub async fn start(bench: &Bench) -> Result<Found> {
    let mut seconds = Vec::new();
    for _ in 0..bench.times(7, 3) {
        let started = Instant::now();
        let mut server = Running::spawn_server(&bench.server, &bench.out, "start")?;
        let mut connection = server.connect().await?;
        let cart = new_cart(&mut connection).await?;
        add(&mut connection, &cart, 0).await?;
        order(&mut connection, &cart).await?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    let times: Vec<String> = seconds.iter().map(|seconds| format!("{seconds:.3}")).collect();
    let median = median(seconds)?;
    let row = Row::new("start to first order", median, "s").note(format!("median of {}", times.join(", ")));
    Ok(row.budget(Budget::at_most(median, 0.2, " s")).into())
}

pub async fn memory_idle(bench: &Bench) -> Result<Found> {
    let mut server = bench.start("memory-idle").await?;
    let mut browser = server.connect().await?;
    browser.get(MENU_PAGE).await?.expect(200, MENU_PAGE)?;
    tokio::time::sleep(SETTLE).await;
    let resident = memory(server.id(), "VmRSS")? as f64 / MEGABYTE;
    let peak = memory(server.id(), "VmHWM")? as f64 / MEGABYTE;
    let row = Row::new("memory, idle", resident, "MB").note(format!("{peak:.1} MB at its highest"));
    Ok(row.budget(Budget::at_most(resident, 40.0, " MB")).into())
}

/// Looks around, thinks, orders now and then.
struct Guest {
    /// Differs from guest to guest, the same in every run.
    dice: u64,
}

impl Guest {
    /// From a linear congruential generator (Knuth's MMIX): good enough to keep 200 people out of step.
    fn roll(&mut self, range: std::ops::Range<u64>) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        range.start + (self.dice >> 33) % (range.end - range.start)
    }

    async fn think(&mut self) {
        tokio::time::sleep(Duration::from_millis(self.roll(THINK_MS))).await;
    }
}

impl Journey for Guest {
    async fn run(&mut self, connection: &mut Connection) -> Result<Option<Duration>> {
        self.think().await;
        match self.roll(0..10) {
            0..4 => {
                connection.get(MENU_PAGE).await?.expect(200, MENU_PAGE)?;
            }
            4..7 => {
                connection.get("/api/menu").await?.expect(200, "/api/menu")?;
            }
            kind => {
                let drink = usize::try_from(self.roll(0..8))?;
                let cart = new_cart(connection).await?;
                add(connection, &cart, drink).await?;
                self.think().await;
                // Some carts are left behind.
                if kind < 9 {
                    order(connection, &cart).await?;
                }
            }
        }
        Ok(None)
    }
}

pub async fn memory_under_load(bench: &Bench) -> Result<Found> {
    let server = bench.start("memory-load").await?;
    let measure = Duration::from_secs(bench.times(15, 5) as u64);
    let plan = Plan { warm_up: Duration::ZERO, measure, ..bench.plan(USERS) };
    let load = drive(server.id(), server.address, plan, |number| Guest { dice: number as u64 }).await?;
    let peak = memory(server.id(), "VmHWM")? as f64 / MEGABYTE;
    let row = Row { connections: Some(USERS), ..Row::new("memory, 200 users", peak, "MB") };
    let row =
        row.note(format!("at its highest in {} s of {:.0} journeys a second with time to think", measure.as_secs(), load.per_second()));
    let mut found = Found::default();
    found.add(row.budget(Budget::at_most(peak, 150.0, " MB")), &load);
    Ok(found)
}

pub async fn flip(bench: &Bench) -> Result<Found> {
    let mut server = bench.start("flip").await?;
    let mut found = Found::from(flips(bench, &mut server, "flip to effect, p99", 250.0).await?);
    match Split::start(bench, "flip-split").await? {
        Some(mut split) => found.rows.push(flips(bench, &mut split.server, "flip to effect, split, p99", 1_000.0).await?),
        None => found.rows.iter_mut().for_each(|row| row.notes.push("split: redis-server is not installed".to_owned())),
    }
    Ok(found)
}

/// Flips a fault on and off and asks the cart until it shows.
async fn flips(bench: &Bench, server: &mut Running, name: &str, limit_ms: f64) -> Result<Row> {
    let mut operator = server.connect().await?.operating(OPERATOR_TOKEN);
    let mut guest = server.connect().await?;
    let (mut on, mut off) = (histogram()?, histogram()?);
    for _ in 0..bench.times(100, 25) {
        let cart = new_cart(&mut guest).await?;
        let started = Instant::now();
        operator.send("PUT", FLAG, FLIP_ON).await?.expect(200, "flip on")?;
        let mut drink = 0;
        while !fails(&mut guest, &cart, drink).await? {
            drink += 1;
        }
        on.saturating_record(micros(started.elapsed()));

        let cart = new_cart(&mut guest).await?;
        let started = Instant::now();
        operator.send("DELETE", FLAG, b"").await?.expect(200, "flip off")?;
        let mut last = started.elapsed();
        let mut drink = 0;
        while drink < SURE {
            if fails(&mut guest, &cart, drink).await? {
                (last, drink) = (started.elapsed(), 0);
            }
            drink += 1;
        }
        off.saturating_record(micros(last));
    }
    let (there, back) = (Percentiles::of(&on), Percentiles::of(&off));
    let worst = there.p99.max(back.p99);
    let row = Row { percentiles_ms: Some(there), ..Row::new(name, worst, "ms") };
    let row =
        row.note(format!("{} flips on until an addition fails; back off until the last one failed: p99 {:.2} ms", on.len(), back.p99));
    Ok(row.budget(Budget::at_most(worst, limit_ms, " ms")))
}

/// Whether an addition is failed on purpose.
async fn fails(guest: &mut Connection, cart: &str, drink: usize) -> Result<bool> {
    let reply = guest.send("POST", &format!("/api/cart/{cart}/items"), &crate::orders::line(drink)).await?;
    match reply.status {
        // A line that is full is refused by the cart itself, which the fault stands in front of.
        200 | 409 => Ok(false),
        503 => Ok(true),
        other => bail!("add to cart: {other}"),
    }
}
