//! What lasts of the stock in memory: every movement and every reservation, in SQL.

use crate::domain::stock::Movement;
use async_trait::async_trait;
use contract::pricing::{Reservation, ReservationState};
use contract::{ItemId, OrderId, Timestamp};
use futures::future::BoxFuture;
use runtime::args;
use runtime::store::StoreError;
use runtime::store::sql::{Apply, Connection, Database, GroupCommit, Row, Schema};
use serde::Serialize;
use std::collections::HashMap;

pub const SCHEMA: Schema = Schema {
    sqlite: &[
        (1, "stock", include_str!("../../migrations/sqlite/0001_stock.sql")),
        (2, "market", include_str!("../../migrations/sqlite/0002_market.sql")),
    ],
    postgres: &[
        (1, "stock", include_str!("../../migrations/postgres/0001_stock.sql")),
        (2, "market", include_str!("../../migrations/postgres/0002_market.sql")),
    ],
};

/// What one atomic step changed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Entry {
    /// Forget everything before this entry.
    pub anew: bool,
    pub movements: Vec<Moved>,
    pub reservations: Vec<Held>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Moved {
    pub item: ItemId,
    pub kind: &'static str,
    /// Signed: a take is negative.
    pub quantity: i64,
    pub order: Option<OrderId>,
    pub at: i64,
}

impl Moved {
    pub fn new(item: &ItemId, kind: Movement, quantity: i64, order: Option<&OrderId>, at: Timestamp) -> Self {
        Self { item: item.clone(), kind: kind.as_str(), quantity, order: order.cloned(), at: at.millis() }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Held {
    pub order: OrderId,
    pub state: &'static str,
    /// The reservation as JSON, or nothing.
    pub document: String,
    pub at: i64,
}

impl Held {
    /// # Errors
    /// The reservation cannot be written as JSON.
    pub fn open(reservation: &Reservation, at: Timestamp) -> Result<Self, StoreError> {
        let document = serde_json::to_string(reservation)?;
        Ok(Self { order: reservation.order_id.clone(), state: state_name(ReservationState::Reserved), document, at: at.millis() })
    }

    /// What the reservation was stays written beside its new state.
    pub fn settled(order: &OrderId, state: ReservationState, at: Timestamp) -> Self {
        Self { order: order.clone(), state: state_name(state), document: String::new(), at: at.millis() }
    }
}

pub const fn state_name(state: ReservationState) -> &'static str {
    match state {
        ReservationState::Reserved => "reserved",
        ReservationState::Confirmed => "confirmed",
        ReservationState::Released => "released",
    }
}

/// What was there when the process stopped.
#[derive(Debug, Default)]
pub struct Recovered {
    pub levels: HashMap<ItemId, i64>,
    pub reservations: Vec<(OrderId, Found)>,
}

/// How a reservation stands, and what it was; nothing for one that was released before it was made.
pub type Found = (ReservationState, Option<Reservation>);

/// Ends when the entry will survive the process.
pub type Appending = BoxFuture<'static, Result<(), StoreError>>;

#[async_trait]
pub trait Journal: Send + Sync {
    /// Puts the entry in line at once: entries last in the order of these calls, whoever waits for which.
    fn append(&self, entry: Entry) -> Appending;

    async fn recover(&self) -> Result<Recovered, StoreError>;

    /// The reservation of one order, however old it is.
    async fn find(&self, order: &OrderId) -> Result<Option<Found>, StoreError>;
}

/// Settled reservations that are taken up again after a restart: of use to repeated requests, which come soon or never. What else is asked
/// for is found in the journal.
const TAKEN_UP: u32 = 200;

/// Forgets with the process.
pub struct NoJournal;

#[async_trait]
impl Journal for NoJournal {
    fn append(&self, _entry: Entry) -> Appending {
        Box::pin(std::future::ready(Ok(())))
    }

    async fn recover(&self) -> Result<Recovered, StoreError> {
        Ok(Recovered::default())
    }

