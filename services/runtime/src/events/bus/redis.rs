//! The bus as one Redis stream with a consumer group a service.
//!
//! A group's readers agree by a lease on who reads. Who takes the lease first claims, in order, whatever the one before had not
//! acknowledged: so order survives a crash, which Redis' groups alone do not promise.

use super::{Batch, Bus, Delivery, GroupLag, LONGEST_WAIT, Message, Parcel, READ_LIMIT, Reader, Settled, Tail, Tails, Ticket};
use crate::store::StoreError;
use crate::store::redis::Redis;
use async_trait::async_trait;
use fred::prelude::*;
use fred::types::streams::XReadResponse;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The stream all services share.
const STREAM: &str = "events";

/// Entries kept at most, below a hundred megabytes. Redis trims by whole nodes, so there may be a few more.
const KEPT: u64 = 100_000;

/// How long an entry is kept that every group has acknowledged: for a service that starts for the first time after the others.
const REMEMBERED: Duration = Duration::from_secs(600);

/// How long a reader that says nothing keeps its place. A service that is killed and started again reads after this time at the latest.
const LEASE: Duration = Duration::from_secs(3);

/// How often one that stands by asks for the place.
const STAND_BY: Duration = Duration::from_millis(250);

/// A reader that has said nothing for an hour is no more.
const DEAD_AFTER_MS: u64 = 3_600_000;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a relay looks whether the slowest group is in danger of losing what it has not read.
const LOOK_EVERY: u64 = 2_500;

/// How long it waits for that group.
const ROOM_RETRY: Duration = Duration::from_millis(200);

/// Looks in vain after which it says so: about every ten seconds.
const COMPLAIN_EVERY: u32 = 50;

/// KEYS: stream. ARGV: entries kept, then id, kind, order and document of each event. All or, should Redis end here, a first part.
const PUBLISH: &str = r"
for at = 2, #ARGV, 4 do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*',
    'id', ARGV[at], 'kind', ARGV[at + 1], 'order', ARGV[at + 2], 'document', ARGV[at + 3])
end
return 1
";

/// KEYS: stream. ARGV: ms. Removes what is older and acknowledged by every group.
const TRIM: &str = r"
local now = redis.call('TIME')
local ms, number = now[1] * 1000 + math.floor(now[2] / 1000) - ARGV[1], 0
for _, fields in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for at = 1, #fields, 2 do group[fields[at]] = fields[at + 1] end
  local needed = group['last-delivered-id']
  if group['pending'] > 0 then needed = redis.call('XPENDING', KEYS[1], group['name'])[2] end
  local its_ms, its_number = string.match(needed, '^(%d+)-(%d+)$')
  its_ms, its_number = tonumber(its_ms), tonumber(its_number)
  if its_ms < ms or (its_ms == ms and its_number < number) then ms, number = its_ms, its_number end
end
return redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%.0f-%.0f', ms, number))
";

/// KEYS: the group's lease. ARGV: reader, lease in ms. 0: somebody else reads, 1: still mine, 2: mine from now on.
const LEAD: &str = r"
local reader = redis.call('GET', KEYS[1])
if reader and reader ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if reader then return 1 end
return 2
";

const LEAVE: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
";

/// How much the stream keeps.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub kept: u64,
    /// Publishing waits while a group has so many left to read. What lies between this and `kept` is for relays that have looked
    /// before the others.
    pub behind: u64,
    /// How long an entry is kept that nobody needs any more.
    pub remembered: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { kept: KEPT, behind: KEPT / 2, remembered: REMEMBERED }
    }
}

pub struct RedisBus(Arc<Shared>);

struct Shared {
    redis: Redis,
    limits: Limits,
    /// Events that may be published before somebody looks at the groups again.
    room: AtomicU64,
    tails: Tails,
    tailing: AtomicBool,
}

impl RedisBus {
    pub fn new(redis: Redis) -> Self {
        Self::with_limits(redis, Limits::default())
    }

