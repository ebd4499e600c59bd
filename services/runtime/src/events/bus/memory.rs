//! The bus of one process: a log that forgets an event when every group has acknowledged it.
//!
//! It lasts no longer than the process, and need not: the outbox keeps a row until the event is settled here.

use super::{Batch, Bus, Delivery, GroupLag, LONGEST_WAIT, Message, Parcel, READ_LIMIT, Reader, Settled, Tail, Tails, Ticket};
use crate::store::StoreError;
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};

/// Events kept at most, some ten megabytes. The rest waits in the outboxes.
const CAPACITY: usize = 16_384;

/// How often a relay that finds no room says so.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

pub struct MemoryBus(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    capacity: usize,
    /// Something was forgotten.
    room: Notify,
    tails: Tails,
}

#[derive(Default)]
struct State {
    /// Number of the oldest entry; they are numbered as published.
    first: u64,
    log: VecDeque<Entry>,
    groups: BTreeMap<&'static str, Group>,
    open: bool,
    readers: u64,
}

struct Entry {
    message: Arc<Message>,
    /// Taken when it is settled.
    row: Option<(i64, Settled)>,
    /// Groups that have not acknowledged it.
    missing: usize,
}

#[derive(Default)]
struct Group {
    /// The next that was never read.
    next: u64,
    pending: BTreeSet<u64>,
    /// Was pending when its reader went away.
    again: BTreeSet<u64>,
    active: Option<u64>,
    arrived: Arc<Notify>,
}

impl Default for MemoryBus {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl MemoryBus {
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), capacity, room: Notify::new(), tails: Tails::new() }))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in as many as there is room for.
    fn take_in(&self, parcels: &[Parcel], settled: &Settled) -> usize {
        let mut state = self.lock();
        let taken = parcels.len().min(self.capacity.saturating_sub(state.log.len()));
        let groups = state.groups.len();
        for parcel in &parcels[..taken] {
            let row = Some((parcel.row, settled.clone()));
            state.log.push_back(Entry { message: parcel.message.clone(), row, missing: groups });
        }
        if groups == 0 {
            state.forget();
        }
        if taken > 0 {
            for group in state.groups.values() {
                group.arrived.notify_waiters();
            }
        }
        taken
    }
}

impl State {
    fn end(&self) -> u64 {
        self.first + self.log.len() as u64
    }

    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        self.log.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn acknowledge(&mut self, name: &'static str, number: u64) {
        let Some(group) = self.groups.get_mut(name) else { return };
        if !(group.pending.remove(&number) || group.again.remove(&number)) {
            return;
        }
        let open = self.open;
        if let Some(entry) = self.entry(number) {
            entry.missing = entry.missing.saturating_sub(1);
            if entry.missing == 0 && open {
                entry.settle();
            }
        }
    }

    /// Drops from the front what nobody needs; true when that made room.
    fn forget(&mut self) -> bool {
        let before = self.log.len();
        if self.open {
            while let Some(entry) = self.log.front_mut().filter(|entry| entry.missing == 0) {
                entry.settle();
                self.log.pop_front();
                self.first += 1;
            }
        }
        self.log.len() < before
    }
}

impl Entry {
    fn settle(&mut self) {
        if let Some((row, settled)) = self.row.take() {
            // A relay that has stopped publishes again what it finds at its next start.
            let _ = settled.send(row);
        }
    }
}

