//! Moves of orders, as many as there are in one transaction, by a fixed number of statements: read for change, decided by the domain,
//! written back with their events, their tasks and their part in the books.

use super::ledger::Recent;
use super::rows::{File, file, history_text, select_file};
use super::{Change, Moved, Steps};
use crate::domain::{Actor, Overdue, Progress, Refusal};
use crate::facts;
use contract::event::Event;
use contract::order::OrderStatus;
use contract::{OrderId, Timestamp};
use runtime::args;
use runtime::chance::Chance;
use runtime::events::outbox;
use runtime::store::sql::{Connection, Row};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Orders that are being changed. Until [`Desk::write`], nothing is.
pub struct Desk {
    files: BTreeMap<OrderId, File>,
    changed: BTreeSet<OrderId>,
    steps: Steps,
    events: Vec<Event>,
    /// Orders whose stock goes back.
    released: Vec<OrderId>,
    recent: Recent,
    now: Timestamp,
}

impl Desk {
    /// Takes these orders, those that exist: nobody else changes them until the transaction ends.
    pub async fn open(
        transaction: &mut Connection<'_>,
        ids: impl IntoIterator<Item = &OrderId>,
        now: Timestamp,
    ) -> Result<Self, sqlx::Error> {
        let ids: BTreeSet<&str> = ids.into_iter().map(OrderId::as_str).collect();
        if ids.is_empty() {
            return Self::on(Vec::new(), now);
        }
        let sql = select_file!("WHERE id IN (SELECT value FROM list_of($1)) ORDER BY id FOR UPDATE");
        Self::on(transaction.all(sql, args![json!(ids).to_string()]).await?, now)
    }

    /// Takes orders that the autopilot has something to do for, longest due first; not those of kitchens that switched it off.
    pub async fn due(transaction: &mut Connection<'_>, now: Timestamp, limit: u32) -> Result<Self, sqlx::Error> {
        let sql = select_file!(
            "WHERE due_at_ms <= $1 AND restaurant_id NOT IN (SELECT restaurant_id FROM kitchens WHERE autopilot = 0) \
             ORDER BY due_at_ms LIMIT $2 FOR UPDATE SKIP LOCKED"
        );
        Self::on(transaction.all(sql, args![now, limit]).await?, now)
    }

    /// Takes orders whose deadline has passed, longest first.
    pub async fn overdue(transaction: &mut Connection<'_>, now: Timestamp, limit: u32) -> Result<Self, sqlx::Error> {
        let sql = select_file!("WHERE deadline_ms <= $1 ORDER BY deadline_ms LIMIT $2 FOR UPDATE SKIP LOCKED");
        Self::on(transaction.all(sql, args![now, limit]).await?, now)
    }

    fn on(rows: Vec<Row>, now: Timestamp) -> Result<Self, sqlx::Error> {
        let files = rows.iter().map(|row| file(row).map(|file| (file.order.id.clone(), file))).collect::<Result<_, _>>()?;
        Ok(Self {
            files,
            changed: BTreeSet::new(),
            steps: Vec::new(),
            events: Vec::new(),
            released: Vec::new(),
            recent: Recent::default(),
            now,
        })
    }

    pub fn ids(&self) -> Vec<OrderId> {
        self.files.keys().cloned().collect()
    }

    pub fn progress(&self, id: &OrderId) -> Option<&Progress> {
        self.files.get(id).map(|file| &file.progress)
    }

    /// Makes a move that somebody asks for, if it may be made.
    pub fn change(&mut self, change: &Change, chance: &Chance) -> Moved {
        match (self.step(change, chance), self.files.get(&change.order)) {
            (Ok(()), Some(file)) => Moved::Done(Box::new(file.clone().into_record())),
            (Err(Refusal::Illegal(from)), Some(_)) => Moved::Illegal(from),
            (Err(Refusal::NotTheirs), Some(_)) => Moved::NotTheirs,
            (_, None) => Moved::Missing,
        }
    }