    pub fn with_limits(redis: Redis, limits: Limits) -> Self {
        let (room, tailing) = (AtomicU64::new(0), AtomicBool::new(false));
        Self(Arc::new(Shared { redis, limits, room, tails: Tails::new(), tailing }))
    }
}

impl Shared {
    async fn groups(&self) -> Result<Vec<GroupLag>, StoreError> {
        let client = self.redis.client()?;
        let groups: Vec<HashMap<String, Value>> = match client.xinfo_groups(STREAM).await {
            Ok(groups) => groups,
            // Nothing was ever published and nobody ever read.
            Err(error) if error.details().contains("no such key") => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let number = |group: &HashMap<String, Value>, field: &str| group.get(field).and_then(Value::as_u64).unwrap_or(0);
        let lag = |group: HashMap<String, Value>| GroupLag {
            group: group.get("name").and_then(Value::as_string).unwrap_or_default(),
            waiting: number(&group, "lag"),
            pending: number(&group, "pending"),
        };
        Ok(groups.into_iter().map(lag).collect())
    }

    /// Removes what nobody needs any more. Should that fail, Redis trims by number.
    async fn trim(&self) {
        let Ok(client) = self.redis.client() else { return };
        let remembered_ms = self.limits.remembered.as_millis().to_string();
        if let Err(error) = client.eval::<i64, _, _, _>(TRIM, STREAM, vec![remembered_ms]).await
            && !error.details().contains("no such key")
        {
            tracing::debug!(%error, "The stream could not be trimmed");
        }
    }

    /// Waits until `wanted` events may be added without any being trimmed that a group has not read.
    async fn room_for(&self, wanted: u64) -> Result<(), StoreError> {
        let mut looks = 0;
        loop {
            let taken = self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(wanted));
            if taken.is_ok() {
                return Ok(());
            }
            let groups = self.groups().await?;
            let slowest = groups.iter().max_by_key(|group| group.waiting + group.pending);
            let behind = slowest.map_or(0, |group| group.waiting + group.pending);
            let room = self.limits.behind.saturating_sub(behind);
            if room > 0 {
                self.trim().await;
                self.room.store(room.min(LOOK_EVERY).max(wanted), Ordering::Relaxed);
                continue;
            }
            looks += 1;
            if looks % COMPLAIN_EVERY == 1 {
                let group = slowest.map_or("", |group| group.group.as_str());
                tracing::warn!(group, behind, "Group {group} is too far behind: events wait in their outbox until it has caught up");
            }
            sleep(ROOM_RETRY).await;
        }
    }
}

/// A connection for commands that wait.
async fn waiting_client(redis: &Redis) -> Result<Client, StoreError> {
    let client = redis.alone(LONGEST_WAIT)?;
    match timeout(CONNECT_TIMEOUT, client.init()).await {
        Ok(Ok(_)) => Ok(client),
        _ => {
            end(client).await;
            Err(StoreError::Unavailable("Redis is not connected".to_owned()))
        }
    }
}

#[async_trait]
impl Bus for RedisBus {
    fn backend(&self) -> &'static str {
        "redis"
    }

    async fn publish(&self, parcels: &[Parcel], settled: &Settled) -> Result<(), StoreError> {
        for parcels in parcels.chunks(READ_LIMIT) {
            self.0.room_for(parcels.len() as u64).await?;
            let mut args: Vec<Value> = Vec::with_capacity(1 + 4 * parcels.len());
            args.push(self.0.limits.kept.to_string().into());
            for Parcel { message, .. } in parcels {
                let fields = [&message.id, &message.kind, &message.order, &message.document];
                args.extend(fields.into_iter().map(|field| Value::from(field.as_str())));
            }
            if let Err(error) = self.0.redis.client()?.eval::<i64, _, _, _>(PUBLISH, STREAM, args).await {
                // Its memory may be full: look, and trim, before the next attempt.
                self.0.room.store(0, Ordering::Relaxed);
                return Err(error.into());
            }
            for parcel in parcels {
                // A relay that has stopped publishes again what it finds at its next start.
                let _ = settled.send(parcel.row);
            }
        }
        Ok(())
    }

    fn reader(&self, group: &'static str) -> Box<dyn Reader> {
        let name = format!("{group}-{}", &uuid::Uuid::new_v4().simple().to_string()[..12]);
        let lease = format!("{STREAM}:reader:{group}");
        Box::new(RedisReader { redis: self.0.redis.clone(), client: None, group, name, lease, state: State::Anew })
    }

    async fn lag(&self) -> Result<Vec<GroupLag>, StoreError> {
        self.0.groups().await
    }

    fn tail(&self) -> Tail {
        let tail = self.0.tails.tail();
        if !self.0.tailing.swap(true, Ordering::AcqRel) {
            tokio::spawn(follow(Arc::downgrade(&self.0)));
        }
        tail
    }
}

