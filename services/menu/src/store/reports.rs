//! What the tickets add up to: read from roll-ups and totals, never by counting tickets.

use contract::ledger::{LedgerItem, LedgerPage, SETTLE_WITHIN_MS};
use contract::menu::{Figures, HourFigures};
use contract::order::OrderStatus;
use contract::{ItemId, Money, OrderId, RestaurantId, Timestamp};
use jiff::tz::TimeZone;
use runtime::args;
use runtime::store::sql::{Database, Row};
use runtime::store::{StoreError, StoreGuard};
use std::time::Duration;

use crate::domain::local_time;

/// Best sellers of a day's figures.
const BEST: u32 = 5;

/// Pairs read of one restaurant, most frequent first: three and more for every dish of the longest menu.
const PAIRS_READ: u32 = 1_000;

/// A ticket that stands still for longer needs somebody to look at it.
const KITCHEN_DEADLINE: Duration = Duration::from_secs(15 * 60);
const DELIVERY_DEADLINE: Duration = Duration::from_secs(60 * 60);

/// Roll-ups of items are read for a day, and of hours for a year's comparison.
const KEEP_ITEMS: Duration = Duration::from_secs(30 * 24 * 3600);
const KEEP_HOURS: Duration = Duration::from_secs(400 * 24 * 3600);

/// What was sold of an item in one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sold {
    pub item: ItemId,
    pub hour: Timestamp,
    pub units: i64,
}

#[derive(Clone)]
pub struct SqlReports {
    database: Database,
    guard: StoreGuard,
}

impl SqlReports {
    pub fn new(database: Database, guard: StoreGuard) -> Self {
        Self { database, guard }
    }