    async fn find(&self, _order: &OrderId) -> Result<Option<Found>, StoreError> {
        Ok(None)
    }
}

pub struct SqlJournal {
    database: Database,
    writer: GroupCommit<WriteEntries>,
}

impl SqlJournal {
    pub fn new(database: Database) -> Self {
        Self { writer: GroupCommit::start(&database, WriteEntries), database }
    }
}

impl SqlJournal {
    /// Appends movements and keeps the levels beside them, in two statements, whatever their number.
    pub(super) async fn write_movements<M: Serialize>(transaction: &mut Connection<'_>, movements: &[M]) -> Result<(), sqlx::Error> {
        if movements.is_empty() {
            return Ok(());
        }
        let rows = to_json(&movements)?;
        let insert = "INSERT INTO movements (item_id, kind, quantity, order_id, at_ms) \
            SELECT value ->> 'item', value ->> 'kind', CAST(value ->> 'quantity' AS BIGINT), value ->> 'order', \
            CAST(value ->> 'at' AS BIGINT) FROM rows_of($1)";
        transaction.run(insert, args![&rows]).await?;
        // The new level is computed before it is inserted: a constraint looks at the row as it is offered, not as it ends.
        let update = "INSERT INTO stock (item_id, quantity) \
            SELECT moved.item, COALESCE(stock.quantity, 0) + moved.quantity \
            FROM (SELECT value ->> 'item' AS item, CAST(SUM(CAST(value ->> 'quantity' AS BIGINT)) AS BIGINT) AS quantity \
            FROM rows_of($1) GROUP BY 1) AS moved \
            LEFT JOIN stock ON stock.item_id = moved.item WHERE true \
            ON CONFLICT (item_id) DO UPDATE SET quantity = excluded.quantity";
        transaction.run(update, args![rows]).await?;
        Ok(())
    }
}

#[async_trait]
impl Journal for SqlJournal {
    fn append(&self, entry: Entry) -> Appending {
        Box::pin(self.writer.enqueue(entry))
    }

    async fn recover(&self) -> Result<Recovered, StoreError> {
        let mut recovered = Recovered::default();
        for row in self.database.all("SELECT item_id, quantity FROM stock", args![]).await? {
            recovered.levels.insert(ItemId::new(row.text(0)?), row.int(1)?);
        }
        let sql = "SELECT state, document, order_id FROM reservations WHERE state = 'reserved' \
                   UNION ALL SELECT * FROM (SELECT state, document, order_id FROM reservations WHERE state <> 'reserved' \
                   ORDER BY at_ms DESC LIMIT $1) AS settled";
        for row in self.database.all(sql, args![TAKEN_UP]).await? {
            recovered.reservations.push((OrderId::new(row.text(2)?), found(&row)?));
        }
        Ok(recovered)
    }

    async fn find(&self, order: &OrderId) -> Result<Option<Found>, StoreError> {
        let sql = "SELECT state, document FROM reservations WHERE order_id = $1";
        self.database.optional(sql, args![order.as_str()]).await?.as_ref().map(found).transpose()
    }
}

/// Of a row that begins with state and document.
fn found(row: &Row) -> Result<Found, StoreError> {
    let state = match row.text(0)?.as_str() {
        "reserved" => ReservationState::Reserved,
        "confirmed" => ReservationState::Confirmed,
        _ => ReservationState::Released,
    };
    let document = row.text(1)?;
    Ok((state, if document.is_empty() { None } else { Some(serde_json::from_str(&document)?) }))
}

/// Writes a batch of entries in three statements, whatever their number.
struct WriteEntries;

#[async_trait]
impl Apply for WriteEntries {
    type Job = Entry;
    type Done = ();

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Entry]) -> Result<Vec<()>, sqlx::Error> {
        let results = vec![(); jobs.len()];
        let jobs = match jobs.iter().rposition(|entry| entry.anew) {
            None => jobs,
            Some(last) => {
                transaction.clear(&["movements", "stock", "reservations"]).await?;
                transaction.run("UPDATE ledger_totals SET value = 0", args![]).await?;
                &jobs[last..]
            }
        };
        let movements: Vec<&Moved> = jobs.iter().flat_map(|entry| &entry.movements).collect();
        let reservations: Vec<&Held> = jobs.iter().flat_map(|entry| &entry.reservations).collect();
        SqlJournal::write_movements(transaction, &movements).await?;
        if !reservations.is_empty() {
            let upsert = "INSERT INTO reservations (order_id, state, document, at_ms) \
                SELECT value ->> 'order', value ->> 'state', value ->> 'document', CAST(value ->> 'at' AS BIGINT) \
                FROM rows_of($1) WHERE true \
                ON CONFLICT (order_id) DO UPDATE SET state = excluded.state";
            transaction.run(upsert, args![to_json(&reservations)?]).await?;
        }
        Ok(results)
    }
}

fn to_json<T: Serialize>(rows: &T) -> Result<String, sqlx::Error> {
    serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
