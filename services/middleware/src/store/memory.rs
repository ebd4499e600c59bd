//! Stock in this process. The state decides under a short lock, the journal makes it last; a step the journal refused is undone.
//!
//! The alternative, deciding in SQL, would make every take wait for the writer before the next one can be judged.

use super::journal::{Appending, Entry, Held, Journal, Moved};
use super::{Reserved, Stock, Taken};
use crate::domain::stock::{Movement, Take};
use async_trait::async_trait;
use contract::pricing::{Reservation, ReservationState, StockLevel};
use contract::{ItemId, OrderId, Timestamp};
use runtime::clock::SharedClock;
use runtime::store::{StoreError, StoreGuard};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Reservations that are confirmed or released and kept for repeated requests.
const MAX_SETTLED: usize = 100_000;

pub struct MemoryStock<J> {
    state: Mutex<State>,
    journal: J,
    clock: SharedClock,
    guard: StoreGuard,
}

#[derive(Default)]
struct State {
    levels: HashMap<ItemId, i64>,
    reservations: HashMap<OrderId, Holding>,
    settled: VecDeque<OrderId>,
}

#[derive(Clone)]
struct Holding {
    state: ReservationState,
    reservation: Option<Reservation>,
    /// The journal has it.
    durable: bool,
}

impl State {
    /// The level of an item; begins it when this is the first take.
    fn begin(&mut self, take: &Take, entry: &mut Entry, now: Timestamp) -> i64 {
        *self.levels.entry(take.item.clone()).or_insert_with(|| {
            entry.movements.push(Moved::new(&take.item, Movement::Initial, take.initial, None, now));
            take.initial
        })
    }

    /// Takes what is known to be there; answers how much was filled up.
    fn take(&mut self, take: &Take, order: Option<&OrderId>, entry: &mut Entry, now: Timestamp) -> i64 {
        let level = self.levels.entry(take.item.clone()).or_default();
        *level -= take.quantity;
        entry.movements.push(Moved::new(&take.item, Movement::Take, -take.quantity, order, now));
        let refill = take.refill_at(*level);
        if refill > 0 {
            *level += refill;
            entry.movements.push(Moved::new(&take.item, Movement::Refill, refill, None, now));
        }
        refill
    }

    fn undo(&mut self, entry: &Entry) {
        for moved in &entry.movements {
            if let Some(level) = self.levels.get_mut(&moved.item) {
                *level -= moved.quantity;
            }
            if moved.kind == Movement::Initial.as_str() {
                self.levels.remove(&moved.item);
            }
        }
    }

    fn settle(&mut self, order: &OrderId) {
        self.settled.push_back(order.clone());
        if self.settled.len() > MAX_SETTLED
            && let Some(oldest) = self.settled.pop_front()
            && self.reservations.get(&oldest).is_some_and(|holding| holding.state != ReservationState::Reserved)
        {
            self.reservations.remove(&oldest);
        }
    }
}

impl<J: Journal> MemoryStock<J> {
    /// Takes up what the journal remembers.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn recover(journal: J, clock: SharedClock, guard: StoreGuard) -> Result<Self, StoreError> {
        let recovered = journal.recover().await?;
        let mut state = State { levels: recovered.levels, ..State::default() };
        for (order, kind, reservation) in recovered.reservations {
            if kind != ReservationState::Reserved {
                state.settled.push_back(order.clone());
            }
            state.reservations.insert(order, Holding { state: kind, reservation, durable: true });
        }
        Ok(Self { state: Mutex::new(state), journal, clock, guard })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take_now(&self, take: &Take) -> Result<Taken, StoreError> {
        let now = self.clock.now();
        let mut entry = Entry::default();
        let (taken, appending) = {
            let mut state = self.state();
            let level = state.begin(take, &mut entry, now);
            let taken = if level >= take.quantity {
                let refilled = state.take(take, None, &mut entry, now) > 0;
                Taken { available: true, left: state.levels.get(&take.item).copied().unwrap_or(0), refilled }
            } else {
                Taken { available: false, left: level, refilled: false }
            };
            (taken, self.append(&entry))
        };
        self.settle(&entry, appending).await?;
        Ok(taken)
    }

    /// Call under the state's lock: what was decided first is written first.
    fn append(&self, entry: &Entry) -> Option<Appending> {
        let empty = entry.movements.is_empty() && entry.reservations.is_empty();
        (!empty).then(|| self.journal.append(entry.clone()))
    }

    /// Waits for the journal; undoes what it refused.
    async fn settle(&self, entry: &Entry, appending: Option<Appending>) -> Result<(), StoreError> {
        let Some(appending) = appending else { return Ok(()) };
        let outcome = appending.await;
        if outcome.is_err() {
            self.state().undo(entry);
        }
        outcome
    }