    fn step(&mut self, change: &Change, chance: &Chance) -> Result<(), Refusal> {
        let Some(file) = self.files.get_mut(&change.order) else { return Ok(()) };
        file.progress.step(change.by, change.to, change.reason.clone(), change.at, chance)?;
        let progress = &file.progress;
        let mut event =
            facts::reached(&file.order, &file.whose, change.to, progress.updated_at, progress.refund_due(), progress.reason.as_deref());
        if change.traceparent.is_some() {
            event.traceparent.clone_from(&change.traceparent);
        }
        self.events.push(event);
        match change.to {
            OrderStatus::Paid => {
                self.recent.add("paid", 1);
                self.recent.add("paid_cents", file.total.cents());
            }
            OrderStatus::Delivered => self.recent.add("delivered", 1),
            _ if progress.gives_stock_back() => {
                self.released.push(change.order.clone());
                self.recent.add("released_units", file.units);
                if progress.refund_due() {
                    self.recent.add("refund_due_cents", file.total.cents());
                }
            }
            _ => {}
        }
        self.steps.push((change.order.clone(), change.to));
        self.changed.insert(change.order.clone());
        Ok(())
    }

    /// Makes a move of the platform's or of its autopilot that the order itself has called for.
    pub fn follow(
        &mut self,
        id: &OrderId,
        by: Actor,
        to: OrderStatus,
        reason: Option<String>,
        traceparent: Option<String>,
        chance: &Chance,
    ) {
        let change = Change { order: id.clone(), by, to, reason, at: self.now, traceparent };
        if let Err(refusal) = self.step(&change, chance) {
            tracing::error!(order.id = %id, ?refusal, "Order {id} cannot become {}, against its own rules", to.as_str());
        }
    }

    /// The money is back.
    pub fn refunded(&mut self, id: &OrderId) {
        if self.files.get_mut(id).is_some_and(|file| file.progress.refunded()) {
            self.changed.insert(id.clone());
        }
    }

    /// Does what is to be done about an order whose deadline has passed.
    pub fn sweep(&mut self, id: &OrderId, chance: &Chance) {
        let Some(file) = self.files.get_mut(id) else { return };
        match file.progress.overdue(self.now) {
            Overdue::End(to, why) => self.follow(id, Actor::Platform, to, Some(why.to_owned()), None, chance),
            Overdue::Remind(status) => {
                let at = file.progress.history.iter().rfind(|step| step.status == status).map_or(self.now, |step| step.at);
                let progress = &file.progress;
                let again = facts::reached(&file.order, &file.whose, status, at, progress.refund_due(), progress.reason.as_deref());
                self.events.push(again);
                file.progress.reminded(self.now);
                self.changed.insert(id.clone());
            }
            Overdue::Settled => {
                file.progress.reminded(self.now);
                self.changed.insert(id.clone());
            }
        }
    }

    /// Writes what was changed; answers the steps that were made, in order.
    pub async fn write(self, transaction: &mut Connection<'_>) -> Result<Steps, sqlx::Error> {
        let Self { files, changed, steps, events, released, recent, now } = self;
        if changed.is_empty() {
            return Ok(steps);
        }
        let row = |id: &OrderId| {
            let progress = &files.get(id)?.progress;
            let ms = |moment: Option<Timestamp>| moment.map(Timestamp::millis);
            Some(json!({
                "id": id, "status": progress.status.as_str(), "history": history_text(&progress.history), "reason": progress.reason,
                "updated": progress.updated_at.millis(), "paid": ms(progress.paid_at), "holder": progress.holder.map(|who| who.as_str()),
                "deadline": ms(progress.deadline), "due": ms(progress.due_at),
            }))
        };
        let rows: Vec<_> = changed.iter().filter_map(row).collect();
        let update = "UPDATE orders SET status = value ->> 'status', history = value ->> 'history', reason = value ->> 'reason', \
            updated_at_ms = CAST(value ->> 'updated' AS BIGINT), paid_at_ms = CAST(value ->> 'paid' AS BIGINT), \
            holder = value ->> 'holder', deadline_ms = CAST(value ->> 'deadline' AS BIGINT), due_at_ms = CAST(value ->> 'due' AS BIGINT) \
            FROM rows_of($1) WHERE orders.id = value ->> 'id'";
        transaction.run(update, args![json!(rows).to_string()]).await?;
        outbox::append(transaction, &events).await?;
        if !released.is_empty() {
            let release = "INSERT INTO outbox (kind, order_id, payload, due_at_ms) SELECT 'release_stock', value, '', CAST($2 AS BIGINT) \
                FROM list_of($1)";
            transaction.run(release, args![json!(released).to_string(), now]).await?;
        }
        recent.write(transaction, now).await?;
        Ok(steps)
    }
}