/// Reads the stream for all tails of this process.
async fn follow(shared: Weak<Shared>) {
    let mut place: Option<(Client, String)> = None;
    loop {
        let Some(bus) = shared.upgrade() else { break };
        match follow_once(&bus, &mut place).await {
            Ok(documents) => documents.iter().for_each(|document| bus.tails.show(document)),
            Err(error) => {
                tracing::debug!(%error, "Live events wait for Redis");
                sleep(STAND_BY).await;
            }
        }
    }
    if let Some((client, _)) = place {
        end(client).await;
    }
}

async fn follow_once(bus: &Shared, place: &mut Option<(Client, String)>) -> Result<Vec<String>, StoreError> {
    let (client, last) = match place {
        Some(place) => place,
        None => {
            let newest: Vec<Entry> = bus.redis.client()?.xrevrange_values(STREAM, "+", "-", Some(1)).await?;
            let last = newest.into_iter().next().map_or_else(|| "0-0".to_owned(), |(id, _)| id);
            place.insert((waiting_client(&bus.redis).await?, last))
        }
    };
    let wait_ms = LONGEST_WAIT.as_millis() as u64;
    let entries = entries(client.xread(Some(READ_LIMIT as u64), Some(wait_ms), STREAM, last.as_str()).await?)?;
    if let Some((id, _)) = entries.last() {
        last.clone_from(id);
    }
    Ok(entries.into_iter().filter_map(|(_, mut fields)| fields.remove("document")).collect())
}

/// An entry of the stream: its id and its fields.
type Entry = (String, HashMap<String, String>);

/// What a read found. Time that passed without anything is no entries, and not an error.
fn entries(reply: Value) -> Result<Vec<Entry>, StoreError> {
    if reply.is_null() {
        return Ok(Vec::new());
    }
    let read: XReadResponse<String, String, String, String> = reply.into_xread_response()?;
    Ok(read.into_values().flatten().collect())
}

struct RedisReader {
    redis: Redis,
    /// Made at the first read.
    client: Option<Client>,
    group: &'static str,
    name: String,
    /// Key of the group's lease.
    lease: String,
    state: State,
}

/// Where a reader stands.
#[derive(Debug)]
enum State {
    /// What is not acknowledged is claimed first, from the beginning.
    Anew,
    /// It is being claimed, from this id on.
    Claiming(String),
    Reading,
}

impl RedisReader {
    async fn read_on(&mut self, state: State, wait: Duration) -> Result<(Batch, State), StoreError> {
        let args = vec![self.name.clone(), LEASE.as_millis().to_string()];
        let mut state = match self.redis.client()?.eval::<i64, _, _, _>(LEAD, self.lease.as_str(), args).await? {
            0 => {
                sleep(wait.min(STAND_BY)).await;
                return Ok((Batch::default(), State::Anew));
            }
            1 => state,
            _ => State::Anew,
        };
        let client = match &self.client {
            Some(client) => client.clone(),
            None => self.client.insert(waiting_client(&self.redis).await?).clone(),
        };
        let restarted = matches!(state, State::Anew);
        if restarted {
            self.make_group(&client).await?;
            self.forget_the_dead(&client).await?;
            state = State::Claiming("0-0".to_owned());
        }
        if let State::Claiming(from) = &state {
            let (next, entries): (String, Vec<Entry>) =
                client.xautoclaim_values(STREAM, self.group, self.name.as_str(), 0, from.as_str(), Some(READ_LIMIT as u64), false).await?;
            state = if next == "0-0" { State::Reading } else { State::Claiming(next) };
            if restarted || !entries.is_empty() {
                return Ok((Batch { restarted, deliveries: deliveries(entries, true) }, state));
            }
        }
        let wait_ms = u64::try_from(wait.min(LONGEST_WAIT).as_millis()).unwrap_or(1).max(1);
        let count = Some(READ_LIMIT as u64);
        let read = client.xreadgroup(self.group, self.name.as_str(), count, Some(wait_ms), false, STREAM, ">").await?;
        Ok((Batch { restarted, deliveries: deliveries(entries(read)?, false) }, state))
    }

