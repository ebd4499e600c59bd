//! Where stock stands, what orders hold, and how a step that was not written is taken back.

use crate::domain::stock::{Movement, Take};
use crate::store::journal::{Entry, Found, Held, Moved, Recovered};
use contract::pricing::{Reservation, ReservationState};
use contract::{ItemId, OrderId, Timestamp};
use runtime::store::StoreError;
use std::collections::{HashMap, HashSet, VecDeque};

/// Reservations that are confirmed or released and kept for repeated requests.
const MAX_SETTLED: usize = 100_000;

#[derive(Default)]
pub struct State {
    levels: HashMap<ItemId, i64>,
    reservations: HashMap<OrderId, Holding>,
    settled: VecDeque<OrderId>,
    /// Orders whose last step is not in the journal yet.
    writing: HashSet<OrderId>,
    /// Items whose beginning the journal refused while later steps, which it will refuse too, still count on it.
    unbegun: HashSet<ItemId>,
}

/// What an order has.
pub enum Holding {
    Open(Reservation),
    Confirmed(Reservation),
    Released,
}

/// One atomic step: what the journal is told, and what orders held before.
#[derive(Default)]
pub struct Step {
    pub entry: Entry,
    before: Vec<(OrderId, Option<Holding>)>,
}

impl Step {
    /// Forgets everything.
    pub fn anew() -> Self {
        Self { entry: Entry { anew: true, ..Entry::default() }, before: Vec::new() }
    }
}

impl State {
    /// # Errors
    /// A reservation that is in force has lost its lines.
    pub fn recover(recovered: Recovered) -> Result<Self, StoreError> {
        let mut state = Self { levels: recovered.levels, ..Self::default() };
        for (order, found) in recovered.reservations {
            state.recall(&order, found)?;
        }
        Ok(state)
    }

    /// Takes up what the journal has of an order, unless it is known here.
    ///
    /// # Errors
    /// A reservation that is in force has lost its lines.
    pub fn recall(&mut self, order: &OrderId, found: Found) -> Result<(), StoreError> {
        if self.reservations.contains_key(order) {
            return Ok(());
        }
        let holding = match found {
            (ReservationState::Released, _) => Holding::Released,
            (ReservationState::Reserved, Some(reservation)) => Holding::Open(reservation),
            (ReservationState::Confirmed, Some(reservation)) => Holding::Confirmed(reservation),
            (_, None) => return Err(StoreError::Corrupt(format!("the reservation of order {order} has no lines"))),
        };
        if !matches!(holding, Holding::Open(_)) {
            self.settled.push_back(order.clone());
        }
        self.reservations.insert(order.clone(), holding);
        Ok(())
    }

    /// Whether a step of one of these orders is on its way to the journal.
    pub fn is_writing(&self, orders: &[OrderId]) -> bool {
        orders.iter().any(|order| self.writing.contains(order))
    }

    pub fn holding(&self, order: &OrderId) -> Option<&Holding> {
        self.reservations.get(order)
    }

    /// What is there, sorted by nothing.
    pub fn levels(&self) -> impl Iterator<Item = (&ItemId, i64)> {
        self.levels.iter().map(|(item, level)| (item, shown(*level)))
    }

    /// Whether it was ever asked for.
    pub fn knows(&self, item: &ItemId) -> bool {
        self.levels.contains_key(item)
    }

    pub fn level(&self, item: &ItemId) -> i64 {
        shown(self.levels.get(item).copied().unwrap_or(0))
    }

    /// The level of an item; begins it when this is the first take.
    pub fn begin(&mut self, take: &Take, step: &mut Step, now: Timestamp) -> i64 {
        let level = *self.levels.entry(take.item.clone()).or_insert_with(|| {
            step.entry.movements.push(Moved::new(&take.item, Movement::Initial, take.initial, None, now));
            take.initial
        });
        shown(level)
    }

    /// Takes what is known to be there; answers how much was filled up.
    pub fn take(&mut self, take: &Take, order: Option<&OrderId>, step: &mut Step, now: Timestamp) -> i64 {
        let left = self.shift(&take.item, Movement::Take, -take.quantity, order, step, now);
        let refill = take.refill_at(left);
        if refill > 0 {
            self.shift(&take.item, Movement::Refill, refill, None, step, now);
        }
        refill
    }

    pub fn give_back(&mut self, reservation: &Reservation, step: &mut Step, now: Timestamp) {
        for line in &reservation.lines {
            let order = Some(&reservation.order_id);
            self.shift(&line.item_id, Movement::Release, i64::from(line.quantity), order, step, now);
        }
    }

    pub fn set(&mut self, item: &ItemId, quantity: i64, step: &mut Step, now: Timestamp) {
        let level = self.levels.get(item).copied().unwrap_or(0);
        self.shift(item, Movement::Set, quantity - level, None, step, now);
    }

    fn shift(&mut self, item: &ItemId, kind: Movement, quantity: i64, order: Option<&OrderId>, step: &mut Step, now: Timestamp) -> i64 {
        let level = self.levels.entry(item.clone()).or_default();
        *level += quantity;
        step.entry.movements.push(Moved::new(item, kind, quantity, order, now));
        *level
    }

    /// Changes what an order has; until the step is finished, nobody else may.
    pub fn hold(&mut self, held: Held, holding: Holding, step: &mut Step) {
        let order = held.order.clone();
        self.writing.insert(order.clone());
        let before = self.reservations.insert(order.clone(), holding);
        step.before.push((order, before));
        step.entry.reservations.push(held);
    }

    /// The journal has the step, or refused it.
    pub fn finish(&mut self, step: Step, written: bool) {
        for (order, _) in &step.before {
            self.writing.remove(order);
        }
        if written {
            self.keep(step);
        } else {
            self.undo(step);
        }
    }

    fn keep(&mut self, step: Step) {
        if !self.unbegun.is_empty() {
            for moved in &step.entry.movements {
                self.unbegun.remove(&moved.item);
            }
        }
        for (order, _) in step.before {
            if !matches!(self.reservations.get(&order), Some(Holding::Open(_))) {
                self.settled.push_back(order);
            }
        }
        while self.settled.len() > MAX_SETTLED {
            if let Some(oldest) = self.settled.pop_front()
                && !matches!(self.reservations.get(&oldest), Some(Holding::Open(_)))
            {
                self.reservations.remove(&oldest);
            }
        }
    }

    fn undo(&mut self, step: Step) {
        for moved in &step.entry.movements {
            if let Some(level) = self.levels.get_mut(&moved.item) {
                *level -= moved.quantity;
            }
            if moved.kind == Movement::Initial.as_str() {
                self.unbegun.insert(moved.item.clone());
            }
        }
        // Once the last step that counted on it is undone, an item that never began may begin anew.
        for moved in &step.entry.movements {
            if self.levels.get(&moved.item) == Some(&0) && self.unbegun.remove(&moved.item) {
                self.levels.remove(&moved.item);
            }
        }
        for (order, before) in step.before {
            match before {
                Some(holding) => self.reservations.insert(order, holding),
                None => self.reservations.remove(&order),
            };
        }
    }
}

/// Below zero only for the moment between a refused step and the refusal of those that counted on it.
const fn shown(level: i64) -> i64 {
    if level < 0 { 0 } else { level }
}
