//! A kitchen's board.

use super::rows::{record, select_record};
use contract::RestaurantId;
use contract::order::{Board, Order, OrderStatus};
use runtime::args;
use runtime::store::sql::{Database, Value};

/// More than fit on any screen, so that nothing is missing on one.
const COLUMN: usize = 50;

/// The last few that were handed over.
const HANDED_OVER: usize = 12;

/// Each status is a walk along the index from its newest order, whatever else there is. The limits stand in the text: PostgreSQL takes one that
/// it does not know for a tenth of all rows, and would plan anew with every look at a kitchen of many orders.
const BOARD: &str = concat!(
    "SELECT * FROM (",
    select_record!("WHERE restaurant_id = $1 AND status = 'paid' ORDER BY id DESC LIMIT 50"),
    ") AS fresh",
    " UNION ALL SELECT * FROM (",
    select_record!("WHERE restaurant_id = $1 AND status = 'accepted' ORDER BY id DESC LIMIT 50"),
    ") AS accepted",
    " UNION ALL SELECT * FROM (",
    select_record!("WHERE restaurant_id = $1 AND status = 'preparing' ORDER BY id DESC LIMIT 50"),
    ") AS preparing",
    " UNION ALL SELECT * FROM (",
    select_record!("WHERE restaurant_id = $1 AND status = 'ready' ORDER BY id DESC LIMIT 50"),
    ") AS ready",
    " UNION ALL SELECT * FROM (",
    select_record!("WHERE restaurant_id = $1 AND status = 'assigned' ORDER BY id DESC LIMIT 50"),
    ") AS assigned",
    " UNION ALL SELECT * FROM (",
    select_record!("WHERE restaurant_id = $1 AND status = 'pickedUp' ORDER BY id DESC LIMIT 12"),
    ") AS gone",
    " UNION ALL SELECT * FROM (",
    select_record!("WHERE restaurant_id = $1 AND status = 'delivered' ORDER BY id DESC LIMIT 12"),
    ") AS delivered",
);

pub async fn board(database: &Database, restaurant: &RestaurantId) -> Result<Board, sqlx::Error> {
    let args: Vec<Value> = args![restaurant.as_str()];
    let mut board = Board { autopilot: autopilot(database, restaurant).await?, ..Board::default() };
    for row in database.all(BOARD, args).await? {
        let order = record(&row)?.order;
        let column = match order.status {
            OrderStatus::Paid => &mut board.new,
            OrderStatus::Accepted | OrderStatus::Preparing => &mut board.cooking,
            OrderStatus::Ready | OrderStatus::Assigned => &mut board.ready,
            _ => &mut board.handed_over,
        };
        column.push(order);
    }
    for column in [&mut board.new, &mut board.cooking, &mut board.ready] {
        column.sort_by(|a, b| b.id.cmp(&a.id));
        column.truncate(COLUMN);
        column.reverse();
    }
    board.handed_over.sort_by(|a, b| handed_over_at(b).cmp(&handed_over_at(a)).then_with(|| b.id.cmp(&a.id)));
    board.handed_over.truncate(HANDED_OVER);
    Ok(board)
}

fn handed_over_at(order: &Order) -> contract::Timestamp {
    order.history.iter().find(|step| step.status == OrderStatus::PickedUp).map_or(order.updated_at, |step| step.at)
}

async fn autopilot(database: &Database, restaurant: &RestaurantId) -> Result<bool, sqlx::Error> {
    let row = database.optional("SELECT autopilot FROM kitchens WHERE restaurant_id = $1", args![restaurant.as_str()]).await?;
    row.map_or(Ok(true), |row| Ok(row.int(0)? != 0))
}

#[cfg(test)]
mod tests {
    use super::{BOARD, COLUMN, HANDED_OVER};

    #[test]
    fn the_limits_in_the_text_are_those_of_the_columns() {
        let of = |limit: usize| BOARD.matches(&format!("LIMIT {limit}) AS")).count();
        assert_eq!((of(COLUMN), of(HANDED_OVER)), (5, 2));
    }
}
