//! The outbox: what a transaction has to tell the others is written with it, and brought to the bus afterwards, as often as it takes.

use super::bus::{Bus, Message, Parcel, Settled};
use crate::args;
use crate::clock::SharedClock;
use crate::pace::{self, PRESSING_BATCH, PRESSING_GATHER};
use crate::store::sql::{Connection, Database, Row, Value};
use crate::telemetry::propagation;
use contract::event::Event;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::Span;

/// Rows published in one go.
const BATCH: usize = 256;

/// Waits after it was woken, so that the orders of a busy moment travel together.
const GATHER: Duration = Duration::from_millis(5);

/// Looks by itself while rows are on their way.
const BUSY: Duration = Duration::from_millis(250);

/// Looks by itself: rows of a writer that is gone, or that forgot to wake it.
const IDLE: Duration = Duration::from_secs(1);

/// No transaction stays open longer, and so no row appears later below one that is seen. Their time-out is ten seconds.
const LONGEST_WRITE: Duration = Duration::from_secs(30);

/// Settled rows are removed so many at once, after a moment of gathering: the writers of orders come first.
const REMOVED: usize = 2_048;
const REMOVE_GATHER: Duration = Duration::from_millis(25);

/// Pauses while bus or database are down.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Writes events into the outbox, in the transaction that makes them true. An event that is there already stays as it is. Wake the relay
/// after the commit.
///
/// Events without a trace context get the running span's. Inside a group commit that is nobody's: fill it in before, with
/// [`propagation::traceparent`].
///
/// # Errors
/// As every error in a transaction, it ends the transaction.
pub async fn append(transaction: &mut Connection<'_>, events: &[Event]) -> Result<(), sqlx::Error> {
    let Some(earliest) = events.iter().map(|event| event.at).min() else { return Ok(()) };
    let mut running = None;
    let traced: Vec<Cow<'_, Event>> = events
        .iter()
        .map(|event| {
            if event.traceparent.is_some() {
                return Cow::Borrowed(event);
            }
            match running.get_or_insert_with(|| propagation::traceparent(&Span::current())) {
                None => Cow::Borrowed(event),
                traceparent => Cow::Owned(Event { traceparent: traceparent.clone(), ..event.clone() }),
            }
        })
        .collect();
    let documents = serde_json::to_string(&traced).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let sql = "INSERT INTO event_outbox (event_id, kind, order_id, document, created_at_ms)
        SELECT value ->> 'id', value ->> 'kind', value ->> 'orderId', CAST(value AS TEXT), CAST($2 AS BIGINT) FROM rows_of($1)
        WHERE true ON CONFLICT (event_id) DO NOTHING";
    transaction.run(sql, args![documents, earliest]).await.map(drop)
}

/// How much is waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    pub rows: u64,
    /// Age of the oldest.
    pub oldest_ms: u64,
}

/// # Errors
/// The database does not answer.
pub async fn depth(database: &Database, clock: &SharedClock) -> Result<Depth, sqlx::Error> {
    let rows = database.one("SELECT COUNT(*) FROM event_outbox", args![]).await?.int(0)?;
    let oldest = database.optional("SELECT created_at_ms FROM event_outbox ORDER BY id LIMIT 1", args![]).await?;
    let created = oldest.map(|row| row.int(0)).transpose()?;
    let age_ms = created.map_or(0, |created| clock.now().millis() - created);
    Ok(Depth { rows: u64::try_from(rows).unwrap_or(0), oldest_ms: u64::try_from(age_ms).unwrap_or(0) })
}

/// How far a relay has come.
struct Place {
    /// The highest row published.
    cursor: i64,
    /// No row at or below it can appear any more.
    floor: i64,
    /// Where the cursor was, and since when it is at least there.
    marked: (Instant, i64),
}

impl Place {
    fn advance(&mut self, last: i64) {
        self.cursor = self.cursor.max(last);
        let (since, at) = self.marked;
        if since.elapsed() > LONGEST_WRITE {
            self.floor = at;
            self.marked = (Instant::now(), self.cursor);
        }
    }
}

/// Brings the rows of one service's outbox to the bus.
pub struct Relay {
    pub database: Database,
    pub bus: Arc<dyn Bus>,
    pub wake: Arc<Notify>,
    pub stop: CancellationToken,
    /// Published and not removed yet.
    on_the_way: Mutex<BTreeSet<i64>>,
}

impl Relay {
    pub fn new(database: Database, bus: Arc<dyn Bus>, wake: Arc<Notify>, stop: CancellationToken) -> Self {
        Self { database, bus, wake, stop, on_the_way: Mutex::default() }
    }

