//! Stock in this process. The state decides under a short lock, the journal makes it last; a step the journal refused is undone.
//!
//! The alternative, deciding in SQL, would make every take wait for the writer before the next one can be judged.

mod state;

use super::journal::{Held, Journal};
use super::{Reserved, Stock, Taken};
use crate::domain::stock::Take;
use async_trait::async_trait;
use contract::pricing::{Reservation, ReservationState, StockLevel};
use contract::{ItemId, OrderId};
use runtime::clock::SharedClock;
use runtime::store::{StoreError, StoreGuard};
use state::{Holding, State, Step};
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

pub struct MemoryStock<J> {
    state: Arc<Mutex<State>>,
    /// Wakes those who wait for a step of an order to be written or undone.
    finished: Arc<Notify>,
    journal: J,
    clock: SharedClock,
    guard: StoreGuard,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends when the step lasts, or was undone because the journal refused it.
type Writing = Option<JoinHandle<Result<(), StoreError>>>;

async fn written(writing: Writing) -> Result<(), StoreError> {
    match writing {
        None => Ok(()),
        Some(writing) => writing.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the process is stopping".to_owned()))),
    }
}

impl<J: Journal> MemoryStock<J> {
    /// Takes up what the journal remembers.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn recover(journal: J, clock: SharedClock, guard: StoreGuard) -> Result<Self, StoreError> {
        let state = State::recover(journal.recover().await?)?;
        Ok(Self { state: Arc::new(Mutex::new(state)), finished: Arc::new(Notify::new()), journal, clock, guard })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The state, once nothing of these orders is on its way to the journal: what a repeated request is answered must last.
    async fn settled(&self, orders: &[OrderId]) -> MutexGuard<'_, State> {
        loop {
            let finished = {
                let state = self.state();
                if !state.is_writing(orders) {
                    return state;
                }
                self.finished.notified()
            };
            finished.await;
        }
    }

    /// Call under the state's lock: what was decided first is written first. The step is finished in a task of its own, whatever
    /// becomes of the request that asked for it.
    fn write(&self, step: Step) -> Writing {
        if step.entry.movements.is_empty() && step.entry.reservations.is_empty() && !step.entry.anew {
            return None;
        }
        let appending = self.journal.append(step.entry.clone());
        let (state, finished) = (Arc::clone(&self.state), Arc::clone(&self.finished));
        Some(tokio::spawn(async move {
            let outcome = appending.await;
            lock(&state).finish(step, outcome.is_ok());
            finished.notify_waiters();
            outcome
        }))
    }

    async fn take_now(&self, take: &Take) -> Result<Taken, StoreError> {
        let now = self.clock.now();
        let (taken, writing) = {
            let (mut state, mut step) = (self.state(), Step::default());
            let level = state.begin(take, &mut step, now);
            let taken = if level >= take.quantity {
                let refilled = state.take(take, None, &mut step, now) > 0;
                Taken { available: true, left: state.level(&take.item), refilled }
            } else {
                Taken { available: false, left: level, refilled: false }
            };
            (taken, self.write(step))
        };
        written(writing).await.map(|()| taken)
    }

    async fn reserve_now(&self, reservation: &Reservation, takes: &[Take]) -> Result<Reserved, StoreError> {
        let now = self.clock.now();
        let order = &reservation.order_id;
        let held = Held::open(reservation, now)?;
        let (outcome, writing) = {
            let mut state = self.settled(slice::from_ref(order)).await;
            let before = |state, reservation: &Reservation| Ok(Reserved::Before(Reservation { state, ..reservation.clone() }));
            match state.holding(order) {
                Some(Holding::Released) => return Ok(Reserved::Released),
                Some(Holding::Open(reservation)) => return before(ReservationState::Reserved, reservation),
                Some(Holding::Confirmed(reservation)) => return before(ReservationState::Confirmed, reservation),
                None => {}
            }
            let mut step = Step::default();
            let short = takes.iter().find_map(|take| {
                let left = state.begin(take, &mut step, now);
                (left < take.quantity).then(|| (take.item.clone(), left))
            });
            let outcome = match short {
                Some((item, left)) => Reserved::OutOfStock { item, left },
                None => {
                    let refills = takes.iter().filter(|take| state.take(take, Some(order), &mut step, now) > 0).count();
                    state.hold(held, Holding::Open(reservation.clone()), &mut step);
                    Reserved::New { refills: refills as u64 }
                }
            };
            (outcome, self.write(step))
        };
        written(writing).await.map(|()| outcome)
    }

