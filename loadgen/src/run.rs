//! What all users of one run share.

use crate::book::Intent;
use crate::chance::Chance;
use crate::cli::Plan;
use crate::limits::{Knee, Limits};
use crate::measure::Measure;
use crate::readback::Reconciliation;
use crate::report::Orders;
use crate::table;
use contract::OrderId;
use contract::menu::Restaurant;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// A mutex whose holder panicked still holds what it held.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How journeys of one kind ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    pub started: u64,
    pub completed: u64,
    /// On purpose, before ordering.
    pub abandoned: u64,
    /// By a fair answer, such as "out of stock".
    pub refused: u64,
    /// By an error, or a reply that was wrong.
    pub failed: u64,
}

/// How a journey ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Completed,
    Abandoned,
    Refused,
    Failed,
}

/// One user of the run: a session on the server, and what it did there.
pub struct Shopper {
    /// Unique to run and user.
    pub name: String,
    pub chance: Chance,
    /// Holds the session's cookies.
    pub client: reqwest::Client,
    /// Restaurants seen so far.
    pub restaurants: Vec<Restaurant>,
    pub intents: Vec<Intent>,
    /// The newest order answered with 201.
    pub latest: Option<OrderId>,
    /// Goes home: finishes the request that is in flight, and begins no other.
    pub leaving: Arc<AtomicBool>,
}

impl Shopper {
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }
}

pub type SharedShopper = Arc<tokio::sync::Mutex<Shopper>>;

/// What is left of sessions that were closed before the end of the run.
#[derive(Default)]
pub struct Closed {
    pub check: Reconciliation,
    pub orders: Orders,
}

pub struct Run {
    /// Eight hexadecimal digits, new for every run.
    pub id: String,
    pub seed: u64,
    pub plan: Plan,
    pub limits: Limits,
    /// `http://127.0.0.1:3000`, as browsers write an origin.
    pub origin: String,
    /// Lets the comparison also find orders that their session does not list.
    pub operator_token: Option<String>,
    pub measure: Measure,
    pub shoppers: Mutex<Vec<SharedShopper>>,
    pub closed: Mutex<Closed>,
    pub journeys: Mutex<BTreeMap<&'static str, Tally>>,
    pub knee: Mutex<Knee>,
    purchases: AtomicU64,
    users: AtomicU32,
    orders: AtomicU64,
    /// Think times are divided by this, as bits of an f64; 0: nobody thinks.
    pace: AtomicU64,
    ends_at: OnceLock<Instant>,
    next_turn: tokio::sync::Mutex<Option<Instant>>,
}

/// How often a pause looks whether the run is over.
const PAUSE_STEP: Duration = Duration::from_millis(200);
/// One purchase in so many is abandoned before ordering.
const ABANDON_EVERY: u64 = 10;

impl Run {
    pub fn new(seed: u64, plan: Plan, limits: Limits, origin: String, operator_token: Option<String>) -> anyhow::Result<Self> {
        let mut id = uuid::Uuid::new_v4().simple().to_string();
        id.truncate(8);
        Ok(Self {
            id,
            seed,
            plan,
            limits,
            origin,
            operator_token,
            measure: Measure::new()?,
            shoppers: Mutex::default(),
            closed: Mutex::default(),
            journeys: Mutex::default(),
            knee: Mutex::default(),
            purchases: AtomicU64::new(0),
            users: AtomicU32::new(0),
            orders: AtomicU64::new(0),
            pace: AtomicU64::new(1.0_f64.to_bits()),
            ends_at: OnceLock::new(),
            next_turn: tokio::sync::Mutex::new(None),
        })
    }

    /// The first user is about to start.
    pub fn begin(&self) {
        if let Some(total) = self.plan.total() {
            let _ = self.ends_at.set(Instant::now() + total);
        }
    }

    /// A user arrived.
    pub fn admit(&self, client: reqwest::Client) -> SharedShopper {
        let number = self.users.fetch_add(1, Ordering::Relaxed) + 1;
        let shopper = self.shopper(number, Chance::new(self.seed, u64::from(number)), client, Arc::default());
        let shopper = Arc::new(tokio::sync::Mutex::new(shopper));
        locked(&self.shoppers).push(shopper.clone());
        shopper
    }

