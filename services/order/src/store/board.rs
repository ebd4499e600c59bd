//! A kitchen's board.

use super::rows::{record, select_record};
use contract::RestaurantId;
use contract::order::{Board, Order, OrderStatus};
use runtime::args;
use runtime::store::sql::{Database, Value};

/// More than fit on any screen, so that nothing is missing on one.
const COLUMN: u32 = 50;

/// The last few that were handed over.
const HANDED_OVER: u32 = 12;

/// Each status is a walk along the index from its newest order, whatever else there is.
const BOARD: &str = concat!(
    "SELECT * FROM (",
    select_record!("WHERE restaurant_id = $1 AND status = 'paid' ORDER BY id DESC LIMIT $2"),
    ") AS fresh",
    " UNION ALL SELECT * FROM (",
    select_record!("WHERE restaurant_id = $1 AND status = 'accepted' ORDER BY id DESC LIMIT $2"),
    ") AS accepted",
    " UNION ALL SELECT * FROM (",
    select_record!("WHERE restaurant_id = $1 AND status = 'preparing' ORDER BY id DESC LIMIT $2"),
    ") AS preparing",
    " UNION ALL SELECT * FROM (",
    select_record!("WHERE restaurant_id = $1 AND status = 'ready' ORDER BY id DESC LIMIT $2"),
    ") AS ready",
    " UNION ALL SELECT * FROM (",
    select_record!("WHERE restaurant_id = $1 AND status = 'assigned' ORDER BY id DESC LIMIT $2"),
    ") AS assigned",
    " UNION ALL SELECT * FROM (",
    select_record!("WHERE restaurant_id = $1 AND status = 'pickedUp' ORDER BY id DESC LIMIT $3"),
    ") AS gone",
    " UNION ALL SELECT * FROM (",
    select_record!("WHERE restaurant_id = $1 AND status = 'delivered' ORDER BY id DESC LIMIT $3"),
    ") AS delivered",
);

pub async fn board(database: &Database, restaurant: &RestaurantId) -> Result<Board, sqlx::Error> {
    let args: Vec<Value> = args![restaurant.as_str(), COLUMN, HANDED_OVER];
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
        column.truncate(COLUMN as usize);
        column.reverse();
    }
    board.handed_over.sort_by(|a, b| handed_over_at(b).cmp(&handed_over_at(a)).then_with(|| b.id.cmp(&a.id)));
    board.handed_over.truncate(HANDED_OVER as usize);
    Ok(board)
}

fn handed_over_at(order: &Order) -> contract::Timestamp {
    order.history.iter().find(|step| step.status == OrderStatus::PickedUp).map_or(order.updated_at, |step| step.at)
}

async fn autopilot(database: &Database, restaurant: &RestaurantId) -> Result<bool, sqlx::Error> {
    let row = database.optional("SELECT autopilot FROM kitchens WHERE restaurant_id = $1", args![restaurant.as_str()]).await?;
    row.map_or(Ok(true), |row| Ok(row.int(0)? != 0))
}