    async fn confirm_now(&self, orders: &[OrderId]) -> Result<(), StoreError> {
        let now = self.clock.now();
        let writing = {
            let (mut state, mut step) = (self.settled(orders).await, Step::default());
            for order in orders {
                if let Some(Holding::Open(reservation)) = state.holding(order) {
                    let confirmed = Holding::Confirmed(reservation.clone());
                    state.hold(Held::settled(order, ReservationState::Confirmed, now), confirmed, &mut step);
                }
            }
            self.write(step)
        };
        // Should the journal refuse, the caller repeats the call.
        written(writing).await
    }

    /// What this process has forgotten the journal still knows: an order may be given up long after its reservation was settled.
    async fn recall(&self, order: &OrderId) -> Result<(), StoreError> {
        let known = self.settled(slice::from_ref(order)).await.holding(order).is_some();
        if !known && let Some(found) = self.journal.find(order).await? {
            self.state().recall(order, found)?;
        }
        Ok(())
    }

    async fn release_now(&self, order: &OrderId) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.recall(order).await?;
        let writing = {
            let (mut state, mut step) = (self.settled(slice::from_ref(order)).await, Step::default());
            let held = match state.holding(order) {
                Some(Holding::Released) => return Ok(()),
                Some(Holding::Open(reservation) | Holding::Confirmed(reservation)) => Some(reservation.clone()),
                None => None,
            };
            if let Some(reservation) = held {
                state.give_back(&reservation, &mut step, now);
            }
            state.hold(Held::settled(order, ReservationState::Released, now), Holding::Released, &mut step);
            self.write(step)
        };
        written(writing).await
    }

    async fn set_now(&self, item: &ItemId, quantity: i64) -> Result<StockLevel, StoreError> {
        let now = self.clock.now();
        let writing = {
            let (mut state, mut step) = (self.state(), Step::default());
            state.set(item, quantity, &mut step, now);
            self.write(step)
        };
        written(writing).await.map(|()| StockLevel { item_id: item.clone(), current_stock: quantity })
    }
}

#[async_trait]
impl<J: Journal> Stock for MemoryStock<J> {
    async fn take(&self, take: &Take) -> Result<Taken, StoreError> {
        self.guard.run("take", self.take_now(take)).await
    }

    async fn reserve(&self, reservation: &Reservation, takes: &[Take]) -> Result<Reserved, StoreError> {
        self.guard.run("reserve", self.reserve_now(reservation, takes)).await
    }

    async fn confirm(&self, orders: &[OrderId]) -> Result<(), StoreError> {
        self.guard.run("confirm", self.confirm_now(orders)).await
    }

    async fn release(&self, order: &OrderId) -> Result<(), StoreError> {
        self.guard.run("release", self.release_now(order)).await
    }

    async fn levels(&self) -> Result<Vec<StockLevel>, StoreError> {
        let read = async {
            let mut levels: Vec<StockLevel> =
                self.state().levels().map(|(item, level)| StockLevel { item_id: item.clone(), current_stock: level }).collect();
            levels.sort_by(|a, b| a.item_id.cmp(&b.item_id));
            Ok(levels)
        };
        self.guard.run("levels", read).await
    }

    async fn levels_of(&self, items: &[ItemId]) -> Result<Vec<StockLevel>, StoreError> {
        let read = async {
            let state = self.state();
            let known = items.iter().filter(|item| state.knows(item));
            Ok(known.map(|item| StockLevel { item_id: item.clone(), current_stock: state.level(item) }).collect())
        };
        self.guard.run("levels_of", read).await
    }

    async fn set(&self, item: &ItemId, quantity: i64) -> Result<StockLevel, StoreError> {
        self.guard.run("set", self.set_now(item, quantity)).await
    }

    async fn reset(&self) -> Result<(), StoreError> {
        let work = async {
            let writing = {
                let mut state = self.state();
                *state = State::default();
                self.write(Step::anew())
            };
            written(writing).await
        };
        self.guard.run("reset", work).await
    }
}