#[async_trait]
impl Bus for MemoryBus {
    fn backend(&self) -> &'static str {
        "memory"
    }

    async fn publish(&self, parcels: &[Parcel], settled: &Settled) -> Result<(), StoreError> {
        let mut left = parcels;
        while !left.is_empty() {
            let room = self.0.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            let taken = self.0.take_in(left, settled);
            for parcel in &left[..taken] {
                self.0.tails.show(&parcel.message.document);
            }
            left = &left[taken..];
            if !left.is_empty() && timeout(COMPLAIN_EVERY, room).await.is_err() {
                let open = self.0.lock().open;
                tracing::warn!(open, "The bus is full: events wait in their outbox until every group has caught up");
            }
        }
        Ok(())
    }

    fn reader(&self, group: &'static str) -> Box<dyn Reader> {
        let mut state = self.0.lock();
        state.readers += 1;
        let id = state.readers;
        if !state.groups.contains_key(group) {
            if state.open {
                tracing::warn!(group, "Group {group} joined an open bus: it has not seen what was settled before");
            }
            let next = state.first;
            state.groups.insert(group, Group { next, ..Group::default() });
            for entry in &mut state.log {
                entry.missing += 1;
            }
        }
        let arrived = state.groups.get(group).map(|group| group.arrived.clone()).unwrap_or_default();
        Box::new(MemoryReader { bus: self.0.clone(), group, id, arrived })
    }

    async fn lag(&self) -> Result<Vec<GroupLag>, StoreError> {
        let state = self.0.lock();
        let lag = |(name, group): (&&'static str, &Group)| GroupLag {
            group: (*name).to_owned(),
            waiting: state.end() - group.next + group.again.len() as u64,
            pending: group.pending.len() as u64,
        };
        Ok(state.groups.iter().map(lag).collect())
    }

    fn tail(&self) -> Tail {
        self.0.tails.tail()
    }

    fn open(&self) {
        let mut state = self.0.lock();
        state.open = true;
        for entry in state.log.iter_mut().filter(|entry| entry.missing == 0) {
            entry.settle();
        }
        if state.forget() {
            self.0.room.notify_waiters();
        }
    }
}

struct MemoryReader {
    bus: Arc<Shared>,
    group: &'static str,
    id: u64,
    arrived: Arc<Notify>,
}

impl MemoryReader {
    fn take(&self) -> Batch {
        let mut state = self.bus.lock();
        let end = state.end();
        let Some(group) = state.groups.get_mut(self.group) else { return Batch::default() };
        let restarted = group.active.is_none();
        if *group.active.get_or_insert(self.id) != self.id {
            return Batch::default();
        }
        let mut numbers = Vec::new();
        while numbers.len() < READ_LIMIT
            && let Some(number) = group.again.pop_first()
        {
            numbers.push((number, true));
        }
        while numbers.len() < READ_LIMIT && group.next < end {
            numbers.push((group.next, false));
            group.next += 1;
        }
        group.pending.extend(numbers.iter().map(|(number, _)| *number));
        let delivery = |(number, again): (u64, bool)| {
            Some(Delivery { ticket: Ticket(number, 0), message: state.entry(number)?.message.clone(), again })
        };
        Batch { restarted, deliveries: numbers.into_iter().filter_map(delivery).collect() }
    }

    fn leave(&self) {
        let mut state = self.bus.lock();
        if let Some(group) = state.groups.get_mut(self.group).filter(|group| group.active == Some(self.id)) {
            group.active = None;
            let pending = std::mem::take(&mut group.pending);
            group.again.extend(pending);
        }
        drop(state);
        self.arrived.notify_waiters();
    }
}

#[async_trait]
impl Reader for MemoryReader {
    async fn read(&mut self, wait: Duration) -> Result<Batch, StoreError> {
        let deadline = Instant::now() + wait.min(LONGEST_WAIT);
        let mut restarted = false;
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            let mut batch = self.take();
            restarted |= batch.restarted;
            if !batch.deliveries.is_empty() || timeout_at(deadline, arrived).await.is_err() {
                batch.restarted = restarted;
                return Ok(batch);
            }
        }
    }

    async fn acknowledge(&mut self, tickets: &[Ticket]) -> Result<(), StoreError> {
        let mut state = self.bus.lock();
        for ticket in tickets {
            state.acknowledge(self.group, ticket.0);
        }
        if state.forget() {
            self.bus.room.notify_waiters();
        }
        Ok(())
    }

    async fn close(&mut self) {
        self.leave();
    }
}

impl Drop for MemoryReader {
    fn drop(&mut self) {
        self.leave();
    }
}
