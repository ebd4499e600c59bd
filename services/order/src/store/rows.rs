//! How an order lies in its row.

use super::{Record, Whose};
use crate::domain::{Holder, Progress};
use contract::order::{Order, OrderStatus, Step};
use contract::{Money, Timestamp};
use runtime::store::sql::Row;

/// Rows of [`record`], by what is asked for.
macro_rules! select_record {
    ($condition:literal) => {
        concat!("SELECT document, status, history, reason, created_at_ms, updated_at_ms, owner_id FROM orders ", $condition)
    };
}

/// Rows of [`file`].
macro_rules! select_file {
    ($condition:literal) => {
        concat!(
            "SELECT document, status, history, reason, created_at_ms, updated_at_ms, owner_id, session_id, user_id, synthetic, \
             traceparent, units, paid_at_ms, holder, deadline_ms, due_at_ms, total_cents FROM orders ",
            $condition
        )
    };
}

pub(super) use {select_file, select_record};

/// An order with everything that is known of it.
#[derive(Clone, Debug)]
pub struct File {
    pub order: Order,
    pub whose: Whose,
    pub units: i64,
    pub total: Money,
    pub progress: Progress,
}

fn unreadable(what: String) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}

fn status(text: &str) -> Result<OrderStatus, sqlx::Error> {
    OrderStatus::from_text(text).ok_or_else(|| unreadable(format!("{text} is not a status")))
}

/// `pending 1763632800000,paid 1763632801000`
pub fn history_text(steps: &[Step]) -> String {
    let steps: Vec<String> = steps.iter().map(|step| format!("{} {}", step.status.as_str(), step.at.millis())).collect();
    steps.join(",")
}

fn history(text: &str) -> Result<Vec<Step>, sqlx::Error> {
    let step = |text: &str| {
        let (word, at_ms) = text.split_once(' ')?;
        Some(Step { status: OrderStatus::from_text(word)?, at: Timestamp::from_millis(at_ms.parse().ok()?) })
    };
    text.split(',').map(|part| step(part).ok_or_else(|| unreadable(format!("{part} is not a step")))).collect()
}

/// The order as it is now.
fn order(row: &Row) -> Result<Order, sqlx::Error> {
    let mut order: Order = serde_json::from_str(&row.text(0)?).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let (created_at, updated_at) = (Timestamp::from_millis(row.int(4)?), Timestamp::from_millis(row.int(5)?));
    order.status = status(&row.text(1)?)?;
    order.updated_at = updated_at;
    order.reason = row.opt_text(3)?;
    order.history = match row.opt_text(2)? {
        Some(text) => history(&text)?,
        // Nothing followed, or it followed before histories were kept.
        None => {
            let mut steps = vec![Step { status: OrderStatus::Pending, at: created_at }];
            if order.status != OrderStatus::Pending {
                steps.push(Step { status: order.status, at: updated_at });
            }
            steps
        }
    };
    Ok(order)
}

pub fn record(row: &Row) -> Result<Record, sqlx::Error> {
    Ok(Record { order: order(row)?, owner: row.opt_text(6)? })
}

pub fn file(row: &Row) -> Result<File, sqlx::Error> {
    let order = order(row)?;
    let moment = |column| Ok::<_, sqlx::Error>(row.opt_int(column)?.map(Timestamp::from_millis));
    let holder = row.opt_text(13)?.map(|text| Holder::from_text(&text).ok_or_else(|| unreadable(format!("{text} holds no order"))));
    let progress = Progress {
        status: order.status,
        history: order.history.clone(),
        updated_at: order.updated_at,
        reason: order.reason.clone(),
        paid_at: moment(12)?,
        holder: holder.transpose()?,
        deadline: moment(14)?,
        due_at: moment(15)?,
    };
    let whose = Whose {
        owner: row.opt_text(6)?,
        session: row.opt_text(7)?,
        user: row.opt_text(8)?,
        synthetic: row.int(9)? != 0,
        traceparent: row.opt_text(10)?,
    };
    Ok(File { order, whose, units: row.int(11)?, total: Money::from_cents(row.int(16)?), progress })
}

impl File {
    /// The order as it is now.
    pub fn into_record(self) -> Record {
        let Self { mut order, whose, progress, .. } = self;
        order.status = progress.status;
        order.history = progress.history;
        order.updated_at = progress.updated_at;
        order.reason = progress.reason;
        Record { order, owner: whose.owner }
    }
}

#[cfg(test)]
mod tests {
    use super::{history, history_text};
    use contract::Timestamp;
    use contract::order::{OrderStatus, Step};

    #[test]
    fn a_history_reads_back() {
        let steps: Vec<Step> =
            (0..).zip(OrderStatus::ALL).map(|(n, status)| Step { status, at: Timestamp::from_millis(1_763_632_800_000 + n) }).collect();
        assert_eq!(history(&history_text(&steps)).unwrap(), steps);
        assert!(history("").is_err() && history("paid").is_err() && history("paid now").is_err() && history("eaten 1").is_err());
    }
}