    async fn reserve_now(&self, reservation: &Reservation, takes: &[Take]) -> Result<Reserved, StoreError> {
        let now = self.clock.now();
        let order = &reservation.order_id;
        let mut entry = Entry::default();
        let held = Held::new(order, ReservationState::Reserved, Some(reservation), now)?;
        let (outcome, taken, appending) = {
            let mut state = self.state();
            match state.reservations.get(order) {
                Some(Holding { state: ReservationState::Released, .. }) => return Ok(Reserved::Released),
                Some(Holding { durable: false, .. }) => {
                    return Err(StoreError::Unavailable("the reservation is being written".to_owned()));
                }
                Some(Holding { reservation: Some(before), state, .. }) => {
                    return Ok(Reserved::Before(Reservation { state: *state, ..before.clone() }));
                }
                Some(Holding { reservation: None, .. }) | None => {}
            }
            let short = takes.iter().find_map(|take| {
                let left = state.begin(take, &mut entry, now);
                (left < take.quantity).then(|| (take.item.clone(), left))
            });
            let (outcome, taken) = match short {
                Some((item, left)) => (Reserved::OutOfStock { item, left }, false),
                None => {
                    let refills = takes.iter().filter(|take| state.take(take, Some(order), &mut entry, now) > 0).count();
                    let holding = Holding { state: ReservationState::Reserved, reservation: Some(reservation.clone()), durable: false };
                    state.reservations.insert(order.clone(), holding);
                    entry.reservations.push(held);
                    (Reserved::New { refills: refills as u64 }, true)
                }
            };
            (outcome, taken, self.append(&entry))
        };
        let written = self.settle(&entry, appending).await;
        if taken {
            let mut state = self.state();
            match (&written, state.reservations.get_mut(order)) {
                (Ok(()), Some(holding)) => holding.durable = true,
                _ => {
                    state.reservations.remove(order);
                }
            }
        }
        written.map(|()| outcome)
    }

    async fn confirm_now(&self, orders: &[OrderId]) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut entry = Entry::default();
        let appending = {
            let mut state = self.state();
            for order in orders {
                if let Some(holding) = state.reservations.get_mut(order).filter(|holding| holding.state == ReservationState::Reserved) {
                    holding.state = ReservationState::Confirmed;
                    entry.reservations.push(Held::new(order, ReservationState::Confirmed, None, now)?);
                    state.settle(order);
                }
            }
            self.append(&entry)
        };
        // Should the journal refuse, the caller repeats the call; after a restart the reservation is open again and is confirmed then.
        let outcome = self.settle(&entry, appending).await;
        if outcome.is_err() {
            let mut state = self.state();
            for order in orders {
                if let Some(holding) = state.reservations.get_mut(order) {
                    holding.state = ReservationState::Reserved;
                }
            }
        }
        outcome
    }

    async fn release_now(&self, order: &OrderId) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut entry = Entry::default();
        let (before, appending) = {
            let mut state = self.state();
            let before = state.reservations.get(order).cloned();
            match &before {
                Some(Holding { state: ReservationState::Released, .. }) => return Ok(()),
                Some(Holding { durable: false, .. }) => {
                    return Err(StoreError::Unavailable("the reservation is being written".to_owned()));
                }
                _ => {}
            }
            for line in before.iter().filter_map(|holding| holding.reservation.as_ref()).flat_map(|reservation| &reservation.lines) {
                let quantity = i64::from(line.quantity);
                *state.levels.entry(line.item_id.clone()).or_default() += quantity;
                entry.movements.push(Moved::new(&line.item_id, Movement::Release, quantity, Some(order), now));
            }
            entry.reservations.push(Held::new(order, ReservationState::Released, None, now)?);
            let released = Holding { state: ReservationState::Released, reservation: None, durable: true };
            state.reservations.insert(order.clone(), released);
            state.settle(order);
            (before, self.append(&entry))
        };
        let outcome = self.settle(&entry, appending).await;
        if outcome.is_err() {
            let mut state = self.state();
            match before {
                Some(holding) => state.reservations.insert(order.clone(), holding),
                None => state.reservations.remove(order),
            };
        }
        outcome
    }

    async fn set_now(&self, item: &ItemId, quantity: i64) -> Result<StockLevel, StoreError> {
        let now = self.clock.now();
        let mut entry = Entry::default();
        let appending = {
            let mut state = self.state();
            let level = state.levels.entry(item.clone()).or_default();
            entry.movements.push(Moved::new(item, Movement::Set, quantity - *level, None, now));
            *level = quantity;
            self.append(&entry)
        };
        self.settle(&entry, appending).await?;
        Ok(StockLevel { item_id: item.clone(), current_stock: quantity })
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
                self.state().levels.iter().map(|(item, level)| StockLevel { item_id: item.clone(), current_stock: *level }).collect();
            levels.sort_by(|a, b| a.item_id.cmp(&b.item_id));
            Ok(levels)
        };
        self.guard.run("levels", read).await
    }

    async fn set(&self, item: &ItemId, quantity: i64) -> Result<StockLevel, StoreError> {
        self.guard.run("set", self.set_now(item, quantity)).await
    }
}