    /// A user arrived whom the run does not remember: nobody compares its orders at the end.
    pub fn visitor(&self, client: reqwest::Client, chance: Chance, leaving: Arc<AtomicBool>) -> SharedShopper {
        let number = self.users.fetch_add(1, Ordering::Relaxed) + 1;
        Arc::new(tokio::sync::Mutex::new(self.shopper(number, chance, client, leaving)))
    }

    fn shopper(&self, number: u32, chance: Chance, client: reqwest::Client, leaving: Arc<AtomicBool>) -> Shopper {
        let name = format!("load-{}-{number}", self.id);
        Shopper { name, chance, client, restaurants: Vec::new(), intents: Vec::new(), latest: None, leaving }
    }

    /// Ends a session before the run does: compares its orders now and forgets it, so that a run without end stays small.
    pub async fn close(&self, seat: &SharedShopper) {
        let shopper = seat.lock().await;
        let mut check = Reconciliation { clean: true, ..Reconciliation::default() };
        check.check(self, &shopper).await;
        if !check.clean {
            eprintln!("{}", table::findings(&check));
        }
        locked(&self.shoppers).retain(|other| !Arc::ptr_eq(other, seat));
        let mut closed = locked(&self.closed);
        closed.check.merge(check);
        shopper.intents.iter().for_each(|intent| closed.orders.add(&intent.seen));
    }

    /// How many users have arrived.
    pub fn users(&self) -> u32 {
        self.users.load(Ordering::Relaxed)
    }

    /// No new journey begins, and nobody pauses any more.
    pub fn is_over(&self) -> bool {
        goose::is_killswitch_triggered() || self.ends_at.get().is_some_and(|end| Instant::now() >= *end)
    }

    /// Every tenth purchase of the run is abandoned.
    pub fn next_purchase_is_abandoned(&self) -> bool {
        self.purchases.fetch_add(1, Ordering::Relaxed) % ABANDON_EVERY == ABANDON_EVERY - 1
    }

    pub fn tally(&self, journey: &'static str, end: End) {
        let mut journeys = locked(&self.journeys);
        let tally = journeys.entry(journey).or_default();
        tally.started += 1;
        match end {
            End::Completed => tally.completed += 1,
            End::Abandoned => tally.abandoned += 1,
            End::Refused => tally.refused += 1,
            End::Failed => tally.failed += 1,
        }
    }

    /// An order was answered with 201.
    pub fn ordered(&self) {
        self.orders.fetch_add(1, Ordering::Relaxed);
    }

    /// How many orders were answered with 201.
    pub fn orders(&self) -> u64 {
        self.orders.load(Ordering::Relaxed)
    }

    /// From now on everybody thinks so many times faster; 0: not at all.
    pub fn set_pace(&self, pace: f64) {
        self.pace.store(pace.to_bits(), Ordering::Relaxed);
    }

    /// Thinks for `low_ms` to `high_ms`, at the run's pace; a trickle has its own rhythm and does not think.
    pub async fn think(&self, shopper: &mut Shopper, low_ms: u64, high_ms: u64) {
        let time = Duration::from_millis(shopper.chance.between(low_ms, high_ms));
        let pace = f64::from_bits(self.pace.load(Ordering::Relaxed));
        if self.plan.requests_per_minute.is_none() && pace > 0.0 {
            self.pause(time.div_f64(pace), &shopper.leaving).await;
        }
    }

    /// Waits, but not past the end of the run, and not when the user leaves.
    pub async fn pause(&self, time: Duration, leaving: &AtomicBool) {
        let started = Instant::now();
        while !self.is_over() && !leaving.load(Ordering::Relaxed) {
            let left = time.saturating_sub(started.elapsed());
            if left.is_zero() {
                break;
            }
            tokio::time::sleep(left.min(PAUSE_STEP)).await;
        }
        self.measure.paused(started.elapsed());
    }

    /// Waits for this request's turn in a trickle; at once otherwise.
    pub async fn turn(&self, leaving: &AtomicBool) {
        let Some(rate) = self.plan.requests_per_minute else { return };
        let gap = Duration::from_secs(60) / rate.max(1);
        let mut next = self.next_turn.lock().await;
        let turn = next.map_or_else(Instant::now, |next| next.max(Instant::now()));
        *next = Some(turn + gap);
        drop(next);
        self.pause(turn.saturating_duration_since(Instant::now()), leaving).await;
    }
}