    pub async fn run(self) {
        let (settled, rows) = mpsc::unbounded_channel();
        futures::future::join(self.publish_all(settled), self.remove_all(rows)).await;
    }

    async fn publish_all(&self, settled: Settled) {
        let mut place = Place { cursor: 0, floor: 0, marked: (Instant::now(), 0) };
        let mut pause = FIRST_PAUSE;
        loop {
            let outcome = tokio::select! {
                () = self.stop.cancelled() => return,
                outcome = self.publish_next(&place, &settled) => outcome,
            };
            match outcome {
                Ok((published, last)) => {
                    pause = FIRST_PAUSE;
                    place.advance(last);
                    if pace::is_pressing() {
                        sleep(PRESSING_GATHER).await;
                    } else if published < BATCH {
                        self.rest().await;
                    }
                }
                Err(error) => {
                    tracing::warn!(error, "Events wait in the outbox");
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn rest(&self) {
        let idle = if self.lock().is_empty() { IDLE } else { BUSY };
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.wake.notified() => sleep(GATHER).await,
            () = sleep(idle) => {}
        }
    }

    /// Publishes the next rows; answers how many there were, and the last.
    async fn publish_next(&self, place: &Place, settled: &Settled) -> Result<(usize, i64), String> {
        let most = if pace::is_pressing() { PRESSING_BATCH } else { BATCH };
        let parcels = if self.database.is_shared() {
            // Where several write, a row may appear below one that was published already.
            let sql = "SELECT id, event_id, kind, order_id, document FROM event_outbox
                WHERE id > $1 AND id NOT IN (SELECT CAST(value AS BIGINT) FROM list_of($2)) ORDER BY id LIMIT $3";
            let known = serde_json::to_string(&*self.lock()).unwrap_or_default();
            self.read(sql, args![place.floor, known, most as i64]).await?
        } else {
            let sql = "SELECT id, event_id, kind, order_id, document FROM event_outbox WHERE id > $1 ORDER BY id LIMIT $2";
            self.read(sql, args![place.cursor, most as i64]).await?
        };
        let Some(last) = parcels.last().map(|parcel| parcel.row) else { return Ok((0, place.cursor)) };
        self.lock().extend(parcels.iter().map(|parcel| parcel.row));
        if let Err(error) = self.bus.publish(&parcels, settled).await {
            let mut on_the_way = self.lock();
            parcels.iter().for_each(|parcel| {
                on_the_way.remove(&parcel.row);
            });
            return Err(error.to_string());
        }
        Ok((parcels.len(), last))
    }

    async fn read(&self, sql: &'static str, args: Vec<Value>) -> Result<Vec<Parcel>, String> {
        let rows = self.database.all(sql, args).await.map_err(|error| error.to_string())?;
        let parcel = |row: &Row| {
            let message = Message { id: row.text(1)?, kind: row.text(2)?, order: row.text(3)?, document: row.text(4)? };
            Ok(Parcel { row: row.int(0)?, message: Arc::new(message) })
        };
        rows.iter().map(parcel).collect::<Result<_, sqlx::Error>>().map_err(|error| error.to_string())
    }

    /// Removes what is settled, until nothing can be settled any more.
    async fn remove_all(&self, mut settled: mpsc::UnboundedReceiver<i64>) {
        let mut rows = Vec::with_capacity(REMOVED);
        loop {
            tokio::select! {
                count = settled.recv_many(&mut rows, REMOVED) => if count == 0 { return },
                () = self.stop.cancelled() => {}
            }
            let stopping = self.stop.is_cancelled();
            if !stopping && rows.len() < REMOVED {
                sleep(REMOVE_GATHER).await;
            }
            while rows.len() < REMOVED
                && let Ok(row) = settled.try_recv()
            {
                rows.push(row);
            }
            self.remove(&mut rows).await;
            if stopping && settled.is_empty() {
                return;
            }
        }
    }

    async fn remove(&self, rows: &mut Vec<i64>) {
        let mut pause = FIRST_PAUSE;
        while !rows.is_empty() {
            let list = serde_json::to_string(rows).unwrap_or_default();
            let sql = "DELETE FROM event_outbox WHERE id IN (SELECT CAST(value AS BIGINT) FROM list_of($1))";
            match self.database.run(sql, args![list]).await {
                Ok(_) => {
                    let mut on_the_way = self.lock();
                    rows.drain(..).for_each(|row| {
                        on_the_way.remove(&row);
                    });
                }
                // The next start publishes them once more, which changes nothing.
                Err(_) if self.stop.is_cancelled() => rows.clear(),
                Err(error) => {
                    tracing::warn!(%error, "Published events could not be removed from the outbox yet");
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        self.on_the_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