    /// The day that `now` is in, with the best sellers by id.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn figures(&self, id: &RestaurantId, zone: &TimeZone, now: Timestamp) -> Result<(Figures, Vec<(ItemId, u32)>), StoreError> {
        self.guard.run("figures", self.read_figures(id, zone, now)).await
    }

    async fn read_figures(&self, id: &RestaurantId, zone: &TimeZone, now: Timestamp) -> Result<(Figures, Vec<(ItemId, u32)>), StoreError> {
        let day = local_time::day(zone, now);
        let hours = "SELECT hour_ms, orders, cents, refunds, refunded_cents, cooked, cooking_ms FROM ticket_hours \
            WHERE restaurant_id = $1 AND hour_ms >= $2 AND hour_ms < $3 ORDER BY hour_ms";
        let hours = self.database.all(hours, args![id.as_str(), day.from, day.to]).await?;
        let mut figures = Figures { day: day.date, ..Figures::default() };
        figures.hours = (0..24).map(|hour| HourFigures { hour, ..HourFigures::default() }).collect();
        let (mut cooked, mut cooking_ms) = (0, 0);
        for row in hours {
            let (orders, cents) = (small(&row, 1)?, Money::from_cents(row.int(2)?));
            figures.orders += orders;
            figures.revenue = figures.revenue + cents;
            figures.refunds += small(&row, 3)?;
            figures.refunded = figures.refunded + Money::from_cents(row.int(4)?);
            cooked += row.int(5)?;
            cooking_ms += row.int(6)?;
            let hour = local_time::hour_of_day(zone, Timestamp::from_millis(row.int(0)?));
            if let Some(hour) = figures.hours.get_mut(usize::from(hour)) {
                hour.orders += orders;
                hour.revenue = hour.revenue + cents;
            }
        }
        figures.cooking_seconds = u32::try_from(cooking_ms.checked_div(cooked).unwrap_or(0) / 1_000).unwrap_or(u32::MAX);
        let best = "SELECT item_id, CAST(SUM(units) AS BIGINT) FROM item_hours \
            WHERE restaurant_id = $1 AND hour_ms >= $2 AND hour_ms < $3 GROUP BY item_id ORDER BY 2 DESC, 1 LIMIT $4";
        let best = self.database.all(best, args![id.as_str(), day.from, day.to, BEST]).await?;
        let best = best.iter().map(|row| Ok((ItemId::new(row.text(0)?), small(row, 1)?))).collect::<Result<_, sqlx::Error>>()?;
        Ok((figures, best))
    }

    /// What was sold since `since`, by hour.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn sold(&self, id: &RestaurantId, since: Timestamp) -> Result<Vec<Sold>, StoreError> {
        let read = async {
            let sql = "SELECT item_id, hour_ms, units FROM item_hours WHERE restaurant_id = $1 AND hour_ms > $2";
            let rows = self.database.all(sql, args![id.as_str(), since]).await?;
            let sold =
                |row: &Row| Ok(Sold { item: ItemId::new(row.text(0)?), hour: Timestamp::from_millis(row.int(1)?), units: row.int(2)? });
            Ok(rows.iter().map(sold).collect::<Result<_, sqlx::Error>>()?)
        };
        self.guard.run("sold", read).await
    }

    /// Items that were ordered together, most often first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn pairs(&self, id: &RestaurantId) -> Result<Vec<(ItemId, ItemId)>, StoreError> {
        let read = async {
            let sql = "SELECT item_id, with_id FROM item_pairs WHERE restaurant_id = $1 ORDER BY orders DESC, item_id, with_id LIMIT $2";
            let rows = self.database.all(sql, args![id.as_str(), PAIRS_READ]).await?;
            let pair = |row: &Row| Ok((ItemId::new(row.text(0)?), ItemId::new(row.text(1)?)));
            Ok(rows.iter().map(pair).collect::<Result<_, sqlx::Error>>()?)
        };
        self.guard.run("pairs", read).await
    }

    /// # Errors
    /// The database does not answer.
    pub async fn ledger(&self, now: Timestamp) -> Result<LedgerPage, StoreError> {
        self.guard.run("ledger", self.read_ledger(now)).await
    }

    async fn read_ledger(&self, now: Timestamp) -> Result<LedgerPage, StoreError> {
        let mut page = LedgerPage::default();
        for row in self.database.all("SELECT name, value FROM menu_totals", args![]).await? {
            page.totals.insert(row.text(0)?, row.int(1)?);
        }
        let since = now.millis() - SETTLE_WITHIN_MS;
        for (count, cents, sql) in [
            (
                "tickets",
                "ticket_cents",
                "SELECT COUNT(*), CAST(COALESCE(SUM(total_cents), 0) AS BIGINT) FROM tickets WHERE paid_at_ms > $1",
            ),
            (
                "refunded_tickets",
                "refunded_cents",
                "SELECT COUNT(*), CAST(COALESCE(SUM(total_cents), 0) AS BIGINT) FROM tickets \
                 WHERE refunded_at_ms IS NOT NULL AND refunded_at_ms > $1",
            ),
        ] {
            let row = self.database.one(sql, args![since]).await?;
            page.recent.insert(count.to_owned(), row.int(0)?);
            page.recent.insert(cents.to_owned(), row.int(1)?);
        }
        let open = "SELECT order_id, state, state_at_ms FROM tickets WHERE ended_at_ms IS NULL ORDER BY paid_at_ms LIMIT $1";
        let rows = self.database.all(open, args![u32::try_from(LedgerPage::MAX_OPEN).unwrap_or(u32::MAX)]).await?;
        page.open = rows.iter().map(open_ticket).collect::<Result<_, sqlx::Error>>()?;
        Ok(page)
    }

    /// Removes roll-ups that nobody reads any more; answers how many rows.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn forget(&self, now: Timestamp) -> Result<u64, StoreError> {
        let before = |keep: Duration| now.millis() - i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let items = self.database.run("DELETE FROM item_hours WHERE hour_ms < $1", args![before(KEEP_ITEMS)]).await?;
        let hours = self.database.run("DELETE FROM ticket_hours WHERE hour_ms < $1", args![before(KEEP_HOURS)]).await?;
        let first_day = local_time::day(&TimeZone::UTC, Timestamp::from_millis(before(KEEP_ITEMS))).date;
        let days = self.database.run("DELETE FROM ticket_days WHERE day < $1", args![first_day]).await?;
        Ok(items + hours + days)
    }
}

fn small(row: &Row, column: usize) -> Result<u32, sqlx::Error> {
    Ok(u32::try_from(row.int(column)?).unwrap_or(u32::MAX))
}

fn open_ticket(row: &Row) -> Result<LedgerItem, sqlx::Error> {
    let since = Timestamp::from_millis(row.int(2)?);
    let (waits_for, owner, wait) = match OrderStatus::from_text(&row.text(1)?) {
        Some(OrderStatus::Paid) => ("the restaurant's yes", "restaurant", KITCHEN_DEADLINE),
        Some(OrderStatus::Accepted | OrderStatus::Preparing) => ("the kitchen", "restaurant", KITCHEN_DEADLINE),
        Some(OrderStatus::Ready) => ("a courier", "delivery", DELIVERY_DEADLINE),
        _ => ("its courier", "delivery", DELIVERY_DEADLINE),
    };
    let order_id = OrderId::new(row.text(0)?);
    Ok(LedgerItem { order_id, waits_for: waits_for.to_owned(), owner: owner.to_owned(), since, deadline: since + wait })
}