    /// From the beginning of the stream, so that nothing published before is missed.
    async fn make_group(&self, client: &Client) -> Result<(), StoreError> {
        match client.xgroup_create::<(), _, _, _>(STREAM, self.group, "0", true).await {
            Err(error) if !error.details().contains("BUSYGROUP") => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Removes readers of processes that ended long ago and left nothing behind.
    async fn forget_the_dead(&self, client: &Client) -> Result<(), StoreError> {
        let readers: Vec<HashMap<String, Value>> = client.xinfo_consumers(STREAM, self.group).await?;
        for reader in readers {
            let number = |field: &str| reader.get(field).and_then(Value::as_u64);
            let (pending, idle_ms) = (number("pending"), number("idle").unwrap_or(0));
            if pending == Some(0)
                && idle_ms > DEAD_AFTER_MS
                && let Some(name) = reader.get("name").and_then(Value::as_string)
            {
                client.xgroup_delconsumer::<i64, _, _, _>(STREAM, self.group, name).await?;
            }
        }
        Ok(())
    }
}

fn deliveries(entries: Vec<Entry>, again: bool) -> Vec<Delivery> {
    let delivery = |(id, mut fields): Entry| {
        let mut field = |name: &str| fields.remove(name).unwrap_or_default();
        let message = Message { id: field("id"), kind: field("kind"), order: field("order"), document: field("document") };
        let (ms, number) = id.split_once('-')?;
        Some(Delivery { ticket: Ticket(ms.parse().ok()?, number.parse().ok()?), message: Arc::new(message), again })
    };
    entries.into_iter().filter_map(delivery).collect()
}

#[async_trait]
impl Reader for RedisReader {
    async fn read(&mut self, wait: Duration) -> Result<Batch, StoreError> {
        // Until it is known what was delivered: a reply that is lost, or nobody waited for, must not lose what it carried.
        let state = std::mem::replace(&mut self.state, State::Anew);
        let (batch, state) = self.read_on(state, wait).await?;
        self.state = state;
        Ok(batch)
    }

    async fn acknowledge(&mut self, tickets: &[Ticket]) -> Result<(), StoreError> {
        if tickets.is_empty() {
            return Ok(());
        }
        let ids: Vec<String> = tickets.iter().map(|ticket| format!("{}-{}", ticket.0, ticket.1)).collect();
        self.redis.client()?.xack::<i64, _, _, _>(STREAM, self.group, ids).await?;
        Ok(())
    }

    async fn close(&mut self) {
        if let Ok(client) = self.redis.client()
            && let Err(error) = client.eval::<i64, _, _, _>(LEAVE, self.lease.as_str(), vec![self.name.clone()]).await
        {
            tracing::debug!(%error, "The lease of group {} ends by itself", self.group);
        }
        if let Some(client) = self.client.take() {
            end(client).await;
        }
        self.state = State::Anew;
    }
}

impl Drop for RedisReader {
    fn drop(&mut self) {
        // Without a runtime the process is ending, and with it the connection.
        if let (Some(client), Ok(runtime)) = (self.client.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(end(client));
        }
    }
}

async fn end(client: Client) {
    if let Err(error) = client.quit().await {
        tracing::debug!(%error, "A connection to Redis ended on its own");
    }
}
